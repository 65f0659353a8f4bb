import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import onnx
import pytest
from small_models import DIGIT, GREY, LATENT, build_model, metadata_of, save_model

import gan_serve
from gan_serve import Failure, UsageError
from gan_serve.generator import Generator
from gan_serve.repository import Repository
from gan_serve.request import Item
from gan_serve.sampling import input_arrays, random_stream
from gan_serve.tensors import Latent, Scalar

PINNED = [0.4753833806977754, 0.32816016003885107, 0.4830974630669503, 0.999453178050896]


@pytest.fixture(scope="module")
def digits(models: Path) -> Generator:
    return gan_serve.load("digits", models=models)


@pytest.mark.parametrize(("seed", "index"), [(0, 0), (5, 7), (2**64 - 1, 2**63)])
def test_a_stream_is_a_generator_keyed_with_seed_and_index(seed: int, index: int) -> None:
    counter = np.array([0, 0, 0, zlib.crc32(b"latent")], np.uint64)
    keyed = np.random.RandomState(np.random.Philox(key=np.array([seed, index], np.uint64), counter=counter))
    assert (random_stream(seed, index, "latent").standard_normal(9) == keyed.standard_normal(9)).all()


def test_streams_are_independent_and_pinned() -> None:
    first = random_stream(5, 7, "latent").standard_normal(4)
    np.testing.assert_allclose(first, PINNED, rtol=1e-12)
    for other in ((6, 7, "latent"), (5, 8, "latent"), (5, 7, "noise"), (7, 5, "latent")):
        assert not np.isin(random_stream(*other).standard_normal(4), first).any()


def test_latents_have_the_documented_distribution() -> None:
    normal = np.array([random_stream(0, index, "latent").standard_normal(64) for index in range(500)])
    assert abs(normal.mean()) < 0.02
    assert abs(normal.std() - 1) < 0.02
    assert abs(np.corrcoef(normal[:-1].ravel(), normal[1:].ravel())[0, 1]) < 0.02


@pytest.mark.parametrize(
    ("distribution", "ends", "spread"), [("normal", (3.5, 6.0), 1.0), ("uniform", (0.99, 1.0), 3**-0.5)]
)
def test_the_inputs_of_a_network_have_the_documented_distribution(
    distribution: Literal["normal", "uniform"], ends: tuple[float, float], spread: float
) -> None:
    latent = Latent(name="latent", size=64, distribution=distribution)
    drawn = input_arrays([latent], 0, [Item(index, {}) for index in range(500)])["latent"]
    assert ends[0] < -drawn.min() <= ends[1]
    assert ends[0] < drawn.max() <= ends[1]
    assert abs(drawn.mean()) < 0.02
    assert abs(drawn.std() - spread) < 0.02


@pytest.mark.parametrize("name", ["digits", "plain", "turned"])
@pytest.mark.parametrize("threads", [1, 8])
def test_an_image_is_the_same_alone_in_a_batch_and_on_any_threads(models: Path, name: str, threads: int) -> None:
    many = gan_serve.load(name, models=models).generate(200, seed=5).array
    other = Generator(Repository(models).find(name), threads=threads)
    for index in (0, 7, 63, 64, 199):
        np.testing.assert_array_equal(other.generate(seed=5, index=index).array[0], many[index])
    np.testing.assert_array_equal(other.generate(100, seed=5, index=50).array, many[50:150])


