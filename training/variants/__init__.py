"""One file per variant; the file's name is the variant's name."""

import importlib
import inspect
from difflib import get_close_matches
from pathlib import Path

from gan_serve.errors import UsageError
from training.gan import GAN


def names() -> list[str]:
    """Every variant, in alphabetical order."""
    return sorted(path.stem for path in Path(__file__).parent.glob("[!_]*.py"))


def find(name: str) -> type[GAN]:
    """The GAN class of a variant's file.

    Raises:
        UsageError: no such variant.
    """
    if name not in names():
        near = get_close_matches(name, names(), n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(names())}"
        raise UsageError(f"unknown variant {name!r}; {hint}")
    module = importlib.import_module(f"{__name__}.{name}")
    (variant,) = (
        value
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, GAN) and value.__module__ == module.__name__
    )
    return variant
