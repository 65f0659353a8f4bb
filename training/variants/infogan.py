"""InfoGAN."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_serve.metadata import Paper, Score
from gan_serve.tensors import Label, Latent, Probabilities, Scalar, ScoreOutput
from training.data.dataset import Batch, DataSpec, Terms
from training.data.transforms import warped
from training.gan import GAN, Recipe, Servable
from training.metrics import handwriting
from training.metrics.handwriting import TRAITS
from training.networks import infogan
from training.scoring import EvaluationContext

TEMPERATURE = 0.5  # sharpens Q's predictions before they become targets


@dataclass(frozen=True)
class InformationRecipe(Recipe):
    """Adds the weights of the mutual information and of the agreement between an image and a moved copy of it."""

    information_weight: float = 1.0  # 0: the control, a game whose codes mean nothing
    # The paper's losses do not determine what the categories mean; without this term they often do not become the
    # digits. 0: the paper's game.
    agreement_weight: float = 5.0


class InfoGAN(GAN):
    """InfoGAN: Interpretable Representation Learning by Information Maximizing Generative Adversarial Nets.

    Chen, Duan, Houthooft, Schulman, Sutskever and Abbeel 2016, https://arxiv.org/abs/1606.03657
    """

    paper = Paper(
        title="InfoGAN: Interpretable Representation Learning by Information Maximizing Generative Adversarial Nets",
        authors="Xi Chen, Yan Duan, Rein Houthooft, John Schulman, Ilya Sutskever, Pieter Abbeel",
        year=2016,
        url="https://arxiv.org/abs/1606.03657",
    )
    differences = (
        "DCGAN-sized networks for 28x28 images; category and codes are louder than the noise beside them; Q also "
        "learns that a real image and a moved copy of it have one category (after Ojha et al. 2020, arXiv 1910.01112); "
        "an exponential average of the weights."
    )
    recipe = InformationRecipe(
        dataset="mnist", steps=3_000, batch_size=128, learning_rate=1e-3, final_learning_rate=0.1, ema=0.995
    )
    latent_size = 62
    categories = tuple("abcdefghij")  # not digits: their meanings are learned
    category_weight = 1.0  # lambda for the categorical code
    code_weight = 0.1  # and for the continuous ones
    width = 32  # channels of the layers next to the image

    settings: InformationRecipe
    generator: infogan.LatentCodeGenerator

    def __init__(self, spec: DataSpec, recipe: Recipe | None = None) -> None:
        super().__init__(spec, recipe)
        categories, shape = len(self.categories), (spec.channels, spec.size, self.width)
        self.generator = infogan.LatentCodeGenerator(self.latent_size, categories, *shape)
        self.discriminator = infogan.DiscriminatorWithQ(categories, *shape)

    def discriminator_loss(self, batch: Batch) -> Terms:
        category, code = self._codes(batch)
        real, (real_category, _) = self.discriminator(batch["image"])
        fake, prediction = self.discriminator(self.generator(self.latent(batch), category, *code.unbind(1)))
        self.record_diagnostics(real, fake)
        return {
            "adversarial": self.adversarial.discriminator(real, fake),
            **self._agreement_loss(batch["image"], real_category),
            **self._information_loss(prediction, category, code),
        }

    def generator_loss(self, batch: Batch) -> Terms:
        category, code = self._codes(batch)
        fake, prediction = self.discriminator(self.generator(self.latent(batch), category, *code.unbind(1)))
        adversarial = self.adversarial.generator(fake)
        return {"adversarial": adversarial, **self._information_loss(prediction, category, code)}

    def _agreement_loss(self, images: Tensor, category: Tensor) -> Terms:
        """Return the weighted agreement term; none in the paper's game, so that D's batches contain no moved images."""
        weight = self.settings.agreement_weight
        return {"agreement": weight * self._disagreement(images, category)} if weight else {}

    def _disagreement(self, images: Tensor, category: Tensor) -> Tensor:
        """KL(Q(c|x)^(1/T) || Q(c|moved x)) in nats, from the logits (N, K) of the images themselves.

        The targets are sharpened first; otherwise uniform predictions would agree best.
        """
        _, (moved, _) = self.discriminator(warped(images))
        expected = (category.detach().float() / TEMPERATURE).softmax(dim=1)
        return F.kl_div(moved.float().log_softmax(dim=1), expected, reduction="batchmean")

    def _codes(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Draw c: categories (N,), and uniform numbers (N, 2) in [-1, 1]."""
        category = (self.uniform(batch) * len(self.categories)).long()
        return category, self.uniform(batch, 2) * 2 - 1

    def _information_loss(self, prediction: infogan.CodePrediction, category: Tensor, code: Tensor) -> Terms:
        """-L_I: minus the lower bound of the mutual information, without its constant entropy."""
        logits, moments = prediction
        mean, log_deviation = moments.float().chunk(2, dim=1)
        error = (code - mean) / log_deviation.exp()
        likelihood = -(error.square() / 2 + log_deviation + math.log(2 * math.pi) / 2).sum(dim=1)
        weight = self.settings.information_weight
        return {
            "category": weight * self.category_weight * F.cross_entropy(logits.float(), category),
            "code": -weight * self.code_weight * likelihood.mean(),
        }

    def servables(self) -> dict[str, Servable]:
        names = self.code_names()
        codes = (Scalar(name=name, low=-2, high=2, default=(-1, 1), description=TRAITS.get(name, "")) for name in names)
        category = Label(name="category", classes=self.categories, description="What to draw; nobody named them.")
        found = Probabilities(name="category", classes=self.categories, description="Which category would draw it.")
        return {
            "": Servable(
                self.generator,
                inputs=(Latent(name="latent", size=self.latent_size), category, *codes),
                outputs=(self.spec.image,),
                task="latent-code",
                description="Draws by codes that nobody labelled: a category and two continuous codes.",
            ),
            "recognition": Servable(
                infogan.ServedQ(self.discriminator),
                inputs=(self.spec.image,),
                outputs=(
                    found,
                    *(ScoreOutput(name=name, low=-2, high=2, description=TRAITS.get(name, "")) for name in names),
                ),
                task="classification",
                description="Estimates the codes from which an image could have been drawn.",
            ),
        }

    @torch.no_grad()
    def code_names(self) -> list[str]:
        """Name the two codes by the traits they control, as measured, or else by their order."""
        device = next(self.generator.parameters()).device
        random = torch.Generator().manual_seed(0)
        latent = torch.randn(500, self.latent_size, generator=random).to(device)
        category = torch.randint(len(self.categories), (500,), generator=random).to(device)
        codes = (torch.rand(2, 500, generator=random) * 2 - 1).to(device)
        was_training = self.generator.training
        images = self.generator.eval()(latent, category, *codes)
        self.generator.train(was_training)
        return handwriting.named(handwriting.correlations(codes, images), ["first_code", "second_code"])

    @classmethod
    def own_scores(cls, context: EvaluationContext) -> list[Score]:
        if context.part:  # the recognition network generates nothing
            return []
        inputs, outputs = context.generate()
        codes = torch.stack([values for values in inputs.values() if values.is_floating_point()])
        strongest = handwriting.correlations(codes.float(), outputs["image"]).amax(dim=0).tolist()
        return [
            Score(
                name=f"{trait}_correlation",
                value=value,
                better="higher",
                description=f"of the {trait} that is measured in an image with the code that decides it",
            )
            for trait, value in zip(TRAITS, strongest, strict=True)
        ]
