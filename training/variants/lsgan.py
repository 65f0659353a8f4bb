"""LSGAN."""

from gan_serve.metadata import Paper
from training import losses
from training.families.convolutional import ConvolutionalGAN, ConvolutionalRecipe


class LSGAN(ConvolutionalGAN):
    """Least Squares Generative Adversarial Networks (Mao, Li, Xie, Lau, Wang and Smolley 2017).

    https://arxiv.org/abs/1611.04076
    """

    paper = Paper(
        title="Least Squares Generative Adversarial Networks",
        authors="Xudong Mao, Qing Li, Haoran Xie, Raymond Y.K. Lau, Zhen Wang, Stephen Paul Smolley",
        year=2017,
        url="https://arxiv.org/abs/1611.04076",
    )
    differences = "DCGAN-sized networks for 28x28 images; an exponential average of the weights."
    recipe = ConvolutionalRecipe(dataset="fashion_mnist", steps=15_600, final_learning_rate=0.1)
    adversarial = losses.least_squares
