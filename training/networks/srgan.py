"""SRGAN's networks: SRResNet, the discriminator, and the networks that provide perceptual features."""

from itertools import chain, pairwise
from pathlib import Path

import torch
from torch import Tensor, nn

from gan_serve.errors import UsageError
from training.networks.layers import leaky

VGG19 = (64, 64, 0, 128, 128, 0, 256, 256, 256, 256, 0, 512, 512, 512, 512, 0, 512, 512, 512, 512)  # 0: pooling
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, for images in [0, 1]


class SRResNet(nn.Module):
    """Image (N, C, H, W) -> (N, C, 4H, 4W), both in [-1, 1]: B residual blocks, and two sub-pixel convolutions."""

    def __init__(self, channels: int, width: int, blocks: int) -> None:
        super().__init__()
        self.head = nn.Sequential(nn.Conv2d(channels, width, 9, padding=4), nn.PReLU(width))
        self.body = nn.Sequential(*(_Block(width) for _ in range(blocks)), *_normalised(width, width))
        doubled = ([nn.Conv2d(width, 4 * width, 3, padding=1), nn.PixelShuffle(2), nn.PReLU(width)] for _ in range(2))
        self.tail = nn.Sequential(*chain(*doubled), nn.Conv2d(width, channels, 9, padding=4))

    def forward(self, image: Tensor) -> Tensor:
        first = self.head(image)
        enlarged: Tensor = self.tail(first + self.body(first))
        return enlarged


class _Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(*_normalised(width, width), nn.PReLU(width), *_normalised(width, width))

    def forward(self, maps: Tensor) -> Tensor:
        both: Tensor = maps + self.body(maps)
        return both


def _normalised(before: int, after: int, stride: int = 1) -> list[nn.Module]:
    return [nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(after)]


def discriminator(channels: int, size: int, width: int) -> nn.Sequential:
    """Image (N, channels, size, size) -> logits (N, 1): eight convolutions with four halvings, and two dense layers."""
    blocks: list[nn.Module] = [nn.Conv2d(channels, width, 3, padding=1), leaky()]
    blocks += [*_normalised(width, width, stride=2), leaky()]
    for before, after in pairwise(width * 2**level for level in range(4)):
        blocks += [*_normalised(before, after), leaky(), *_normalised(after, after, stride=2), leaky()]
    side = -(-size // 16)
    dense = [nn.Linear(8 * width * side * side, 16 * width), leaky(), nn.Linear(16 * width, 1)]
    return nn.Sequential(*blocks, nn.Flatten(), *dense)


class PhotoFeatures(nn.Module):
    """Image (N, C, H, W) -> features (N, F, H/4, W/4), learned by recognising the photo that a crop is from.

    Photos are recognised by their textures, which is what the perceptual loss should compare.
    """

    def __init__(self, channels: int, photos: int, width: int = 24) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_convolved(channels, width), *_convolved(width, width), nn.MaxPool2d(2),
            *_convolved(width, 2 * width), *_convolved(2 * width, 2 * width), nn.MaxPool2d(2),
            *_convolved(2 * width, 4 * width), *_convolved(4 * width, 4 * width),
        )  # fmt: skip
        self.head = nn.Linear(4 * width, photos)

    def forward(self, image: Tensor) -> Tensor:
        features: Tensor = self.body(image)
        return features

    def logits(self, image: Tensor) -> Tensor:
        """Return logits (N, photos) of the photo that a crop is from."""
        logits: Tensor = self.head(self.body(image).mean(dim=(2, 3)))
        return logits


def _convolved(before: int, after: int) -> list[nn.Module]:
    convolution = nn.Conv2d(before, after, 3, padding=1)
    nn.init.kaiming_normal_(convolution.weight)
    return [convolution, nn.ReLU()]


class VGGFeatures(nn.Module):
    """Image (N, 3, H, W) in [-1, 1] -> phi_{5,4} of VGG-19 (N, 512, H/16, W/16), after its activation."""

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        before = 3
        for after in VGG19:
            blocks += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU()] if after else [nn.MaxPool2d(2)]
            before = after or before
        self.features = nn.Sequential(*blocks)
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None], persistent=False)
        self.register_buffer("deviation", torch.tensor(DEVIATION)[:, None, None], persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        features: Tensor = self.features(((image + 1) / 2 - self.mean) / self.deviation)
        return features


def read_vgg(path: str) -> VGGFeatures:
    """Read VGG-19 from a file of torchvision's weights.

    Raises:
        UsageError: the file does not hold them.
    """
    network = VGGFeatures().eval()
    try:
        saved = torch.load(Path(path), map_location="cpu", weights_only=True)
        network.load_state_dict({name: value for name, value in saved.items() if name.startswith("features.")})
    except Exception as error:  # a wrong file can raise nearly anything
        kind = type(error).__name__
        raise UsageError(f"{path}: give a file of torchvision's weights of VGG-19 ({kind})") from error
    for parameter in network.parameters():
        parameter.requires_grad = False  # no player owns this network, so the training loop does not freeze it
    return network
