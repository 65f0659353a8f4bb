"""Which models are served. They load in the background; a catalogue is never changed, but replaced by another."""

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

_PATIENCE = 600.0  # seconds for a model's first run
_WARMING = 2  # the first run of a session allocates, and tells nothing about its pace

_GONE = "is gone from the models folder, and nothing there takes its place; what was loaded goes on serving"

Key = tuple[str, int]  # a model's name and version


@dataclass(frozen=True)
class Catalogue:
    """What is served at one moment, and what should be but cannot."""

    expected: frozenset[Key] = frozenset()
    lanes: Mapping[Key, ModelQueue] = field(default_factory=dict)
    failures: Mapping[Key, str] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """The models that can be asked."""
        return sorted({name for name, _ in self.lanes})

    @property
    def settled(self) -> bool:
        """Whether nothing that is expected is still loading."""
        return self.expected <= {*self.lanes, *self.failures}

    @property
    def ready(self) -> bool:
        """Whether every model has a version that is loaded and warm, and nothing is still loading."""
        return self.settled and bool(self.lanes) and {name for name, _ in self.expected} <= set(self.names)

    def versions(self, name: str) -> list[int]:
        """The versions of a model that can be asked, lowest first."""
        return sorted(version for known, version in self.lanes if known == name)

    def latest(self) -> list[ModelQueue]:
        """The highest version of every model, by name."""
        return [self.lanes[name, self.versions(name)[-1]] for name in self.names]

    def find(self, name: str, version: int | None = None) -> ModelQueue:
        """The highest version of a model, or the one given; a variant's name finds the variant's default model.

        Raises:
            ApiError: it is not served.
        """
        name = self._resolve(name)
        versions = self.versions(name)
        wanted = version if version is not None else versions[-1] if versions else None
        if wanted is not None and (name, wanted) in self.lanes:
            return self.lanes[name, wanted]
        raise self._absent(name, wanted)

    def _resolve(self, name: str) -> str:
        if any(name == known for known, _ in {*self.expected, *self.failures}):
            return name
        variants = (lane.metadata for lane in self.latest())
        return next((each.name for each in variants if each.variant == name and each.default), name)

    def _absent(self, name: str, version: int | None) -> ApiError:
        wanted = {key for key in {*self.expected, *self.failures} if key[0] == name and version in (None, key[1])}
        if wanted - set(self.failures):
            return unavailable(f"{name} is still loading")
        if wanted:
            return unavailable(f"{name} cannot be loaded; /v1/health says why")
        if known := self.versions(name):
            there = ", ".join(map(str, known))
            return ApiError(HTTPStatus.NOT_FOUND, f"{name} has no version {version}; there is {there}")
        message = f"no model {name[:80]!r}{nearest(name[:80], self.names)}; /v1/models lists them all"
        return ApiError(HTTPStatus.NOT_FOUND, message)


class Library:
    """The models of one folder, loaded on one device."""

    def __init__(self, root: Path, device: str, engine: Scheduler, metrics: Metrics) -> None:
        self.catalogue = Catalogue()
        self._root, self._device, self._engine, self._metrics = root, device, engine, metrics
        self._reloading = threading.Lock()

    def reload(self) -> Catalogue:
        """Look through the folder: load what is new or changed, keep what is not, forget what is gone.

        A file that is broken keeps the version serving that was loaded from its place before; and what is gone goes on
        serving where nothing else of its name, or nothing at all, could take its place.

        Raises:
            UsageError: there is no such folder.
        """
        with self._reloading:
            repository = Repository(self._root)
            before, entries = self.catalogue, {(entry.name, entry.version): entry for entry in repository.versions}
            failures = {key: reason for key, reason in before.failures.items() if key in entries}
            # After the start, a new model is expected only when it works: those that serve stay ready without it.
            expected = before.expected if before.lanes else frozenset(entries)
            self._publish(Catalogue(expected.intersection({*before.lanes, *entries}), before.lanes, failures))
            for key, entry in entries.items():
                self._load(repository, key, entry)
            self._forget(entries)
            return self.catalogue

    def _forget(self, entries: Mapping[Key, ModelVersion]) -> None:
        """Serve what is gone no longer, unless the server could do less without it."""
        now = self.catalogue
        there = {name for name, _ in entries}
        loaded = {name for name, version in now.lanes if (name, version) in entries}
        missed = {key for key in now.lanes if key not in entries and (not loaded or key[0] in there - loaded)}
        for key in missed:
            _log.warning("%s version %s %s", *key, _GONE)
        lanes = {key: lane for key, lane in now.lanes.items() if key in entries or key in missed}
        expected = now.expected.intersection({*entries, *missed})
        self._publish(Catalogue(expected, lanes, {**now.failures, **dict.fromkeys(missed, _GONE)}))

    def _load(self, repository: Repository, key: Key, entry: ModelVersion) -> None:
        now = self.catalogue
        try:
            model = repository.read(entry)
            lane = now.lanes.get(key)
            if lane is None or lane.generator.sha256 != model.sha256:
                lane = ModelQueue(Generator(model, device=self._device, threads=1), self._metrics)
                self._warm(lane)
        except Exception as error:  # whatever is in a file, the others are served
            reason = _without_path(error, entry, repository.root)
            _log.warning("%s version %s cannot be loaded: %s", *key, reason)
            self._publish(replace(now, failures={**now.failures, key: reason}))
        else:
            failures = {failed: reason for failed, reason in now.failures.items() if failed != key}
            self._publish(Catalogue(now.expected | {key}, {**now.lanes, key: lane}, failures))

    def try_out(self, lane: ModelQueue, rows: int = 1) -> Future[Any]:
        """Run a model as any request is run; what becomes of it.

        Raises:
            Busy: too much waits for it.
        """
        call = Task(rows, time.monotonic() + _PATIENCE, partial(example_arrays, lane.metadata, rows), dict)
        self._engine.submit(lane, call)
        return call.future

    def try_quickest(self) -> Future[Any] | None:
        """Run the model that takes the least time; nothing where too much waits: who has much to do is not ill."""
        lane = min(self.catalogue.latest(), key=lambda lane: lane.pace)
        try:
            return self.try_out(lane)
        except TooManyRequests:
            return None

    def _warm(self, lane: ModelQueue) -> None:
        """Try it before it can be asked."""
        for rows in [size for size in lane.warm_sizes for _ in range(_WARMING)]:
            self.try_out(lane, rows).result(_PATIENCE)

    def _publish(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._metrics.serve(_labels(catalogue))


def _labels(catalogue: Catalogue) -> Iterator[tuple[str, int, str, str]]:
    for (name, version), lane in catalogue.lanes.items():
        yield name, version, lane.generator.sha256, lane.generator.device


def _without_path(error: Exception, entry: ModelVersion, root: Path) -> str:
    """What is wrong, without telling where the models lie."""
    if not isinstance(error, GanServeError):
        return f"unexpected {type(error).__name__}"
    place = f"{entry.name}/{entry.version}/model.onnx"
    return str(error).replace(str(entry.path), place).replace(str(root), "the models folder")
