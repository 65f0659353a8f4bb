"""Batches with moved, mirrored and warped images."""

import itertools
from dataclasses import replace

import torch

from training.data.dataset import Dataset
from training.data.transforms import Jittered, warped

CPU = torch.device("cpu")


def test_an_image_and_its_view_move_alike_by_a_few_pixels(digits: Dataset) -> None:
    source = Jittered(replace(digits, views={"negative": 255 - digits.images}), 2)
    plain = digits.batches(16, 5, CPU)
    moves = set()
    for step, (batch, still) in enumerate(itertools.islice(zip(source.batches(16, 5, CPU), plain, strict=True), 12)):
        assert torch.allclose(batch["negative"], -batch["image"], atol=1e-6)
        assert torch.equal(batch["label"], still["label"])
        image = batch["image"].flip(-1) if step % 2 else batch["image"]
        places = [(down, right) for down in range(-2, 3) for right in range(-2, 3)]
        middle = still["image"][:, :, 2:-2, 2:-2]
        (move,) = (
            (down, right)
            for down, right in places
            if torch.equal(image[:, :, 2 + down : 6 + down, 2 + right : 6 + right], middle)
        )
        moves.add(move)
    assert len(moves) > 6


def test_a_resumed_training_sees_the_same_batches(digits: Dataset) -> None:
    source = Jittered(digits, 2)
    whole = list(itertools.islice(source.batches(16, 3, CPU), 6))
    assert torch.equal(next(source.batches(16, 3, CPU, first_step=5))["image"], whole[5]["image"])


def test_each_image_is_warped_differently_and_stays_in_range() -> None:
    torch.manual_seed(0)
    square = torch.full((1, 1, 28, 28), -1.0)
    square[:, :, 9:19, 9:19] = 1
    copies = warped(square.expand(20, -1, -1, -1))
    assert copies.shape == (20, 1, 28, 28)
    assert copies.aminmax() == (-1, 1)
    assert all((copies[0] - other).abs().max() > 0.5 for other in copies[1:])
    ink = (copies + 1).sum(dim=(1, 2, 3)) / (square + 1).sum()
    assert 0.5 < ink.min() < 0.9  # some smaller, some larger, none lost
    assert 1.1 < ink.max() < 2
