"""The work that each server does per request: draw the noise of a seed, run the session, and encode the output.

It runs in the environment of each server. To produce the same bytes, it takes the random stream, the PNG encoding and
the metadata in the file from gan-serve. The model is the only one in the folder `GAN_SERVE_MODELS`.
"""

import json

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from gan_serve.images.encoding import encode_image
from gan_serve.images.pixels import to_image
from gan_serve.outputs.panels import find_panel
from gan_serve.provenance import make_provenance
from gan_serve.repository import Repository, models_folder
from gan_serve.request import Request
from gan_serve.sampling import random_stream

Floats = NDArray[np.float32]


class Painter:
    """A session with one thread; one painter runs on each core."""

    def __init__(self) -> None:
        repository = Repository(models_folder())
        model = repository.find(repository.names[0])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(model.content, options, providers=["CPUExecutionProvider"])
        (self._latent,) = self._session.get_inputs()
        self._image = find_panel(model.metadata).tensor
        self._document = json.loads(make_provenance(model.metadata, model.sha256, Request(0, 0, 1, ({},))).to_json())

    def paint(self, seed: int) -> bytes:
        """Return the PNG file for a request."""
        return self.encode(self.run(self.draw(seed)), seed)

    def draw(self, seed: int) -> Floats:
        """Draw noise (1, latent size)."""
        noise = random_stream(seed, 0, self._latent.name).standard_normal((1, self._latent.shape[1]))
        return noise.astype(np.float32)

    def run(self, latent: Floats) -> Floats:
        """Run the session: noise (1, latent size) -> image (1, channels, height, width)."""
        image: Floats = self._session.run(None, {self._latent.name: latent})[0]
        return image

    def encode(self, image: Floats, seed: int) -> bytes:
        """Encode an image (1, channels, height, width) as a PNG file with its seed in the metadata."""
        (pixels,) = self._image.to_pixels(image)
        return encode_image(to_image(pixels, 1), "png", json.dumps(self._document | {"seed": seed}))
