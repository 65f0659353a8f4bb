"""What each kind of input looks like in OpenAPI's language."""

from typing import Any

from gan_serve.latent_mixing import STEPS
from gan_serve.metadata import ModelMetadata
from gan_serve.request import Choice, choices
from gan_serve.seeds import MAX_IMAGES, STREAMS
from gan_serve.server.api.content_negotiation import MEDIA_TYPES, possible_formats
from gan_serve.tensors import Image, Label, Mask

Schema = dict[str, Any]


def value_schema(tensor: Choice) -> Schema:
    """One value of an input."""
    if isinstance(tensor, Image | Mask):
        return {"type": "string", "contentEncoding": "base64", "description": f"An image's file: {tensor.about}"}
    if isinstance(tensor, Label):
        number = {"type": "integer", "enum": list(tensor.values)}
        return {"anyOf": [{"type": "string", "enum": list(tensor.classes)}, number]}
    fixed = {} if isinstance(tensor.default, tuple) else {"default": tensor.default}
    return {"type": "number", "minimum": tensor.low, "maximum": tensor.high, **fixed}


def field_schema(tensor: Choice, most: int) -> Schema:
    """One value, or a list of them, each of which makes a row."""
    one = value_schema(tensor)
    about = f"{tensor.description} Default: {tensor.default_hint}.".strip()
    return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1, "maxItems": most}], "description": about}


def option_schemas(metadata: ModelMetadata, most: int) -> dict[str, Schema]:
    """What can be said beside the inputs."""
    drawn = {
        "seed": {**_integer(0, STREAMS - 1), "description": "The same seed gives the same bytes; drawn if not given."},
        "index": {**_integer(0, STREAMS - 1), "default": 0, "description": "Begin with this image of the seed."},
        "count": {**_integer(1, most), "default": 1, "description": "Images for each value of a list."},
    }
    latents = [latent.name for latent in metadata.latents]
    blended = {
        "walk_to": {
            **_integer(0, STREAMS - 1),
            "description": "Go by steps to the image of this seed. It excludes mix_with, and a count of more than 1.",
        },
        "steps": {
            **_integer(2, MAX_IMAGES),
            "description": "Images of the walk to walk_to, which must be given, both ends included; "
            f"up to {most} are sent. Default: {STEPS}.",
        },
        "step": {
            **_integer(0, STREAMS - 1),
            "description": "Send this image of the walk to walk_to alone, which must be given; the first is 0.",
        },
        "mix_with": {
            **_integer(0, STREAMS - 1),
            "description": "Mix each of count images with each of this seed, as mix says. It excludes walk_to.",
        },
        "mix": {
            "anyOf": [{"type": "string"}, {"type": "array", "items": {"enum": latents}, "minItems": 1}],
            "description": f"Latents that are taken from the seed mix_with: {', '.join(latents)}.",
        },
        "mix_index": {
            **_integer(0, STREAMS - 1),
            "description": "Mix with this image of the seed mix_with alone, which must be given.",
        },
    }
    shown = {
        "grid": {"type": "boolean", "default": False, "description": "All images in one image."},
        "scale": {**_integer(1, 64), "default": 1, "description": "Enlarge each pixel to so many squared."},
    }
    version = {**_integer(1, 10**9 - 1), "description": "The highest if not given."}
    named = {
        "version": version,
        "format": {
            "type": "string",
            "enum": sorted(_formats(metadata)),
            "description": "Instead of the header Accept.",
        },
    }
    seeds = (drawn if metadata.is_random else {}) | (blended if metadata.latents else {})
    return seeds | (shown if metadata.image_outputs else {}) | named


def option_rules(metadata: ModelMetadata) -> Schema:
    """Which options need others, and which exclude one another."""
    if not metadata.latents:
        return {}
    needs = {"steps": ["walk_to"], "step": ["walk_to"], "mix": ["mix_with"], "mix_index": ["mix_with"]}
    several = {"required": ["walk_to", "count"], "properties": {"count": {"minimum": 2}}}
    return {
        "dependentRequired": needs | {"mix_with": ["mix"]},
        "not": {"anyOf": [{"required": ["walk_to", "mix_with"]}, several]},
    }


def example_of(metadata: ModelMetadata) -> Schema:
    """A request that works as it stands, images aside."""
    labels = {tensor.name: tensor.classes[0] for tensor in choices(metadata).values() if isinstance(tensor, Label)}
    return labels | ({"seed": 7} if metadata.is_random else {})


def answer_content(metadata: ModelMetadata) -> Schema:
    """The media types of an answer."""
    return {MEDIA_TYPES[each]: {"schema": _answer_schema(each)} for each in _formats(metadata)}


def _formats(metadata: ModelMetadata) -> list[str]:
    """All that an answer may have, each once."""
    one, several = (possible_formats(metadata, images, grid=False) for images in (1, 2))
    return list(dict.fromkeys([*one, *several]))


def _answer_schema(format: str) -> Schema:
    return {"type": "object"} if format == "json" else {"type": "string", "format": "binary"}


def _integer(low: int, high: int) -> Schema:
    return {"type": "integer", "minimum": low, "maximum": high}
