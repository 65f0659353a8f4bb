import pytest
import torch
from torch.nn import functional as F

from training import losses


@pytest.fixture
def logits() -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    return torch.randn(16, 1, generator=random), torch.randn(16, 1, generator=random)


def test_the_discriminator_loss_is_binary_cross_entropy(logits: tuple[torch.Tensor, torch.Tensor]) -> None:
    real, fake = logits
    expected = F.binary_cross_entropy_with_logits(real, torch.ones_like(real))
    expected += F.binary_cross_entropy_with_logits(fake, torch.zeros_like(fake))
    torch.testing.assert_close(losses.non_saturating.discriminator(real, fake), expected)


def test_the_generator_losses_are_those_of_the_paper(logits: tuple[torch.Tensor, torch.Tensor]) -> None:
    _, fake = logits
    probability = fake.sigmoid()
    torch.testing.assert_close(losses.non_saturating.generator(fake), -probability.log().mean())
    torch.testing.assert_close(losses.minimax.generator(fake), (1 - probability).log().mean())


def test_only_the_minimax_game_saturates_where_the_discriminator_is_certain() -> None:
    gradients = []
    for game in (losses.non_saturating, losses.minimax):
        fake = torch.full((1, 1), -20.0, requires_grad=True)
        game.generator(fake).backward()
        assert fake.grad is not None
        gradients.append(fake.grad.abs().item())
    assert gradients[0] > 0.99
    assert gradients[1] < 1e-8


def test_losses_are_float32_whatever_the_networks_computed_in() -> None:
    half = torch.randn(4, 1).bfloat16()
    assert losses.non_saturating.discriminator(half, half).dtype == torch.float32
    assert losses.minimax.generator(half).dtype == torch.float32
