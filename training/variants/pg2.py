"""PG2."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchmetrics.functional.classification import multiclass_jaccard_index

from gan_serve.errors import UsageError
from gan_serve.metadata import Paper, Score
from gan_serve.tensors import Label
from training.data.dataset import Batch, BatchSource, Dataset, DataSpec, Terms, random_at, to_signed
from training.data.palettes import PARTS
from training.data.posed import Characters, Posed
from training.gan import GAN, Player, Recipe, Servable, Stage
from training.networks import layers, posing, translation
from training.scoring import EvaluationCase, EvaluationContext

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
    parts = tuple(PARTS.colours.values())[1:]  # the colour of each, without the background's
    memory = 0.999  # of stage I's average, per step

    settings: PoseRecipe
    generator: posing.Refined

    def __init__(self, spec: DataSpec, recipe: Recipe | None = None) -> None:
        super().__init__(spec, recipe)
        spec.check_multiple(4)
        spec.check_classes()
        if self.augmentations:
            raise UsageError("images in pairs are not augmented; leave out augment")
        maps = posing.PoseMaps(len(spec.classes), len(self.parts), spec.size)
        self.moving = posing.Coarse(spec.channels, maps, self.width, self.dense)  # stage I in training
        self.coarse = copy.deepcopy(self.moving)  # its average
        difference = translation.UNet(2 * spec.channels, spec.channels, spec.size, self.difference_width, dropout=0)
        self.generator = posing.Refined(self.coarse, difference)
        self.discriminator = translation.PatchDiscriminator(2 * spec.channels, width=20)
        self.is_coarse = True

    def source(self, dataset: Dataset) -> BatchSource:
        """Return pairs of images of one character; the data's part maps become the maps of the poses."""
        for coarse in (self.moving, self.coarse):
            coarse.maps.count(dataset.views[MAP], dataset.labels, self.parts)
        return Posed(dataset, Characters(dataset))

    def fake(self, batch: Batch) -> Tensor:
        images: Tensor = self.generator(batch["source"], batch["label"])
        return images

    def coarse_loss(self, batch: Batch) -> Terms:
        """Return the error of stage I."""
        return {"error": masked_error(self.moving(batch["source"], batch["label"]), batch["image"], batch[MAP])}

    def discriminator_loss(self, batch: Batch) -> Terms:
        source = batch["source"]
        real, fake = self.discriminator(batch["image"], source), self.discriminator(self.fake(batch), source)
        self.record_diagnostics(real, fake)
        return {"adversarial": self.adversarial.discriminator(real, fake)}

    def generator_loss(self, batch: Batch) -> Terms:
        fake = self.fake(batch)
        return {
            "adversarial": self.adversarial.generator(self.discriminator(fake, batch["source"])),
            "error": self.settings.error_weight * masked_error(fake, batch["image"], batch[MAP]),
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

    def evaluation_case(self, part: str, dataset: Dataset) -> EvaluationCase:
        """Every image of the test set once, to be drawn from another one of its character."""
        rows, sources = scored_pairs(dataset)
        truth, poses = to_signed(dataset.images[rows]), dataset.labels[rows]
        source = to_signed(dataset.images[sources])
        means = torch.stack([truth[poses == pose].mean(dim=0) for pose in range(len(dataset.classes))])
        baselines = {"input": source, "pose": means[poses]}
        return EvaluationCase({"image": source, "pose": poses}, truth, ("psnr", "ssim", "sharpness"), baselines)

    @classmethod
    def own_scores(cls, context: EvaluationContext) -> list[Score]:
        """Return the error that the losses weigh, and how well a segmenter finds the parts where they should be."""
        case, test = context.case, context.test
        rows, _ = scored_pairs(test)
        maps = to_signed(test.views[MAP][rows[: len(case.truth)]])
        images = {"model": context.run(case.inputs)["posed"], "truth": case.truth, **case.baselines}
        errors = {name: float(masked_error(each, case.truth, maps)) for name, each in images.items()}
        parts = {name: mean_overlap(context.segment(images[name]), maps) for name in ("model", "truth")}
        others = f"{errors['input']:.4f} for the input itself and {errors['pose']:.4f} for the mean of the pose"
        return [
            Score(
                name="masked_l1",
                value=errors["model"],
                better="lower",
                description=f"mean difference from the truth, where the character counts twice; {others}",
            ),
            Score(
                name="part_iou",
                value=parts["model"],
                better="higher",
                description="intersection over union of the true part map and that of a segmenter, which was trained "
                "on real images; the mean over body, legs, feet, torso, hair and background",
                real=parts["truth"],
            ),
        ]

    def servables(self) -> dict[str, Servable]:
        image = self.spec.image
        pose = Label(name="pose", classes=self.spec.classes, description="The pose to draw the character in.")
        how = {"": "with the details that stage I blurs", "stage1": "by stage I alone, which is blurred"}
        networks: dict[str, nn.Module] = {"": self.generator, "stage1": self.coarse}
        return {
            part: Servable(
                network,
                inputs=(replace(image, fit="pad"), pose),
                outputs=(replace(image, name="posed", like="image"),),
                task="image-to-image",
                description=f"Draws the character of an image in another pose, {how[part]}.",
            )
            for part, network in networks.items()
        }


def masked_error(images: Tensor, truth: Tensor, maps: Tensor) -> Tensor:
    """|(x - y) (1 + M)|_1, where M is the character in the part maps, and a pixel around it."""
    shown = (maps < 1).any(dim=1, keepdim=True).float()  # the background is white
    mask = F.max_pool2d(shown, 3, stride=1, padding=1)
    return ((images.float() - truth.float()).abs() * (1 + mask)).mean()


def mean_overlap(predicted: Tensor, maps: Tensor) -> float:
    """Return the intersection over union of predicted parts (N, H, W) and part maps, averaged over the parts."""
    return float(multiclass_jaccard_index(predicted, PARTS.numbers(maps), len(PARTS)))


def scored_pairs(dataset: Dataset) -> tuple[Tensor, Tensor]:
    """Return the rows of a test set in random order, and for each the row of another image of its character."""
    random = random_at(0, 0)
    rows = torch.randperm(len(dataset.images), generator=random)
    return rows, Characters(dataset).partners(rows, torch.rand(len(rows), generator=random))
