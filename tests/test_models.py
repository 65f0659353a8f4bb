"""Every shipped model keeps every promise."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gan_serve.generator import Generator
from gan_serve.media import read_media
from gan_serve.pixels import tile, to_pixels
from gan_serve.provenance import parse_provenance
from gan_serve.repository import Repository
from gan_serve.result import image_tensor
from gan_serve.sampling import random_stream
from gan_serve.tensors import Image

MODELS = Path(__file__).parent.parent / "models"
NAMES = Repository(MODELS).names
FROM_NOISE = [name for name in NAMES if not Repository(MODELS).find(name).metadata.image_inputs]

every_model = pytest.mark.parametrize("name", NAMES)


def load(name: str, threads: int = 1) -> Generator:
    return Generator(Repository(MODELS).find(name), device="cpu", threads=threads)


def noise(tensor: Image, place: int) -> np.ndarray:
    return random_stream(5, place, tensor.name).uniform(tensor.low, tensor.high, tensor.shape)


def answer(generator: Generator, places: range) -> list[np.ndarray]:
    """The outputs at some places of seed 5; what takes an image sees another one at every place."""
    inputs = generator.metadata.image_inputs
    images = {tensor.name: [noise(tensor, place) for place in places] for tensor in inputs}
    wish = {} if images else {"count": len(places), "index": places.start}
    return list(generator.generate(seed=5, **wish, **images).outputs.values())


@every_model
def test_an_answer_is_the_same_in_any_batch_and_on_any_threads(name: str) -> None:
    whole = answer(load(name), range(70))
    for threads in (1, 8):
        generator = load(name, threads)
        for first, last in ((0, 1), (7, 8), (63, 64), (64, 65), (69, 70), (5, 12)):
            for part, many in zip(answer(generator, range(first, last)), whole, strict=True):
                np.testing.assert_array_equal(part, many[first:last])


@every_model
def test_an_answer_is_the_same_in_another_process(name: str) -> None:
    script = (
        "import sys; from test_models import answer, load;"
        "sys.stdout.buffer.write(b''.join(output.tobytes() for output in answer(load(sys.argv[1]), range(3))))"
    )
    paths = os.pathsep.join([*sys.path, str(Path(__file__).parent)])
    command, environment = [sys.executable, "-c", script, name], os.environ | {"PYTHONPATH": paths}
    run = subprocess.run(command, env=environment, capture_output=True, check=True)
    assert run.stdout == b"".join(output.tobytes() for output in answer(load(name), range(3)))


@pytest.mark.parametrize("name", FROM_NOISE)
def test_sample_can_be_made_again(name: str) -> None:
    """Within 1/255 of what another processor made."""
    path = MODELS / name / "sample.png"
    document, golden = read_media(path)
    provenance = parse_provenance(document, str(path))
    generator = load(name)
    assert (provenance.seed, provenance.sha256) == (0, generator.sha256)
    result = generator.run(provenance.request)
    pixels = tile(to_pixels(result.array, image_tensor(generator.metadata)), provenance.columns or 1)
    made = pixels.repeat(provenance.scale, axis=0).repeat(provenance.scale, axis=1)
    assert np.abs(made.astype(int) - golden.reshape(made.shape)).max() <= 1


@every_model
def test_file_is_small_and_has_a_card(name: str) -> None:
    assert Repository(MODELS).find(name).path.stat().st_size < 4e6
    assert (MODELS / name / "README.md").read_text().startswith("#")
