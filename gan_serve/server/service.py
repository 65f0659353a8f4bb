"""What all routes share: the settings, the models, and whether the server is on its way down."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from gan_serve.cpus import cpu_count
from gan_serve.repository import models_folder
from gan_serve.server.engine import Engine
from gan_serve.server.library import Library
from gan_serve.server.metrics import Metrics
from gan_serve.server.settings import Settings


@dataclass
class Service:
    """One server's parts. `in_progress` counts its requests."""

    settings: Settings
    metrics: Metrics = field(default_factory=Metrics)
    draining: bool = False
    in_progress: int = 0
    runners: int | None = None  # threads that run models; one for each processor if not given

    def __post_init__(self) -> None:
        self.decoders = ThreadPoolExecutor(cpu_count(), "decoder")  # where the pictures of all callers are decoded
        self.engine = Engine(queue=self.settings.queue, runners=self.runners)
        root, device = models_folder(self.settings.models), self.settings.device
        self.library = Library(root, device, self.engine, self.metrics)

    @property
    def closed(self) -> bool:
        """Whether callers need a key."""
        return bool(self.settings.api_keys.get_secret_value() or self.settings.api_keys_file)

    @property
    def ready(self) -> bool:
        """Whether it should be sent requests."""
        return self.library.catalogue.ready and not self.draining

    @property
    def state(self) -> str:
        """In one word."""
        if self.draining:
            return "stopping"
        catalogue = self.library.catalogue
        settled = catalogue.expected <= {*catalogue.lanes, *catalogue.failures}
        return "ready" if catalogue.ready else "broken" if settled and catalogue.expected else "loading"
