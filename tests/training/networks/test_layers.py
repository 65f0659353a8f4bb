"""DCGAN's networks are the paper's where images are as large as there."""

from torch import nn

from training.networks import layers


def convolutions(network: nn.Module) -> list[tuple[int, int]]:
    """Width of the kernel and stride of each."""
    kinds = (nn.Conv2d, nn.ConvTranspose2d)
    return [(part.kernel_size[0], part.stride[0]) for part in network.modules() if isinstance(part, kinds)]


def test_images_of_64_pixels_have_the_papers_layers_and_smaller_ones_further_ones() -> None:
    assert convolutions(layers.dcgan_generator(100, 3, 64)) == [(4, 2)] * 4
    assert convolutions(layers.dcgan_features(3, 64)) == [(4, 2)] * 4
    assert convolutions(layers.dcgan_generator(100, 1, 28)) == [(3, 1), (4, 2), (3, 1), (4, 2)]
    assert convolutions(layers.dcgan_features(1, 28)) == [(4, 2), (3, 1), (4, 2), (3, 1)]
