"""The service that BentoML runs."""

from typing import Annotated

import bentoml
from bentoml.validators import ContentType
from painter import Painter

from gan_serve.system.cpus import cpu_count


@bentoml.service(workers=cpu_count(), logging={"access": {"enabled": False}})
class Service:
    """A seed in, a PNG out."""

    def __init__(self) -> None:
        self._painter = Painter()

    @bentoml.api
    def paint(self, seed: int) -> Annotated[bytes, ContentType("image/png")]:
        """Return the PNG file for a seed."""
        return self._painter.paint(seed)
