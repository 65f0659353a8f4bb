"""Context encoder."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_serve.metadata import Paper
from gan_serve.tensors import Mask
from training.data import masks
from training.data.dataset import Batch, Dataset, DataSpec, Terms, to_signed
from training.gan import GAN, Recipe, Servable
from training.networks import translation
from training.networks.layers import InstanceNorm, init_dcgan
from training.scoring import EvaluationCase


@dataclass(frozen=True)
class CompletionRecipe(Recipe):
    """Adds the weights of the two losses."""

    reconstruction_weight: float = 0.999  # lambda_rec
    adversarial_weight: float = 0.001  # lambda_adv; 0: the control, which learns from the squared error alone


class ContextEncoder(GAN):
    """Context Encoders: Feature Learning by Inpainting (Pathak, Krahenbuhl, Donahue, Darrell and Efros 2016).

    https://arxiv.org/abs/1604.07379
    """

    paper = Paper(
        title="Context Encoders: Feature Learning by Inpainting",
        authors="Deepak Pathak, Philipp Krahenbuhl, Jeff Donahue, Trevor Darrell, Alexei A. Efros",
        year=2016,
        url="https://arxiv.org/abs/1604.07379",
    )
    differences = (
        "64x64 images, halved three times before the channel-wise layer; the hole is an input of the network, too; "
        "half of the holes are in the middle and three eighths of the image wide, the others are rectangles anywhere; "
        "what the discriminator sees is the hole, grey all around, and it judges patches of 70x70 pixels; instance "
        "normalisation; an exponential average of the weights."
    )
    recipe = CompletionRecipe(
        dataset="lpc", steps=11_000, batch_size=32, learning_rate=2e-3, discriminator_learning_rate=2e-4, image_size=64,
        final_learning_rate=0.05,
    )  # fmt: skip
    width = 32  # the file stays below 4 MB
    border, border_weight = 7, 10.0  # pixels around the hole that the network also draws, and the weight of their error
    scored = 1_000  # images

    settings: CompletionRecipe

    def __init__(self, spec: DataSpec, recipe: Recipe | None = None) -> None:
        super().__init__(spec, recipe)
        spec.check_multiple(8)
        self.generator = Completion(spec.channels, spec.size, self.width)
        self.discriminator = translation.PatchDiscriminator(spec.channels, self.width, halvings=3)

    def mask(self, batch: Batch) -> Tensor:
        """Return random masks (N, 1, H, W), 1 in the hole: half of the holes in the middle, half anywhere."""
        return masks.random_holes(self.uniform(batch, 5), self.spec.size).to(batch["image"].dtype)

    def discriminator_loss(self, batch: Batch) -> Terms:
        mask = self.mask(batch)
        fake = self.discriminator(self.generator(batch["image"], mask) * mask)
        real = self.discriminator(batch["image"] * mask)
        self.record_diagnostics(real, fake)
        return {"adversarial": self.adversarial.discriminator(real, fake)}

    def generator_loss(self, batch: Batch) -> Terms:
        mask = self.mask(batch)
        fake = self.generator(batch["image"], mask)
        logits = self.discriminator(fake * mask)
        return {
            "reconstruction": self.settings.reconstruction_weight * self._reconstruction(fake, batch["image"], mask),
            "adversarial": self.settings.adversarial_weight * self.adversarial.generator(logits),
        }

    def _reconstruction(self, fake: Tensor, real: Tensor, mask: Tensor) -> Tensor:
        """Return the squared error in the hole and, for a seamless edge, in a border around it, per pixel of the hole.

        |M * (x - G((1 - M) * x))|_2^2, with M widened by the border.
        """
        around = F.max_pool2d(mask, 2 * self.border + 1, stride=1, padding=self.border) - mask
        errors = (fake.float() - real.float()).square().mean(dim=1, keepdim=True)
        return ((mask + self.border_weight * around) * errors).sum() / mask.sum()

    def evaluation_case(self, part: str, dataset: Dataset) -> EvaluationCase:
        everything = to_signed(dataset.images)
        truth = everything[: self.scored]
        region = masks.middle(self.spec.size)
        mask = torch.zeros(len(truth), 1, *truth.shape[2:])
        mask[:, :, *region] = 1
        seen = truth * (1 - mask)
        baselines = {"mean": masks.mean_fill(seen, mask), "nearest": masks.nearest_fill(truth, mask, everything)}
        metrics = ("psnr", "l1", "ssim", "sharpness", "label_accuracy")
        return EvaluationCase({"image": seen, "mask": mask}, truth, metrics, baselines, region)

    def servables(self) -> dict[str, Servable]:
        image = self.spec.image
        return {
            "": Servable(
                Completed(self.generator),
                inputs=(
                    replace(image, fit="pad"),
                    Mask(name="mask", height=image.height, width=image.width, description="White where to fill in."),
                ),
                outputs=(replace(image, name="completed", like="image"),),
                task="image-to-image",
                description="Fills in a hole in an image from what is around it.",
            )
        }


class Completion(nn.Module):
    """Image (N, C, S, S) and mask (N, 1, S, S) -> whole image (N, C, S, S) in [-1, 1]; masked pixels are ignored."""

    def __init__(self, channels: int, size: int, width: int) -> None:
        super().__init__()
        widths = (width, 2 * width, 4 * width)
        self.encoder = translation.encoder(channels + 1, widths)
        self.bottleneck = ChannelWise(widths[-1], (size // 8) ** 2)
        self.mix = nn.Sequential(nn.Conv2d(widths[-1], widths[-1], 1, bias=False), InstanceNorm(widths[-1]), nn.ReLU())
        self.decoder = translation.decoder(channels, widths)
        self.apply(init_dcgan)

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        seen = torch.cat([image * (1 - mask), mask], dim=1)
        whole: Tensor = self.decoder(self.mix(self.bottleneck(self.encoder(seen))))
        return whole


class ChannelWise(nn.Module):
    """A dense layer within each channel (N, C, H, W), which connects all positions with C (HW)^2 weights.

    It is a convolution over all positions, whose result does not depend on the batch, unlike that of a matrix product.
    """

    def __init__(self, channels: int, places: int) -> None:
        super().__init__()
        self.dense = nn.Conv1d(channels, channels * places, places, groups=channels, bias=False)
        nn.init.normal_(self.dense.weight, std=places**-0.5)

    def forward(self, maps: Tensor) -> Tensor:
        return self.dense(maps.flatten(2)).view(maps.shape)  # type: ignore[no-any-return]


class Completed(nn.Module):
    """Image and mask -> the image, its hole filled by the network."""

    def __init__(self, generator: nn.Module) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        completed: Tensor = image * (1 - mask) + self.generator(image, mask) * mask
        return completed