def test_a_run_has_one_row_and_one_thread_however_many_run_at_once(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the bits of an image depend on, so that no luck of the processor is in them."""
    generator = Generator(Repository(models).find("digits"), device="cpu", threads=8)
    session, rows = generator._session, []

    class Watched:
        def run(self, names: list[str], arrays: dict[str, np.ndarray]) -> list[np.ndarray]:
            rows.extend(len(array) for array in arrays.values())
            return session.run(names, arrays)

    monkeypatch.setattr(generator, "_session", Watched())
    generator.generate(100)
    assert set(rows) == {1}
    assert session.get_session_options().intra_op_num_threads == 1


def test_an_inexact_image_is_as_good_as_the_same(models: Path) -> None:
    exact, inexact = (gan_serve.load("enlarger", models=models, exact=exact) for exact in (True, False))
    image = np.random.RandomState(0).randint(256, size=(40, 30, 3), dtype=np.uint8)
    apart = np.asarray(exact.generate(image=image).images()[0], int) - inexact.generate(image=image).images()[0]
    assert np.abs(apart).max() <= 1


def test_an_image_is_the_same_beside_others_at_the_same_time(digits: Generator) -> None:
    alone = [digits.generate(seed=seed).array for seed in range(40)]
    with ThreadPoolExecutor(8) as executor:
        together = list(executor.map(lambda seed: digits.generate(seed=seed).array, range(40)))
    np.testing.assert_array_equal(alone, together)


def test_an_image_is_the_same_in_another_process(models: Path, digits: Generator) -> None:
    script = (
        "import sys, gan_serve; digits = gan_serve.load('digits', models=sys.argv[1]);"
        "sys.stdout.buffer.write(digits.generate(9, seed=5).array.tobytes())"
    )
    run = subprocess.run([sys.executable, "-c", script, models], capture_output=True, check=True)
    assert run.stdout == digits.generate(9, seed=5).array.tobytes()


def test_lists_make_rows_that_share_their_noise(digits: Generator) -> None:
    rows = digits.generate(4, seed=1, label="0-9")
    assert len(rows) == 40
    np.testing.assert_array_equal(rows.array[12:16], digits.generate(4, seed=1, label=3).array)
    assert [item.index for item in rows.items[:5]] == [0, 1, 2, 3, 0]


def test_a_missing_label_is_sampled_and_recorded(digits: Generator) -> None:
    drawn = digits.generate(300, seed=1)
    labels = [item.inputs["label"] for item in drawn.items]
    assert np.bincount(labels, minlength=10).min() > 10
    np.testing.assert_array_equal(digits.generate(seed=1, index=7, label=labels[7]).array[0], drawn.array[7])


def test_scalar_has_its_default(models: Path) -> None:
    turned = gan_serve.load("turned", models=models)
    np.testing.assert_array_equal(turned.generate(seed=1).array, turned.generate(seed=1, tilt_angle=0.5).array)
    assert not np.array_equal(turned.generate(seed=1).array, turned.generate(seed=1, tilt_angle=0.6).array)


def test_a_scalar_with_a_range_is_sampled_and_recorded(tmp_path: Path) -> None:
    save_model(tmp_path, metadata_of("coded", (LATENT, Scalar(name="slant", low=-2, high=2, default=(-1, 1))), GREY))
    coded = gan_serve.load("coded", models=tmp_path)
    result = coded.generate(50, seed=1)
    slants = [item.inputs["slant"] for item in result.items]
    assert len(set(slants)) == 50
    assert all(-1 <= slant <= 1 for slant in slants)
    np.testing.assert_array_equal(coded.generate(seed=1, index=7, slant=slants[7]).array, result.array[7:8])


def test_a_missing_seed_is_random_and_recorded(digits: Generator) -> None:
    first, second = digits.generate(), digits.generate()
    assert first.seed != second.seed
    np.testing.assert_array_equal(digits.generate(seed=first.seed).array, first.array)


def test_largest_seeds_and_indices_are_not_rounded(digits: Generator) -> None:
    last = 2**64 - 1
    corners = [(last, last), (last - 1, last), (last, last - 1), (last, 0), (0, last), (2**63, 1), (2**63 + 1, 1)]
    images = [digits.generate(seed=seed, index=index, label=0).array for seed, index in corners]
    assert len({image.tobytes() for image in images}) == len(corners)


def test_numbers_of_numpy_are_numbers(digits: Generator) -> None:
    three, two = np.int64(3), np.uint8(2)
    for given, plain in (
        ({"seed": three, "count": two, "index": two, "label": two}, {"seed": 3, "count": 2, "index": 2, "label": 2}),
        ({"seed": three, "walk_to": two, "steps": three}, {"seed": 3, "walk_to": 2, "steps": 3}),
    ):
        assert digits.generate(**given).encode("webp") == digits.generate(**plain).encode("webp")


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"count": 0}, "count 0"),
        ({"seed": -1}, "seed -1"),
        ({"seed": 2**64}, "seed"),
        ({"seed": 1.5}, "seed"),
        ({"seed": 10**5000}, "seed an integer of thousands of digits is not an integer from 0"),
        ({"count": np.array([1, 2])}, r"count array\(\[1, 2\]\) is not an integer"),
        ({"index": -1}, "index"),
        ({"index": 2**64 - 1, "count": 2}, "count 2"),
        ({"label": 10}, "label 10 does not exist"),
        ({"label": []}, "label is an empty list"),
        ({"lable": 3}, "did you mean label"),
    ],
)
def test_an_invalid_request_is_rejected(digits: Generator, wish: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        digits.generate(**wish)


def test_no_input_to_set(models: Path) -> None:
    with pytest.raises(UsageError, match="it takes none"):
        gan_serve.load("plain", models=models).generate(label=3)


def test_graph_that_differs_from_its_metadata_is_refused(tmp_path: Path) -> None:
    graph = build_model(metadata_of("liar", (LATENT,), GREY))
    onnx.helper.set_model_props(graph, {"gan_serve": replace(DIGIT, name="liar").to_json()})
    save_model(tmp_path, replace(DIGIT, name="liar"), graph.SerializeToString())
    with pytest.raises(Failure, match="the graph's inputs are"):
        gan_serve.load("liar", models=tmp_path)


def test_graph_that_the_runtime_refuses(tmp_path: Path) -> None:
    graph = build_model(DIGIT)
    graph.graph.node[0].op_type = "Nonsense"
    save_model(tmp_path, DIGIT, graph.SerializeToString())
    with pytest.raises(Failure, match="ONNX Runtime cannot load it") as error:
        gan_serve.load("digits", models=tmp_path)
    assert "\n" not in str(error.value)


def test_several_images_of_one_item_stand_side_by_side(models: Path, tmp_path: Path) -> None:
    result = gan_serve.load("pair", models=models).generate(3, seed=0)
    assert result.array.shape == (3, 1, 8, 16)
    np.testing.assert_array_equal(result.array[..., 8:], -result.array[..., :8])
    assert {image.size for image in result.images()} == {(16, 8)}
    assert result.grid(columns=3).size == (48, 8)
    result.save(tmp_path / "pairs.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "pairs.npy"), result.array)
