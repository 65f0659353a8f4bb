"""A second seed: a walk to its image, or a mixture that takes some of its noise.

What is not noise stays as it is for the first seed, a class or a code that was drawn included.
"""

from dataclasses import dataclass, replace
from typing import Literal

from gan_serve.array_values import is_list, plain
from gan_serve.errors import UsageError
from gan_serve.metadata import ModelMetadata
from gan_serve.seeds import MAX_IMAGES, STREAMS, checked_integer
from gan_serve.suggestions import nearest

STEPS = 16  # of a walk, where nobody says how many


@dataclass(frozen=True, kw_only=True)
class Interpolation:
    """From an image to that of another seed, in so many images with both ends among them."""

    kind: Literal["walk"] = "walk"
    seed: int  # where it ends
    steps: int
    step: int | None = None  # the only one that is wanted, if one is; the first is 0

    def width(self, count: int) -> int:
        """How many images come of each one."""
        return self.steps if self.step is None else 1

    def at(self, place: int, index: int) -> "Interpolation":
        """What makes one of these images, where `index` is the request's."""
        return self if self.step is not None else replace(self, step=place)


@dataclass(frozen=True, kw_only=True)
class StyleMix:
    """Each of `count` images, with some latents of each of as many images of another seed, or of one of them."""

    kind: Literal["mix"] = "mix"
    seed: int
    latents: tuple[str, ...]  # that come from it, by their names
    index: int | None = None  # of the other seed's only image that takes part, if it is one

    def width(self, count: int) -> int:
        """How many images come of each one."""
        return count if self.index is None else 1

    def at(self, place: int, index: int) -> "StyleMix":
        """What makes one of these images, where `index` is the request's."""
        return self if self.index is not None else replace(self, index=index + place)


LatentMixing = Interpolation | StyleMix


def make_mixing(
    *,
    walk_to: int | None = None,
    steps: int | None = None,
    step: int | None = None,
    mix_with: int | None = None,
    mix: object = None,
    mix_index: int | None = None,
) -> LatentMixing | None:
    """What a user wants with a second seed; `mix` are names of latents, as a list or with commas between them.

    Raises:
        UsageError: two wishes that exclude one another, or half of one.
    """
    if walk_to is not None and mix_with is not None:
        raise UsageError("walk_to and mix_with are two ways to a second seed; leave out one of them")
    for seed, detail, about in (
        (walk_to, steps, "steps are those of a walk; give walk_to, the seed where it ends, or leave them out"),
        (walk_to, step, "step is an image of a walk; give walk_to, the seed where it ends, or leave it out"),
        (mix_with, mix, "mix names what is taken from another seed; give mix_with, that seed, or leave it out"),
        (mix_with, mix_index, "mix_index is an image of another seed; give mix_with, that seed, or leave it out"),
    ):
        if seed is None and detail is not None:
            raise UsageError(about)
    if walk_to is not None:
        return Interpolation(seed=walk_to, steps=STEPS if steps is None else steps, step=step)
    return None if mix_with is None else StyleMix(seed=mix_with, latents=_names(mix), index=mix_index)


def checked_mixing(metadata: ModelMetadata, mixing: LatentMixing, count: int) -> LatentMixing:
    """What is wanted with a second seed, its numbers as Python's own.

    Raises:
        UsageError: it draws no noise, has no such latent, or a number is out of range.
    """
    known = [latent.name for latent in metadata.latents]
    if not known:
        raise UsageError(f"{metadata.name} draws no noise, so that another seed changes nothing")
    if isinstance(mixing, Interpolation):
        seed = checked_integer("walk_to", mixing.seed, 0, STREAMS - 1)
        steps = checked_integer("steps", mixing.steps, 2, MAX_IMAGES)
        step = None if mixing.step is None else checked_integer("step", mixing.step, 0, steps - 1)
        if count > 1:
            raise UsageError(f"a walk has as many images as steps; leave out the count of {count}")
        return Interpolation(seed=seed, steps=steps, step=step)
    seed = checked_integer("mix_with", mixing.seed, 0, STREAMS - 1)
    index = None if mixing.index is None else checked_integer("mix_index", mixing.index, 0, STREAMS - 1)
    if not mixing.latents:
        raise UsageError(f"mix must name what is taken from the seed {seed}; use {', '.join(known)}")
    for name in mixing.latents:
        if name not in known:
            raise UsageError(f"{metadata.name} has no latent {name!r}{nearest(name, known)}; it has {', '.join(known)}")
    return StyleMix(seed=seed, latents=mixing.latents, index=index)


def _names(mix: object) -> tuple[str, ...]:
    mix = plain(mix)
    given = mix.split(",") if isinstance(mix, str) else mix if is_list(mix) else [mix]
    names = (str(name).strip() for name in given if name is not None)
    return tuple(dict.fromkeys(name for name in names if name))
