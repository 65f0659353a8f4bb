"""One model: what a user asks for -> arrays -> ONNX Runtime -> arrays."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from gan_serve.blends import make_blend
from gan_serve.cpus import cpu_count
from gan_serve.errors import Failure
from gan_serve.metadata import ModelMetadata
from gan_serve.pixels import Pixels
from gan_serve.repository import Model
from gan_serve.request import Item, Request, make_request
from gan_serve.result import Result
from gan_serve.runtime import one_line, open_session, parse_device, runs_on
from gan_serve.sampling import Arrays, complete, input_arrays
from gan_serve.tensors import Image, Mask, OutputTensor

if TYPE_CHECKING:
    from gan_serve.views import Scene

_SMALL = 2**18  # values of the largest tensor; 256 images of 32 x 32
BATCH = 64  # larger ones are no faster on a processor and cost memory


class Generator:
    """A model that is loaded and ready to generate.

    >>> generator = gan_serve.load("acgan")
    >>> generator.generate(label="0-9", count=8, seed=0).save("digits.png", grid=True)
    """

    def __init__(
        self,
        model: Model,
        *,
        device: str = "auto",
        threads: int | None = None,
        on_tile: Callable[[int, int], None] = lambda done, tiles: None,
    ) -> None:
        _check_servable(model)
        self.metadata = model.metadata
        self.sha256 = model.sha256
        self._session = open_session(model.content, str(model.path), parse_device(device), threads or cpu_count())
        self.device = runs_on(self._session)
        self._outputs = [tensor.name for tensor in model.metadata.outputs]
        self._on_tile = on_tile  # called while a large picture is made, with how many tiles of how many are done
        _check_graph(model, self._session)

    def watched(self, on_tile: Callable[[int, int], None]) -> Self:
        """The same model, loaded once, that calls `on_tile` instead; what that raises ends the work."""
        twin = copy(self)
        twin._on_tile = on_tile
        return twin

    def generate(
        self,
        count: int = 1,
        *,
        seed: int | None = None,
        index: int = 0,
        walk_to: int | None = None,
        steps: int | None = None,
        step: int | None = None,
        mix_with: int | None = None,
        mix: str | Sequence[str] | None = None,
        mix_index: int | None = None,
        **inputs: object,
    ) -> Result:
        """Answer with `count` images, or `count` for each row where an input is a list or a range.

        An image that goes in is a path, a folder, a glob, a Pillow image, pixels (height, width[, channels]) as uint8,
        or floats in the model's own shape and range; of a file with several pictures the first is taken. So is a mask,
        or an array (height, width) of booleans; the k-th mask belongs to the k-th image, or one to all. A model that
        answers with numbers has them in `answers()`.

        A label is a class's name, or an integer: the class that is named by it where all are named by numbers, else the
        place of the class from 0 on.

        (model, seed, index, inputs) name an image for ever: image `index + 7` of a call for many is the same bits as
        the only image of a call with `index=7`. Without a seed, a random one is taken; the result tells it.

        Another seed may take part: with `walk_to`, `steps` images lead to the one that it makes, 16 if not given; with
        `mix_with`, each of `count` images takes the latents that `mix` names from each of `count` images of that seed.
        `step` asks for one image of the walk alone, the first of which is 0; `mix_index` for mixtures with one image of
        that seed alone.

            >>> generator.generate(label=3, count=16, seed=0)  # 16 threes
            >>> generator.generate(label=[3, 7], count=4, seed=0)  # a row of 4 threes and a row of 4 sevens
            >>> generator.generate(label=3, seed=0, index=15)  # the last one of the 16 threes
            >>> generator.generate(image="digits/*.png").answers()  # of a classifier
            >>> generator.generate(label=3, seed=1, walk_to=2).save("walk.gif")
            >>> generator.generate(label=3, seed=1, walk_to=2, steps=16, step=5)  # the sixth of the 16 images

        Raises:
            UsageError: an input that the model does not have, or a value out of range.
            Failure: a picture that cannot be read.
        """
        blend = make_blend(walk_to=walk_to, steps=steps, step=step, mix_with=mix_with, mix=mix, mix_index=mix_index)
        return self.run(make_request(self.metadata, inputs, count=count, seed=seed, index=index, blend=blend))

    def run(self, request: Request) -> Result:
        """Answer a request whole."""
        return self.run_places(request, range(len(request)))

    def run_places(self, request: Request, places: Iterable[int]) -> Result:
        """Answer a part of a request."""
        completed = [complete(self.metadata.inputs, request.seed, request.item(place)) for place in places]
        size = batch_size(self.metadata)
        batches = [self._compute(request.seed, completed[at : at + size]) for at in range(0, len(completed), size)]
        outputs = {name: np.concatenate([batch[name] for batch, _ in batches]) for name in batches[0][0]}
        pictures = {name: [each[name] for _, each in batches] for name in batches[0][1]}
        return Result(self.metadata, self.sha256, request, tuple(completed), outputs, pictures)

    def _compute(self, seed: int, items: Sequence[Item]) -> tuple[Arrays, dict[str, Pixels]]:
        if self.metadata.by_picture:
            (item,) = items
            return self._compute_scene(seed, item)
        return self.infer(input_arrays(self.metadata.inputs, seed, items)), {}

    def _compute_scene(self, seed: int, item: Item) -> tuple[Arrays, dict[str, Pixels]]:
        """What a network makes of one item as arrays, and what is like a picture in that picture's size."""
        from gan_serve.views import open_scene

        scene = open_scene(self.metadata.inputs, item.inputs)
        drawn = [tensor for tensor in self.metadata.inputs if not isinstance(tensor, Image | Mask)]
        others = input_arrays(drawn, seed, [item])
        if self.metadata.any_size:
            return {}, self._compute_tiles(scene, others)
        outputs = self.infer({**scene.arrays, **others})
        likes = [(each, scene.views[each.like]) for each in self.metadata.image_outputs if each.like]
        return outputs, {each.name: scene.with_kept(view.restored(outputs[each.name][0], each)) for each, view in likes}

    def _compute_tiles(self, scene: "Scene", others: Arrays) -> dict[str, Pixels]:
        from gan_serve.tiling import run_in_tiles

        def run(parts: Mapping[str, NDArray[Any]]) -> Arrays:
            return self.infer({**parts, **others})

        outputs = self.metadata.image_outputs
        made = run_in_tiles(run, scene.arrays, scene.first.tensor, outputs, self._on_tile)
        return {name: scene.with_kept(pixels) for name, pixels in made.items()}

    def infer(self, arrays: Arrays) -> Arrays:
        """The graph's own inputs -> its outputs, by their names; all have the batch as their first axis.

        Raises:
            Failure: it cannot be computed, or has another shape than the metadata says.
        """
        try:
            outputs = dict(zip(self._outputs, self._session.run(self._outputs, arrays), strict=True))
        except Exception as error:  # the runtime's exceptions have no common base
            raise Failure(f"{self.metadata.name} failed on {self.device} ({one_line(error)})") from None
        rows, *lengths = next(iter(arrays.values())).shape
        for tensor in self.metadata.outputs:
            if outputs[tensor.name].shape != (rows, *_shape(tensor, lengths)):
                raise Failure(f"{self.metadata.name} made {tensor.name} in another shape than its metadata says")
        return outputs


