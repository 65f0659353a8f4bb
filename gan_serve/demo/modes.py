"""What can be shown of a model that draws: images of a seed, a walk to another, one input varied, seeds mixed."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import gradio as gr

from gan_serve.demo.client import DemoClient, connection
from gan_serve.demo.permalink import make_query, texts_of
from gan_serve.demo.rendering import show_animation, show_result
from gan_serve.demo.snippets import Recipe, recipes_of
from gan_serve.latent_mixing import Interpolation
from gan_serve.metadata import ModelMetadata
from gan_serve.request import Request
from gan_serve.result import Result, grid_columns, largest_size
from gan_serve.server.api.content_negotiation import ResponseFormat, encode
from gan_serve.server.api.v1_parsing import Fields
from gan_serve.server.request_context import context_of
from gan_serve.tensors import Label, Latent, Scalar

IMAGES, WALK, MIX, VARY = "images", "walk", "mix", "vary-"

_STOPS = 9  # values of a number that is varied
_WIDE = 512  # pixels that an image which is saved should have at least
_MOVING = 224  # pixels a side that an animation should have at least


@dataclass(frozen=True)
class Wanted:
    """What the controls of a page say."""

    view: str
    fields: Fields
    seed: int
    other: int
    count: int


@dataclass(frozen=True)
class Shown:
    """What a page shows, and the files that its buttons save, by their formats."""

    html: str
    files: Mapping[str, Callable[[], bytes]]


@dataclass(frozen=True)
class _Sizes:
    """How large the files of a view are; all of it is known before anything is made."""

    side: int  # of an image as the model makes it, in pixels
    columns: int | None  # of a grid, where there are several images
    scale: int  # of a grid, or of one image
    larger: int  # the scale of an animation


def views_of(metadata: ModelMetadata) -> dict[str, str]:
    """The views that a model's inputs allow, with their titles."""
    varied = [tensor for tensor in metadata.inputs if isinstance(tensor, Label | Scalar)]
    return {
        IMAGES: "Images",
        **({WALK: "Walk to another seed"} if metadata.latents else {}),
        **{f"{VARY}{tensor.name}": f"Vary {tensor.name.replace('_', ' ')}" for tensor in varied},
        **({MIX: "Mix two seeds"} if len(metadata.latents) > 1 else {}),
    }


def has_two_seeds(view: str) -> bool:
    """Whether a view needs a second seed."""
    return view in (WALK, MIX)


def selectors_of(metadata: ModelMetadata) -> list[Scalar]:
    """The numbers at whose defaults a mixture may show nothing of the second seed."""
    names = {latent.selected_by for latent in _mixed(metadata)}
    return [scalar for scalar in metadata.scalars if scalar.name in names and not isinstance(scalar.default, tuple)]


def query_of(studio: DemoClient, model: str, wanted: Wanted) -> str:
    """The address of what is shown."""
    metadata = studio.metadata(model)
    inputs = texts_of(metadata, studio.request(model, wanted.fields).inputs[0])
    seeds = [wanted.seed, wanted.other] if has_two_seeds(wanted.view) else [wanted.seed]
    show = {} if wanted.view == IMAGES else {"show": wanted.view}
    return make_query([metadata.name], inputs, seeds, count=wanted.count, **show)


def show_view(studio: DemoClient, page: gr.Request, model: str, wanted: Wanted) -> Shown:
    """Make what is wanted.

    Raises:
        GanServeError, ApiError: it cannot be made.
    """
    asked = request_of(studio, studio.metadata(model), wanted)
    return studio.run(page, model, asked, partial(_show, wanted.view))


def request_of(studio: DemoClient, metadata: ModelMetadata, wanted: Wanted) -> Request:
    """What is asked of the model."""
    fields = {**wanted.fields, "seed": wanted.seed}
    if wanted.view == WALK:
        fields |= {"walk_to": wanted.other, "steps": max(2, wanted.count)}
    elif wanted.view == MIX:
        mix = [latent.name for latent in _mixed(metadata)]
        fields |= {"mix_with": wanted.other, "mix": mix, "count": max(2, math.isqrt(wanted.count))}
    elif wanted.view.startswith(VARY):
        name = wanted.view.removeprefix(VARY)
        fields |= {name: _values(metadata, name)[: studio.service.settings.max_count]}
    else:
        fields |= {"count": wanted.count}
    return studio.request(metadata.name, fields)


def recipes_of_all(metadata: ModelMetadata, asked: Request, origin: str) -> list[Recipe]:
    """How to make all that a view shows: a walk moves; everything else becomes a grid, or one image."""
    sizes = _sizes(metadata, asked)
    return recipes_of(metadata, asked, origin, sizes.larger if isinstance(asked.mixing, Interpolation) else sizes.scale)


def origin_of(page: gr.Request) -> str:
    """Where the server is, as the page knows it."""
    request = connection(page)
    return str(request.base_url.replace(path="")).rstrip("/") + context_of(request.scope).prefix


def _show(view: str, result: Result, device: str) -> Shown:
    sizes, moves = _sizes(result.metadata, result.request), isinstance(result.request.mixing, Interpolation)
    animation = result.encode("gif", scale=sizes.larger) if moves else b""
    shown = show_result(result, strip=view != IMAGES)
    return Shown(
        show_animation(animation, sizes.side) + shown if moves else shown,
        {
            "png": lambda: result.encode("png", scale=sizes.scale, columns=sizes.columns),
            "zip": lambda: encode(result, ResponseFormat("zip"), device),
            "gif": lambda: animation or result.encode("gif", scale=sizes.larger),
        },
    )


def _sizes(metadata: ModelMetadata, asked: Request) -> _Sizes:
    side = max(largest_size(metadata, asked))
    columns = grid_columns(asked) if len(asked) > 1 else None
    scale = max(1, _WIDE // (side * max(columns or 1, len(asked) // (columns or 1))))
    return _Sizes(side, columns, scale, math.ceil(_MOVING / side))


def _mixed(metadata: ModelMetadata) -> tuple[Latent, ...]:
    """What the columns of a mixture take from the other seed."""
    return metadata.latents[1:2]


def _values(metadata: ModelMetadata, name: str) -> list[int | float]:
    tensor = next(each for each in metadata.inputs if each.name == name)
    if isinstance(tensor, Label):
        return list(tensor.values)
    assert isinstance(tensor, Scalar)  # what views_of offers
    step = (tensor.high - tensor.low) / (_STOPS - 1)
    return [round(tensor.low + step * stop, 6) for stop in range(_STOPS)]
