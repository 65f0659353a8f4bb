"""Scores that only one variant has, on images whose scores are known."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from training import variants
from training.data.dataset import DataSpec, Tensors
from training.metrics.prediction import Prediction
from training.variants.cogan import edges

SQUARES = torch.full((20, 1, 28, 28), -1.0)
SQUARES[:, :, 8:20, 8:20] = 1


Generate = Callable[..., tuple[Tensors, Tensors]]


def brightness(images: torch.Tensor) -> Prediction:
    """Classify images by their mean: dark ones are of the first class."""
    mean = images.mean(dim=(1, 2, 3)).numpy()
    return Prediction(np.stack([mean < 0, mean >= 0], axis=1).astype(np.float32), mean[:, None])


@dataclass
class Context:
    """An evaluation context with a function as its model and a classifier by brightness."""

    model: Generate
    images: torch.Tensor
    part: str = ""

    @property
    def real(self) -> Prediction:
        return brightness(self.images)

    def predict(self, images: torch.Tensor) -> Prediction:
        return brightness(images)

    def generate(
        self, change: Callable[[Tensors], Tensors] | None = None, /, **inputs: object
    ) -> tuple[Tensors, Tensors]:
        return self.model(change, **inputs)


def own_scores(variant: str, model: Generate, real: torch.Tensor = SQUARES) -> dict[str, float]:
    return {score.name: score.value for score in variants.find(variant).own_scores(Context(model, real))}


def always(inputs: Tensors, outputs: Tensors) -> Generate:
    def generate(_change: Any = None, /) -> tuple[Tensors, Tensors]:
        return inputs, outputs

    return generate


def test_cogans_images_agree_with_their_own_edges_and_less_with_others() -> None:
    assert own_scores("cogan", always({}, {"image": SQUARES, "edges": edges(SQUARES)})) == {"agreement": 1.0}
    assert own_scores("cogan", always({}, {"image": SQUARES, "edges": -edges(SQUARES)})) == {"agreement": 0.0}


def test_cogan_without_coupling_is_two_games_with_twice_the_parameters() -> None:
    variant, spec = variants.find("cogan"), DataSpec.of_images(1, 28, ("0", "1"))
    sizes = {
        coupled: sum(
            weights.numel() for weights in variant(spec, type(variant.recipe)("mnist", 1, coupled=coupled)).parameters()
        )
        for coupled in (True, False)
    }
    assert sizes[False] > 1.9 * sizes[True]


def test_infogans_codes_are_scored_by_their_effect() -> None:
    bars = torch.full((20, 1, 28, 28), -1.0)
    codes = torch.linspace(-1, 1, 20)
    for bar, code in zip(bars, codes, strict=True):
        half = round(4 + 2 * code.item())
        bar[0, 4:24, 14 - half : 14 + half] = 1
    idle = torch.linspace(-1, 1, 40)[::2].roll(7)
    inputs = {"category": torch.zeros(20, dtype=torch.long), "a": idle, "b": codes}
    found = own_scores("infogan", always(inputs, {"image": bars}))
    assert found["width_correlation"] == pytest.approx(1, abs=0.1)
    assert found["slant_correlation"] < 0.5


def test_progans_patches_are_compared_at_each_resolution() -> None:
    torch.manual_seed(0)
    real = F.avg_pool2d(torch.randn(80, 3, 64, 64), 2)
    blurred = F.interpolate(F.avg_pool2d(real[:40], 2), scale_factor=2, mode="bilinear")
    same, coarse = (own_scores("progan", always({}, {"image": images}), real) for images in (real[:40], blurred))
    assert same == {"swd_32": 0, "swd_16": 0}
    assert coarse["swd_32"] > 1.5 * coarse["swd_16"] > 0  # most of what is missing are details


def test_less_truncation_gives_biggan_more_recall_and_less_precision() -> None:
    real = torch.linspace(-0.5, 0.5, 100)[:, None, None, None].expand(-1, 1, 2, 2)

    def generate(_change: Any = None, /, *, truncation: float) -> tuple[Tensors, Tensors]:
        return {}, {"image": real * 2 * truncation}

    found = own_scores("biggan", generate, real)
    assert found["precision_0.3"] == 1 > found["precision_0.7"]
    assert found["recall_0.3"] < found["recall_0.5"] == 1


def test_the_coarse_styles_decide_the_class_of_a_stylegan_image() -> None:
    first = torch.arange(40)[:, None, None, None].expand(-1, 1, 2, 2) % 2 - 0.5
    second = torch.arange(40)[:, None, None, None].expand(-1, 1, 2, 2) % 4 // 2 - 0.5

    def generate(
        _change: Any = None, /, crossover: int = 8, noise_strength: float = 1, **_: Any
    ) -> tuple[Tensors, Tensors]:
        image = second if crossover < 2 else -first if crossover < 6 else first
        return {}, {"image": image + 0.1 * noise_strength}

    found = own_scores("stylegan", generate)
    assert {name: value for name, value in found.items() if not name.startswith("path_length")} == {
        "same_with_other_noise": 1.0,
        "same_with_other_fine_styles": 1.0,
        "same_with_other_coarse_styles": 0.5,
    }


def test_a_stylegan_path_is_as_long_as_the_change_of_its_images() -> None:
    """One latent's images go evenly from dark to bright; its styles' way to the average is half as long."""

    def generate(change: Any = None, /, truncation: float = 1, **_: Any) -> tuple[Tensors, Tensors]:
        inputs = {"latent": torch.tensor([[1.0, 0.0]]), "second_latent": torch.tensor([[0.0, 1.0]])}
        (latent,) = (change(inputs) if change else inputs)["latent"]
        share = torch.atan2(latent[1], latent[0]) / (math.pi / 2)
        return {}, {"image": (share - truncation / 2).expand(20, 1, 2, 2)}

    found = own_scores("stylegan", generate)
    assert found["path_length_latents"] == pytest.approx(1, abs=0.01)
    assert found["path_length_styles"] == pytest.approx(2 * 0.5**2, abs=0.01)


class Painter(torch.nn.Module):
    """A generator of vertical bars: the second code decides their slant, the first one nothing."""

    def __init__(self, leans: bool) -> None:
        super().__init__()
        self.leans = leans
        self.weights = torch.nn.Parameter(torch.zeros(1))

    def forward(self, latent: torch.Tensor, *codes: torch.Tensor) -> torch.Tensor:
        rows = torch.arange(28) - 13.5
        middle = 13.5 - self.leans * codes[2][:, None] * rows / 2 + latent[:, :1]
        distance = (torch.arange(28) - middle[:, :, None]).abs()
        return (1 - distance).clamp(-1, 1)[:, None]


@pytest.mark.parametrize(("leans", "names"), [(True, ["first_code", "slant"]), (False, ["first_code", "second_code"])])
def test_infogans_codes_are_named_for_the_trait_that_they_control(leans: bool, names: list[str]) -> None:
    gan = variants.find("infogan")(DataSpec.of_images(1, 28, tuple("0123456789")))
    gan.generator = Painter(leans)
    inputs = gan.servables()[""].inputs
    assert [tensor.name for tensor in inputs] == ["latent", "category", *names]
    assert [tensor.name for tensor in gan.servables()["recognition"].outputs] == ["category", *names]
