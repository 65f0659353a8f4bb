"""The OpenAPI document: a route for each model, with its labels, ranges and defaults."""

from typing import Any

import gan_serve
from gan_serve.metadata import ModelMetadata
from gan_serve.server.api.schemas import (
    Schema,
    example_of,
    field_schema,
    option_rules,
    option_schemas,
    response_content,
    response_headers,
)
from gan_serve.server.service import Service
from gan_serve.tensors import Image, Mask

_ERRORS = {
    400: "The request is invalid; `error` says why and how to fix it.",
    401: "An API key is required.",
    404: "The model does not exist.",
    405: "The route does not allow this method; `Allow` lists the methods that it allows.",
    406: "The response cannot have any of the types in `Accept`.",
    413: "The body is too large.",
    415: "The content type or encoding of the body is not supported.",
    429: "Too many requests are waiting; retry after `Retry-After` seconds.",
    503: "The model is still loading, the server is shutting down, or too many connections are open.",
    504: "The deadline has passed.",
}
_ERROR = {
    "type": "object",
    "required": ["error", "request_id"],
    "properties": {"error": {"type": "string"}, "request_id": {"type": "string"}},
}


def describe(service: Service, prefix: str = "") -> dict[str, Any]:
    """Return the OpenAPI document for the models in service; `prefix` is the path prefix of the server."""
    paths: Schema = {
        "/v1/models": _get("List the models", "models"),
        "/v1/health": _get("State of the server and its models", "operation"),
    }
    paths["/v1/health"]["get"]["security"] = []  # needs no key
    for queue in service.library.catalogue.latest():
        metadata = queue.metadata
        paths[f"/v1/models/{metadata.name}"] = _get(f"Metadata of {metadata.name}", "models")
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
    responses = _responses(response_content(metadata), response_headers(metadata))
    about = {"tags": ["generate"], "summary": metadata.description, "responses": responses}
    post = {"post": {**about, "operationId": f"generate_{metadata.name}", "requestBody": _body(metadata, most)}}
    if metadata.image_inputs:
        return post
    return {"get": {**about, "operationId": f"get_{metadata.name}", "parameters": _parameters(metadata, most)}, **post}


def _parameters(metadata: ModelMetadata, most: int) -> list[Schema]:
    """Return the query parameters of a GET. Only their descriptions can say which of them exclude one another."""
    inputs = {name: tensor.schema for name, tensor in metadata.choices.items()}
    schemas = {**inputs, **option_schemas(metadata, most)}
    examples = example_of(metadata)
    return [
        {"name": name, "in": "query", "schema": schema, **({"example": examples[name]} if name in examples else {})}
        for name, schema in schemas.items()
    ]


def _body(metadata: ModelMetadata, most: int) -> Schema:
    fields = {name: field_schema(tensor, most) for name, tensor in metadata.choices.items()}
    properties = {**fields, **option_schemas(metadata, most)}
    schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    content: Schema = {"application/json": {"schema": schema | option_rules(metadata)}}
    needed = [image.name for image in metadata.image_inputs]
    if needed:
        schema["required"] = content["application/json"]["schema"]["required"] = needed
        files = {tensor.name: _file(tensor) for tensor in metadata.image_inputs}
        form = {**schema, "properties": {**properties, **files}}
        content = {"multipart/form-data": {"schema": form}, **content}
        if len(needed) == 1:
            about = f"{metadata.image_inputs[0].about}; send all other fields in the query"
            content["image/png"] = {"schema": {"type": "string", "format": "binary", "description": about}}
    else:
        content["application/json"]["example"] = example_of(metadata)
    return {"required": bool(needed), "content": content}


def _file(tensor: Image | Mask) -> Schema:
    return {"type": "string", "format": "binary", "description": tensor.about}


def _get(summary: str, tag: str) -> Schema:
    return {"get": {"tags": [tag], "summary": summary, "responses": _responses({"application/json": {}})}}


def _responses(content: Schema, headers: Schema | None = None) -> Schema:
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    errors = {str(status): {"description": about, "content": error} for status, about in _ERRORS.items()}
    return {"200": {"description": "The response.", "content": content, **(headers or {})}, **errors}
