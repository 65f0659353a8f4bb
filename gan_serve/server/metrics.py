"""What Prometheus reads. `gan_serve_images_total / gan_serve_executions_total` is the batch factor."""

from collections.abc import Callable, Iterable
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)


class Metrics:
    """Counted in this process, for one server."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        # Prometheus takes a microsecond to find what belongs to some labels, and there are few of them.
        self._requests = cache(
            Counter("gan_serve_requests", "Requests answered.", ["model", "code"], registry=registry).labels
        )
        self._seconds = Histogram(
            "gan_serve_request_seconds", "From a request's head to its answer.", buckets=_SECONDS, registry=registry
        )
        self._failures = Counter("gan_serve_failures", "Requests refused.", ["model", "reason"], registry=registry)
        self._executions = cache(
            Counter("gan_serve_executions", "Runs of a session.", ["model"], registry=registry).labels
        )
        self._images = cache(Counter("gan_serve_images", "Images computed.", ["model"], registry=registry).labels)
        self._queued = self._times("gan_serve_queue_seconds", "From a call's queuing to its run.")
        self._computed = self._times("gan_serve_compute_seconds", "A run of a session, encoding included.")
        self._waiting = Gauge("gan_serve_images_waiting", "Images in a queue.", ["model"], registry=registry)
        self._in_progress = Gauge("gan_serve_requests_in_progress", "This one included.", registry=registry)
        self._models = Gauge(
            "gan_serve_model", "1 for each model served.", ["model", "version", "sha256", "provider"], registry=registry
        )

    def answered(self, model: str, code: int, seconds: float, reason: str) -> None:
        """A request has its answer; `reason` says why it was refused, and is empty where it was not."""
        self._requests(model, code).inc()
        self._seconds.observe(seconds)
        if reason:
            self._failures.labels(model, reason).inc()

    def executed(self, model: str, images: int, seconds: float, queued: Iterable[float]) -> None:
        """A session has run for some calls, which had waited for so many seconds."""
        self._executions(model).inc()
        self._images(model).inc(images)
        self._computed(model).observe(seconds)
        histogram = self._queued(model)
        for each in queued:
            histogram.observe(each)

    def serve(self, models: Iterable[tuple[str, int, str, str]]) -> None:
        """These (name, version, sha256, provider) are served from now on, and no others."""
        self._models.clear()
        for name, version, sha256, provider in models:
            self._models.labels(name, str(version), sha256, provider).set(1)

    def render(self, in_progress: int, waiting: Iterable[tuple[str, int]]) -> bytes:
        """The page, with the requests in progress and the images that wait for each model's versions just now."""
        self._in_progress.set(in_progress)
        self._waiting.clear()
        for name, images in waiting:
            self._waiting.labels(name).inc(images)
        return generate_latest(self.registry)

    def _times(self, name: str, about: str) -> Callable[[str], Histogram]:
        return cache(Histogram(name, about, ["model"], buckets=_SECONDS, registry=self.registry).labels)
