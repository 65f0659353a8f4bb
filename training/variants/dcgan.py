"""DCGAN."""

from gan_serve.metadata import Paper
from training.families.convolutional import ConvolutionalGAN, ConvolutionalRecipe


class DCGAN(ConvolutionalGAN):
    """Unsupervised Representation Learning with Deep Convolutional GANs (Radford, Metz and Chintala 2015).

    https://arxiv.org/abs/1511.06434
    """

    paper = Paper(
        title="Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks",
        authors="Alec Radford, Luke Metz, Soumith Chintala",
        year=2015,
        url="https://arxiv.org/abs/1511.06434",
    )
    differences = (
        "Two strided layers for 28x28 images instead of four for 64x64; a 3x3 convolution at every size below the "
        "image's; an exponential average of the weights."
    )
    recipe = ConvolutionalRecipe(dataset="fashion_mnist", steps=24_000, final_learning_rate=0.1)
