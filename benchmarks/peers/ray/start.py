"""Start Ray Serve with one replica per core, behind HAProxy, in the mode that its guide recommends for high load."""

import os
from pathlib import Path

os.environ |= {  # Ray reads them on import
    "RAY_SERVE_ENABLE_HA_PROXY": "1",
    "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
    "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "60",  # a busy machine starts slowly
    "RAY_worker_niceness": "0",  # by default all other programs, including the callers, have priority over its workers
    "RAY_AUTH_MODE": "disabled",  # it would write a file into $HOME
    "RAY_USAGE_STATS_ENABLED": "0",  # no telemetry
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
        """Return the response to a request."""
        content = self._painter.paint(int(request.query_params["seed"]))
        return Response(content, media_type="image/png")


if __name__ == "__main__":
    ray.init("local", num_cpus=cpu_count(), include_dashboard=False, _temp_dir=str(Path.cwd()))
    serve.start(http_options={"host": "127.0.0.1", "port": int(os.environ["GAN_SERVE_PORT"])})
    serve.run(Deployment.bind(), blocking=True)
