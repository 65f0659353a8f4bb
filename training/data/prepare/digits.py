"""Digits before photos beside clean ones: MNIST-M of Ganin et al. 2016 (arXiv 1505.07818)."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gan_serve.errors import Failure, UsageError
from gan_serve.images.preprocess import read_image
from training.data.prepare.arrays import Arrays, find_folder, held_out, images_in


def before_photos(source: Path, seed: int) -> Arrays:
    """Return MNIST's digits in `images`, and each of them before a patch of a photo in `photo_images`.

    A pixel is |patch - digit|. The photos are the training photos of BSDS500; a sixth of them is kept for the test.

    Raises:
        UsageError: the folder has no `mnist.npz`, or no such photos.
        Failure: one of them is not readable.
    """
    mnist = _mnist(source)
    files = images_in(find_folder(source, "images/train"), "jpg")
    photos = [np.asarray(read_image(path, str(path)).convert("RGB")) for path in files]
    kept = held_out([path.stem for path in files], seed)
    arrays: Arrays = {"classes": np.arange(10).astype(str)}
    for number, part in enumerate(("train", "test")):
        digits = np.repeat(mnist[f"{part}_images"][..., None], 3, axis=3)
        chosen = [photo for photo, is_kept in zip(photos, kept, strict=True) if is_kept == (part == "test")]
        patches = _patches(chosen, digits.shape, np.random.default_rng([seed, number]))
        arrays[f"{part}_images"] = digits
        arrays[f"{part}_photo_images"] = np.maximum(patches, digits) - np.minimum(patches, digits)
        arrays[f"{part}_labels"] = mnist[f"{part}_labels"]
    return arrays


def _mnist(source: Path) -> Arrays:
    """Read MNIST's arrays."""
    found = sorted(source.rglob("mnist.npz"))
    if not found:
        raise UsageError(f"{source} contains no mnist.npz; put MNIST's digits there")
    names = [f"{part}_{kind}" for part in ("train", "test") for kind in ("images", "labels")]
    try:
        with np.load(found[0], allow_pickle=False) as file:
            return {name: file[name] for name in names}
    except (OSError, ValueError, KeyError) as error:
        raise Failure(f"{found[0]} is not a file of MNIST's digits ({error})") from None


def _patches(photos: list[NDArray[np.uint8]], shape: tuple[int, ...], random: np.random.Generator) -> NDArray[np.uint8]:
    """Cut patches of shape (N, height, width, 3) out of photos at random."""
    patches = np.empty(shape, np.uint8)
    for patch in patches:
        photo = photos[random.integers(len(photos))]
        top, left = random.integers(np.array(photo.shape[:2]) - patch.shape[:2] + 1)
        patch[:] = photo[top : top + patch.shape[0], left : left + patch.shape[1]]
    return patches
