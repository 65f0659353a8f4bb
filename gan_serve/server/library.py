"""The served models. They load in the background; each change replaces the immutable catalogue."""

import logging
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

from gan_serve.errors import GanServeError
from gan_serve.generator import Generator
from gan_serve.repository import ModelVersion, Repository
from gan_serve.server.errors import ApiError, TooManyRequests, unavailable
from gan_serve.server.examples import example_arrays
from gan_serve.server.metrics import Metrics
from gan_serve.server.scheduling.model_queue import ModelQueue
from gan_serve.server.scheduling.scheduler import Scheduler
from gan_serve.server.scheduling.task import Task
from gan_serve.suggestions import nearest

_log = logging.getLogger(__name__)

_WARM_UP_TIMEOUT = 600.0  # seconds for a model's first run
_WARM_UP_RUNS = 2  # the first run of a session allocates memory, so that its time is not typical

_GONE = "is missing from the models folder and has no replacement; the loaded version stays in service"

Key = tuple[str, int]  # a model's name and version


@dataclass(frozen=True)
class Catalogue:
    """A snapshot of the served models, and of those that failed to load."""

    expected: frozenset[Key] = frozenset()
    queues: Mapping[Key, ModelQueue] = field(default_factory=dict)
    failures: Mapping[Key, str] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """The names of the served models."""
        return sorted({name for name, _ in self.queues})

    @property
    def settled(self) -> bool:
        """Whether no model is still loading."""
        return self.expected <= {*self.queues, *self.failures}

    @property
    def ready(self) -> bool:
        """Whether loading is complete and every model has a version in service."""
        return self.settled and bool(self.queues) and {name for name, _ in self.expected} <= set(self.names)

    def versions(self, name: str) -> list[int]:
        """Return the served versions of a model in ascending order."""
        return sorted(version for known, version in self.queues if known == name)

    def latest(self) -> list[ModelQueue]:
        """Return the highest version of every model, sorted by name."""
        return [self.queues[name, self.versions(name)[-1]] for name in self.names]

    def find(self, name: str, version: int | None = None) -> ModelQueue:
        """Return a model by its name or its variant's name; by default its highest version.

        Raises:
            ApiError: the model is not served.
        """
        name = self._resolve(name)
        versions = self.versions(name)
        number = version if version is not None else versions[-1] if versions else None
        if number is not None and (name, number) in self.queues:
            return self.queues[name, number]
        raise self._not_served(name, number)

    def _resolve(self, name: str) -> str:
        if any(name == known for known, _ in {*self.expected, *self.failures}):
            return name
        variants = (queue.metadata for queue in self.latest())
        return next((each.name for each in variants if each.variant == name and each.default), name)

    def _not_served(self, name: str, version: int | None) -> ApiError:
        matches = {key for key in {*self.expected, *self.failures} if key[0] == name and version in (None, key[1])}
        if matches - set(self.failures):
            return unavailable(f"{name} is still loading")
        if matches:
            return unavailable(f"{name} cannot be loaded; see /v1/health for the reason")
        if known := self.versions(name):
            versions = ", ".join(map(str, known))
            return ApiError(HTTPStatus.NOT_FOUND, f"{name} has no version {version}; use {versions}")
        message = f"no model {name[:80]!r}{nearest(name[:80], self.names)}; /v1/models lists them all"
        return ApiError(HTTPStatus.NOT_FOUND, message)


