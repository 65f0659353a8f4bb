"""PixelDTGAN: what its domain discriminator asks, and what moves the converter."""

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from training.data.dataset import Dataset, DataSpec, Tensors
from training.metrics.prediction import Prediction
from training.scoring import EvaluationCase
from training.variants.pixeldtgan import PixelDTGAN

SPEC = DataSpec.of_images(3, 64, ("dark", "bright"))
GARMENTS = torch.linspace(-1, 1, 4)[:, None, None, None].expand(-1, 3, 64, 64)


class Constant(nn.Module):
    """A converter that draws one grey."""

    def __init__(self, level: float) -> None:
        super().__init__()
        self.level = nn.Parameter(torch.tensor(level))

    def forward(self, dressed: Tensor) -> Tensor:
        return self.level.expand_as(dressed)


class Certain(nn.Module):
    """A discriminator of a logit for each image or pair: `rate` of its channels' means (N, C)."""

    def __init__(self, rate: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, images: Tensor) -> Tensor:
        return self.rate(images.mean(dim=(2, 3)))[:, None]


def same(means: Tensor) -> Tensor:
    """A character's image is its garment here: 20 where both are equal, otherwise -20."""
    return 40 * ((means[:, 0] - means[:, 3]).abs() < 1e-3).float() - 20


def game(domain: Callable[[Tensor], Tensor] = same, level: float = 0.5, **settings: object) -> PixelDTGAN:
    made = PixelDTGAN(SPEC, dataclasses.replace(PixelDTGAN.recipe, **settings))  # type: ignore[arg-type]
    made.generator = Constant(level)
    made.discriminator = nn.ModuleDict({"real": Certain(lambda means: means[:, 0]), "domain": Certain(domain)})
    return made


BATCH = {"image": GARMENTS, "dressed": GARMENTS}


@pytest.mark.parametrize(
    ("wrong", "domain"),
    [
        ("its own garment", lambda means: same(means) - 40 * (means[:, 0] == means[:, 3])),
        ("another's garment", lambda means: same(means) + 40 * (same(means) < 0) * (means[:, 3] != 0.5)),
        ("a garment that was made", lambda means: same(means) + 40 * (means[:, 3] == 0.5)),
    ],
)
def test_each_of_three_kinds_of_pairs_is_a_third_of_what_the_domain_discriminator_learns(
    wrong: str, domain: Callable[[Tensor], Tensor]
) -> None:
    assert game().discriminator_loss(BATCH)["domain"] == pytest.approx(0, abs=1e-3)
    assert game(domain).discriminator_loss(BATCH)["domain"] == pytest.approx(20 / 3, abs=1e-3), wrong


def test_the_converter_learns_half_from_each_discriminator_and_from_no_pixel() -> None:
    terms = game(lambda means: means[:, 3] * 0, level=0.0).generator_loss(BATCH)
    assert {name: value.item() for name, value in terms.items()} == pytest.approx(
        {"adversarial": math.log(2) / 2, "domain": math.log(2) / 2}
    )
    alone = game(domain_weight=0.0, level=0.0).generator_loss(BATCH)
    assert alone["domain"] == 0
    assert alone["adversarial"].item() == pytest.approx(math.log(2))


def test_a_garment_is_not_moved() -> None:
    images = (GARMENTS * 127 + 128).to(torch.uint8)
    data = Dataset("garments", images, torch.zeros(4).long(), ("0",), "", "", views={"dressed": images})
    assert PixelDTGAN(SPEC).source(data) is data


@dataclasses.dataclass
class Context:
    """An evaluation of a function, with a classifier of two garments by their brightness."""

    run: Callable[[Tensors], Tensors]
    part: str = ""
    test: Dataset | None = None

    case = EvaluationCase({"image": GARMENTS}, GARMENTS, ())

    def predict(self, images: Tensor) -> Prediction:
        bright = (images.mean(dim=(1, 2, 3)) > 0).float().numpy()
        return Prediction(np.stack([1 - bright, bright], axis=1), bright[:, None])


def own_scores(run: Callable[[Tensors], Tensors], **more: object) -> dict[str, tuple[float, float | None]]:
    context = Context(run, **more)  # type: ignore[arg-type]
    return {score.name: (score.value, score.real) for score in PixelDTGAN.own_scores(context)}  # type: ignore[arg-type]


def test_a_converter_that_always_draws_the_same_garment_is_found_out() -> None:
    perfect = own_scores(lambda inputs: {"garment": inputs["image"]})
    assert perfect == {"rmse": (0.0, None), "smallest_class_share": (0.5, 0.5), "garments_drawn": (2, 2)}
    collapsed = own_scores(lambda inputs: {"garment": torch.ones_like(inputs["image"])})
    assert collapsed["smallest_class_share"] == (0.0, 0.5)
    assert collapsed["garments_drawn"] == (1, 2)
    assert collapsed["rmse"][0] == pytest.approx(math.sqrt((1 + 4 / 9 + 1 / 9) / 4))


@pytest.mark.parametrize(("sign", "auroc"), [(1, 1.0), (-1, 0.0)])
def test_the_domain_discriminator_is_scored_by_telling_own_garments_from_others(sign: int, auroc: float) -> None:
    images = ((GARMENTS + 1) * 127.5).to(torch.uint8)
    test = Dataset("garments", images, torch.zeros(4).long(), ("0",), "", "", views={"dressed": images})

    def run(inputs: Tensors) -> Tensors:
        return {"association": -sign * (inputs["image"] - inputs["dressed"]).abs().mean(dim=(1, 2, 3))}

    assert own_scores(run, part="domain", test=test) == {"auroc": (auroc, None)}
