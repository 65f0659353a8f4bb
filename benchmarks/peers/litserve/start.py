"""Start LitServe with one worker and one HTTP server per core, and its queue for many requests."""

import os

import litserve
from fastapi import Response
from painter import Painter

from gan_serve.system.cpus import cpu_count


class Api(litserve.LitAPI):
    """A seed in, a PNG out."""

    def setup(self, device: str) -> None:
        """Load the model, in each worker."""
        self._painter = Painter()

    def decode_request(self, request: dict[str, int]) -> int:
        """Return the seed in the request's JSON document."""
        return request["seed"]

    def predict(self, seed: int) -> bytes:
        """Return the PNG file for a seed."""
        return self._painter.paint(seed)

    def encode_response(self, content: bytes) -> Response:
        """Return the response."""
        return Response(content, media_type="image/png")


if __name__ == "__main__":
    server = litserve.LitServer(Api(), accelerator="cpu", devices=1, workers_per_device=cpu_count(), fast_queue=True)
    port = int(os.environ["GAN_SERVE_PORT"])
    server.run(host="127.0.0.1", port=port, log_level="warning", generate_client_file=False)
