"""Every shipped model passes the checks of its metadata, samples and scores."""

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from gan_serve.extremes import try_extremes
from gan_serve.generator import Generator
from gan_serve.images.encoding import read_generated
from gan_serve.images.pixels import tile
from gan_serve.outputs.panels import find_panel
from gan_serve.provenance import parse_provenance
from gan_serve.repository import Repository
from gan_serve.sampling import random_stream
from gan_serve.tensors import Image, Mask

MODELS = Path(__file__).parent.parent / "models"
NAMES = Repository(MODELS).names
FROM_IMAGES = [name for name in NAMES if Repository(MODELS).find(name).metadata.image_inputs]
FROM_NOISE = [name for name in NAMES if not Repository(MODELS).find(name).metadata.image_inputs]

SIZES = ((16, 16), (19, 32), (40, 7))  # height and width of what goes into a model of any size

every_model = pytest.mark.parametrize("name", NAMES)


def load(name: str, threads: int = 1) -> Generator:
    return Generator(Repository(MODELS).find(name), device="cpu", threads=threads)


def noise(tensor: Image | Mask, place: int) -> np.ndarray:
    shape = tensor.shape_at(*SIZES[place % len(SIZES)])
    values = random_stream(5, place, tensor.name).uniform(tensor.low, tensor.high, shape)
    return values.round() if isinstance(tensor, Mask) else values


def answer(generator: Generator, places: range) -> list[Sequence[np.ndarray]]:
    """Arrays and images at some places of seed 5; what takes an image sees another one at every place."""
    inputs = generator.metadata.image_inputs
    images = {tensor.name: [noise(tensor, place) for place in places] for tensor in inputs}
    wish = {} if images else {"count": len(places), "index": places.start}
    result = generator.generate(seed=5, **wish, **images)
    return [*result.outputs.values(), *result.fitted_images.values()]


def content(answers: list[Sequence[np.ndarray]]) -> bytes:
    return b"".join(one.tobytes() for answer in answers for one in answer)


@every_model
def test_an_output_is_the_same_in_any_batch_and_on_any_threads(name: str) -> None:
    whole = answer(load(name), range(70))
    for threads in (1, 8):
        generator = load(name, threads)
        for first, last in ((0, 1), (7, 8), (63, 64), (64, 65), (69, 70), (5, 12)):
            part = answer(generator, range(first, last))
            assert content(part) == content([many[first:last] for many in whole])


def first_answers(name: str) -> bytes:
    return content(answer(load(name), range(3)))


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Executor]:
    """Another process, which begins anew."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        yield process


@every_model
def test_an_output_is_the_same_in_another_process(name: str, elsewhere: Executor) -> None:
    assert elsewhere.submit(first_answers, name).result() == first_answers(name)


@pytest.mark.parametrize("name", FROM_NOISE)
def test_the_sample_can_be_reproduced(name: str) -> None:
    """Within 1/255 of what another processor made."""
    path = MODELS / name / "sample.png"
    document, golden, _ = read_generated(path)
    provenance = parse_provenance(document, str(path))
    generator = load(name)
    assert (provenance.seed, provenance.sha256) == (0, generator.sha256)
    result = generator.run(provenance.request)
    pixels = tile(find_panel(generator.metadata).tensor.to_pixels(result.array), provenance.columns or 1)
    made = pixels.repeat(provenance.scale, axis=0).repeat(provenance.scale, axis=1)
    assert np.abs(made.astype(int) - golden.reshape(made.shape)).max() <= 1


@pytest.mark.parametrize("name", FROM_IMAGES)
def test_a_model_with_image_inputs_ships_examples(name: str) -> None:
    generator, paths = load(name), sorted((MODELS / name / "examples").iterdir())
    first, *others = generator.metadata.image_inputs
    masks = {mask.name: [noise(mask, 0) for _ in paths] for mask in others}
    result = generator.generate(**{first.name: paths}, **masks)
    answers = [*result.outputs.values(), *result.fitted_images.values()]
    assert len({content([[each[place] for each in answers]]) for place in range(len(paths))}) == len(paths) > 2


@every_model
def test_whatever_its_metadata_allows_it_makes_finite_numbers(name: str) -> None:
    generator = load(name)
    try_extremes(generator.metadata, generator.infer)


@every_model
def test_file_is_small_and_has_a_card(name: str) -> None:
    assert Repository(MODELS).find(name).path.stat().st_size < 4e6
    assert (MODELS / name / "README.md").read_text().startswith("#")
