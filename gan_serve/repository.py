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
from gan_serve.metadata import PROPERTY, ModelMetadata, parse_metadata
from gan_serve.onnxfile import read_property
from gan_serve.suggestions import nearest
from gan_serve.system.home import with_home
from gan_serve.system.text import path_text, printable

_log = logging.getLogger(__name__)

ENVIRONMENT = "GAN_SERVE_MODELS"
_PACKAGE = Path(__file__).resolve().parent
_ANOTHER = f"name another folder with --models DIR or {ENVIRONMENT}"
_LAYOUT = f"name the folder that holds NAME/VERSION/model.onnx with --models DIR or {ENVIRONMENT}"


@dataclass(frozen=True)
class Model:
    """One model file, read and checked."""

    metadata: ModelMetadata
    sha256: str
    path: Path
    content: bytes


@dataclass(frozen=True)
class ModelVersion:
    """One version of one model, as the folders name it; the file may yet turn out to be broken."""

    name: str
    version: int
    path: Path


def models_folder(given: str | PathLike[str] | None = None) -> Path:
    """The folder given, or that of the environment, or the models of an installed package or of a checkout.

    Raises:
        UsageError: what was given is no path.
    """
    chosen = "" if given is None else path_text("models", given)
    if chosen := chosen or os.environ.get(ENVIRONMENT, ""):
        return Path(with_home(chosen))
    installed = _PACKAGE / "models"
    return installed if installed.is_dir() else _PACKAGE.parent / "models"


class Repository:
    """The models in one folder. Names are looked up in what was found there; they never become a path."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.versions = sorted(_scan(self.root), key=lambda entry: (entry.name, entry.version))

    @property
    def names(self) -> list[str]:
        """Every model, without its versions."""
        return sorted({entry.name for entry in self.versions})

    @property
    def empty_message(self) -> str:
        """What to say where there is no model."""
        likely = _likely_folder(self.root)
        return f"no models in {self.root}; {f'use --models {likely}' if likely else _LAYOUT}"

    def find(self, name: str, version: int | None = None) -> Model:
        """Read a model: the highest version, or the one given. A variant's name finds the variant's default model.

        Raises:
            UsageError: no such model.
            Failure: its file is broken.
        """
        versions = {entry.version: entry for entry in self.versions if entry.name == name}
        if not versions:
            return self._default_of(name)
        if version is not None and version not in versions:
            raise UsageError(f"{name} has no version {version}; there is {', '.join(map(str, versions))}")
        return self.read(versions[version or max(versions)])

    def read(self, entry: ModelVersion) -> Model:
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
        if not self.versions:
            raise UsageError(f"no model {variant!r}: {self.empty_message}")
        known = {*self.names, *(model.metadata.variant for model in models)}
        raise UsageError(
            f"no model {variant!r}{nearest(variant, known)}; gan-serve list shows those in {self.root}; {_ANOTHER}"
        )


def read_model(path: Path) -> Model:
    """The model in a file that a repository has found before.

    Raises:
        Failure: it is not there any more, or broken.
    """
    name, version = path.parts[-3:-1]
    return Repository(path.parents[2]).read(ModelVersion(name, int(version), path))


def _scan(root: Path) -> list[ModelVersion]:
    try:
        return [entry for folder in root.iterdir() if folder.is_dir() for entry in _versions(folder)]
    except OSError as error:
        raise UsageError(f"no models folder {root} ({error.strerror}); {_LAYOUT}") from None


def _likely_folder(root: Path) -> Path | None:
    """Where the models are if one of them, or one version of it, or what holds them all was named in their place."""
    places = {
        "model.onnx": root.parent.parent,
        "[1-9]*/model.onnx": root.parent,
        "models/*/[1-9]*/model.onnx": root / "models",
    }
    return next((folder for pattern, folder in places.items() if next(root.glob(pattern), None)), None)


def _versions(folder: Path) -> list[ModelVersion]:
    try:
        numbers = [path.name for path in folder.iterdir() if re.fullmatch(r"[1-9]\d{0,8}", path.name)]
    except FileNotFoundError:  # it was removed meanwhile
        return []
    except PermissionError:
        _log.warning("%s: no permission to look for models there", folder)
        return []
    if not numbers and not folder.name.isdecimal() and (folder / "model.onnx").is_file():
        _log.warning(
            "%s: its model.onnx is left out, since it is in no folder of a version; move it to 1/model.onnx", folder
        )
    return [ModelVersion(printable(folder.name), int(number), folder / number / "model.onnx") for number in numbers]


def _read(path: Path, root: Path) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise Failure(f"{path}: not a regular file; put the model itself there")
        _refuse_links(path, root, status.st_nlink)
        return path.read_bytes()
    except FileNotFoundError:
        raise Failure(f"{path}: the file is missing; put the model there, or remove its folder") from None
    except OSError as error:
        raise Failure(f"{path}: cannot be read ({error.strerror})") from None


def _refuse_links(path: Path, root: Path, links: int) -> None:
    if not path.resolve().is_relative_to(root):
        raise Failure(f"{path}: a link out of the models folder; put the model itself there")
    # Package installers link what they unpack from their cache, so the package's own files are exempt.
    if links > 1 and not root.is_relative_to(_PACKAGE):
        raise Failure(f"{path}: a hard link, so that others may change it; put a copy there")
