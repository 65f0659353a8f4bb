"""Networks of images with several traits; a trait is one choice out of several."""

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn

from training.networks import layers

Choices = Mapping[str, Sequence[str]]  # the possible choices for each trait


def sizes(choices: Choices) -> list[int]:
    """Return the number of choices for each trait."""
    return [len(names) for names in choices.values()]


def one_hot(traits: Tensor, choices: Choices) -> Tensor:
    """The number of the choice for each trait (N, T) -> y: all one-hot, side by side, (N, K)."""
    columns = zip(traits.unbind(1), sizes(choices), strict=True)
    return torch.cat([layers.one_hot(column, size) for column, size in columns], dim=1)


def chosen(values: Tensor, names: Sequence[str], wanted: Iterable[str]) -> Tensor:
    """Return the columns of the wanted traits, (N, T), from those of all traits by these names."""
    return values[:, [names.index(trait) for trait in wanted]]


class TraitDiscriminator(nn.Module):
    """Image (N, C, H, W) -> a logit (N, 1) of its own, and one for each choice of each trait (N, K).

    Their sum over the choices of y is D(x, y): a projection discriminator (Miyato and Koyama 2018). One pass therefore
    scores an image with every combination of traits.
    """

    def __init__(self, choices: Choices, channels: int, size: int, width: int) -> None:
        super().__init__()
        self.features = layers.dcgan_features(channels, size, width)
        self.heads = layers.dcgan_head(size, width, 1 + sum(sizes(choices)))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        logits: Tensor = self.heads(self.features(image))
        return logits[:, :1], logits[:, 1:]


def encoder(channels: int, size: int, width: int, outputs: int) -> nn.Sequential:
    """Image (N, C, H, W) -> (N, outputs)."""
    return layers.dcgan_features(channels, size, width).append(layers.dcgan_head(size, width, outputs))


class Editor(nn.Module):
    """Image and a label for each trait -> the image with these traits: G(E_z(x), y).

    Where a label is the last one, "as it is", y has what E_y reads in the image.
    """

    def __init__(
        self, generator: nn.Module, latent_encoder: nn.Module, trait_encoder: nn.Module, choices: Choices
    ) -> None:
        super().__init__()
        self.generator, self.latent_encoder, self.trait_encoder = generator, latent_encoder, trait_encoder
        self.sizes = sizes(choices)

    def forward(self, image: Tensor, *labels: Tensor) -> Tensor:
        """Images (N, C, H, W) in [-1, 1]."""
        read = self.trait_encoder(image).split(self.sizes, dim=1)
        traits = [self.trait(*each) for each in zip(read, labels, strict=True)]
        images: Tensor = self.generator(torch.cat([self.latent_encoder(image), *traits], dim=1))
        return images

    def trait(self, logits: Tensor, label: Tensor) -> Tensor:
        """Return the one-hot label (N, K), or where it is K the probabilities that are read."""
        given = layers.one_hot(label, logits.shape[1] + 1)
        return given[:, :-1] + given[:, -1:] * logits.softmax(dim=1)
