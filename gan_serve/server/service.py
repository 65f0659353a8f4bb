"""The state that all routes share: settings, models, metrics, and whether the server is shutting down."""

from dataclasses import dataclass, field

from gan_serve.repository import models_folder
from gan_serve.server.auth import api_keys
from gan_serve.server.library import Library
from gan_serve.server.liveness import LivenessProbe
from gan_serve.server.metrics import Metrics
from gan_serve.server.scheduling.scheduler import Scheduler
from gan_serve.server.settings import Settings


@dataclass
class Service:
    """The components of one server. `in_progress` counts its requests; `keys` are the API keys, if any are set.

    Raises:
        UsageError: invalid API keys.
    """

    settings: Settings
    metrics: Metrics = field(default_factory=Metrics)
    draining: bool = False
    in_progress: int = 0
    workers: int | None = None  # threads that run models; default: one per processor

    def __post_init__(self) -> None:
        self.keys = api_keys(self.settings)
        self.scheduler = Scheduler(max_queued=self.settings.queue, workers=self.workers)
        root, device = models_folder(self.settings.models), self.settings.device
        self.library = Library(root, device, self.scheduler, self.metrics)
        self._liveness = LivenessProbe(self.library, self.scheduler, self.settings.deadline)

    @property
    def ready(self) -> bool:
        """Whether the server accepts requests."""
        return self.state == "ready"

    @property
    def state(self) -> str:
        """The state in one word: ready, loading, broken, stuck or stopping."""
        if self.draining:
            return "stopping"
        catalogue = self.library.catalogue
        if catalogue.ready:
            return "ready" if self._liveness.check() else "stuck"
        return "broken" if catalogue.settled and catalogue.expected else "loading"
