"""What can be shown of a model that draws: pictures of a seed, a walk to another, one input varied, seeds mixed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import gradio as gr

from gan_serve.demo.address import make_query, texts_of
from gan_serve.demo.figures import encode_gif, encode_png, show_animation, show_pictures, show_result
from gan_serve.demo.recipes import Recipe, explored_recipe, recipes_of
from gan_serve.demo.studio import Studio, connection
from gan_serve.metadata import ModelMetadata
from gan_serve.pixels import Picture, square_columns, tile
from gan_serve.request import Request
from gan_serve.result import Result, grid_columns
from gan_serve.server.formats import Form, encode, zip_files
from gan_serve.server.wishes import Fields
from gan_serve.tensors import Label, Latent, Scalar

PICTURES, WALK, MIX, VARY = "pictures", "walk", "mix", "vary-"

_STOPS = 9  # values of a number that is varied
_WIDE = 512  # pixels that a picture which is saved should have at least


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
    """What a page shows, and saves."""

    html: str
    recipes: list[Recipe]
    pictures: list[Picture]
    grid: bytes
    archive: Callable[[], bytes]


def views_of(metadata: ModelMetadata) -> dict[str, str]:
    """The views that a model's inputs allow, with their titles."""
    latents = [tensor for tensor in metadata.inputs if isinstance(tensor, Latent)]
    varied = [tensor for tensor in metadata.inputs if isinstance(tensor, Label | Scalar)]
    return {
        PICTURES: "Pictures",
        **({WALK: "Walk to another seed"} if latents else {}),
        **{f"{VARY}{tensor.name}": f"Vary {tensor.name.replace('_', ' ')}" for tensor in varied},
        **({MIX: "Mix two seeds"} if len(latents) > 1 else {}),
    }


def has_two_seeds(view: str) -> bool:
    """Whether a view needs a second seed."""
    return view in (WALK, MIX)


def query_of(studio: Studio, model: str, wanted: Wanted) -> str:
    """The address of what is shown."""
    metadata = studio.metadata(model)
    inputs = texts_of(metadata, studio.request(model, wanted.fields).inputs[0])
    seeds = [wanted.seed, wanted.other] if has_two_seeds(wanted.view) else [wanted.seed]
    show = {} if wanted.view == PICTURES else {"show": wanted.view}
    return make_query([metadata.name], inputs, seeds, count=wanted.count, **show)


def show_view(studio: Studio, page: gr.Request, model: str, wanted: Wanted) -> Shown:
    """Make what is wanted.

    Raises:
        GanServeError, Refusal: it cannot be made.
    """
    metadata = studio.metadata(model)
    if wanted.view == WALK:
        return _walk(studio, page, metadata, wanted)
    if wanted.view == MIX:
        return _mix(studio, page, metadata, wanted)
    return studio.run(page, model, request_of(studio, metadata, wanted), _shower(page, wanted.view != PICTURES))


def request_of(studio: Studio, metadata: ModelMetadata, wanted: Wanted) -> Request:
    """What is asked of the model where a request can hold the view."""
    fields = {**wanted.fields, "seed": wanted.seed, "count": wanted.count}
    if wanted.view.startswith(VARY):
        name = wanted.view.removeprefix(VARY)
        fields |= {name: _values(metadata, name)[: studio.service.settings.max_count], "count": 1}
    return studio.request(metadata.name, fields)


def origin_of(page: gr.Request) -> str:
    """Where the server is, as the page knows it."""
    return str(connection(page).base_url.replace(path="")).rstrip("/")


def _shower(page: gr.Request, strip: bool) -> Callable[[Result, str], Shown]:
    def show(result: Result, device: str) -> Shown:
        pictures = result.images()
        columns = grid_columns(result.request) if len(result) > 1 else None
        scale = max(1, _WIDE // (max(pictures[0].size) * max(columns or 1, len(result) // (columns or 1))))
        grid = result.encode("png", scale=scale, columns=columns)
        recipes = recipes_of(result.metadata, result.request, origin_of(page), scale)
        return Shown(
            show_result(result, strip=strip),
            recipes,
            pictures,
            grid,
            lambda: encode(result, Form("zip"), device),
        )

    return show


def _walk(studio: Studio, page: gr.Request, metadata: ModelMetadata, wanted: Wanted) -> Shown:
    asked = studio.request(metadata.name, {**wanted.fields, "seed": wanted.seed})
    steps = max(2, wanted.count)
    pictures = studio.walk(page, metadata.name, asked, wanted.other, steps)
    values = {"first": wanted.seed, "last": wanted.other, "steps": steps, **texts_of(metadata, asked.inputs[0])}
    shown = show_animation(pictures) + show_pictures(pictures)
    return _explored(shown, explored_recipe(metadata, "walk", values), pictures)


def _mix(studio: Studio, page: gr.Request, metadata: ModelMetadata, wanted: Wanted) -> Shown:
    size = max(2, int(wanted.count**0.5))
    asked = studio.request(metadata.name, {**wanted.fields, "seed": wanted.seed, "count": size})
    taken = [tensor.name for tensor in metadata.inputs if isinstance(tensor, Latent)][1:2]
    pictures = studio.mix(page, metadata.name, asked, wanted.other, taken)
    values = {"first": wanted.seed, "second": wanted.other, "taken": taken, "size": size}
    recipe = explored_recipe(metadata, "mix", {**values, **texts_of(metadata, asked.inputs[0])})
    return _explored(show_pictures(pictures, size), recipe, pictures)


def _explored(shown: str, recipe: Recipe, pictures: Sequence[Picture]) -> Shown:
    import numpy as np
    from PIL import Image as Pictures

    pixels = [np.atleast_3d(np.asarray(picture)) for picture in pictures]
    grid = Pictures.fromarray(tile(pixels, square_columns(len(pixels))).squeeze())
    files = [(f"{place:03}.png", encode_png(picture)) for place, picture in enumerate(pictures)]
    return Shown(shown, [recipe], list(pictures), encode_png(grid), lambda: zip_files(files))


def save_as(shown: Shown, format: str) -> bytes:
    """The file that a button saves."""
    if format == "gif":
        return encode_gif(shown.pictures)
    return shown.grid if format == "png" else shown.archive()


def _values(metadata: ModelMetadata, name: str) -> list[int | float]:
    tensor = next(each for each in metadata.inputs if each.name == name)
    if isinstance(tensor, Label):
        return list(range(len(tensor.classes)))
    assert isinstance(tensor, Scalar)  # what views_of offers
    step = (tensor.high - tensor.low) / (_STOPS - 1)
    return [round(tensor.low + step * stop, 6) for stop in range(_STOPS)]
