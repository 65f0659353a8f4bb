"""Every shipped model keeps every promise."""

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

MODELS = Path(__file__).parent.parent / "models"
NAMES = Repository(MODELS).names

pytestmark = pytest.mark.parametrize("name", NAMES)


def load(name: str, threads: int = 1) -> Generator:
    return Generator(Repository(MODELS).find(name), device="cpu", threads=threads)


def test_an_image_is_the_same_in_any_batch_and_on_any_threads(name: str) -> None:
    many = load(name).generate(70, seed=5).array
    for threads in (1, 8):
        generator = load(name, threads)
        for index in (0, 7, 63, 64, 69):
            np.testing.assert_array_equal(generator.generate(seed=5, index=index).array[0], many[index])
        np.testing.assert_array_equal(generator.generate(7, seed=5, index=5).array, many[5:12])


def test_an_image_is_the_same_in_another_process(name: str) -> None:
    script = (
        "import sys, gan_serve; model = gan_serve.load(sys.argv[1], models=sys.argv[2], device='cpu');"
        "sys.stdout.buffer.write(model.generate(3, seed=5).array.tobytes())"
    )
    run = subprocess.run([sys.executable, "-c", script, name, MODELS], capture_output=True, check=True)
    assert run.stdout == load(name).generate(3, seed=5).array.tobytes()


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


def test_file_is_small_and_has_a_card(name: str) -> None:
    assert Repository(MODELS).find(name).path.stat().st_size < 4e6
    assert (MODELS / name / "README.md").read_text().startswith("#")
