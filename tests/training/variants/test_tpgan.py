"""TP-GAN: its paths, its five losses, and its frozen recogniser."""

import dataclasses
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from training.data.dataset import Dataset, DataSpec, Tensors
from training.loop.trainer import Trainer
from training.metrics.prediction import Prediction
from training.metrics.traits import TraitReader
from training.networks.pathways import Box, Pathways
from training.scoring import EvaluationCase
from training.variants import tpgan
from training.variants.tpgan import TPGAN, asymmetry, scaled_difference, total_variation

SPEC = DataSpec.of_images(3, 64, ("0", "1"))


def images(count: int, seed: int = 0) -> Tensor:
    return torch.rand(count, 3, 64, 64, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def small(**settings: object) -> TPGAN:
    torch.manual_seed(0)
    return TPGAN(SPEC, dataclasses.replace(TPGAN.recipe, **settings))  # type: ignore[arg-type]


@pytest.mark.parametrize("shows", tpgan.PARTS)
def test_every_box_lies_in_the_image_and_a_side_view_becomes_a_front(shows: str) -> None:
    for box in tpgan.PARTS[shows]:
        assert 0 <= box.top < box.top + box.height <= 64
        assert 0 <= box.left < box.left + box.width <= 64
    front = small(shows=shows).generator(images(2))
    assert front.shape == (2, 3, 64, 64)
    assert front.abs().max() <= 1


def test_a_local_path_sees_its_box_alone_and_draws_there() -> None:
    torch.manual_seed(0)
    network = Pathways(3, 64, 4, [Box(8, 16, 16, 32)], part_width=4)
    image = images(1).requires_grad_()
    (features,) = network._fused(image)
    outside = torch.ones(64, 64)
    outside[8:24, 16:48] = 0
    assert (features * outside == 0).all()
    assert (features[:, :, 8:24, 16:48] != 0).any()
    features.sum().backward()
    assert image.grad is not None
    assert (image.grad * outside == 0).all()
    assert (image.grad != 0).any()


def test_overlapping_parts_are_fused_by_their_maximum() -> None:
    network = Pathways(3, 64, 4, [Box(0, 0, 32, 32), Box(16, 16, 32, 32)], part_width=4)
    for part, level in zip(network.parts, (0.25, 0.75), strict=True):
        part.forward = lambda crop, level=level: torch.full((len(crop), 4, *crop.shape[2:]), level)
    (features,) = network._fused(images(1))
    assert features[0, 0, [8, 24, 40, 60], [8, 24, 40, 60]].tolist() == [0.25, 0.75, 0.75, 0]


def test_the_control_has_no_local_paths_and_as_many_weights() -> None:
    sizes = [sum(weights.numel() for weights in small(local=local).generator.parameters()) for local in (True, False)]
    assert sizes[0] == pytest.approx(sizes[1], rel=0.02)
    assert not list(small(local=False).generator.parts)


def test_the_losses_of_known_images() -> None:
    flat, left = torch.zeros(1, 1, 64, 64), torch.zeros(1, 1, 64, 64)
    left[..., :32] = 1
    assert scaled_difference(left, flat, (1.0, 1.0, 1.5)) == pytest.approx(0.5 * 3.5)
    checks = (torch.arange(64)[:, None] + torch.arange(64)) % 2 * 2.0 - 1
    assert scaled_difference(checks[None, None], flat, (1.0, 1.0, 1.5)) == 1, "fine details count at full size alone"
    assert asymmetry(flat) == 0
    assert asymmetry(left) == 1
    assert total_variation(left) == 64
    assert total_variation(torch.cat([left, flat])) == 32


def test_a_perfect_front_has_no_loss_but_those_of_realism() -> None:
    made = small()
    front = images(2)
    front = (front + front.flip(-1)) / 2
    batch = {"image": front, "side": images(2, seed=1), "label": torch.tensor([0, 1])}
    made.fake = lambda batch: batch["image"]  # type: ignore[method-assign]
    terms = made.generator_loss(batch)
    assert list(terms) == ["pixels", "symmetry", "identity", "adversarial", "variation"]
    assert terms["pixels"] == terms["identity"] == 0
    assert terms["symmetry"] == pytest.approx(0, abs=1e-7)
    assert terms["adversarial"] > 0
    made.fake = lambda batch: batch["side"]  # type: ignore[method-assign]
    assert all(value > 0 for value in made.generator_loss(batch).values())


def test_the_recogniser_learns_first_and_then_stays_as_it_is(digits: Dataset) -> None:
    enlarged = digits.images.repeat_interleave(8, dim=2).repeat_interleave(8, dim=3).expand(-1, 3, -1, -1)
    data = dataclasses.replace(digits, images=enlarged, views={"side": enlarged})
    game = TPGAN(data.spec, dataclasses.replace(TPGAN.recipe, steps=10, batch_size=4, recognition_share=0.6))
    trainer = Trainer(game, game.source(data), seed=0, precision="fp32", device="cpu")
    states, seen = [], []
    for terms in trainer.train():
        states.append({name: value.clone() for name, value in game.recogniser.state_dict().items()})
        seen.append(set(terms))
    assert seen[5] == {"recogniser/label"}
    assert "generator/identity" in seen[6]
    changed = [any(not torch.equal(one[name], other[name]) for name in one) for one, other in pairwise(states)]
    assert changed == [True] * 5 + [False] * 4


def test_a_recogniser_sees_an_image_alike_in_any_batch() -> None:
    network = small().recogniser.features
    both = images(2)
    assert torch.allclose(network(both)[:1], network(both[:1]), atol=1e-5)


def test_traits_are_read_off_features() -> None:
    random = torch.Generator().manual_seed(0)
    values = torch.randint(3, (300, 2), generator=random)
    features = torch.cat([torch.nn.functional.one_hot(column, 3) for column in values.T], dim=1) * 4.0 - 7
    features += 0.1 * torch.randn(features.shape, generator=random)
    reader = TraitReader(features[:200], values[:200])
    assert reader.accuracy(features[200:], values[200:]) == 1
    assert 0.2 < reader.accuracy(features[200:].roll(1, dims=0), values[200:]) < 0.5


@dataclasses.dataclass
class Context:
    """An evaluation in which an image's features are its corner pixels, which tell its label."""

    run: Callable[[Tensors], Tensors]
    train: Dataset
    test: Dataset
    case: EvaluationCase

    def predict(self, given: Tensor) -> Prediction:
        corners = given[:, :, 0, 0].numpy()
        return Prediction(corners, corners)


def test_a_front_is_scored_by_the_traits_it_shows_and_its_symmetry() -> None:
    fronts = torch.zeros(60, 3, 64, 64, dtype=torch.uint8)
    labels = torch.arange(60) % 3
    fronts[torch.arange(60), labels] = 255
    data = Dataset("fronts", fronts, labels, ("red", "green", "blue"), "", "")
    truth = fronts / 127.5 - 1
    side = truth.roll(1, dims=0)
    side[:, :, :, 32:] = 0
    case = EvaluationCase({"image": side}, truth, ())

    def scores(run: Callable[[Tensors], Tensors]) -> dict[str, tuple[float, float | None]]:
        found = TPGAN.own_scores(Context(run, data, data, case))  # type: ignore[arg-type]
        assert "in the input it finds 0.00%" in found[0].description
        return {score.name: (score.value, score.real) for score in found}

    assert scores(lambda inputs: {"front": truth}) == {"traits_read": (1.0, 1.0), "asymmetry": (0.0, 0.0)}
    assert scores(lambda inputs: {"front": inputs["image"]}) == {"traits_read": (0.0, 1.0), "asymmetry": (1.0, 0.0)}
