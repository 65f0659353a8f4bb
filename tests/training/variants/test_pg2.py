"""PG2: pairs of images of one character, the maps of the poses, the masked error, and who moves in which stage."""

import dataclasses
import itertools
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from gan_serve.errors import Failure
from training import variants
from training.data.dataset import Dataset, Traits, to_signed
from training.data.palettes import PARTS
from training.data.posed import Characters, Posed
from training.evaluation import image_to_image, scores
from training.loop.trainer import Trainer
from training.variants.pg2 import PG2, masked_error, scored_pairs

CPU = torch.device("cpu")
POSES, PEOPLE, SIDE = 4, 6, 16
PALETTE = torch.tensor(list(PARTS.colours.values()), dtype=torch.uint8)


@pytest.fixture(scope="module")
def people() -> Dataset:
    """Six characters in four poses, in any order: red is the character, green the pose, and the map is one stripe."""
    order = torch.randperm(POSES * PEOPLE, generator=torch.Generator().manual_seed(0))
    poses, who = order % POSES, order // POSES
    images = torch.zeros(len(order), 3, SIDE, SIDE, dtype=torch.uint8)
    images[:, 0], images[:, 1] = (10 * each[:, None, None].byte() for each in (who, poses))
    parts = torch.zeros(len(order), SIDE, SIDE, dtype=torch.int64)
    for number, (pose, person) in enumerate(zip(poses, who, strict=True)):
        parts[number, :, 2 * pose : 2 * pose + 2] = 1 + int(person) % 2  # body or legs
    maps = PALETTE[parts].permute(0, 3, 1, 2).contiguous()
    traits = Traits(who[:, None], {"person": tuple("abcdef")})
    names = ("stand left", "walk left 1", "walk left 2", "walk left 3")
    return Dataset("people", images, poses, names, "", "", traits, {"map": maps})


def game(people: Dataset, **settings: Any) -> tuple[PG2, Trainer]:
    torch.manual_seed(0)
    gan = PG2(people.spec, dataclasses.replace(PG2.recipe, batch_size=4, **settings))
    return gan, Trainer(gan, gan.source(people), seed=0, precision="fp32", device="cpu")


def test_a_batch_shows_each_character_in_two_poses(people: Dataset) -> None:
    source = Posed(people, Characters(people))
    for batch in itertools.islice(source.batches(8, 0, CPU), 20):
        who, poses = ((127.5 * (batch[name][:, :2, 0, 0] + 1) / 10).round().T for name in ("image", "source"))
        assert torch.equal(who[0], poses[0]), "the same character"
        assert (who[1] != poses[1]).all(), "in another pose"
        assert torch.equal(who[1].long(), batch["label"])
        shown = PARTS.numbers(batch["map"])[:, 0].bool().float().argmax(dim=1)
        assert torch.equal(shown, 2 * batch["label"]), "the map is that of the image to be drawn"


def test_a_batch_depends_on_the_seed_and_the_step_alone(people: Dataset) -> None:
    source = Posed(people, Characters(people))
    third = next(itertools.islice(source.batches(8, 0, CPU), 2, None))
    resumed, other = (next(source.batches(8, seed, CPU, first_step=2)) for seed in (0, 1))
    assert all(torch.equal(third[name], resumed[name]) for name in third)
    assert not torch.equal(third["image"], other["image"])


def test_images_without_traits_are_refused_in_one_line(people: Dataset) -> None:
    with pytest.raises(Failure, match="people: has no traits; they say which images show the same character"):
        Characters(dataclasses.replace(people, traits=None))


def test_the_graph_holds_how_often_each_part_is_where_in_each_pose(people: Dataset) -> None:
    gan, _ = game(people)
    maps = gan.coarse.maps(torch.tensor([0, 3]))
    assert maps.shape == (2, len(PARTS) - 1, SIDE, SIDE)
    for shares, first in zip(maps, (0, 6), strict=True):
        assert torch.allclose(shares[:2, :, first : first + 2], torch.tensor(0.5), atol=1 / 255), "half body, half legs"
        assert shares.sum() == shares[:2, :, first : first + 2].sum(), "and nothing elsewhere"
    assert torch.equal(gan.coarse.maps.shares, gan.moving.maps.shares)


