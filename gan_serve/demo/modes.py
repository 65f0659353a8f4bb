"""The modes of the draw panel: images of one seed, a walk to another seed, one input varied, two seeds mixed."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import gradio as gr

from gan_serve.demo.client import DemoClient, connection
from gan_serve.demo.permalink import make_query, texts_of
from gan_serve.demo.rendering import show_animation, show_result
from gan_serve.demo.snippets import Snippet, snippets_of
from gan_serve.latent_mixing import Interpolation
from gan_serve.metadata import ModelMetadata
from gan_serve.outputs.panels import find_panel
from gan_serve.request import Request
from gan_serve.result import Result, grid_columns
from gan_serve.server.api.content_negotiation import ResponseFormat, encode
from gan_serve.server.api.v1_parsing import Fields
from gan_serve.server.request_context import context_of
from gan_serve.tensors import Latent, Plain, Scalar, Written

IMAGES, WALK, MIX, VARY = "images", "walk", "mix", "vary-"

_STOPS = 9  # values of a scalar that is varied
_WIDE = 512  # minimum pixels per side of a saved image
_MOVING = 224  # minimum pixels per side of an animation


@dataclass(frozen=True)
class Selection:
    """The values of the panel's controls."""

    mode: str
    fields: Fields
    seed: int
    other: int
    count: int


@dataclass(frozen=True)
class RenderedMode:
    """HTML for the page, and functions that encode the downloads, by format."""

    html: str
    files: Mapping[str, Callable[[], bytes]]


@dataclass(frozen=True)
class _Sizes:
    """The sizes of a mode's files, known before the model runs."""

    side: int  # longer side of an image, in pixels
    columns: int | None  # of a grid, if there are several images
    scale: int  # of the grid or the single image
    animation_scale: int


def modes_of(metadata: ModelMetadata) -> dict[str, str]:
    """Return the modes that a model's inputs allow, with their titles."""
    return {
        IMAGES: "Images",
        **({WALK: "Walk to another seed"} if metadata.latents else {}),
        **varying_modes(metadata),
        **({MIX: "Mix two seeds"} if len(metadata.latents) > 1 else {}),
    }


def varying_modes(metadata: ModelMetadata) -> dict[str, str]:
    """Return the modes that show several values of one input, with their titles."""
    varied = [tensor for tensor in metadata.inputs if isinstance(tensor, Written) and tensor.stops(_STOPS)]
    return {f"{VARY}{tensor.name}": f"Vary {tensor.name.replace('_', ' ')}" for tensor in varied}


def has_two_seeds(mode: str) -> bool:
    """Return whether a mode needs a second seed."""
    return mode in (WALK, MIX)


def selectors_of(metadata: ModelMetadata) -> list[Scalar]:
    """Return the scalars at whose defaults a mixture may show nothing of the second seed."""
    names = {latent.selected_by for latent in _mixed(metadata)}
    return [scalar for scalar in metadata.scalars if scalar.name in names and not isinstance(scalar.default, tuple)]


def query_of(client: DemoClient, model: str, selection: Selection) -> str:
    """Return the query of the page's address."""
    metadata = client.metadata(model)
    inputs = texts_of(metadata, client.request(model, selection.fields).inputs[0])
    seeds = [selection.seed, selection.other] if has_two_seeds(selection.mode) else [selection.seed]
    show = {} if selection.mode == IMAGES else {"show": selection.mode}
    return make_query([metadata.name], inputs, seeds, count=selection.count, **show)


def render_mode(client: DemoClient, page: gr.Request, model: str, selection: Selection) -> RenderedMode:
    """Run the model and render its outputs.

    Raises:
        GanServeError, ApiError: the request fails.
    """
    request = request_of(client, client.metadata(model), selection)
    return client.run(page, model, request, partial(_show, selection.mode))


def request_of(client: DemoClient, metadata: ModelMetadata, selection: Selection) -> Request:
    """Return the request of a selection."""
    fields = {**selection.fields, "seed": selection.seed}
    if selection.mode == WALK:
        fields |= {"walk_to": selection.other, "steps": max(2, selection.count)}
    elif selection.mode == MIX:
        mix = [latent.name for latent in _mixed(metadata)]
        fields |= {"mix_with": selection.other, "mix": mix, "count": max(2, math.isqrt(selection.count))}
    elif selection.mode.startswith(VARY):
        fields |= varied(client, metadata, selection.mode)
    else:
        fields |= {"count": selection.count}
    return client.request(metadata.name, fields)


def varied(client: DemoClient, metadata: ModelMetadata, mode: str) -> Fields:
    """Return the values of the input that a mode varies."""
    name = mode.removeprefix(VARY)
    return {name: [*_values(metadata, name)][: client.service.settings.max_count]}


def show_varied(result: Result) -> str:
    """Return the images as an animation, and side by side."""
    sizes = _sizes(result.metadata, result.request)
    animation = result.encode("gif", scale=sizes.animation_scale)
    return show_animation(animation, sizes.side) + show_result(result, strip=True)


def snippets_of_all(metadata: ModelMetadata, request: Request, origin: str) -> list[Snippet]:
    """Return snippets that reproduce all images: a walk as an animation, others as a grid or a single image."""
    sizes, moves = _sizes(metadata, request), isinstance(request.mixing, Interpolation)
    return snippets_of(metadata, request, origin, sizes.animation_scale if moves else sizes.scale)


def origin_of(page: gr.Request) -> str:
    """Return the server's URL as the browser sees it."""
    request = connection(page)
    return str(request.base_url.replace(path="")).rstrip("/") + context_of(request.scope).prefix


def _show(mode: str, result: Result, device: str) -> RenderedMode:
    sizes, moves = _sizes(result.metadata, result.request), isinstance(result.request.mixing, Interpolation)
    animation = result.encode("gif", scale=sizes.animation_scale) if moves else b""
    images = show_result(result, strip=mode != IMAGES)
    return RenderedMode(
        show_animation(animation, sizes.side) + images if moves else images,
        {
            "png": lambda: result.encode("png", scale=sizes.scale, columns=sizes.columns),
            "zip": lambda: encode(result, ResponseFormat("zip"), device),
            "gif": lambda: animation or result.encode("gif", scale=sizes.animation_scale),
        },
    )


def _sizes(metadata: ModelMetadata, request: Request) -> _Sizes:
    side = max(find_panel(metadata).largest_size(request))
    columns = grid_columns(request) if len(request) > 1 else None
    scale = max(1, _WIDE // (side * max(columns or 1, len(request) // (columns or 1))))
    return _Sizes(side, columns, scale, math.ceil(_MOVING / side))


def _mixed(metadata: ModelMetadata) -> tuple[Latent, ...]:
    """Return the latents that the columns of a mixture take from the other seed."""
    return metadata.latents[1:2]


def _values(metadata: ModelMetadata, name: str) -> Sequence[Plain]:
    tensor = metadata.choices[name]
    assert isinstance(tensor, Written)  # as modes_of offers no others
    return tensor.stops(_STOPS)
