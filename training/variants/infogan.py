"""InfoGAN."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_serve.metadata import Paper
from gan_serve.metadata import Score as Figure
from gan_serve.tensors import Label, Latent, Probabilities, Scalar, Score
from training import handwriting, layers
from training.gan import GAN, Batch, Evidence, ImageSpec, Recipe, Servable, Terms

TRAITS = {"slant": "From left to right.", "width": "Of the strokes."}  # what a code may come to control
CLEAR = 0.5  # the correlation from which on it is said to


@dataclass(frozen=True)
class InformationRecipe(Recipe):
    """Adds how much the mutual information counts."""

    information_weight: float = 1.0  # 0: the control, a game whose codes mean nothing


class InfoGAN(GAN):
    """InfoGAN: Interpretable Representation Learning by Information Maximizing Generative Adversarial Nets.

    Chen, Duan, Houthooft, Schulman, Sutskever and Abbeel 2016, https://arxiv.org/abs/1606.03657

    Differs: DCGAN-sized networks for 28x28 images.
    """

    paper = Paper(
        title="InfoGAN: Interpretable Representation Learning by Information Maximizing Generative Adversarial Nets",
        authors="Xi Chen, Yan Duan, Rein Houthooft, John Schulman, Ilya Sutskever, Pieter Abbeel",
        year=2016,
        url="https://arxiv.org/abs/1606.03657",
    )
    differences = "DCGAN-sized networks for 28x28 images; an exponential average of the weights."
    recipe = InformationRecipe(dataset="mnist", steps=20_000, final_learning_rate=0.1)
    latent_size = 62
    categories = tuple("abcdefghij")  # not digits: nobody tells what they are to be
    category_weight = 1.0  # lambda for the categorical code
    code_weight = 0.1  # and for the continuous ones
    width = 32  # channels of the layers next to the image

    settings: InformationRecipe
    generator: "CodedGenerator"

    def __init__(self, spec: ImageSpec, recipe: Recipe | None = None) -> None:
        super().__init__(spec, recipe)
        self.generator = CodedGenerator(self.latent_size, len(self.categories), spec, self.width)
        self.discriminator = Recognising(spec, len(self.categories), self.width)

    def discriminator_loss(self, batch: Batch) -> Terms:
        category, code = self._codes(batch)
        real, _ = self.discriminator(batch["image"])
        fake, recognised = self.discriminator(self.generator(self.latent(batch), category, *code.unbind(1)))
        self.observe(real, fake)
        adversarial = self.adversarial.discriminator(real, fake)
        return {"adversarial": adversarial, **self._information_loss(recognised, category, code)}

    def generator_loss(self, batch: Batch) -> Terms:
        category, code = self._codes(batch)
        fake, recognised = self.discriminator(self.generator(self.latent(batch), category, *code.unbind(1)))
        adversarial = self.adversarial.generator(fake)
        return {"adversarial": adversarial, **self._information_loss(recognised, category, code)}

    def _codes(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """c: categories (N,), and uniform numbers (N, 2) in [-1, 1]."""
        category = (self.uniform(batch) * len(self.categories)).long()
        return category, self.uniform(batch, 2) * 2 - 1

    def _information_loss(self, recognised: "Recognised", category: Tensor, code: Tensor) -> Terms:
        """-L_I, the lower bound of the mutual information, without its constant entropy."""
        mean, log_deviation = recognised[1].float().chunk(2, dim=1)
        error = (code - mean) / log_deviation.exp()
        likelihood = -(error.square() / 2 + log_deviation + math.log(2 * math.pi) / 2).sum(dim=1)
        weight = self.settings.information_weight
        return {
            "category": weight * self.category_weight * F.cross_entropy(recognised[0].float(), category),
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
                Recognition(self.discriminator),
                inputs=(self.spec.image,),
                outputs=(
                    found,
                    *(Score(name=name, low=-2, high=2, description=TRAITS.get(name, "")) for name in names),
                ),
                task="classification",
                description="Tells by which codes an image could have been drawn.",
            ),
        }

    @torch.no_grad()
    def code_names(self) -> list[str]:
        """What the two codes turned out to control, by measurement; else which of them it is."""
        device = next(self.generator.parameters()).device
        random = torch.Generator().manual_seed(0)
        latent = torch.randn(500, self.latent_size, generator=random).to(device)
        category = torch.randint(len(self.categories), (500,), generator=random).to(device)
        codes = (torch.rand(2, 500, generator=random) * 2 - 1).to(device)
        was_training = self.generator.training
        images = self.generator.eval()(latent, category, *codes)
        self.generator.train(was_training)
        return _assigned(_correlations(codes, images))

    @classmethod
    def own_scores(cls, evidence: Evidence) -> list[Figure]:
        inputs, outputs = evidence.draw()
        codes = torch.stack([values for values in inputs.values() if values.is_floating_point()])
        strongest = _correlations(codes.float(), outputs["image"]).amax(dim=0).tolist()
        return [
            Figure(
                name=f"{trait}_correlation",
                value=value,
                better="higher",
                description=f"of the {trait} that is measured in an image with the code that decides it",
            )
            for trait, value in zip(TRAITS, strongest, strict=True)
        ]


# Logits of the category (N, K), and the means and log deviations of the two codes (N, 4).
Recognised = tuple[Tensor, Tensor]


class CodedGenerator(nn.Module):
    """Latent (N, Z), category (N,) and two continuous codes (N,) -> images (N, C, H, W) in [-1, 1]."""

    def __init__(self, latent_size: int, categories: int, spec: ImageSpec, width: int) -> None:
        super().__init__()
        self.categories = categories
        self.body = layers.dcgan_generator(latent_size + categories + 2, spec.channels, spec.size, width)

    def forward(self, latent: Tensor, category: Tensor, first: Tensor, second: Tensor) -> Tensor:
        one_hot = layers.one_hot(category, self.categories)
        images: Tensor = self.body(torch.cat([latent, one_hot, first[:, None], second[:, None]], dim=1))
        return images


class Recognising(nn.Module):
    """Image (N, C, H, W) -> logits (N, 1), and what Q recognises in it; both share all but the last layers."""

    def __init__(self, spec: ImageSpec, categories: int, width: int) -> None:
        super().__init__()
        self.features = layers.dcgan_features(spec.channels, spec.size, width)
        self.source = layers.dcgan_head(spec.size, width)
        self.recognition = nn.Sequential(
            layers.dcgan_head(spec.size, width, outputs=128), nn.BatchNorm1d(128), nn.LeakyReLU(0.2, inplace=True)
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


def _correlations(codes: Tensor, images: Tensor) -> Tensor:
    """How closely each of the codes (2, N) goes with each of the traits of the images: |r|, (2, 2)."""
    table = torch.corrcoef(torch.cat([codes, torch.stack([handwriting.slant(images), handwriting.width(images)])]))
    return table[:2, 2:].abs().nan_to_num()


def _assigned(correlations: Tensor) -> list[str]:
    """A name for each code: the trait that it controls, no two the same."""
    crossed = correlations[0, 1] + correlations[1, 0] > correlations.trace()
    traits = list(TRAITS)[::-1] if crossed else list(TRAITS)
    strengths = correlations.fliplr().diagonal() if crossed else correlations.diagonal()
    return [
        trait if strength >= CLEAR else fallback
        for trait, strength, fallback in zip(traits, strengths.tolist(), ("first_code", "second_code"), strict=True)
    ]
