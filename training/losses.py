"""Adversarial losses in pairs, and penalties: pure functions in float32, regardless of the networks' precision."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F


class Adversarial(NamedTuple):
    """The losses of both sides of a game; logits may have any shape."""

    discriminator: Callable[[Tensor, Tensor], Tensor]  # (real logits, fake logits) -> loss
    generator: Callable[[Tensor], Tensor]  # fake logits -> loss
    probability: Callable[[Tensor], Tensor] | None = None  # logits -> D(x), if the logits stand for a probability


def cross_entropy_discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """-log D(x) - log(1 - D(G(z)))."""
    return F.softplus(-real.float()).mean() + F.softplus(fake.float()).mean()


def non_saturating_generator_loss(fake: Tensor) -> Tensor:
    """-log D(G(z))."""
    return F.softplus(-fake.float()).mean()


def minimax_generator_loss(fake: Tensor) -> Tensor:
    """log(1 - D(G(z))): the loss of the minimax game; its gradient vanishes where D is certain."""
    return -F.softplus(fake.float()).mean()


def least_squares_discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """(D(x) - 1)^2 / 2 + D(G(z))^2 / 2: the coding a = 0, b = 1 of Mao et al. 2017."""
    return (real.float() - 1).square().mean() / 2 + fake.float().square().mean() / 2


def least_squares_generator_loss(fake: Tensor) -> Tensor:
    """(D(G(z)) - 1)^2 / 2 (c = 1), whose gradient stays large for distant fakes, even where D is certain."""
    return (fake.float() - 1).square().mean() / 2


def hinge_discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """max(0, 1 - D(x)) + max(0, 1 + D(G(z))): samples beyond the margin have no gradient."""
    return F.relu(1 - real.float()).mean() + F.relu(1 + fake.float()).mean()


def wasserstein_critic_loss(real: Tensor, fake: Tensor) -> Tensor:
    """E f(G(z)) - E f(x): the negative estimate of the Wasserstein distance."""
    return fake.float().mean() - real.float().mean()


def wasserstein_generator_loss(fake: Tensor) -> Tensor:
    """-E f(G(z))."""
    return -fake.float().mean()


def _sigmoid(logits: Tensor) -> Tensor:
    return logits.float().sigmoid()


def _clamped(values: Tensor) -> Tensor:
    return values.float().clamp(0, 1)


non_saturating = Adversarial(cross_entropy_discriminator_loss, non_saturating_generator_loss, _sigmoid)
minimax = Adversarial(cross_entropy_discriminator_loss, minimax_generator_loss, _sigmoid)
# At its optimum the least-squares D is p(real) / (p(real) + p(fake)), a probability like the sigmoid's.
least_squares = Adversarial(least_squares_discriminator_loss, least_squares_generator_loss, _clamped)
hinge = Adversarial(hinge_discriminator_loss, wasserstein_generator_loss)
wasserstein = Adversarial(wasserstein_critic_loss, wasserstein_generator_loss)


def _full_precision(like: Tensor) -> torch.autocast:
    """Disable autocast, which would compute products in bfloat16."""
    return torch.autocast(like.device.type, enabled=False)


def gradient_norms(discriminator: Callable[[Tensor], Tensor], points: Tensor) -> Tensor:
    """|dD/dx| at each of the points (N, ...), over all axes except the batch: (N,), itself differentiable."""
    with _full_precision(points), torch.enable_grad():
        points = points.detach().float().requires_grad_(True)
        (gradients,) = torch.autograd.grad(discriminator(points).sum(), points, create_graph=True)
    norms: Tensor = torch.linalg.vector_norm(gradients.flatten(1), dim=1)
    return norms


def gradient_penalty(norms: Tensor, slope: float = 1.0) -> Tensor:
    """(|dD/dx| - slope)^2, averaged over the points."""
    return (norms - slope).square().mean()


def interpolate(real: Tensor, fake: Tensor, share: Tensor) -> Tensor:
    """t x + (1 - t) G(z): points between real and generated images, with `share` t uniform, one per sample."""
    return share * real.float() + (1 - share) * fake.detach().float()


def dragan_points(real: Tensor, noise: Tensor) -> Tensor:
    """x + 0.5 std(x) u: DRAGAN's points near real images, with `noise` u uniform in [0, 1] of the images' shape."""
    return real + 0.5 * real.std() * noise


def pulling_away(features: Tensor) -> Tensor:
    """f_PT: the mean squared cosine between features (N, ...) of different samples (Zhao, Mathieu and LeCun 2017)."""
    directions = F.normalize(features.float().flatten(1), dim=1)
    count = len(directions)
    with _full_precision(directions):
        cosines = (directions @ directions.T).square()
    return (cosines.sum() - cosines.diagonal().sum()) / (count * (count - 1))


def orthogonality(weights: Iterable[Tensor]) -> Tensor:
    """|W W^T o (1 - I)|^2, summed over the weights with two axes or more (Brock, Donahue and Simonyan 2019)."""
    matrices = [weight.flatten(1).float() for weight in weights if weight.dim() > 1]
    with _full_precision(matrices[0]):
        products = [matrix @ matrix.T for matrix in matrices]
    return torch.stack([(product - product.diagonal().diag()).square().sum() for product in products]).sum()
