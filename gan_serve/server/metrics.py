"""Prometheus metrics. The average batch size is `gan_serve_images_total / gan_serve_executions_total`."""

from collections.abc import Callable, Iterable
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)


class Metrics:
    """The metrics of one server process."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        # Looking up labels in the Prometheus client takes a microsecond, and there are few combinations.
        self._requests = cache(
            Counter("gan_serve_requests", "Requests answered.", ["model", "code"], registry=registry).labels
        )
        self._seconds = Histogram(
            "gan_serve_request_seconds", "From a request's head to its response.", buckets=_SECONDS, registry=registry
        )
        self._failures = Counter("gan_serve_failures", "Requests that failed.", ["model", "reason"], registry=registry)
        self._executions = cache(
            Counter("gan_serve_executions", "Runs of a session.", ["model"], registry=registry).labels
        )
        self._images = cache(Counter("gan_serve_images", "Images computed.", ["model"], registry=registry).labels)
        self._queued = self._histogram("gan_serve_queue_seconds", "Time in the queue.")
        self._computed = self._histogram("gan_serve_compute_seconds", "Run of a session, including encoding.")
        self._waiting = Gauge("gan_serve_images_waiting", "Images in the queue.", ["model"], registry=registry)
        self._in_progress = Gauge("gan_serve_requests_in_progress", "Requests, including this one.", registry=registry)
        self._models = Gauge(
            "gan_serve_model", "1 for each model served.", ["model", "version", "sha256", "provider"], registry=registry
        )

    def observe_request(self, model: str, code: int, seconds: float, reason: str) -> None:
        """Count a request and its response; `reason` says why it failed and is empty if it did not."""
        self._requests(model, code).inc()
        self._seconds.observe(seconds)
        if reason:
            self._failures.labels(model, reason).inc()

    def observe_run(self, model: str, images: int, seconds: float, queued: Iterable[float]) -> None:
        """Count a run of a session; `queued` is how many seconds each of its tasks had waited."""
        self._executions(model).inc()
        self._images(model).inc(images)
        self._computed(model).observe(seconds)
        histogram = self._queued(model)
        for each in queued:
            histogram.observe(each)

    def set_models(self, models: Iterable[tuple[str, int, str, str]]) -> None:
        """Replace the served models, each a tuple of name, version, sha256 and provider."""
        self._models.clear()
        for name, version, sha256, provider in models:
            self._models.labels(name, str(version), sha256, provider).set(1)

    def render(self, in_progress: int, waiting: Iterable[tuple[str, int]]) -> bytes:
        """Return the metrics page; `waiting` is how many images wait for each version of a model."""
        self._in_progress.set(in_progress)
        self._waiting.clear()
        for name, images in waiting:
            self._waiting.labels(name).inc(images)
        return generate_latest(self.registry)

    def _histogram(self, name: str, about: str) -> Callable[[str], Histogram]:
        return cache(Histogram(name, about, ["model"], buckets=_SECONDS, registry=self.registry).labels)
