"""An autoencoder of DCGAN's networks, for discriminators that judge an image by its reconstruction."""

from torch import Tensor, nn

from training.networks import layers


class Autoencoder(nn.Module):
    """Image (N, C, H, W) -> its reconstruction (N, C, H, W) in [-1, 1] and its code (N, code_size)."""

    def __init__(self, channels: int, size: int, width: int, code_size: int = 64) -> None:
        super().__init__()
        self.encoder = layers.dcgan_features(channels, size, width)
        self.encoder.append(layers.dcgan_head(size, width, code_size))
        self.decoder = layers.dcgan_generator(code_size, channels, size, width)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        code = self.encoder(image)
        return self.decoder(code), code
