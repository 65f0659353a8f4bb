"""The gallery: all models, grouped by task."""

import html
from collections.abc import Sequence
from pathlib import Path

from gan_serve.demo.model_card import TASKS
from gan_serve.metadata import ModelMetadata

_SUFFIXES = (".png", ".jpg", ".webp")


def show_gallery(models: Sequence[ModelMetadata], root: Path) -> str:
    """Return a card for each model, which links to its page."""
    if not models:
        return '<p class="gs-empty">The models are loading; this page will show them in a moment.</p>'
    return "".join(
        f'<section aria-label="{title}"><h2>{title}</h2><p>{about}</p><div class="gs-cards">{cards}</div></section>'
        for task, (title, about) in TASKS.items()
        if (cards := "".join(_card(model, root) for model in models if model.task == task))
    )


def sample_of(root: Path, model: str) -> Path | None:
    """Return a model's sample image, if it has one."""
    path = root / model / "sample.png"
    return path if path.is_file() else None


def examples_of(root: Path, model: str) -> list[Path]:
    """Return a model's example inputs, if it has any."""
    return sorted(path for path in (root / model / "examples").glob("*") if path.suffix in _SUFFIXES)


def example_addresses(root: Path, model: str) -> list[str]:
    """Return the addresses of a model's example inputs."""
    return [f"demo/examples/{model}/{number}/{path.name}" for number, path in enumerate(examples_of(root, model))]


def _without_image(metadata: ModelMetadata) -> str:
    """Return a text for the card of a model without an image: its inputs and outputs."""
    made = {"image": metadata.drawn_outputs, "numbers": metadata.numeric_outputs}
    return f"image &rarr; {' and '.join(name for name, outputs in made.items() if outputs)}"


def _image(metadata: ModelMetadata, root: Path) -> str:
    """Return the address of a model's image: its sample, or an image that it generates on request."""
    if sample_of(root, metadata.name):
        return f"demo/samples/{metadata.name}"
    if metadata.drawn_outputs and not metadata.image_inputs:
        return f"v1/models/{metadata.name}/generate?seed=0&count=16&grid=true&scale=4"
    return ""


def _card(metadata: ModelMetadata, root: Path) -> str:
    name = html.escape(metadata.name)
    address = _image(metadata, root)
    image = f'<img loading="lazy" alt="Samples of {name}" src="{html.escape(address)}">' if address else ""
    about, origin = html.escape(metadata.description), f"{metadata.paper.year}, {html.escape(metadata.data.name)}"
    return (
        f'<a href="?model={name}"><i>{image or _without_image(metadata)}</i><b>{name}</b><span>{about}</span>'
        f"<small>{origin}</small></a>"
    )
