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


def test_losses_are_float32_regardless_of_the_networks_precision() -> None:
    half = torch.randn(4, 1).bfloat16()
    assert losses.non_saturating.discriminator(half, half).dtype == torch.float32
    assert losses.minimax.generator(half).dtype == torch.float32


def test_the_least_squares_generator_has_a_large_gradient_where_the_discriminator_is_certain() -> None:
    fake = torch.full((1, 1), -20.0, requires_grad=True)
    losses.least_squares.generator(fake).backward()
    assert fake.grad is not None
    assert fake.grad.abs().item() == 21


def test_each_loss_is_lowest_where_its_player_wins(logits: tuple[torch.Tensor, torch.Tensor]) -> None:
    real, fake = logits
    for game in (losses.non_saturating, losses.least_squares, losses.wasserstein):
        assert game.discriminator(torch.ones(4, 1), torch.zeros(4, 1)) < game.discriminator(real, fake)
        assert game.generator(torch.ones(4, 1)) < game.generator(torch.zeros(4, 1))


def test_gradient_norms_are_taken_per_sample_over_all_other_axes() -> None:
    weights = torch.tensor([3.0, 4.0]).view(1, 2, 1, 1).expand(1, 2, 2, 2)
    norms = losses.gradient_norms(lambda images: (images * weights).sum(dim=(1, 2, 3)), torch.randn(5, 2, 2, 2))
    torch.testing.assert_close(norms, torch.full((5,), 10.0))  # sqrt(4 * (9 + 16))
    torch.testing.assert_close(losses.gradient_penalty(norms), torch.tensor(81.0))


def test_a_gradient_penalty_moves_the_discriminator_and_not_the_images() -> None:
    discriminator, fake = torch.nn.Linear(4, 1), torch.randn(3, 4, requires_grad=True)
    between = losses.interpolate(torch.randn(3, 4), fake, torch.rand(3, 1))
    losses.gradient_penalty(losses.gradient_norms(discriminator, between)).backward()  # type: ignore[no-untyped-call]
    assert discriminator.weight.grad is not None
    assert fake.grad is None


def test_interpolation_takes_one_share_per_sample() -> None:
    between = losses.interpolate(
        torch.ones(2, 1, 2, 2), torch.zeros(2, 1, 2, 2), torch.tensor([0.25, 1.0]).view(2, 1, 1, 1)
    )
    assert between[0].unique().tolist() == [0.25]
    assert between[1].unique().tolist() == [1.0]


def test_pulling_away_is_one_for_equal_features_and_zero_for_orthogonal_ones() -> None:
    torch.testing.assert_close(losses.pulling_away(torch.ones(4, 8)), torch.tensor(1.0))
    torch.testing.assert_close(losses.pulling_away(torch.eye(4)), torch.tensor(0.0))
    torch.testing.assert_close(losses.pulling_away(torch.tensor([[1.0, 0.0], [-1.0, 0.0]])), torch.tensor(1.0))


def test_the_hinge_loss_ignores_samples_beyond_the_margin() -> None:
    assert losses.hinge.discriminator(torch.full((4, 1), 1.5), torch.full((4, 1), -1.5)) == 0
    assert losses.hinge.discriminator(torch.zeros(4, 1), torch.zeros(4, 1)) == 2


def test_orthogonality_is_zero_for_orthogonal_rows_of_any_length() -> None:
    torch.testing.assert_close(losses.orthogonality([torch.eye(3) * 5, torch.ones(7)]), torch.tensor(0.0))
    torch.testing.assert_close(losses.orthogonality([torch.ones(2, 3)]), torch.tensor(18.0))  # two entries of 3
