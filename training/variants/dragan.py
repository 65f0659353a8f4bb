"""DRAGAN."""

from gan_serve.metadata import Paper
from training import layers, losses
from training.gan import GAN, Batch, ConvolutionalRecipe, ImageSpec, Recipe, Terms


class DRAGAN(GAN):
    """On Convergence and Stability of GANs (Kodali, Abernethy, Hays and Kira 2017).

    https://arxiv.org/abs/1705.07215

    Differs: DCGAN-sized networks for 28x28 images; instance normalisation in the discriminator.
    """

    paper = Paper(
        title="On Convergence and Stability of GANs",
        authors="Naveen Kodali, Jacob Abernethy, James Hays, Zsolt Kira",
        year=2017,
        url="https://arxiv.org/abs/1705.07215",
    )
    differences = (
        "DCGAN-sized networks for 28x28 images; instance normalisation in the discriminator; an exponential average of "
        "the weights."
    )
    recipe = ConvolutionalRecipe(dataset="fashion_mnist", steps=15_600, final_learning_rate=0.1)
    settings: ConvolutionalRecipe
    penalty_weight = 10.0  # lambda

    def __init__(self, spec: ImageSpec, recipe: Recipe | None = None) -> None:
        super().__init__(spec, recipe)
        width = self.settings.width
        self.generator = layers.dcgan_generator(self.latent_size, spec.channels, spec.size, width)
        # Batch normalisation would tie together the samples that the penalty treats one by one.
        self.discriminator = layers.dcgan_discriminator(spec.channels, spec.size, width, layers.instance_norm)

    def discriminator_loss(self, batch: Batch) -> Terms:
        images = batch["image"]
        real, fake = self.discriminator(images), self.discriminator(self.fake(batch))
        near = losses.around(images, self.uniform(batch, *images.shape[1:]))
        self.observe(real, fake)
        return {
            "adversarial": self.adversarial.discriminator(real, fake),
            "gradient_penalty": self.penalty_weight * self.gradient_penalty(near),
        }
