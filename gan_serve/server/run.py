"""The server process: its socket, its signals, startup and shutdown."""

import asyncio
import contextlib
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator

import uvicorn

from gan_serve.errors import Failure, GanServeError, UsageError
from gan_serve.repository import Repository, models_folder
from gan_serve.runtime import import_runtime, parse_device
from gan_serve.server import logs
from gan_serve.server.app import make_app
from gan_serve.server.auth import admin_keys, api_keys
from gan_serve.server.connection import protocol_with_timeout
from gan_serve.server.service import Service
from gan_serve.server.settings import Settings, address

_log = logging.getLogger(__name__)

_BACKLOG = 2048
_LAST = 2  # seconds of the grace period reserved for the workers, which stop between two tiles
_KEEP_ALIVE = 75  # seconds; longer than proxies keep idle connections, so that the proxy closes them first


def serve(settings: Settings) -> None:
    """Run the server until SIGTERM or SIGINT; SIGHUP reloads the models.

    Raises:
        UsageError: an invalid device, folder, key or address.
        Failure: no model can be served.
    """
    _check(settings)
    listener = _listen(settings)
    logs.configure(settings.log_level)
    service = Service(settings)
    config = uvicorn.Config(
        make_app(service),
        loop="uvloop",
        http=protocol_with_timeout(settings.patience),
        ws="none",
        lifespan="on" if settings.demo else "off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=settings.grace - _LAST,
    )
    server = _Server(config, service)
    server.run([listener])
    service.scheduler.stop(_LAST)
    if server.failure:
        raise server.failure


class _Server(uvicorn.Server):
    """Listens at once and loads the models in the background."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self.failure: Failure | None = None
        self._service = service

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to `startup`: uvicorn would raise them again at the end and change the exit code."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, and load the models in the background."""
        await super().startup(sockets)
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._drain, self._service.settings.linger)
        loop.add_signal_handler(signal.SIGINT, self._drain, 0.0)
        loop.add_signal_handler(signal.SIGHUP, _in_background, self._reload)
        for listener in sockets or ():
            _log.info("listening", extra={"url": _url(listener)})
            if self._service.settings.demo:
                print(f"demo: {_url(listener)}", flush=True)
        _in_background(self._load)

    def _load(self) -> None:
        catalogue = self._service.library.reload()
        if not catalogue.queues and not self._service.draining:
            self.failure = Failure("no model can be served: " + "; ".join(sorted(set(catalogue.failures.values()))))
            self.should_exit = True
        _log.info("%s: %d models", self._service.state, len(catalogue.names))

    def _reload(self) -> None:
        try:
            catalogue = self._service.library.reload()
        except GanServeError as error:
            _log.error("not reloaded: %s", error)
        else:
            _log.info("reloaded: %d models, %d failures", len(catalogue.names), len(catalogue.failures))

    def _drain(self, shutdown_delay: float) -> None:
        """Report not ready, then close the server after a delay. A second signal skips the delay."""
        seconds = 0.0 if self._service.draining else shutdown_delay
        self._service.draining = True
        _log.info("stopping: %d requests in progress", self._service.in_progress)
        asyncio.get_running_loop().call_later(seconds, self._close)

    def _close(self) -> None:
        self.should_exit = True


def _in_background(function: Callable[[], None]) -> None:
    threading.Thread(target=function, daemon=True).start()


def _check(settings: Settings) -> None:
    parse_device(settings.device)
    api_keys(settings)
    admin_keys(settings)
    import_runtime()
    repository = Repository(models_folder(settings.models))
    if not repository.versions:
        raise UsageError(repository.empty_message)


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        reason = (error.strerror or str(error)).partition(" (")[0]
        raise UsageError(
            f"cannot listen on {settings.host} port {settings.port} ({reason}); use another host or port"
        ) from None


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return address(host, port)
