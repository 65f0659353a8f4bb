"""InfoGAN's networks: a generator that is told a code, and a discriminator that also reads it."""

import torch
from torch import Tensor, nn

from training.networks import layers

# Logits of the category (N, K), and the means and log deviations of the two continuous codes (N, 4).
Recognised = tuple[Tensor, Tensor]


class CodedGenerator(nn.Module):
    """Latent (N, Z), category (N,) and two continuous codes (N,) -> images (N, C, H, W) in [-1, 1]."""

    loudness = 4.0, 2.0  # of category and codes: as numbers of size 1 they would be lost among the latent's

    def __init__(self, latent_size: int, categories: int, channels: int, size: int, width: int) -> None:
        super().__init__()
        self.categories = categories
        self.body = layers.dcgan_generator(latent_size + categories + 2, channels, size, width)

    def forward(self, latent: Tensor, category: Tensor, first: Tensor, second: Tensor) -> Tensor:
        of_category, of_code = self.loudness
        one_hot, code = layers.one_hot(category, self.categories), torch.stack([first, second], dim=1)
        images: Tensor = self.body(torch.cat([latent, of_category * one_hot, of_code * code], dim=1))
        return images


class Recognising(nn.Module):
    """Image (N, C, H, W) -> logits (N, 1), and what Q recognises in it; both share all but the last layers."""

    def __init__(self, categories: int, channels: int, size: int, width: int) -> None:
        super().__init__()
        self.features = layers.dcgan_features(channels, size, width)
        self.source = layers.dcgan_head(size, width)
        self.recognition = nn.Sequential(
            layers.dcgan_head(size, width, outputs=128), nn.BatchNorm1d(128), nn.LeakyReLU(0.2, inplace=True)
        )
        self.category = nn.Linear(128, categories)
        self.code = nn.Linear(128, 4)

    def forward(self, image: Tensor) -> tuple[Tensor, Recognised]:
        features = self.features(image)
        recognised = self.recognition(features)
        return self.source(features), (self.category(recognised), self.code(recognised))


class Recognition(nn.Module):
    """Image (N, C, H, W) -> category probabilities (N, K) and the two codes (N,) each, as they are served."""

    def __init__(self, discriminator: nn.Module) -> None:
        super().__init__()
        self.discriminator = discriminator

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        _, (category, code) = self.discriminator(image)
        return category.softmax(dim=1), code[:, 0].clamp(-2, 2), code[:, 1].clamp(-2, 2)
