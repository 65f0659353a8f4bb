"""Paired adversarial losses: pure functions of logits, computed in float32 whatever the networks' precision."""

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor
from torch.nn import functional as F


class Adversarial(NamedTuple):
    """The two sides of one game; logits may have any shape."""

    discriminator: Callable[[Tensor, Tensor], Tensor]  # (real logits, fake logits) -> loss
    generator: Callable[[Tensor], Tensor]  # fake logits -> loss


def cross_entropy_discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """-log D(x) - log(1 - D(G(z)))."""
    return F.softplus(-real.float()).mean() + F.softplus(fake.float()).mean()


def non_saturating_generator_loss(fake: Tensor) -> Tensor:
    """-log D(G(z))."""
    return F.softplus(-fake.float()).mean()


def minimax_generator_loss(fake: Tensor) -> Tensor:
    """log(1 - D(G(z))): the game as first written down; its gradient vanishes where D is certain."""
    return -F.softplus(fake.float()).mean()


non_saturating = Adversarial(cross_entropy_discriminator_loss, non_saturating_generator_loss)
minimax = Adversarial(cross_entropy_discriminator_loss, minimax_generator_loss)
