"""DTN."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_serve.metadata import Paper, Score
from training.data.dataset import Batch, BatchSource, Dataset, DataSpec, Terms
from training.families.translation import TranslationGAN, TranslationRecipe
from training.gan import Player, Recipe, Servable, Stage
from training.metrics.distribution import label_accuracy
from training.metrics.images import l1
from training.networks import layers
from training.scoring import EvaluationCase, EvaluationContext

FROM_SOURCE, FROM_TARGET, TARGET = range(3)  # what D tells apart: G(s), G(t) and t


@dataclass(frozen=True)
class TransferRecipe(TranslationRecipe):
    """Adds the weights of the losses, and the share of the steps that train f."""

    constancy_weight: float = 15.0  # alpha, of L_CONST; 0: a control, whose G need not keep what it is shown
    identity_weight: float = 15.0  # beta, of L_TID; 0: a control, whose G need not keep images of the target
    smoothness_weight: float = 0.05  # gamma, of L_TV
    recognition_share: float = 0.33  # of the steps: the first ones, which train f


class DTN(TranslationGAN):
    """Unsupervised Cross-Domain Image Generation (Taigman, Polyak and Wolf 2017).

    https://arxiv.org/abs/1611.02200

    With s an image of the source and t one of the target: G(x) = g(f(x)). First, f learns to classify images of the
    source. Then it is frozen, and g learns that f(G(s)) = f(s), that G(t) = t, and to pass for the target before a
    discriminator of three classes: G(s), G(t) and t.
    """

    paper = Paper(
        title="Unsupervised Cross-Domain Image Generation",
        authors="Yaniv Taigman, Adam Polyak, Lior Wolf",
        year=2017,
        url="https://arxiv.org/abs/1611.02200",
    )
    differences = (
        "f has 32 to 128 channels; g and D are DCGAN's networks, from 32 and from 16 channels; D learns a tenth as "
        "fast as g; the classes with which f is trained come from the source alone, as in the paper; an exponential "
        "average of the weights."
    )
    recipe = TransferRecipe(
        dataset="mnist_m", steps=5_500, batch_size=32, learning_rate=1e-3, discriminator_learning_rate=1e-4,
        final_learning_rate=0.1, view="photo",
        target="digit",
    )  # fmt: skip
    multiple = 4
    code = 128  # numbers in f(x)
    width, discriminator_width = 32, 16  # channels of the layers next to the image; a wider D always wins

    settings: TransferRecipe

    def __init__(self, spec: DataSpec, recipe: Recipe | None = None) -> None:
        super().__init__(spec, recipe)
        spec.check_classes()
        self.encoder = recogniser(spec.channels, spec.size, self.code)  # f
        self.classifier = nn.Linear(self.code, len(spec.classes))
        self.decoder = layers.dcgan_generator(self.code, spec.channels, spec.size, self.width)  # g
        self.generator = nn.Sequential(self.encoder, self.decoder)  # G
        self.discriminator = layers.dcgan_features(spec.channels, spec.size, self.discriminator_width)
        self.discriminator.append(layers.dcgan_head(spec.size, self.discriminator_width, outputs=3))

    def source(self, dataset: Dataset) -> BatchSource:
        """Return batches of s in `image` with its `label`, and of t, which is drawn independently and has none."""
        photos, targets = dataset.views[self.settings.view], {self.settings.target: dataset.images}
        return replace(dataset, images=photos, views=targets).unpaired()

    def stages(self) -> list[Stage]:
        recognition = Player([self.encoder, self.classifier], self.recognition_loss, learning_rate=1e-3)
        (game,) = super().stages()
        generator = replace(game.players["generator"], networks=[self.decoder])  # f stays as it is
        share = self.settings.recognition_share
        return [
            Stage({"recognition": recognition}, share),
            replace(game, players=game.players | {"generator": generator}, share=1 - share),
        ]

    def recognition_loss(self, batch: Batch) -> Terms:
        """Return the cross-entropy of the source's classes, which f learns from."""
        return {
            "classification": F.cross_entropy(self.classifier(self.encoder(batch["image"])).float(), batch["label"])
        }

    def transferred(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Return f(s), G(s) and G(t)."""
        code = self.encoder(torch.cat([batch["image"], batch[self.settings.target]]))
        from_source, from_target = self.decoder(code).chunk(2)
        return code.chunk(2)[0], from_source, from_target

    def discriminator_loss(self, batch: Batch) -> Terms:
        """-log D_1(G(s)) - log D_2(G(t)) - log D_3(t)."""
        _, from_source, from_target = self.transferred(batch)
        shown = {FROM_SOURCE: from_source, FROM_TARGET: from_target, TARGET: batch[self.settings.target]}
        logits = {kind: self.discriminator(images).float() for kind, images in shown.items()}
        self.record_diagnostics(_realness(logits[TARGET]), _realness(logits[FROM_SOURCE]))
        return {f"class {kind + 1}": _cross_entropy(each, kind) for kind, each in logits.items()}

    def generator_loss(self, batch: Batch) -> Terms:
        """-log D_3(G(s)) - log D_3(G(t)) + alpha L_CONST + beta L_TID + gamma L_TV."""
        settings, target = self.settings, batch[self.settings.target]
        code, from_source, from_target = self.transferred(batch)
        adversarial = [_cross_entropy(self.discriminator(made).float(), TARGET) for made in (from_source, from_target)]
        constancy = F.mse_loss(self.encoder(from_source).float(), code.float())
        return {
            "adversarial": torch.stack(adversarial).sum(),
            "constancy": settings.constancy_weight * constancy,
            "identity": settings.identity_weight * F.mse_loss(from_target.float(), target.float()),
            "smoothness": settings.smoothness_weight * _variation(from_source.float()),
        }

    def evaluation_case(self, part: str, dataset: Dataset) -> EvaluationCase:
        case = self.paired_case(dataset, "label_accuracy", "psnr")
        return replace(case, baselines={"input": case.inputs["image"]})

    @classmethod
    def own_scores(cls, context: EvaluationContext) -> list[Score]:
        source, target = context.case.inputs["image"], context.case.truth
        recognised = context.predict(source).probabilities
        (kept,) = context.run({"image": target}).values()
        return [
            Score(
                name="input_accuracy",
                value=label_accuracy(recognised, context.test.labels[: len(source)].numpy()),
                better="higher",
                description="share of the input images that the classifier recognises as they are, without a model",
            ),
            Score(
                name="identity_l1",
                value=l1(kept, target),
                better="lower",
                description="mean difference of the pixels between an image of the target and what it is turned into",
            ),
        ]

    def servables(self) -> dict[str, Servable]:
        view, target = self.settings.view, self.settings.target
        return {
            "": Servable(
                self.generator,
                inputs=(self.spec.image,),
                outputs=(self.output_kind(target),),
                task="image-to-image",
                description=f"Turns a {view} into a {target} that shows the same, learned without pairs.",
            )
        }


def recogniser(channels: int, size: int, code: int) -> nn.Sequential:
    """Image (N, channels, S, S) -> f(x), (N, code): four convolutions, and three poolings between them."""
    widths = (channels, 32, 64, 128)
    blocks: list[nn.Module] = []
    for before, after in pairwise(widths):
        blocks += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2)]
    return nn.Sequential(*blocks, nn.Conv2d(widths[-1], code, size // 8), nn.ReLU(inplace=True), nn.Flatten())


def _cross_entropy(logits: Tensor, kind: int) -> Tensor:
    """-log D_kind, from logits (N, 3)."""
    return -logits.log_softmax(dim=1)[:, kind].mean()


def _realness(logits: Tensor) -> Tensor:
    """Return the logit (N,) of D_3 alone, from the three logits (N, 3)."""
    return logits[:, TARGET] - logits[:, :TARGET].logsumexp(dim=1)


def _variation(images: Tensor) -> Tensor:
    """L_TV: the mean length of the gradient of images (N, C, H, W)."""
    down = images[:, :, 1:, :-1] - images[:, :, :-1, :-1]
    right = images[:, :, :-1, 1:] - images[:, :, :-1, :-1]
    return (down.square() + right.square() + 1e-8).sqrt().mean()
