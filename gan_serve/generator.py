"""One model: what a user asks for -> arrays -> ONNX Runtime -> arrays."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from gan_serve.errors import Failure
from gan_serve.graph import check_graph, check_outputs
from gan_serve.images.pixels import Pixels
from gan_serve.latent_mixing import make_mixing
from gan_serve.metadata import ModelMetadata
from gan_serve.repository import Model, read_model
from gan_serve.request import Item, Request, make_request
from gan_serve.result import Result
from gan_serve.runtime import one_line, open_session, parse_device, runs_on
from gan_serve.sampling import Arrays, complete, input_arrays
from gan_serve.system.cpus import cpu_count
from gan_serve.system.parallel import map_in_order
from gan_serve.tensors import Image, Mask

if TYPE_CHECKING:
    from gan_serve.image_fitting import FittedInputs

_WORTH_A_THREAD = 0.005  # seconds of work, since starting a thread on a busy machine takes about as long
BATCH = 64  # images whose arrays are in memory at once; on CUDA, one run


class Generator:
    """A model that is loaded and ready to generate.

    >>> generator = gan_serve.load("acgan")
    >>> generator.generate(label="0-9", count=8, seed=0).save("digits.png", grid=True)

    On a processor, each image (or each tile of a large one) is a run of its own, on one thread. `threads` says how many
    of them run at once, as many as there are processors if not given; it never changes a bit of an image. With
    `exact=False`, the threads share each run instead: one large image that is a single tile is made faster, but its
    last bits depend on their number.
    """

    def __init__(
        self,
        model: Model,
        *,
        device: str = "auto",
        threads: int | None = None,
        exact: bool = True,
        on_tile: Callable[[int, int], None] = lambda done, tiles: None,
    ) -> None:
        _check_servable(model)
        self.metadata = model.metadata
        self.sha256 = model.sha256
        self._given = device, threads, exact
        threads = threads or cpu_count()
        self._threads, threads_in_run = (threads, 1) if exact else (1, threads)
        self._session = open_session(model.content, str(model.path), parse_device(device), threads_in_run)
        self.device = runs_on(self._session)
        self._outputs = [tensor.name for tensor in model.metadata.outputs]
        self._path = model.path
        self._on_tile = on_tile  # called while a large image is made, with how many tiles of how many are done
        check_graph(model, self._session)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled, and copied deeply, it is loaded again from its file, which must be the same: see `load_again`."""
        return load_again, (self._path, self.sha256, *self._given)

    def __copy__(self) -> Self:
        """A shallow copy shares what is loaded."""
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        return twin

    def with_tile_callback(self, on_tile: Callable[[int, int], None]) -> Self:
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

        An image that goes in is a path, a folder, a glob, the bytes of a file, an open file, a Pillow image, pixels
        (height, width[, channels]) as uint8, or floats in the model's own shape and range, as an array or a tensor of
        any library; of a file with several images the first is taken, with a warning. So is a mask, or an array
        (height, width) of booleans; the k-th mask belongs to the k-th image, or one to all. A model that answers with
        numbers has them in `answers()`.

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
            Failure: an image that cannot be read.
        """
        mixing = make_mixing(walk_to=walk_to, steps=steps, step=step, mix_with=mix_with, mix=mix, mix_index=mix_index)
        return self.run(make_request(self.metadata, inputs, count=count, seed=seed, index=index, mixing=mixing))

    def run(self, request: Request) -> Result:
        """Answer a request whole."""
        return self.run_places(request, range(len(request)))

    def run_places(self, request: Request, places: Iterable[int]) -> Result:
        """Answer a part of a request."""
        completed = [complete(self.metadata.inputs, request.seed, request.item(place)) for place in places]
        size = batch_size(self.metadata)
        threads = self._threads if self.metadata.per_item and not self.metadata.any_size else 1
        parts = (completed[at : at + size] for at in range(0, len(completed), size))
        batches = list(map_in_order(partial(self._compute, request.seed), parts, threads))
        outputs = {name: np.concatenate([batch[name] for batch, _ in batches]) for name in batches[0][0]}
        images = {name: [each[name] for _, each in batches] for name in batches[0][1]}
        return Result(self.metadata, self.sha256, request, tuple(completed), outputs, images)

    def _compute(self, seed: int, items: Sequence[Item]) -> tuple[Arrays, dict[str, Pixels]]:
        if self.metadata.per_item:
            (item,) = items
            return self._compute_scene(seed, item)
        return self.infer(input_arrays(self.metadata.inputs, seed, items)), {}

    def _compute_scene(self, seed: int, item: Item) -> tuple[Arrays, dict[str, Pixels]]:
        """What a network makes of one item as arrays, and what is like an image in that image's size."""
        from gan_serve.image_fitting import fit_inputs

        scene = fit_inputs(self.metadata.inputs, item.inputs)
        drawn = [tensor for tensor in self.metadata.inputs if not isinstance(tensor, Image | Mask)]
        others = input_arrays(drawn, seed, [item])
        if self.metadata.any_size:
            return {}, self._compute_tiles(scene, others)
        outputs = self.infer({**scene.arrays, **others})
        likes = [(each, scene.views[each.like]) for each in self.metadata.image_outputs if each.like]
        return outputs, {
            each.name: scene.finished(view.restored(outputs[each.name][0], each), each) for each, view in likes
        }

    def _compute_tiles(self, scene: "FittedInputs", others: Arrays) -> dict[str, Pixels]:
        from gan_serve.images.tiling import run_in_tiles

        def run(parts: Mapping[str, NDArray[Any]]) -> Arrays:
            return self.infer({**parts, **others})

        outputs = self.metadata.image_outputs
        made = run_in_tiles(run, scene.arrays, scene.first.tensor, outputs, self._on_tile, self._threads)
        return {each.name: scene.finished(made[each.name], each) for each in outputs}

    def infer(self, arrays: Arrays) -> Arrays:
        """The graph's own inputs -> its outputs, by their names; all have the batch as their first axis.

        On a processor every row is a run of its own: how a library splits and orders the sums of several rows depends
        on their number, and so may the last bits. On CUDA, all rows are one run.

        Raises:
            Failure: it cannot be computed, has another shape than the metadata says, or numbers that are not finite.
        """
        rows = len(next(iter(arrays.values())))
        at_once = 1 if self.device == "cpu" else rows
        runs = [{name: array[at : at + at_once] for name, array in arrays.items()} for at in range(0, rows, at_once)]
        began = time.perf_counter()
        parts = self._run_each(runs[:1])
        expected = (time.perf_counter() - began) * (len(runs) - 1)
        parts += self._run_side_by_side(runs[1:], threads=min(self._threads, 1 + int(expected / _WORTH_A_THREAD)))
        made = parts[0] if len(parts) == 1 else [np.concatenate(column) for column in zip(*parts, strict=True)]
        outputs = dict(zip(self._outputs, made, strict=True))
        check_outputs(self.metadata, arrays, outputs)
        return outputs

    def _run_side_by_side(self, runs: Sequence[Arrays], threads: int) -> list[list[NDArray[Any]]]:
        """Each thread takes every `threads`-th run, since handing them over one by one takes as long as a small one."""
        shares = [runs[start::threads] for start in range(threads)]
        made = list(map_in_order(self._run_each, shares, threads))
        return [made[place % threads][place // threads] for place in range(len(runs))]

    def _run_each(self, runs: Sequence[Arrays]) -> list[list[NDArray[Any]]]:
        try:
            return [self._session.run(self._outputs, arrays) for arrays in runs]
        except Exception as error:  # the runtime's exceptions have no common base
            raise Failure(f"{self.metadata.name} failed on {self.device} ({one_line(error)})") from None


def load_again(path: Path, sha256: str, device: str, threads: int | None, exact: bool) -> Generator:
    """The generator that was pickled elsewhere, in another process perhaps.

    Raises:
        Failure: its file is gone, has changed, or cannot be run here.
    """
    model = read_model(path)
    if model.sha256 != sha256:
        raise Failure(f"{path} has changed since this generator was loaded; load it again with gan_serve.load")
    return Generator(model, device=device, threads=threads, exact=exact)


def batch_size(metadata: ModelMetadata) -> int:
    """How many items are computed at once."""
    return 1 if metadata.per_item else BATCH


def _check_servable(model: Model) -> None:
    if model.metadata.feedback:
        raise Failure(f"{model.path}: this gan-serve cannot feed an output back to a model; upgrade it")
