"""InfoGAN's networks: a generator with a latent code, and a discriminator that shares its layers with Q."""

import torch
from torch import Tensor, nn

from training.networks import layers

# Q's prediction: logits of the category (N, K), and means and log deviations of the two continuous codes (N, 4).
CodePrediction = tuple[Tensor, Tensor]


class LatentCodeGenerator(nn.Module):
    """Latent (N, Z), category (N,) and two continuous codes (N,) -> images (N, C, H, W) in [-1, 1]."""

    scales = 4.0, 2.0  # of category and codes, which at scale 1 would be lost among the latent's numbers

    def __init__(self, latent_size: int, categories: int, channels: int, size: int, width: int) -> None:
        super().__init__()
        self.categories = categories
        self.body = layers.dcgan_generator(latent_size + categories + 2, channels, size, width)

    def forward(self, latent: Tensor, category: Tensor, first: Tensor, second: Tensor) -> Tensor:
        category_scale, code_scale = self.scales
        one_hot, code = layers.one_hot(category, self.categories), torch.stack([first, second], dim=1)
        images: Tensor = self.body(torch.cat([latent, category_scale * one_hot, code_scale * code], dim=1))
        return images


class DiscriminatorWithQ(nn.Module):
    """Image (N, C, H, W) -> D's logits (N, 1) and Q's prediction; the two share all layers except the last."""

    def __init__(self, categories: int, channels: int, size: int, width: int) -> None:
        super().__init__()
        self.features = layers.dcgan_features(channels, size, width)
        self.source = layers.dcgan_head(size, width)
        self.recognition = nn.Sequential(
            layers.dcgan_head(size, width, outputs=128), nn.BatchNorm1d(128), nn.LeakyReLU(0.2, inplace=True)
        )
        self.category = nn.Linear(128, categories)
        self.code = nn.Linear(128, 4)

    def forward(self, image: Tensor) -> tuple[Tensor, CodePrediction]:
        features = self.features(image)
        hidden = self.recognition(features)
        return self.source(features), (self.category(hidden), self.code(hidden))


class ServedQ(nn.Module):
    """Image (N, C, H, W) -> category probabilities (N, K) and the two codes, (N,) each in [-2, 2]."""

    def __init__(self, discriminator: nn.Module) -> None:
        super().__init__()
        self.discriminator = discriminator

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        _, (category, code) = self.discriminator(image)
        return category.softmax(dim=1), code[:, 0].clamp(-2, 2), code[:, 1].clamp(-2, 2)
