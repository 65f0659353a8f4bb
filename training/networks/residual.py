"""Residual networks with spectral normalisation: the blocks that SAGAN and BigGAN share."""

from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from training.networks import layers

Layer = TypeVar("Layer", nn.Conv2d, nn.Linear, nn.Embedding)


def convolution(before: int, after: int, size: int = 3) -> nn.Module:
    """Return a spectrally normalised convolution that keeps height and width."""
    return spectral_norm(orthogonal(nn.Conv2d(before, after, size, padding=size // 2)))


def linear(before: int, after: int) -> nn.Module:
    """Return a spectrally normalised linear layer."""
    return spectral_norm(orthogonal(nn.Linear(before, after)))


def orthogonal(layer: Layer) -> Layer:
    """Initialise a layer with orthogonal weights and zero biases, and return it."""
    for weights in layer.parameters():
        (nn.init.orthogonal_ if weights.dim() > 1 else nn.init.zeros_)(weights)
    return layer


class SelfAttention(nn.Module):
    """o = gamma * attention(x) + x over all positions of a map (N, C, H, W); gamma starts at 0 (Zhang et al. 2019).

    Keys and values are pooled, as in the authors' code, which needs a quarter of the work.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = max(1, channels // 8)
        self.query, self.key = convolution(channels, inner, 1), convolution(channels, inner, 1)  # f, g
        self.value = convolution(channels, channels, 1)  # h
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, maps: Tensor) -> Tensor:
        query = self.query(maps).flatten(2)
        key, value = (F.max_pool2d(layer(maps), 2).flatten(2) for layer in (self.key, self.value))
        weights = (query.transpose(1, 2) @ key).softmax(dim=2)  # (N, positions, positions / 4), each row sums to 1
        attended = (value @ weights.transpose(1, 2)).view_as(maps)
        summed: Tensor = self.gamma * attended + maps
        return summed


class Pointwise(nn.Module):
    """o = gamma * h(x) + x, where each position of a map (N, C, H, W) depends only on itself.

    It is the control for SelfAttention, with as many weights.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = (channels + 2 * max(1, channels // 8)) // 2
        self.hidden, self.output = convolution(channels, inner, 1), convolution(inner, channels, 1)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, maps: Tensor) -> Tensor:
        summed: Tensor = self.gamma * self.output(F.relu(self.hidden(maps))) + maps
        return summed


Mixing = type[SelfAttention] | type[Pointwise]


class ConditionalBatchNorm(nn.Module):
    """Batch normalisation whose gain and bias are linear in a condition (N, D)."""

    def __init__(self, channels: int, condition: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.affine = linear(condition, 2 * channels)

    def forward(self, maps: Tensor, condition: Tensor) -> Tensor:
        gain, bias = self.affine(condition)[:, :, None, None].chunk(2, dim=1)
        normalised: Tensor = (1 + gain) * self.norm(maps) + bias
        return normalised


class BlockUp(nn.Module):
    """(N, before, H, W) and a condition -> (N, after, 2H, 2W)."""

    def __init__(self, before: int, after: int, condition: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(ConditionalBatchNorm(channels, condition) for channels in (before, after))
        self.first, self.second = convolution(before, after), convolution(after, after)
        self.skip = convolution(before, after, 1)

    def forward(self, maps: Tensor, condition: Tensor) -> Tensor:
        hidden = layers.doubled(F.relu(self.norms[0](maps, condition)))
        hidden = self.second(F.relu(self.norms[1](self.first(hidden), condition)))
        both: Tensor = hidden + self.skip(layers.doubled(maps))
        return both


class BlockDown(nn.Module):
    """(N, before, H, W) -> (N, after, H/2, W/2), or the same size; `first` if its input is the image itself."""

    def __init__(self, before: int, after: int, *, down: bool, first: bool = False) -> None:
        super().__init__()
        self.down, self.first = down, first
        self.one, self.two = convolution(before, after), convolution(after, after)
        self.skip = convolution(before, after, 1)

    def forward(self, maps: Tensor) -> Tensor:
        hidden = self.two(F.relu(self.one(maps if self.first else F.relu(maps))))
        both: Tensor = hidden + self.skip(maps)
        return F.avg_pool2d(both, 2) if self.down else both


class ProjectionDiscriminator(nn.Module):
    """Image (N, C, H, W) and label (N,) -> logits (N,): psi(phi(x)) + y . phi(x) (Miyato and Koyama 2018)."""

    def __init__(self, channels: int, embedding: nn.Embedding, mixing: Mixing = SelfAttention) -> None:
        super().__init__()
        width = embedding.embedding_dim
        self.body = nn.Sequential(
            BlockDown(channels, width, down=True, first=True),
            mixing(width),
            BlockDown(width, width, down=True),
            BlockDown(width, width, down=False),
            BlockDown(width, width, down=False),
        )
        self.head = linear(width, 1)
        self.embedding = spectral_norm(embedding)  # y

    def forward(self, image: Tensor, label: Tensor) -> Tensor:
        features = F.relu(self.body(image)).sum(dim=(2, 3))
        logits: Tensor = self.head(features)[:, 0] + (self.embedding(label) * features).sum(dim=1)
        return logits
