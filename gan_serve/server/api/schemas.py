"""JSON schemas of inputs, options and responses, for the OpenAPI document."""

from typing import Any

from gan_serve.latent_mixing import STEPS
from gan_serve.metadata import ModelMetadata
from gan_serve.seeds import MAX_IMAGES, STREAMS
from gan_serve.server.api.content_negotiation import MEDIA_TYPES, NUMBERS_HEADER, possible_formats
from gan_serve.tensors import Choice, Written

Schema = dict[str, Any]


def field_schema(tensor: Choice, most: int) -> Schema:
    """Return the schema of a field: one value, or a list of values for several images."""
    one = tensor.schema
    about = f"{tensor.description} Default: {tensor.default_hint}.".strip()
    return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1, "maxItems": most}], "description": about}


def option_schemas(metadata: ModelMetadata, most: int) -> dict[str, Schema]:
    """Return the schemas of the options, by name."""
    sampling = {
        "seed": {**_integer(0, STREAMS - 1), "description": "The same seed gives the same bytes. Default: random."},
        "index": {**_integer(0, STREAMS - 1), "default": 0, "description": "Start with this image of the seed."},
        "count": {**_integer(1, most), "default": 1, "description": "Images for each value of a list."},
    }
    latents = [latent.name for latent in metadata.latents]
    mixing = {
        "walk_to": {
            **_integer(0, STREAMS - 1),
            "description": "Interpolate in steps to the image of this seed. Not with mix_with, or with count > 1.",
        },
        "steps": {
            **_integer(2, MAX_IMAGES),
            "description": "Images of the interpolation, both ends included; requires walk_to. "
            f"A response holds up to {most}. Default: {STEPS}.",
        },
        "step": {
            **_integer(0, STREAMS - 1),
            "description": "Return only this image of the interpolation, counted from 0; requires walk_to.",
        },
        "mix_with": {
            **_integer(0, STREAMS - 1),
            "description": "Mix each of count images with each image of this seed, as mix says. Not with walk_to.",
        },
        "mix": {
            "anyOf": [{"type": "string"}, {"type": "array", "items": {"enum": latents}, "minItems": 1}],
            "description": f"Latents to take from the seed mix_with: {', '.join(latents)}.",
        },
        "mix_index": {
            **_integer(0, STREAMS - 1),
            "description": "Mix with only this image of the second seed; requires mix_with.",
        },
    }
    display = {
        "grid": {"type": "boolean", "default": False, "description": "Return all images in one grid."},
        "scale": {
            **_integer(1, 64),
            "default": 1,
            "description": "Factor by which to enlarge each image.",
        },
    }
    version = {**_integer(1, 10**9 - 1), "description": "Version of the model. Default: the highest."}
    general = {
        "version": version,
        "format": {
            "type": "string",
            "enum": sorted(_formats(metadata)),
            "description": "Response format; overrides the Accept header.",
        },
    }
    seeds = (sampling if metadata.is_random else {}) | (mixing if metadata.latents else {})
    return seeds | (display if metadata.drawn_outputs else {}) | general


def option_rules(metadata: ModelMetadata) -> Schema:
    """Return schema rules for options that require or exclude one another."""
    if not metadata.latents:
        return {}
    needs = {"steps": ["walk_to"], "step": ["walk_to"], "mix": ["mix_with"], "mix_index": ["mix_with"]}
    several = {"required": ["walk_to", "count"], "properties": {"count": {"minimum": 2}}}
    return {
        "dependentRequired": needs | {"mix_with": ["mix"]},
        "not": {"anyOf": [{"required": ["walk_to", "mix_with"]}, several]},
    }


def example_of(metadata: ModelMetadata) -> Schema:
    """Return an example request, without images."""
    written = [tensor for tensor in metadata.choices.values() if isinstance(tensor, Written)]
    values = {tensor.name: example for tensor in written if (example := tensor.request_example) is not None}
    return values | ({"seed": 7} if metadata.is_random else {})


def response_content(metadata: ModelMetadata) -> Schema:
    """Return the media types of a response, with their schemas."""
    return {MEDIA_TYPES[each]: {"schema": _response_schema(each)} for each in _formats(metadata)}


def response_headers(metadata: ModelMetadata) -> Schema:
    """Return the headers that depend on the model: numbers beside images."""
    if not (metadata.drawn_outputs and metadata.numeric_outputs):
        return {}
    names = ", ".join(output.name for output in metadata.numeric_outputs)
    about = f"JSON: {names}, if the response is one image. A ZIP and JSON hold them for several."
    return {"headers": {NUMBERS_HEADER: {"schema": {"type": "string"}, "description": about}}}


def _formats(metadata: ModelMetadata) -> list[str]:
    """Return all formats that a response may have, each once."""
    one, several = (possible_formats(metadata, images, grid=False) for images in (1, 2))
    return list(dict.fromkeys([*one, *several]))


def _response_schema(format: str) -> Schema:
    return {"type": "object"} if format == "json" else {"type": "string", "format": "binary"}


def _integer(low: int, high: int) -> Schema:
    return {"type": "integer", "minimum": low, "maximum": high}
