import math
import tracemalloc
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from gan_serve.images.tiling import run_in_tiles
from gan_serve.tensors import Image

OUTPUT = Image(name="made", channels=1, height=None, width=None, low=0, like="image", scale=2)


def ignore(done: int, tiles: int) -> None:
    """Ignore progress."""


def image(**fields: int) -> Image:
    return Image(name="image", channels=1, height=None, width=None, low=0, **fields)


def noise(height: int, width: int) -> np.ndarray:
    return np.random.RandomState(0).uniform(size=(1, 1, height, width)).astype(np.float32)


def enlarge(arrays: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Each pixel becomes four, which know their neighbours up to two pixels away."""
    (array,) = arrays.values()
    _, _, height, width = array.shape
    padded = np.pad(array, ((0, 0), (0, 0), (2, 2), (2, 2)))
    around = sum(padded[:, :, y : y + height, x : x + width] for y in range(5) for x in range(5)) / 25
    return {"made": around.repeat(2, axis=2).repeat(2, axis=3)}


@pytest.mark.parametrize(
    ("height", "width"), [(1, 1), (2, 5), (16, 16), (17, 16), (31, 33), (64, 5), (63, 200), (200, 16), (101, 97)]
)
@pytest.mark.parametrize("multiple", [1, 4])
def test_tiles_equal_the_whole_image(height: int, width: int, multiple: int) -> None:
    array = noise(height, width)
    tiled = run_in_tiles(enlarge, {"image": array}, image(multiple=multiple, tile=24, overlap=8), [OUTPUT], ignore)[
        "made"
    ]
    whole = run_in_tiles(enlarge, {"image": array}, image(multiple=multiple), [OUTPUT], ignore)["made"]
    assert tiled.shape == (2 * height, 2 * width, 1)
    assert np.abs(tiled.astype(int) - whole.astype(int)).max() <= 1
    if multiple == 1:
        made = enlarge({"image": array})["made"][0].transpose(1, 2, 0) * 255
        np.testing.assert_array_equal(whole, made.round().astype(np.uint8))


@pytest.mark.parametrize(("multiple", "tile", "overlap"), [(1, 24, 8), (4, 24, 8), (4, 24, 9), (8, 8, 0), (1, 7, 3)])
@pytest.mark.parametrize(("height", "width"), [(5, 9), (24, 25), (50, 131)])
def test_tiles_are_equal_multiples_and_as_few_as_possible(
    multiple: int, tile: int, overlap: int, height: int, width: int
) -> None:
    seen: list[tuple[int, int]] = []

    def run(arrays: Mapping[str, Any]) -> dict[str, np.ndarray]:
        seen.append(arrays["image"].shape[2:])
        return enlarge(arrays)

    run_in_tiles(
        run, {"image": noise(height, width)}, image(multiple=multiple, tile=tile, overlap=overlap), [OUTPUT], ignore
    )
    assert len(set(seen)) == 1
    assert all(side % multiple == 0 and side <= tile for side in seen[0])
    shared = overlap + -overlap % multiple
    rows, columns = (
        max(1, math.ceil((side + -side % multiple - shared) / (tile - shared))) for side in (height, width)
    )
    assert len(seen) == rows * columns
    assert rows == 1 or rows * seen[0][0] < height + rows * (shared + multiple), "no more than the overlaps twice"


def test_tiles_of_different_colours_leave_no_seam() -> None:
    levels = iter(range(1_000))

    def alternate(arrays: Mapping[str, Any]) -> dict[str, np.ndarray]:
        _, _, height, width = arrays["image"].shape
        return {"made": np.full((1, 1, 2 * height, 2 * width), next(levels) % 2, np.float32)}

    made = run_in_tiles(alternate, {"image": noise(100, 130)}, image(tile=40, overlap=16), [OUTPUT], ignore)["made"]
    pixels = made[:, :, 0].astype(int)
    assert (pixels.min(), pixels.max()) == (0, 255)
    steepest = 255 / 16  # from black to white in half of an overlap of 32 pixels
    assert max(np.abs(np.diff(pixels, axis=axis)).max() for axis in (0, 1)) <= steepest + 1


def test_sides_are_padded_with_their_mirror_image() -> None:
    array = noise(3, 5)

    def look(arrays: Mapping[str, Any]) -> dict[str, np.ndarray]:
        np.testing.assert_array_equal(arrays["image"][0, 0, :, :5], array[0, 0][[0, 1, 2, 1]])
        np.testing.assert_array_equal(arrays["image"][0, 0, :3, 5:], array[0, 0][:, 3:0:-1])
        return enlarge(arrays)

    assert run_in_tiles(look, {"image": array}, image(multiple=4), [OUTPUT], ignore)["made"].shape == (6, 10, 1)


def test_the_output_is_never_complete_in_floats() -> None:
    array = noise(1024, 1024)
    tracemalloc.start()
    try:
        run_in_tiles(enlarge, {"image": array}, image(tile=64, overlap=8), [OUTPUT], ignore)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * 2048 * 2048


def test_every_tile_is_reported() -> None:
    calls: list[tuple[int, int]] = []
    tensor = image(tile=24, overlap=8)
    run_in_tiles(enlarge, {"image": noise(40, 60)}, tensor, [OUTPUT], lambda *counts: calls.append(counts))
    assert calls == [(done, 8) for done in range(1, 9)]
