"""WGAN."""

from dataclasses import dataclass

import torch

from gan_serve.metadata import Paper
from training import losses
from training.families.convolutional import ConvolutionalGAN, ConvolutionalRecipe
from training.gan import Player, Stage


class WGAN(ConvolutionalGAN):
    """Wasserstein GAN (Arjovsky, Chintala and Bottou 2017).

    https://arxiv.org/abs/1701.07875
    """

    paper = Paper(
        title="Wasserstein GAN",
        authors="Martin Arjovsky, Soumith Chintala, Léon Bottou",
        year=2017,
        url="https://arxiv.org/abs/1701.07875",
    )
    differences = "DCGAN-sized networks for 28x28 images; an exponential average of the weights."
    # A step is the critic's; 15,600 of them are followed by the generator's.
    recipe = ConvolutionalRecipe(dataset="fashion_mnist", steps=83_320, learning_rate=5e-5, optimizer="rmsprop")
    adversarial = losses.wasserstein
    clip = 0.01  # c

    def stages(self) -> list[Stage]:
        critic = Player([self.discriminator], self.discriminator_loss)
        return [Stage({"critic": critic, "generator": _AfterManyCritics([self.generator], self.generator_loss)})]

    @torch.no_grad()
    def after_step(self, progress: float) -> None:
        for weights in self.discriminator.parameters():
            weights.clamp_(-self.clip, self.clip)


@dataclass
class _AfterManyCritics(Player):
    """Plays after every 5th step; its first 25 turns, and then turns 500, 1000, ..., after 100 (the authors' code)."""

    few, many = 5, 100
    start, period = 25, 500

    def plays(self, step: int) -> bool:
        patient = self.start  # how many turns of a round, its first ones, come after many steps
        if step >= self._steps(patient):
            step, patient = (step - self._steps(patient)) % self._steps(1), 1
        early = patient * self.many
        return (step + 1) % self.many == 0 if step < early else (step + 1 - early) % self.few == 0

    def _steps(self, patient: int) -> int:
        """How long a round of 500 turns is."""
        return patient * self.many + (self.period - patient) * self.few
