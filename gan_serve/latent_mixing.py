"""Combine the noise of two seeds: interpolate between them, or take some latents from the second.

Only noise is mixed. Labels and codes are those of the first seed, even if they were sampled.
"""

from dataclasses import dataclass, replace
from typing import Literal

from gan_serve.array_values import is_list, plain
from gan_serve.errors import UsageError
from gan_serve.metadata import ModelMetadata
from gan_serve.seeds import MAX_IMAGES, STREAMS, checked_integer
from gan_serve.suggestions import nearest

STEPS = 16  # default number of images of a walk


@dataclass(frozen=True, kw_only=True)
class Interpolation:
    """A walk of `steps` images from one seed's image to another seed's, both ends included."""

    kind: Literal["walk"] = "walk"
    seed: int  # of the last image
    steps: int
    step: int | None = None  # make this image alone, counted from 0; None: all of them

    def width(self, count: int) -> int:
        """How many images come of each one."""
        return self.steps if self.step is None else 1

    def at(self, place: int, index: int) -> "Interpolation":
        """What makes one of these images, where `index` is the request's."""
        return self if self.step is not None else replace(self, step=place)


@dataclass(frozen=True, kw_only=True)
class StyleMix:
    """Style mixing: `count` images, each with some latents of each of `count` images of another seed.

    With an `index`, only that image of the other seed takes part.
    """

    kind: Literal["mix"] = "mix"
    seed: int
    latents: tuple[str, ...]  # names of the latents that come from that seed
    index: int | None = None  # of one image of that seed; None: all `count` of them

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
    """Return the mixing that these options describe, if any. `mix` is a list of latents, or text with commas.

    Raises:
        UsageError: The options exclude each other, or one lacks its counterpart.
    """
    if walk_to is not None and mix_with is not None:
        raise UsageError("walk_to and mix_with exclude each other; leave out one of them")
    for seed, detail, about in (
        (walk_to, steps, "steps needs a walk; give walk_to, the seed where the walk ends, or leave out steps"),
        (walk_to, step, "step needs a walk; give walk_to, the seed where the walk ends, or leave out step"),
        (mix_with, mix, "mix needs a second seed; give mix_with, or leave out mix"),
        (mix_with, mix_index, "mix_index needs a second seed; give mix_with, or leave out mix_index"),
    ):
        if seed is None and detail is not None:
            raise UsageError(about)
    if walk_to is not None:
        return Interpolation(seed=walk_to, steps=STEPS if steps is None else steps, step=step)
    return None if mix_with is None else StyleMix(seed=mix_with, latents=_names(mix), index=mix_index)


def checked_mixing(metadata: ModelMetadata, mixing: LatentMixing, count: int) -> LatentMixing:
    """Check a mixing against the model, and return it with Python integers.

    Raises:
        UsageError: The model has no noise or no such latent, or a number is out of range.
    """
    known = [latent.name for latent in metadata.latents]
    if not known:
        raise UsageError(f"{metadata.name} has no noise input, so a second seed changes nothing")
    if isinstance(mixing, Interpolation):
        seed = checked_integer("walk_to", mixing.seed, 0, STREAMS - 1)
        steps = checked_integer("steps", mixing.steps, 2, MAX_IMAGES)
        step = None if mixing.step is None else checked_integer("step", mixing.step, 0, steps - 1)
        if count > 1:
            raise UsageError(f"a walk has one image per step; leave out the count of {count}")
        return Interpolation(seed=seed, steps=steps, step=step)
    seed = checked_integer("mix_with", mixing.seed, 0, STREAMS - 1)
    index = None if mixing.index is None else checked_integer("mix_index", mixing.index, 0, STREAMS - 1)
    if not mixing.latents:
        raise UsageError(f"mix must name the latents to take from seed {seed}; use {', '.join(known)}")
    for name in mixing.latents:
        if name not in known:
            raise UsageError(f"{metadata.name} has no latent {name!r}{nearest(name, known)}; it has {', '.join(known)}")
    return StyleMix(seed=seed, latents=mixing.latents, index=index)


def _names(mix: object) -> tuple[str, ...]:
    mix = plain(mix)
    parts = mix.split(",") if isinstance(mix, str) else mix if is_list(mix) else [mix]
    names = (str(name).strip() for name in parts if name is not None)
    return tuple(dict.fromkeys(name for name in names if name))