class Library:
    """Loads the models of a folder on one device, and reloads them."""

    def __init__(self, root: Path, device: str, scheduler: Scheduler, metrics: Metrics) -> None:
        self.catalogue = Catalogue()
        self._root, self._device, self._scheduler, self._metrics = root, device, scheduler, metrics
        self._reloading = threading.Lock()

    def reload(self) -> Catalogue:
        """Load new and changed models, keep the others, and drop those whose files are gone.

        If a file is invalid, what was loaded from it before stays in service. A version whose file is gone also stays
        in service if none of its model's other versions in the folder loads, or if no model loads at all.

        Raises:
            UsageError: the folder does not exist.
        """
        with self._reloading:
            repository = Repository(self._root)
            before, entries = self.catalogue, {(entry.name, entry.version): entry for entry in repository.versions}
            failures = {key: reason for key, reason in before.failures.items() if key in entries}
            # After startup a new model counts only once it has loaded: an invalid one never makes the server unready.
            expected = before.expected if before.queues else frozenset(entries)
            self._publish(Catalogue(expected.intersection({*before.queues, *entries}), before.queues, failures))
            for key, entry in entries.items():
                self._load(repository, key, entry)
            self._drop_missing(entries)
            return self.catalogue

    def _drop_missing(self, entries: Mapping[Key, ModelVersion]) -> None:
        """Drop the models whose files are gone, unless nothing replaces them."""
        now = self.catalogue
        present = {name for name, _ in entries}
        loaded = {name for name, version in now.queues if (name, version) in entries}
        kept = {key for key in now.queues if key not in entries and (not loaded or key[0] in present - loaded)}
        for key in kept:
            _log.warning("%s version %s %s", *key, _GONE)
        queues = {key: queue for key, queue in now.queues.items() if key in entries or key in kept}
        expected = now.expected.intersection({*entries, *kept})
        self._publish(Catalogue(expected, queues, {**now.failures, **dict.fromkeys(kept, _GONE)}))

    def _load(self, repository: Repository, key: Key, entry: ModelVersion) -> None:
        now = self.catalogue
        try:
            model = repository.read(entry)
            queue = now.queues.get(key)
            if queue is None or queue.generator.sha256 != model.sha256:
                queue = ModelQueue(Generator(model, device=self._device, threads=1), self._metrics)
                self._warm(queue)
        except Exception as error:  # no file may keep the others from being served
            reason = _without_path(error, entry, repository.root)
            _log.warning("%s version %s cannot be loaded: %s", *key, reason)
            self._publish(replace(now, failures={**now.failures, key: reason}))
        else:
            failures = {failed: reason for failed, reason in now.failures.items() if failed != key}
            self._publish(Catalogue(now.expected | {key}, {**now.queues, key: queue}, failures))

    def try_out(self, queue: ModelQueue, rows: int = 1) -> Future[Any]:
        """Run a model on example inputs, through the queue like any request. Return the future outputs.

        Raises:
            TooManyRequests: the queue is full.
        """
        task = Task(rows, time.monotonic() + _WARM_UP_TIMEOUT, partial(example_arrays, queue.metadata, rows), dict)
        self._scheduler.submit(queue, task)
        return task.future

    def try_quickest(self) -> Future[Any] | None:
        """Run the fastest model on example inputs. Return None if its queue is full: a busy server is a healthy one."""
        queue = min(self.catalogue.latest(), key=lambda queue: queue.pace)
        try:
            return self.try_out(queue)
        except TooManyRequests:
            return None

    def _warm(self, queue: ModelQueue) -> None:
        """Run a model before it goes into service."""
        for rows in [size for size in queue.warm_sizes for _ in range(_WARM_UP_RUNS)]:
            self.try_out(queue, rows).result(_WARM_UP_TIMEOUT)

    def _publish(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._metrics.set_models(_labels(catalogue))


def _labels(catalogue: Catalogue) -> Iterator[tuple[str, int, str, str]]:
    for (name, version), queue in catalogue.queues.items():
        yield name, version, queue.generator.sha256, queue.generator.device


def _without_path(error: Exception, entry: ModelVersion, root: Path) -> str:
    """Return the reason of an error without the path of the models folder."""
    if not isinstance(error, GanServeError):
        return f"unexpected {type(error).__name__}"
    place = f"{entry.name}/{entry.version}/model.onnx"
    return str(error).replace(str(entry.path), place).replace(str(root), "the models folder")
