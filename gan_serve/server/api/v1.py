"""The plain API under /v1: the models, and images or numbers from them."""

import asyncio
import dataclasses
import hashlib
import re
from collections.abc import Mapping, Sequence

from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from gan_serve.provenance import write_provenance
from gan_serve.request import Request
from gan_serve.result import Result
from gan_serve.server.api.content_negotiation import (
    MEDIA_TYPES,
    ResponseFormat,
    choose_format,
    encode,
    number_headers,
)
from gan_serve.server.api.generation import GenerationTask, check_pixels
from gan_serve.server.api.v1_parsing import ParsedRequest, parse_request, read_fields, resolve
from gan_serve.server.errors import ApiError, bad_request
from gan_serve.server.request_context import context_of
from gan_serve.server.responses import json_response
from gan_serve.server.scheduling.model_queue import ModelQueue
from gan_serve.server.service import Service

READING = ("GET", "HEAD")  # the methods of a read-only route
_FRESH = 3600  # seconds before a cache revalidates, since a reload may replace a model


class V1Api:
    """The routes under /v1."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def models(self, request: HttpRequest) -> Response:
        """List the models."""
        return json_response({"models": [_summary(queue) for queue in self._service.library.catalogue.latest()]})

    async def model(self, request: HttpRequest) -> Response:
        """Return the metadata of a model."""
        catalogue = self._service.library.catalogue
        queue = catalogue.find(request.path_params["name"], requested_version(request))
        document = dataclasses.asdict(queue.metadata)
        versions = catalogue.versions(queue.metadata.name)
        return json_response({**document, **_identity(queue), "versions": versions})

    def methods(self, request: HttpRequest) -> Sequence[str]:
        """Return the methods of `generate`: a model with image inputs needs a body, so that it has no GET."""
        try:
            queue = self._service.library.catalogue.find(request.path_params["name"])
        except ApiError:  # an unknown model: `generate` reports it for any method
            return (*READING, "POST")
        return ("POST",) if queue.metadata.image_inputs else (*READING, "POST")

    async def generate(self, request: HttpRequest) -> Response:
        """Answer with images or numbers. A GET returns a single file, which pages can show and caches can keep."""
        settings, context = self._service.settings, context_of(request.scope)
        fields = await read_fields(request)
        version = parse_version(fields.pop("version")) if "version" in fields else None
        queue = self._service.library.catalogue.find(request.path_params["name"], version)
        context.model = queue.metadata.name
        parsed = parse_request(queue.metadata, fields, settings.max_count)
        del fields  # frees the base64 of images, which `parsed` holds as files
        resolved = await self._resolve(queue, parsed)
        cacheable = request.method != "POST"
        response_format = choose_format(
            queue.metadata,
            resolved,
            format=parsed.format,
            accept=context.header("accept", "*/*"),
            grid=parsed.grid,
            scale=parsed.scale,
        )
        if cacheable and len(resolved) > 1 and not response_format.is_image:
            raise bad_request(f"GET returns one image, not {len(resolved)}; use POST, grid=true or format=gif")
        check_pixels(queue.metadata, resolved, response_format, settings.max_pixels)
        headers = _headers(queue, resolved)
        if cacheable:
            headers |= self._cache_headers(queue, resolved, response_format, parsed)
            if _matches(context.header("if-none-match"), headers.get("ETag")):
                return Response(status_code=304, headers=headers)
        generator = queue.generator

        def convert(result: Result) -> tuple[bytes, dict[str, str]]:
            return encode(result, response_format, generator.device), number_headers(result, response_format)

        task = GenerationTask(generator, resolved, convert).task(context.started + settings.deadline)
        content, numbers = await self._service.scheduler.run(queue, task, context)
        return Response(content, headers=headers | numbers, media_type=MEDIA_TYPES[response_format.format])

    async def _resolve(self, queue: ModelQueue, parsed: ParsedRequest) -> Request:
        """Resolve a request; read image headers off the event loop."""
        if not parsed.uploads:
            return resolve(queue.metadata, parsed, self._service.settings)
        return await asyncio.to_thread(resolve, queue.metadata, parsed, self._service.settings)

    def _cache_headers(
        self, queue: ModelQueue, request: Request, response_format: ResponseFormat, parsed: ParsedRequest
    ) -> dict[str, str]:
        """Return headers for caches: equal seeds give equal bytes on equal devices; a random seed forbids caching."""
        if queue.metadata.is_random and "seed" not in parsed.integers:
            return {"Cache-Control": "no-store"}
        scale, columns = response_format.scale, response_format.columns
        provenance = write_provenance(queue.metadata, queue.generator.sha256, request, scale=scale, columns=columns)
        digest = hashlib.sha256(f"{queue.generator.device} {response_format.format} {provenance}".encode()).hexdigest()
        scope = "private" if self._service.keys else "public"
        return {"ETag": f'"{digest[:32]}"', "Cache-Control": f"{scope}, max-age={_FRESH}", "Vary": "Accept"}


def requested_version(request: HttpRequest) -> int | None:
    """Return the version in the route or in the query.

    Raises:
        ApiError: it is not a version.
    """
    version = request.path_params.get("version", request.query_params.get("version"))
    return None if version is None else parse_version(version)


def parse_version(value: object) -> int:
    """Parse a version.

    Raises:
        ApiError: it is not a positive integer.
    """
    if isinstance(value, bool) or not re.fullmatch(r"[1-9]\d{0,8}", str(value)[:20], re.ASCII):
        raise bad_request(f"version {str(value)[:20]!r} is not a positive integer")
    return int(str(value))


def _headers(queue: ModelQueue, request: Request) -> dict[str, str]:
    headers = {
        "Gan-Serve-Model": queue.metadata.name,
        "Gan-Serve-Version": str(queue.metadata.version),
        "Gan-Serve-Sha256": queue.generator.sha256,
        "Gan-Serve-Provider": queue.generator.device,
    }
    if queue.metadata.is_random:
        headers["Gan-Serve-Seed"] = str(request.seed)
    return headers | {"Gan-Serve-Warning": "; ".join(request.remarks)} if request.remarks else headers


def _identity(queue: ModelQueue) -> dict[str, str]:
    return {"sha256": queue.generator.sha256, "provider": queue.generator.device}


def _summary(queue: ModelQueue) -> Mapping[str, object]:
    metadata = queue.metadata
    return {
        "name": metadata.name,
        "version": metadata.version,
        "task": metadata.task,
        "description": metadata.description,
        **_identity(queue),
    }


def _matches(if_none_match: str, etag: str | None) -> bool:
    known = [each.strip().removeprefix("W/") for each in if_none_match.split(",")]
    return etag is not None and (etag in known or known == ["*"])
