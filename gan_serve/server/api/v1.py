"""The plain API: models, and what they make, under /v1."""

import asyncio
import dataclasses
import hashlib
import re
from collections.abc import Mapping, Sequence

from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from gan_serve.provenance import write_provenance
from gan_serve.request import Request
from gan_serve.server.api.content_negotiation import MEDIA_TYPES, ResponseFormat, choose_format, encode
from gan_serve.server.api.generation import GenerationTask, check_pixels
from gan_serve.server.api.v1_parsing import ParsedRequest, parse_request, read_fields, resolve
from gan_serve.server.errors import ApiError, bad_request
from gan_serve.server.request_context import context_of
from gan_serve.server.responses import json_reply
from gan_serve.server.scheduling.model_queue import ModelQueue
from gan_serve.server.service import Service

READING = ("GET", "HEAD")  # the methods of a route that changes nothing
_FRESH = 3600  # seconds in which a cache need not ask again; a reload may bring another model under the same name


class PlainApi:
    """The routes of the plain API."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def models(self, request: HttpRequest) -> Response:
        """Every model, shortly."""
        return json_reply({"models": [_summary(lane) for lane in self._service.library.catalogue.latest()]})

    async def model(self, request: HttpRequest) -> Response:
        """Everything that is known of one model."""
        catalogue = self._service.library.catalogue
        lane = catalogue.find(request.path_params["name"], version_asked(request))
        document = dataclasses.asdict(lane.metadata)
        versions = catalogue.versions(lane.metadata.name)
        return json_reply({**document, **_identity(lane), "versions": versions})

    def methods(self, request: HttpRequest) -> Sequence[str]:
        """Those of `generate`: an image that goes in needs a body."""
        try:
            lane = self._service.library.catalogue.find(request.path_params["name"])
        except ApiError:  # which any method is told
            return (*READING, "POST")
        return ("POST",) if lane.metadata.image_inputs else (*READING, "POST")

    async def generate(self, request: HttpRequest) -> Response:
        """Answer with images or numbers. A GET is for one answer, so that a page can show it and a cache keep it."""
        settings, note = self._service.settings, context_of(request.scope)
        fields = await read_fields(request)
        version = parse_version(fields.pop("version")) if "version" in fields else None
        lane = self._service.library.catalogue.find(request.path_params["name"], version)
        note.model = lane.metadata.name
        wish = parse_request(lane.metadata, fields, settings.max_count)
        del fields  # images in base64 are kept as files only
        asked = await self._resolve(lane, wish)
        cacheable = request.method != "POST"
        accept = note.header("accept", "*/*")
        form = choose_format(lane.metadata, asked, format=wish.format, accept=accept, grid=wish.grid, scale=wish.scale)
        if cacheable and len(asked) > 1 and not form.is_image:
            raise bad_request(f"GET answers with one image, not with {len(asked)}; use POST, grid=true or format=gif")
        check_pixels(lane.metadata, asked, form, settings.max_pixels)
        headers = _headers(lane, asked)
        if cacheable:
            headers |= self._cache_headers(lane, asked, form, wish)
            if _matches(note.header("if-none-match"), headers.get("ETag")):
                return Response(status_code=304, headers=headers)
        work = GenerationTask(lane.generator, asked, lambda result: encode(result, form, lane.generator.device))
        call = work.call(note.began + settings.deadline)
        content = await self._service.engine.answer(lane, call, note)
        return Response(content, headers=headers, media_type=MEDIA_TYPES[form.format])

    async def _resolve(self, lane: ModelQueue, wish: ParsedRequest) -> Request:
        """The heads of images are read off the event loop."""
        if not wish.uploads:
            return resolve(lane.metadata, wish, self._service.settings)
        return await asyncio.to_thread(resolve, lane.metadata, wish, self._service.settings)

    def _cache_headers(
        self, lane: ModelQueue, asked: Request, form: ResponseFormat, wish: ParsedRequest
    ) -> dict[str, str]:
        """The same seed gives the same bytes, on the same kind of device; without a seed nothing may be kept."""
        if lane.metadata.is_random and "seed" not in wish.integers:
            return {"Cache-Control": "no-store"}
        made = write_provenance(lane.metadata, lane.generator.sha256, asked, scale=form.scale, columns=form.columns)
        digest = hashlib.sha256(f"{lane.generator.device} {form.format} {made}".encode()).hexdigest()
        scope = "private" if self._service.keys else "public"
        return {"ETag": f'"{digest[:32]}"', "Cache-Control": f"{scope}, max-age={_FRESH}", "Vary": "Accept"}


def version_asked(request: HttpRequest) -> int | None:
    """The version in the route or in the query.

    Raises:
        ApiError: it is none.
    """
    given = request.path_params.get("version", request.query_params.get("version"))
    return None if given is None else parse_version(given)


def parse_version(given: object) -> int:
    """A version.

    Raises:
        ApiError: it is none.
    """
    if isinstance(given, bool) or not re.fullmatch(r"[1-9]\d{0,8}", str(given)[:20], re.ASCII):
        raise bad_request(f"version {str(given)[:20]!r} is no positive integer")
    return int(str(given))


def _headers(lane: ModelQueue, asked: Request) -> dict[str, str]:
    headers = {
        "Gan-Serve-Model": lane.metadata.name,
        "Gan-Serve-Version": str(lane.metadata.version),
        "Gan-Serve-Sha256": lane.generator.sha256,
        "Gan-Serve-Provider": lane.generator.device,
    }
    if lane.metadata.is_random:
        headers["Gan-Serve-Seed"] = str(asked.seed)
    return headers | {"Gan-Serve-Warning": "; ".join(asked.remarks)} if asked.remarks else headers


def _identity(lane: ModelQueue) -> dict[str, str]:
    return {"sha256": lane.generator.sha256, "provider": lane.generator.device}


def _summary(lane: ModelQueue) -> Mapping[str, object]:
    metadata = lane.metadata
    return {
        "name": metadata.name,
        "version": metadata.version,
        "task": metadata.task,
        "description": metadata.description,
        **_identity(lane),
    }


def _matches(asked: str, etag: str | None) -> bool:
    known = [each.strip().removeprefix("W/") for each in asked.split(",")]
    return etag is not None and (etag in known or known == ["*"])
