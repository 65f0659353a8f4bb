"""Gradients that export, and a descent in a loop of the graph."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from training import export
from training.inference import open_network
from training.networks import layers
from training.networks.descent import descend, pull

RATE = 0.1


def settled(network: nn.Module) -> nn.Module:
    """Give a network weights and running statistics as after a training, and evaluate it from now on."""
    torch.manual_seed(0)
    for value in network.state_dict().values():
        if value.is_floating_point():
            value.uniform_(0.1, 1) if value.dim() == 1 else value.normal_(std=0.3)
    return network.eval()


NETWORKS = {
    "generator": (layers.dcgan_generator(6, 3, 28, 2), (6,)),
    "features": (layers.dcgan_features(1, 28, 2), (1, 28, 28)),
    "hidden": (
        nn.Sequential(nn.Flatten(), nn.Linear(18, 5), nn.LeakyReLU(0.2, inplace=True), nn.Tanh()),
        (2, 3, 3),
    ),
    "window that leaves out pixels": (nn.Sequential(nn.Conv2d(2, 3, 3, stride=2)), (2, 8, 6)),
    "nothing": (nn.Sequential(), (4,)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_pullback_is_the_gradient_of_autograd(name: str) -> None:
    network, shape = settled(NETWORKS[name][0]), NETWORKS[name][1]
    inputs = torch.randn(3, *shape, requires_grad=True)
    expected = network(inputs * 1)  # a layer may overwrite what it gets
    slope = torch.randn_like(expected)
    outputs, back = pull(network, inputs.detach())
    torch.testing.assert_close(outputs, expected)
    torch.testing.assert_close(back(slope), *torch.autograd.grad(expected, inputs, slope), atol=1e-5, rtol=1e-4)


def test_a_descent_makes_adams_steps() -> None:
    torch.manual_seed(0)
    wanted, start = torch.randn(4, 3), torch.randn(4, 3)
    expected = start.clone().requires_grad_()
    adam = torch.optim.Adam([expected], RATE)
    for _ in range(30):
        adam.zero_grad()
        (expected - wanted).pow(4).sum().backward()
        adam.step()
    found = descend(lambda latent: 4 * (latent - wanted).pow(3), start, torch.full((4,), 30.0), RATE)
    torch.testing.assert_close(found, expected.detach(), atol=1e-5, rtol=1e-5)


class Inversion(nn.Module):
    """Vector (N, 6) and steps (N,) -> the latent (N, 3) from which a small network makes it, and what it makes."""

    def __init__(self) -> None:
        super().__init__()
        self.network = settled(nn.Sequential(nn.Linear(3, 8), nn.LeakyReLU(0.2), nn.Linear(8, 6), nn.Tanh()))

    def forward(self, wanted: Tensor, steps: Tensor) -> tuple[Tensor, Tensor]:
        def gradient(latent: Tensor) -> Tensor:
            found, back = pull(self.network, latent)
            return back(found - wanted)

        latent = descend(gradient, torch.zeros_like(wanted[:, :3]), steps, RATE)
        return latent, self.network(latent)


@pytest.fixture(scope="module")
def exported() -> bytes:
    return export.to_onnx(Inversion(), (torch.zeros(2, 6), torch.ones(2)), ["wanted", "steps"], ["latent", "found"])


def reachable(count: int) -> Tensor:
    """Vectors (N, 6) that the network makes from some latent."""
    return Inversion().network(torch.randn(count, 3, generator=torch.Generator().manual_seed(1))).detach()


def inverted(content: bytes, wanted: Tensor, steps: Tensor) -> list[Tensor]:
    feeds = {"wanted": wanted.numpy(), "steps": steps.numpy()}
    return [torch.from_numpy(array) for array in open_network(content, "the export").run(None, feeds)]


def test_the_loop_names_no_folder_of_this_machine(exported: bytes) -> None:
    assert str(Path(__file__).parents[3]).encode() not in exported


@pytest.mark.parametrize("steps", [0, 3, 500])
def test_the_loop_in_the_graph_equals_pytorch(exported: bytes, steps: int) -> None:
    wanted = reachable(5)
    many = torch.full((5,), float(steps))
    with torch.no_grad():
        expected = Inversion()(wanted, many)
    for one, other in zip(inverted(exported, wanted, many), expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=0)


def test_a_longer_descent_comes_nearer(exported: bytes) -> None:
    wanted = reachable(5)
    errors = [
        (inverted(exported, wanted, torch.full((5,), float(steps)))[1] - wanted).abs().max() for steps in (0, 10, 500)
    ]
    assert errors[0] > errors[1] > 2 * errors[2]


def test_each_row_takes_its_own_steps_alone_as_in_a_batch(exported: bytes) -> None:
    wanted, steps = reachable(4), torch.tensor([0.0, 1, 7, 60])
    latents, _ = inverted(exported, wanted, steps)
    assert not latents[0].any()
    assert latents[1].abs().max() == pytest.approx(RATE, rel=1e-3)  # Adam's first step
    for row in range(4):
        alone, _ = inverted(exported, wanted[row : row + 1], steps[row : row + 1])
        torch.testing.assert_close(alone[0], latents[row], atol=1e-6, rtol=0)


def test_zeros_and_extremes_stay_finite(exported: bytes) -> None:
    for wanted in (torch.zeros(1, 6), torch.full((1, 6), 1e4)):
        assert all(values.isfinite().all() for values in inverted(exported, wanted, torch.tensor([500.0])))
