"""One file per variant; the file's name is the variant's name."""

import importlib
import inspect
from collections.abc import Collection
from pathlib import Path

from gan_serve.errors import UsageError
from gan_serve.suggestions import nearest
from training.gan import GAN, Recipe


def names() -> list[str]:
    """List every variant, in alphabetical order."""
    return sorted(path.stem for path in Path(__file__).parent.glob("[!_]*.py"))


def find(name: str) -> type[GAN]:
    """Return the GAN class of a variant's file.

    Raises:
        UsageError: there is no such variant.
    """
    if name not in names():
        raise _unknown(name, names())
    module = importlib.import_module(f"{__name__}.{name}")
    (variant,) = (
        value
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, GAN) and value.__module__ == module.__name__
    )
    return variant


def trainings() -> dict[str, tuple[str, Recipe]]:
    """Return the variant and the recipe of every training, by the training's name."""
    found = {}
    for name in names():
        variant = find(name)
        found[name] = (name, variant.recipe)
        found |= {f"{name}-{part}": (name, recipe) for part, recipe in variant.presets.items()}
    return found


def training(name: str) -> tuple[str, Recipe]:
    """Return the variant and the recipe of a training.

    Raises:
        UsageError: there is no such training.
    """
    if name in names():
        return name, find(name).recipe
    known = trainings()
    if name not in known:
        raise _unknown(name, known)
    return known[name]


def _unknown(name: str, known: Collection[str]) -> UsageError:
    return UsageError(f"unknown variant {name!r}{nearest(name, known)}; there are {', '.join(known)}")
