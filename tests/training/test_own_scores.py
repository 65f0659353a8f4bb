"""Figures that a variant has alone, on images whose figures are known."""

from typing import Any

import pytest
import torch

from training import variants
from training.gan import ImageSpec, Tensors
from training.variants.cogan import edges

SQUARES = torch.full((20, 1, 28, 28), -1.0)
SQUARES[:, :, 8:20, 8:20] = 1


def figures(variant: str, inputs: Tensors, outputs: Tensors) -> dict[str, float]:
    def draw(**_: Any) -> tuple[Tensors, Tensors]:
        return inputs, outputs

    return {score.name: score.value for score in variants.find(variant).own_scores(draw)}


def test_cogans_images_agree_with_their_own_edges_and_less_with_others() -> None:
    assert figures("cogan", {}, {"image": SQUARES, "edges": edges(SQUARES)}) == {"agreement": 1.0}
    assert figures("cogan", {}, {"image": SQUARES, "edges": -edges(SQUARES)}) == {"agreement": 0.0}


def test_cogan_without_coupling_is_two_games_with_twice_the_parameters() -> None:
    variant, spec = variants.find("cogan"), ImageSpec(1, 28, ("0", "1"))
    sizes = {
        coupled: sum(
            weights.numel() for weights in variant(spec, type(variant.recipe)("mnist", 1, coupled=coupled)).parameters()
        )
        for coupled in (True, False)
    }
    assert sizes[False] > 1.9 * sizes[True]


def test_infogans_codes_are_judged_by_what_they_do() -> None:
    bars = torch.full((20, 1, 28, 28), -1.0)
    codes = torch.linspace(-1, 1, 20)
    for bar, code in zip(bars, codes, strict=True):
        half = round(4 + 2 * code.item())
        bar[0, 4:24, 14 - half : 14 + half] = 1
    idle = torch.linspace(-1, 1, 40)[::2].roll(7)
    found = figures("infogan", {"category": torch.zeros(20, dtype=torch.long), "a": idle, "b": codes}, {"image": bars})
    assert found["width_correlation"] == pytest.approx(1, abs=0.1)
    assert found["slant_correlation"] < 0.5


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
def test_infogans_codes_are_named_for_what_they_control(leans: bool, names: list[str]) -> None:
    gan = variants.find("infogan")(ImageSpec(1, 28, tuple("0123456789")))
    gan.generator = Painter(leans)
    inputs = gan.servables()[""].inputs
    assert [tensor.name for tensor in inputs] == ["latent", "category", *names]
    assert [tensor.name for tensor in gan.servables()["recognition"].outputs] == ["category", *names]
