"""What a runner does for one request, whichever front end it came from."""

from collections.abc import Callable
from typing import Any

from gan_serve.generator import Generator
from gan_serve.images.pixels import check_size
from gan_serve.metadata import ModelMetadata
from gan_serve.request import Item, Request
from gan_serve.result import Result, largest_size
from gan_serve.sampling import Arrays, complete, input_arrays
from gan_serve.server.api.content_negotiation import ResponseFormat
from gan_serve.server.api.uploads import decode_images
from gan_serve.server.errors import bad_request, blamed_on_caller
from gan_serve.server.scheduling.task import CancellableFuture, Task


class GenerationTask:
    """Draws, and lets `answer` turn what the model makes of it into what the caller gets.

    Where that depends on the size of what goes in, the model runs for one image after the other, and no further than
    to the end of a tile once nobody waits.
    """

    def __init__(self, generator: Generator, asked: Request, answer: Callable[[Result], Any]) -> None:
        self._generator, self._asked, self._answer = generator, asked, answer
        self._items: tuple[Item, ...] = ()
        self._promise = CancellableFuture()

    def call(self, deadline: float) -> Task:
        """What waits in the queue for it."""
        return Task(len(self._asked), deadline, self._prepare, self._finish, self._promise)

    def _prepare(self) -> Arrays:
        metadata = self._generator.metadata
        if metadata.image_inputs:
            with blamed_on_caller():
                self._asked = decode_images(metadata, self._asked)
            self._promise.check()
        if metadata.per_item:
            return {}
        inputs, seed = metadata.inputs, self._asked.seed
        self._items = tuple(complete(inputs, seed, self._asked.item(place)) for place in range(len(self._asked)))
        return input_arrays(inputs, seed, self._items)

    def _finish(self, outputs: Arrays) -> Any:
        generator = self._generator
        if generator.metadata.per_item:
            watched = generator.with_tile_callback(lambda done, tiles: self._promise.check())
            return self._answer(watched.run(self._asked))
        return self._answer(generator.make_result(self._asked, self._items, outputs))


def check_pixels(metadata: ModelMetadata, asked: Request, form: ResponseFormat, most: int) -> None:
    """Refuse an answer of more than `most` pixels in all before it is made.

    Raises:
        ApiError: it has more, or it has none and was to be scaled.
        UsageError: one side of it is too long.
    """
    if not metadata.image_outputs:
        if form.scale != 1:
            raise bad_request(f"{metadata.name} answers with numbers; leave out scale")
        return
    height, width = largest_size(metadata, asked)
    check_size(height, width, len(asked) if form.columns else 1, form.columns or 1, form.scale)
    pixels = len(asked) * height * width * form.scale**2
    if pixels > most:
        raise bad_request(f"{pixels} pixels are too many for one answer; ask for up to {most} in all")
