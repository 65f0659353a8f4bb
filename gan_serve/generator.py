"""A loaded model: turns requests into arrays, runs ONNX Runtime, and returns results."""

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

if TYPE_CHECKING:
    from gan_serve.image_fitting import FittedInputs

_WORTH_A_THREAD = 0.005  # seconds of work: starting a thread on a busy machine takes about as long
BATCH = 64  # images in memory at once; on CUDA, one run


class Generator:
    """A loaded model, ready to generate.

    >>> generator = gan_serve.load("acgan")
    >>> generator.generate(label="0-9", count=8, seed=0).save("digits.png", grid=True)

    On a CPU, each image (or each tile of a large one) is a run of its own, on one thread. `threads` is the number of
    parallel runs; the default is the number of processors. It never changes a bit of an image. With `exact=False`, the
    threads share each run instead: a single large tile is computed faster, but its last bits depend on their number.
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
        self._load_options = device, threads, exact
        threads = threads or cpu_count()
        self._threads, threads_in_run = (threads, 1) if exact else (1, threads)
        self._session = open_session(model.content, str(model.path), parse_device(device), threads_in_run)
        self.device = runs_on(self._session)
        self._outputs = [tensor.name for tensor in model.metadata.outputs]
        self._path = model.path
        self._on_tile = on_tile  # called with (tiles done, tiles in all) while a large image is computed
        check_graph(model, self._session)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and deep-copy by reference: `load_again` loads the same file, which must be unchanged."""
        return load_again, (self._path, self.sha256, *self._load_options)

    def __copy__(self) -> Self:
        """Return a shallow copy, which shares the session."""
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        return twin

    def with_tile_callback(self, on_tile: Callable[[int, int], None]) -> Self:
        """Return a copy that shares the session and calls `on_tile`. An exception raised there ends the work."""
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
        """Generate `count` images, or `count` per row if an input is a list or a range.

        An input image is a path, a folder, a glob, the bytes of a file, an open file, a Pillow image, or an array or a
        tensor of any library: uint8 pixels (height, width[, channels]), or floats in the model's own shape and range.
        Of a file with several images the first is used, with a warning. A mask is any of these, or booleans
        (height, width); the k-th mask belongs to the k-th image, or one mask to all. Numeric outputs are in
        `answers()`.

        A label is a class name or an integer. If all classes are named by numbers, an integer is the class of that
        name; otherwise it is the class's position, counted from 0.

        (model, seed, index, inputs) identify an image for ever: image `index + 7` of a call for many has the same bits
        as the only image of a call with `index=7`. Without a seed, a random one is used; see `Result.seed`.

        Use a second seed to interpolate or to mix styles. With `walk_to`, `steps` images (default: 16) lead to the
        image of that seed; `step` asks for one of them alone, counted from 0. With `mix_with`, each of `count` images
        takes the latents that `mix` names from each of `count` images of that seed; `mix_index` asks for mixtures with
        one of those images alone.

            >>> generator.generate(label=3, count=16, seed=0)  # 16 threes
            >>> generator.generate(label=[3, 7], count=4, seed=0)  # a row of 4 threes and a row of 4 sevens
            >>> generator.generate(label=3, seed=0, index=15)  # the last one of the 16 threes
            >>> generator.generate(image="digits/*.png").answers()  # of a classifier
            >>> generator.generate(label=3, seed=1, walk_to=2).save("walk.gif")
            >>> generator.generate(label=3, seed=1, walk_to=2, steps=16, step=5)  # the sixth of the 16 images

        Raises:
            UsageError: The model has no such input, or a value is out of range.
            Failure: An image cannot be read.
        """
        mixing = make_mixing(walk_to=walk_to, steps=steps, step=step, mix_with=mix_with, mix=mix, mix_index=mix_index)
        return self.run(make_request(self.metadata, inputs, count=count, seed=seed, index=index, mixing=mixing))

    def run(self, request: Request) -> Result:
        """Return the result of a whole request."""
        return self.run_places(request, range(len(request)))

    def run_places(self, request: Request, places: Iterable[int]) -> Result:
        """Return the result of part of a request: the images at these positions."""
        completed = [complete(self.metadata.inputs, request.seed, request.item(place)) for place in places]
        size = batch_size(self.metadata)
        threads = self._threads if self.metadata.per_item and not self.metadata.any_size else 1
        parts = (completed[at : at + size] for at in range(0, len(completed), size))
        batches = list(map_in_order(partial(self._compute, request.seed), parts, threads))
        outputs = {name: np.concatenate([batch[name] for batch, _ in batches]) for name in batches[0][0]}
        images = {name: [each[name] for _, each in batches] for name in batches[0][1]}
        return self.make_result(request, completed, outputs, images)

    def make_result(
        self,
        request: Request,
        items: Sequence[Item],
        outputs: Arrays,
        fitted_images: Mapping[str, list[Pixels]] | None = None,
    ) -> Result:
        """Return the result for these completed items and this model's outputs."""
        return Result(self.metadata, self.sha256, request, tuple(items), outputs, dict(fitted_images or {}))

    def _compute(self, seed: int, items: Sequence[Item]) -> tuple[Arrays, dict[str, Pixels]]:
        if self.metadata.per_item:
            (item,) = items
            return self._compute_item(seed, item)
        return self.infer(input_arrays(self.metadata.inputs, seed, items)), {}

    def _compute_item(self, seed: int, item: Item) -> tuple[Arrays, dict[str, Pixels]]:
        """Return one item's output arrays, and the images that are fitted to an input image's size."""
        from gan_serve.image_fitting import fit_inputs

        fitted = fit_inputs(self.metadata.inputs, item.inputs)
        sampled = [tensor for tensor in self.metadata.inputs if tensor not in self.metadata.image_inputs]
        others = input_arrays(sampled, seed, [item])
        if self.metadata.any_size:
            return {}, self._compute_tiles(fitted, others)
        outputs = self.infer({**fitted.arrays, **others})
        likes = [(each, fitted.views[each.like]) for each in self.metadata.image_outputs if each.like]
        return outputs, {
            each.name: fitted.finished(view.restored(outputs[each.name][0], each), each) for each, view in likes
        }

    def _compute_tiles(self, fitted: "FittedInputs", others: Arrays) -> dict[str, Pixels]:
        from gan_serve.images.tiling import run_in_tiles

        def run(parts: Mapping[str, NDArray[Any]]) -> Arrays:
            return self.infer({**parts, **others})

        outputs = self.metadata.image_outputs
        pixels = run_in_tiles(run, fitted.arrays, fitted.first.tensor, outputs, self._on_tile, self._threads)
        return {each.name: fitted.finished(pixels[each.name], each) for each in outputs}

    def infer(self, arrays: Arrays) -> Arrays:
        """Run the graph: return its outputs by name. The batch is the first axis of every array.

        On a CPU every row is a run of its own, because the order of sums, and so the last bits, may depend on the
        batch size. On CUDA, all rows are one run.

        Raises:
            Failure: The run fails, or an output has an unexpected shape or numbers that are not finite.
        """
        rows = len(next(iter(arrays.values())))
        at_once = 1 if self.device == "cpu" else rows
        runs = [{name: array[at : at + at_once] for name, array in arrays.items()} for at in range(0, rows, at_once)]
        began = time.perf_counter()
        parts = self._run_each(runs[:1])
        expected = (time.perf_counter() - began) * (len(runs) - 1)
        parts += self._run_side_by_side(runs[1:], threads=min(self._threads, 1 + int(expected / _WORTH_A_THREAD)))
        joined = parts[0] if len(parts) == 1 else [np.concatenate(column) for column in zip(*parts, strict=True)]
        outputs = dict(zip(self._outputs, joined, strict=True))
        check_outputs(self.metadata, arrays, outputs)
        return outputs

    def _run_side_by_side(self, runs: Sequence[Arrays], threads: int) -> list[list[NDArray[Any]]]:
        """Run in parallel. Each thread takes every n-th run: a hand-over per run costs as much as a small run."""
        shares = [runs[start::threads] for start in range(threads)]
        outputs = list(map_in_order(self._run_each, shares, threads))
        return [outputs[place % threads][place // threads] for place in range(len(runs))]

    def _run_each(self, runs: Sequence[Arrays]) -> list[list[NDArray[Any]]]:
        try:
            return [self._session.run(self._outputs, arrays) for arrays in runs]
        except Exception as error:  # the runtime's exceptions have no common base
            raise Failure(f"{self.metadata.name} failed on {self.device} ({one_line(error)})") from None


def load_again(path: Path, sha256: str, device: str, threads: int | None, exact: bool) -> Generator:
    """Load a generator that was pickled, possibly in another process.

    Raises:
        Failure: The file is missing, has changed, or cannot run here.
    """
    model = read_model(path)
    if model.sha256 != sha256:
        raise Failure(f"{path} has changed since this generator was loaded; load it again with gan_serve.load")
    return Generator(model, device=device, threads=threads, exact=exact)


def batch_size(metadata: ModelMetadata) -> int:
    """Return the number of items that are computed at once."""
    return 1 if metadata.per_item else BATCH


def _check_servable(model: Model) -> None:
    if model.metadata.feedback:
        raise Failure(f"{model.path}: this gan-serve cannot feed an output back to a model; upgrade it")
