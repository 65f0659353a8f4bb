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
    # Steps are the critic's; the generator follows in 15,600 of them.
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
    """Plays every 5th step; its first 25 turns, and then turns 500, 1000, ..., come after 100 (the authors' code)."""

    few, many = 5, 100
    start, period = 25, 500

    def plays(self, step: int) -> bool:
        slow = self.start  # the number of turns, at the start of a period, that come after many steps
        if step >= self._steps(slow):
            step, slow = (step - self._steps(slow)) % self._steps(1), 1
        early = slow * self.many
        return (step + 1) % self.many == 0 if step < early else (step + 1 - early) % self.few == 0

    def _steps(self, slow: int) -> int:
        """Return the number of steps in a period of 500 turns."""
        return slow * self.many + (self.period - slow) * self.few
