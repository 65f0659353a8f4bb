"""gan-serve demo: the server with the demo at /, for whoever sits at this machine."""

import os
from typing import Any

from gan_serve.cli.serve import DEFAULTS, serve


def demo(**settings: Any) -> None:
    """Open the demo: all models in a page, to try, explore, draw and share.

    It is gan-serve serve --demo on a port of its own, and logs less; every option and variable of serve is taken.

    Examples:
    gan-serve demo
    gan-serve demo --port 9000 --models my-models/
    """
    usual = {name: value for name, value in DEFAULTS["demo"].items() if not os.environ.get(f"GAN_SERVE_{name.upper()}")}
    serve(**usual | {name: value for name, value in settings.items() if value is not None}, demo=True)
