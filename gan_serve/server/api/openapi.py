"""The OpenAPI document: a route for each model, with its labels, ranges and defaults."""

from typing import Any

import gan_serve
from gan_serve.metadata import ModelMetadata
from gan_serve.request import choices
from gan_serve.server.api.schemas import (
    Schema,
    answer_content,
    example_of,
    field_schema,
    option_rules,
    option_schemas,
    value_schema,
)
from gan_serve.server.service import Service
from gan_serve.tensors import Image, Mask

_ERRORS = {
    400: "What was sent is wrong; `error` says what would be right.",
    401: "A key is needed.",
    404: "There is no such model.",
    405: "The route has no such method; `Allow` names those that it has.",
    406: "The answer has none of the formats in `Accept`.",
    413: "The body is too large.",
    415: "The body is of another type.",
    429: "Too much is waiting; come back after `Retry-After` seconds.",
    503: "The model is still loading, the server is stopping, or too many connections are open.",
    504: "The deadline has passed.",
}
_ERROR = {
    "type": "object",
    "required": ["error", "request_id"],
    "properties": {"error": {"type": "string"}, "request_id": {"type": "string"}},
}


def describe(service: Service, prefix: str = "") -> dict[str, Any]:
    """The document for the models that are served now, where `prefix` stands before every path."""
    paths: Schema = {
        "/v1/models": _plain_get("The models", "models"),
        "/v1/health": _plain_get("The server's state, and what runs where", "operation"),
    }
    paths["/v1/health"]["get"]["security"] = []  # it needs no key
    for lane in service.library.catalogue.latest():
        metadata = lane.metadata
        paths[f"/v1/models/{metadata.name}"] = _plain_get(f"What {metadata.name} is", "models")
        paths[f"/v1/models/{metadata.name}/generate"] = _generate(metadata, service.settings.max_count)
    document: Schema = {
        "openapi": "3.1.0",
        "info": {"title": "gan-serve", "version": gan_serve.__version__},
        "servers": [{"url": prefix or "/"}],
        "paths": paths,
        "components": {"schemas": {"Error": _ERROR}},
    }
    if service.keys:
        document["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
        document["security"] = [{"key": []}]
    return document


def _generate(metadata: ModelMetadata, most: int) -> Schema:
    about = {"tags": ["generate"], "summary": metadata.description, "responses": _responses(answer_content(metadata))}
    post = {"post": {**about, "operationId": f"generate_{metadata.name}", "requestBody": _body(metadata, most)}}
    if metadata.image_inputs:
        return post
    return {"get": {**about, "operationId": f"get_{metadata.name}", "parameters": _parameters(metadata, most)}, **post}


def _parameters(metadata: ModelMetadata, most: int) -> list[Schema]:
    """Of a GET, which makes one image; which of them exclude one another stands in their descriptions alone."""
    inputs = {name: value_schema(tensor) for name, tensor in choices(metadata).items()}
    schemas = {**inputs, **option_schemas(metadata, most)}
    examples = example_of(metadata)
    return [
        {"name": name, "in": "query", "schema": schema, **({"example": examples[name]} if name in examples else {})}
        for name, schema in schemas.items()
    ]


def _body(metadata: ModelMetadata, most: int) -> Schema:
    fields = {name: field_schema(tensor, most) for name, tensor in choices(metadata).items()}
    properties = {**fields, **option_schemas(metadata, most)}
    schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    content: Schema = {"application/json": {"schema": schema | option_rules(metadata)}}
    needed = [image.name for image in metadata.image_inputs]
    if needed:
        schema["required"] = content["application/json"]["schema"]["required"] = needed
        files = {name: _file(tensor) for name, tensor in choices(metadata).items() if isinstance(tensor, Image | Mask)}
        form = {**schema, "properties": {**properties, **files}}
        content = {"multipart/form-data": {"schema": form}, **content}
        if len(needed) == 1:
            about = f"{metadata.image_inputs[0].about}; all other fields stand in the query"
            content["image/png"] = {"schema": {"type": "string", "format": "binary", "description": about}}
    else:
        content["application/json"]["example"] = example_of(metadata)
    return {"required": bool(needed), "content": content}


def _file(tensor: Image | Mask) -> Schema:
    return {"type": "string", "format": "binary", "description": tensor.about}


def _plain_get(summary: str, tag: str) -> Schema:
    return {"get": {"tags": [tag], "summary": summary, "responses": _responses({"application/json": {}})}}


def _responses(content: Schema) -> Schema:
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    errors = {str(status): {"description": about, "content": error} for status, about in _ERRORS.items()}
    return {"200": {"description": "The answer.", "content": content}, **errors}