def _shape(tensor: OutputTensor, lengths: Sequence[int]) -> tuple[int, ...]:
    """The shape of one answer, where `lengths` are those of the first input without its batch axis."""
    if not isinstance(tensor, Image) or not tensor.any_size:
        return tensor.shape
    return tensor.shape_at(*(length * tensor.scale for length in lengths[1:]))


def batch_size(metadata: ModelMetadata) -> int:
    """How many items are computed at once."""
    return 1 if metadata.by_picture else BATCH


def threads_for(metadata: ModelMetadata, images: int) -> int:
    """Threads for a lone request: all, unless it is so small that starting them takes longer than the work."""
    shapes = [tensor.shape for tensor in (*metadata.inputs, *metadata.outputs)]
    is_small = all(images * math.prod(shape) <= _SMALL and -1 not in shape for shape in shapes)
    return 1 if is_small else cpu_count()


def _check_servable(model: Model) -> None:
    if model.metadata.feedback:
        raise Failure(f"{model.path}: this gan-serve cannot feed an output back to a model; upgrade it")


def _check_graph(model: Model, session: Any) -> None:
    for side, tensors, nodes in (
        ("inputs", model.metadata.inputs, session.get_inputs()),
        ("outputs", model.metadata.outputs, session.get_outputs()),
    ):
        described, found = [tensor.name for tensor in tensors], [node.name for node in nodes]
        if described != found:
            raise Failure(
                f"{model.path}: the graph's {side} are {found}, its metadata says {described}; export it again"
            )
