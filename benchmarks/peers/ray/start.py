"""Ray Serve: a replica on each core, behind HAProxy, in the mode that its guide recommends for many requests."""

import os
from pathlib import Path

os.environ |= {  # read when Ray is imported
    "RAY_SERVE_ENABLE_HA_PROXY": "1",
    "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
    "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "60",  # a busy machine starts slowly
    "RAY_worker_niceness": "0",  # else all other programs go before its workers, the callers included
    "RAY_AUTH_MODE": "disabled",  # it would leave a file at home
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is sent to its makers
}

import ray
from painter import Painter
from ray import serve
from starlette.requests import Request
from starlette.responses import Response

from gan_serve.system.cpus import cpu_count


@serve.deployment(num_replicas=cpu_count(), max_ongoing_requests=100)
class Deployment:
    """A seed in, a PNG out."""

    def __init__(self) -> None:
        self._painter = Painter()

    async def __call__(self, request: Request) -> Response:
        """The reply to a request."""
        content = self._painter.paint(int(request.query_params["seed"]))
        return Response(content, media_type="image/png")


if __name__ == "__main__":
    ray.init("local", num_cpus=cpu_count(), include_dashboard=False, _temp_dir=str(Path.cwd()))
    serve.start(http_options={"host": "127.0.0.1", "port": int(os.environ["GAN_SERVE_PORT"])})
    serve.run(Deployment.bind(), blocking=True)
