"""DCGAN's networks equal the paper's for images of the paper's size."""

from torch import nn

from training.networks import layers


def convolutions(network: nn.Module) -> list[tuple[int, int]]:
    """Return the kernel size and stride of each convolution."""
    kinds = (nn.Conv2d, nn.ConvTranspose2d)
    return [(part.kernel_size[0], part.stride[0]) for part in network.modules() if isinstance(part, kinds)]


def test_networks_for_64_pixels_have_the_papers_layers_and_smaller_ones_additional_ones() -> None:
    assert convolutions(layers.dcgan_generator(100, 3, 64)) == [(4, 2)] * 4
    assert convolutions(layers.dcgan_features(3, 64)) == [(4, 2)] * 4
    assert convolutions(layers.dcgan_generator(100, 1, 28)) == [(3, 1), (4, 2), (3, 1), (4, 2)]
    assert convolutions(layers.dcgan_features(1, 28)) == [(4, 2), (3, 1), (4, 2), (3, 1)]
