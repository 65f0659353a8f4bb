"""PG2."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_serve.metadata import Paper
from gan_serve.tensors import Label
from training.data import part_labels
from training.data.dataset import Batch, BatchSource, Dataset, ImageSpec, Terms, to_signed
from training.data.posed import Posed
from training.gan import GAN, Player, Recipe, Servable, Stage
from training.networks import layers, posing, translation

MAP = "map"  # the view that shows the parts of each image


@dataclass(frozen=True)
class PoseRecipe(Recipe):
    """Adds the two learning rates of the second stage and the weight of its error."""

    refinement_learning_rate: float = 2e-4
    error_weight: float = 10.0  # lambda

    @property
    def views(self) -> tuple[str, ...]:
        return (MAP,)


class PG2(GAN):
    """Pose Guided Person Image Generation (Ma, Jia, Sun, Schiele, Tuytelaars and Van Gool 2017).

    https://arxiv.org/abs/1705.09368
    """

    paper = Paper(
        title="Pose Guided Person Image Generation",
        authors="Liqian Ma, Xu Jia, Qianru Sun, Bernt Schiele, Tinne Tuytelaars, Luc Van Gool",
        year=2017,
        url="https://arxiv.org/abs/1705.09368",
    )
    differences = (
        "Characters of 64x64 pixels in twenty poses, which have names; where the paper has heat maps of 18 joints, "
        "which the data lacks, a pose is five maps of how often each part of a body is where; the mask of the error is "
        "the character itself, a pixel wider; U-Nets without residual blocks, with instance normalisation; stage II "
        "starts from an exponential average of stage I."
    )
    recipe = PoseRecipe(
        dataset="lpc_poses", steps=16_000, batch_size=16, learning_rate=1e-3, discriminator_learning_rate=2e-4,
        image_size=64, final_learning_rate=0.1,
    )  # fmt: skip
    width, dense, difference_width = 16, 128, 12  # both stages stay below 4 MB
    memory = 0.999  # of stage I's average, per step

    settings: PoseRecipe

    def __init__(self, spec: ImageSpec, recipe: Recipe | None = None) -> None:
        super().__init__(spec, recipe)
        spec.check_multiple(4)
        spec.check_classes()
        maps = posing.PoseMaps(len(spec.classes), part_labels.PARTS - 1, spec.size)
        self.moving = posing.Coarse(spec.channels, maps, self.width, self.dense)  # stage I in training
        self.coarse = copy.deepcopy(self.moving)  # its average
        difference = translation.UNet(2 * spec.channels, spec.channels, spec.size, self.difference_width, dropout=0)
        self.generator = posing.Refined(self.coarse, difference)
        self.discriminator = translation.PatchDiscriminator(2 * spec.channels, width=20)
        self.is_coarse = True

    def source(self, dataset: Dataset) -> BatchSource:
        """Return pairs of images of one character; the data's part maps become the maps of the poses."""
        parts = torch.cat([part_labels.numbers(to_signed(each)).byte() for each in dataset.views[MAP].split(500)])
        for coarse in (self.moving, self.coarse):
            coarse.maps.count(parts, dataset.labels)
        return Posed(dataset)

    def fake(self, batch: Batch) -> Tensor:
        images: Tensor = self.generator(batch["source"], batch["label"])
        return images

    def error(self, images: Tensor, batch: Batch) -> Tensor:
        """Return |(x - y) (1 + M)|_1, where M is the character and a pixel around it."""
        shown = (part_labels.numbers(batch[MAP]) != part_labels.BACKGROUND).float()[:, None]
        mask = F.max_pool2d(shown, 3, stride=1, padding=1)
        return ((images.float() - batch["image"].float()).abs() * (1 + mask)).mean()

    def coarse_loss(self, batch: Batch) -> Terms:
        """Return the error of stage I."""
        return {"error": self.error(self.moving(batch["source"], batch["label"]), batch)}

    def discriminator_loss(self, batch: Batch) -> Terms:
        source = batch["source"]
        real, fake = self.discriminator(batch["image"], source), self.discriminator(self.fake(batch), source)
        self.record_diagnostics(real, fake)
        return {"adversarial": self.adversarial.discriminator(real, fake)}

    def generator_loss(self, batch: Batch) -> Terms:
        fake = self.fake(batch)
        return {
            "adversarial": self.adversarial.generator(self.discriminator(fake, batch["source"])),
            "error": self.settings.error_weight * self.error(fake, batch),
        }

    def stages(self) -> list[Stage]:
        rates = self.settings.discriminator_learning_rate, self.settings.refinement_learning_rate
        game = {
            "discriminator": Player([self.discriminator], self.discriminator_loss, learning_rate=rates[0]),
            "generator": Player([self.generator.difference], self.generator_loss, learning_rate=rates[1]),
        }
        return [
            Stage({"coarse": Player([self.moving], self.coarse_loss)}, share=0.7, on_start=self._begin_coarse),
            Stage(game, share=0.3, on_start=self._end_coarse),
        ]

    def _begin_coarse(self) -> None:
        self.is_coarse = True

    def _end_coarse(self) -> None:
        self.is_coarse = False

    def after_step(self, progress: float) -> None:
        if self.is_coarse:
            layers.ema_update(self.coarse, self.moving, 1 - self.memory)

    def servables(self) -> dict[str, Servable]:
        image = self.spec.image
        how = {"": "with the details that stage I blurs", "stage1": "by stage I alone, which is blurred"}
        networks: dict[str, nn.Module] = {"": self.generator, "stage1": self.coarse}
        return {
            part: Servable(
                network,
                inputs=(replace(image, fit="pad"), Label(name="pose", classes=self.spec.classes)),
                outputs=(replace(image, name="posed", like="image"),),
                task="image-to-image",
                description=f"Draws the character of an image in another pose, {how[part]}.",
            )
            for part, network in networks.items()
        }
