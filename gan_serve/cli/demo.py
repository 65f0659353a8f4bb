"""gan-serve demo: the server with the demo at /, for local use."""

import os
from typing import Any

from gan_serve.cli.serve import DEFAULTS, serve


def demo(**settings: Any) -> None:
    """Start the demo, a web page for all models.

    This is gan-serve serve --demo with another default port and fewer log messages. It accepts the same options and
    environment variables.

    Examples:
    gan-serve demo
    gan-serve demo --port 9000 --models my-models/
    """
    defaults = {
        name: value for name, value in DEFAULTS["demo"].items() if not os.environ.get(f"GAN_SERVE_{name.upper()}")
    }
    serve(**defaults | {name: value for name, value in settings.items() if value is not None}, demo=True)
