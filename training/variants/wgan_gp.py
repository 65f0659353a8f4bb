"""WGAN-GP."""

from gan_serve.metadata import Paper
from training import losses
from training.data.dataset import Batch, Terms
from training.families.convolutional import ConvolutionalGAN, PenalisedRecipe
from training.networks import layers


class WGANGP(ConvolutionalGAN):
    """Improved Training of Wasserstein GANs (Gulrajani, Ahmed, Arjovsky, Dumoulin and Courville 2017).

    https://arxiv.org/abs/1704.00028
    """

    paper = Paper(
        title="Improved Training of Wasserstein GANs",
        authors="Ishaan Gulrajani, Faruk Ahmed, Martin Arjovsky, Vincent Dumoulin, Aaron Courville",
        year=2017,
        url="https://arxiv.org/abs/1704.00028",
    )
    differences = (
        "DCGAN-sized networks for 28x28 images; instance normalisation in the critic, where the paper has layer "
        "normalisation; an exponential average of the weights."
    )
    # Steps are the critic's; the generator follows in every fifth of them, 15,600 in all.
    recipe = PenalisedRecipe(
        dataset="fashion_mnist", steps=78_000, learning_rate=1e-4, betas=(0.0, 0.9), final_learning_rate=0.1
    )
    adversarial = losses.wasserstein
    discriminator_steps = 5
    settings: PenalisedRecipe
    # The penalty treats samples one by one; batch normalisation would mix them.
    norm = layers.InstanceNorm

    def discriminator_loss(self, batch: Batch) -> Terms:
        images, fakes = batch["image"], self.fake(batch)
        real, fake = self.discriminator(images), self.discriminator(fakes)
        between = losses.interpolate(images, fakes, self.uniform(batch, 1, 1, 1))
        self.record_diagnostics(real, fake)
        return {
            "adversarial": self.adversarial.discriminator(real, fake),
            "gradient_penalty": self.settings.penalty_weight * self.gradient_penalty(between),
        }
