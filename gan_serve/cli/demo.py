"""gan-serve demo: the server with the demo at /, for whoever sits at this machine."""

import os
from typing import Any

from gan_serve.cli.serve import serve

_USUAL = {"port": "7860", "log_level": "warning"}


def demo(**settings: Any) -> None:
    """Open the demo: all models in a page, to try, explore, draw and share.

    It is gan-serve serve --demo on a port of its own, and logs less; every option and variable of serve is taken.

    Examples:
    gan-serve demo
    gan-serve demo --port 9000 --models my-models/
    """
    absent = {name for name in _USUAL if settings[name] is None and f"GAN_SERVE_{name.upper()}" not in os.environ}
    serve(**{**settings, **{name: _USUAL[name] for name in absent}, "demo": True})
