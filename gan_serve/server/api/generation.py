"""The task that runs a model for one request of any front end."""

from collections.abc import Callable
from typing import Any

from gan_serve.generator import Generator
from gan_serve.metadata import ModelMetadata
from gan_serve.outputs.panels import check_sizes, count_pixels
from gan_serve.request import Item, Request
from gan_serve.result import Result
from gan_serve.sampling import Arrays, complete, input_arrays
from gan_serve.server.api.content_negotiation import ResponseFormat
from gan_serve.server.api.uploads import decode_images
from gan_serve.server.errors import bad_request, blamed_on_caller
from gan_serve.server.scheduling.task import CancellableFuture, Task


class GenerationTask:
    """Decodes and samples a request's inputs, and lets `convert` turn the result into the response.

    If outputs depend on the size of the inputs, the model runs image by image. Once the task is cancelled, it stops
    after the current tile.
    """

    def __init__(self, generator: Generator, request: Request, convert: Callable[[Result], Any]) -> None:
        self._generator, self._request, self._convert = generator, request, convert
        self._items: tuple[Item, ...] = ()
        self._future = CancellableFuture()

    def task(self, deadline: float) -> Task:
        """Return the task for the queue."""
        return Task(len(self._request), deadline, self._prepare, self._finish, self._future)

    def _prepare(self) -> Arrays:
        metadata = self._generator.metadata
        if metadata.image_inputs:
            with blamed_on_caller():
                self._request = decode_images(metadata, self._request)
            self._future.check()
        if metadata.per_item:
            return {}
        inputs, seed = metadata.inputs, self._request.seed
        self._items = tuple(complete(inputs, seed, self._request.item(place)) for place in range(len(self._request)))
        return input_arrays(inputs, seed, self._items)

    def _finish(self, outputs: Arrays) -> Any:
        generator = self._generator
        if generator.metadata.per_item:
            watched = generator.with_tile_callback(lambda done, tiles: self._future.check())
            return self._convert(watched.run(self._request))
        return self._convert(generator.make_result(self._request, self._items, outputs))


def check_pixels(metadata: ModelMetadata, request: Request, response_format: ResponseFormat, most: int) -> None:
    """Check the size of a response before it is computed.

    Raises:
        ApiError: it would have more than `most` pixels, or it has none but `scale` is set.
        UsageError: one of its sides would be too long.
    """
    if not metadata.drawn_outputs:
        if response_format.scale != 1:
            raise bad_request(f"{metadata.name} answers with numbers; leave out scale")
        return
    check_sizes(metadata, request, response_format.columns, response_format.scale)
    pixels = count_pixels(metadata, request) * response_format.scale**2
    if pixels > most:
        raise bad_request(f"{pixels} pixels are too many for one response; request up to {most} in total")
