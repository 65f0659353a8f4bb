"""What all routes share: the settings, the models, and whether the server is on its way down."""

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
    """One server's parts. `in_progress` counts its requests; `keys` are what callers need, if there are any.

    Raises:
        UsageError: keys that cannot be.
    """

    settings: Settings
    metrics: Metrics = field(default_factory=Metrics)
    draining: bool = False
    in_progress: int = 0
    runners: int | None = None  # threads that run models; one for each processor if not given

    def __post_init__(self) -> None:
        self.keys = api_keys(self.settings)
        self.engine = Scheduler(queue=self.settings.queue, runners=self.runners)
        root, device = models_folder(self.settings.models), self.settings.device
        self.library = Library(root, device, self.engine, self.metrics)
        self._pulse = LivenessProbe(self.library, self.engine, self.settings.deadline)

    @property
    def ready(self) -> bool:
        """Whether it should be sent requests."""
        return self.state == "ready"

    @property
    def state(self) -> str:
        """In one word."""
        if self.draining:
            return "stopping"
        catalogue = self.library.catalogue
        if catalogue.ready:
            return "ready" if self._pulse.check() else "stuck"
        return "broken" if catalogue.settled and catalogue.expected else "loading"