def test_the_pose_changes_the_image(people: Dataset) -> None:
    gan, _ = game(people)
    image = to_signed(people.images[:1]).expand(2, -1, -1, -1)
    with torch.no_grad():
        first, second = gan.eval().generator(image, torch.tensor([0, 3]))
    assert not torch.allclose(first, second)


def test_the_error_counts_twice_on_the_character_and_a_pixel_around_it() -> None:
    maps = torch.ones(1, 3, 8, 8)
    maps[:, 1:, 3, 3] = -1  # one pixel of body
    truth = torch.zeros(1, 3, 8, 8)
    assert masked_error(truth + 1, truth, maps) == pytest.approx((64 + 9) / 64)
    beside = truth.clone()
    beside[:, :, 2, 2], beside[:, :, 1, 1] = 1, 3
    assert masked_error(beside, truth, maps) == pytest.approx((2 * 1 + 3) / 64)


def test_stage_one_learns_alone_and_stands_still_in_stage_two(people: Dataset) -> None:
    gan, trainer = game(people, steps=10)
    networks = {"moving": gan.moving, "coarse": gan.coarse, "difference": gan.generator.difference,
                "discriminator": gan.discriminator}  # fmt: skip
    moved = []
    before = weights(networks)
    for _ in trainer.train():
        after = weights(networks)
        moved.append({name for name in networks if not torch.equal(before[name], after[name])})
        before = after
    assert moved == 7 * [{"moving", "coarse"}] + 3 * [{"difference", "discriminator"}]


def weights(networks: dict[str, torch.nn.Module]) -> dict[str, torch.Tensor]:
    return {
        name: torch.cat([parameter.detach().flatten() for parameter in each.parameters()])
        for name, each in networks.items()
    }


def test_stage_two_adds_a_difference_to_stage_one(people: Dataset) -> None:
    gan, _ = game(people)
    torch.nn.init.zeros_(gan.generator.difference.head.weight)
    torch.nn.init.zeros_(gan.generator.difference.head.bias)
    image, pose = to_signed(people.images[:3]), people.labels[:3]
    with torch.no_grad():
        assert torch.equal(gan.eval().generator(image, pose), gan.coarse(image, pose))


def test_it_is_scored_on_other_poses_of_the_same_characters(people: Dataset) -> None:
    rows, sources = scored_pairs(people)
    assert people.traits
    who = people.traits.values[:, 0]
    assert torch.equal(rows.sort().values, torch.arange(len(rows)))
    assert torch.equal(who[rows], who[sources])
    assert (people.labels[rows] != people.labels[sources]).all()
    gan, _ = game(people)
    for part, servable in gan.servables().items():
        case = gan.evaluation_case(part, people)
        assert list(case.inputs) == [tensor.name for tensor in servable.inputs]
        assert torch.equal(case.truth, to_signed(people.images[rows]))
        assert set(case.metrics) <= set(image_to_image.MEASURES) & set(scores.METRICS)
        assert set(case.baselines) <= set(image_to_image.BASELINES)
        mean = case.truth[case.inputs["pose"] == 2].mean(dim=0)
        assert torch.allclose(case.baselines["pose"][case.inputs["pose"] == 2], mean)


def test_the_truth_has_the_best_scores_of_its_own(people: Dataset) -> None:
    maps = people.views["map"]
    painted = dataclasses.replace(people, images=maps)  # images whose parts are known
    gan, _ = game(painted)
    case = gan.evaluation_case("", painted)

    def scored(images: torch.Tensor) -> dict[str, Any]:
        context = SimpleNamespace(case=case, test=painted, segment=PARTS.numbers, run=lambda _: {"posed": images})
        return {score.name: score for score in variants.find("pg2").own_scores(context)}  # type: ignore[arg-type]

    best, worst = scored(case.truth), scored(case.inputs["image"])
    assert (best["masked_l1"].value, best["part_iou"].value, best["part_iou"].real) == (0, 1, 1)
    assert worst["masked_l1"].value > 0.1
    assert worst["part_iou"].value < 0.5
    assert f"{worst['masked_l1'].value:.4f} for the input itself" in best["masked_l1"].description
