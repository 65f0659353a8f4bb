"""The medium of curves: CSV, and everything that images have."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan_serve.media.images import MEDIUM as IMAGES
from gan_serve.media.medium import Codec, Format


class Csv(Codec):
    """One number a line, after the provenance."""

    signature = rb"# gan_serve \{"

    def encode(self, output: Any, row: NDArray[Any], document: str) -> bytes:
        return "\n".join([f"# gan_serve {document}", *map(repr, row.tolist()), ""]).encode()

    def decode(self, content: bytes) -> tuple[str, NDArray[Any]]:
        head, *numbers = content.decode().splitlines()
        return head.removeprefix("# gan_serve "), np.array(numbers, float)


MEDIUM = replace(
    IMAGES,
    name="curves",
    formats=(Format("csv", "text/csv", (".csv",), holds="numbers", codec=Csv()), *IMAGES.formats),
    default="csv",
    shown="webp",
)
