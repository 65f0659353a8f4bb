"""The folder of models: `<name>/<version>/model.onnx`, the layout that Triton and KServe mount as it is."""

import hashlib
import logging
import os
import re
import stat
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from gan_serve.errors import Failure, UsageError
from gan_serve.home import with_home
from gan_serve.metadata import PROPERTY, ModelMetadata, parse_metadata
from gan_serve.nearest import nearest
from gan_serve.onnxfile import read_property

_log = logging.getLogger(__name__)

ENVIRONMENT = "GAN_SERVE_MODELS"
_PACKAGE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Model:
    """One model file, read and checked."""

    metadata: ModelMetadata
    sha256: str
    path: Path
    content: bytes


@dataclass(frozen=True)
class Entry:
    """One version of one model, as the folders name it; the file may yet turn out to be broken."""

    name: str
    version: int
    path: Path


def models_folder(given: str | PathLike[str] | None = None) -> Path:
    """The folder given, or that of the environment, or the models of an installed package or of a checkout."""
    if chosen := given or os.environ.get(ENVIRONMENT):
        return Path(with_home(chosen))
    installed = _PACKAGE / "models"
    return installed if installed.is_dir() else _PACKAGE.parent / "models"


class Repository:
    """The models in one folder. Names are looked up in what was found there; they never become a path."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.entries = sorted(_scan(self.root), key=lambda entry: (entry.name, entry.version))

    @property
    def names(self) -> list[str]:
        """Every model, without its versions."""
        return sorted({entry.name for entry in self.entries})

    def find(self, name: str, version: int | None = None) -> Model:
        """Read a model: the highest version, or the one given. A variant's name finds the variant's default model.

        Raises:
            UsageError: no such model.
            Failure: its file is broken.
        """
        versions = {entry.version: entry for entry in self.entries if entry.name == name}
        if not versions:
            return self._default_of(name)
        if version is not None and version not in versions:
            raise UsageError(f"{name} has no version {version}; there is {', '.join(map(str, versions))}")
        return self.read(versions[version or max(versions)])

    def read(self, entry: Entry) -> Model:
        """Read one version and check that it is what its folders say.

        Raises:
            Failure: it is not.
        """
        content = _read(entry.path, self.root)
        source = str(entry.path)
        metadata = parse_metadata(read_property(content, PROPERTY, source), source)
        if (metadata.name, metadata.version) != (entry.name, entry.version):
            raise Failure(
                f"{source}: the file is {metadata.name} version {metadata.version}, its folders say otherwise; "
                f"move it to {metadata.name}/{metadata.version}/model.onnx"
            )
        return Model(metadata, hashlib.sha256(content).hexdigest(), entry.path, content)

    def read_all(self) -> tuple[list[Model], list[Failure]]:
        """The highest version of every model, and what is wrong with those that cannot be read."""
        models, failures = [], []
        for name in self.names:
            try:
                models.append(self.find(name))
            except Failure as failure:
                failures.append(failure)
        return models, failures

    def _default_of(self, variant: str) -> Model:
        models, _ = self.read_all()
        for model in models:
            if model.metadata.variant == variant and model.metadata.default:
                return model
        if not self.entries:
            raise UsageError(f"no model {variant!r}: no models in {self.root}; name their folder with --models DIR")
        known = {*self.names, *(model.metadata.variant for model in models)}
        raise UsageError(f"no model {variant!r}{nearest(variant, known)}; gan-serve list shows them all")


def _scan(root: Path) -> list[Entry]:
    try:
        return [entry for folder in root.iterdir() if folder.is_dir() for entry in _versions(folder)]
    except OSError as error:
        raise UsageError(f"no models folder {root} ({error.strerror}); name it with --models DIR") from None


def _versions(folder: Path) -> list[Entry]:
    try:
        numbers = [path.name for path in folder.iterdir() if re.fullmatch(r"[1-9]\d{0,8}", path.name)]
    except FileNotFoundError:  # it was removed meanwhile
        return []
    except PermissionError:
        _log.warning("%s: no permission to look for models there", folder)
        return []
    return [Entry(folder.name, int(number), folder / number / "model.onnx") for number in numbers]


def _read(path: Path, root: Path) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise Failure(f"{path}: not a regular file; put the model itself there")
        _refuse_links(path, root, status.st_nlink)
        return path.read_bytes()
    except FileNotFoundError:
        raise Failure(f"{path}: the file is missing; export or download the model again") from None
    except OSError as error:
        raise Failure(f"{path}: cannot be read ({error.strerror})") from None


def _refuse_links(path: Path, root: Path, links: int) -> None:
    if not path.resolve().is_relative_to(root):
        raise Failure(f"{path}: a link out of the models folder; put the model itself there")
    # Package installers link what they unpack from their cache, so the package's own files are exempt.
    if links > 1 and not root.is_relative_to(_PACKAGE):
        raise Failure(f"{path}: a hard link, so that others may change it; put a copy there")
