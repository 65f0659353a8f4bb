"""The model repository: a folder of `<name>/<version>/model.onnx`, which Triton and KServe can mount unchanged."""

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
    """A model file, read and validated."""

    metadata: ModelMetadata
    sha256: str
    path: Path
    content: bytes


@dataclass(frozen=True)
class ModelVersion:
    """A version of a model, as named by its folders. The file may still be invalid."""

    name: str
    version: int
    path: Path


def models_folder(folder: str | PathLike[str] | None = None) -> Path:
    """Return this folder, or that of the environment variable, of the installed package, or of the checkout.

    Raises:
        UsageError: `folder` is not a path.
    """
    chosen = "" if folder is None else path_text("models", folder)
    if chosen := chosen or os.environ.get(ENVIRONMENT, ""):
        return Path(with_home(chosen))
    installed = _PACKAGE / "models"
    return installed if installed.is_dir() else _PACKAGE.parent / "models"


class Repository:
    """The models in a folder. Names are looked up in a listing, and never become a path."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.versions = sorted(_scan(self.root), key=lambda each: (each.name, each.version))

    @property
    def names(self) -> list[str]:
        """The names of all models."""
        return sorted({each.name for each in self.versions})

    @property
    def empty_message(self) -> str:
        """The error message for a folder without models."""
        likely = _likely_folder(self.root)
        return f"no models in {self.root}; {f'use --models {likely}' if likely else _LAYOUT}"

    def find(self, name: str, version: int | None = None) -> Model:
        """Read a model: this version, or the highest one. A variant's name selects the variant's default model.

        Raises:
            UsageError: The model does not exist.
            Failure: Its file is invalid.
        """
        versions = {each.version: each for each in self.versions if each.name == name}
        if not versions:
            return self._default_of(name)
        if version is not None and version not in versions:
            raise UsageError(f"{name} has no version {version}; use {', '.join(map(str, versions))}")
        return self.read(versions[version or max(versions)])

    def read(self, version: ModelVersion) -> Model:
        """Read a version, and check that its folders have the right names.

        Raises:
            Failure: The file is invalid, or belongs into other folders.
        """
        content = _read(version.path, self.root)
        source = str(version.path)
        metadata = parse_metadata(read_property(content, PROPERTY, source), source)
        if (metadata.name, metadata.version) != (version.name, version.version):
            raise Failure(
                f"{source}: the file is {metadata.name} version {metadata.version}, but its folders say otherwise; "
                f"move it to {metadata.name}/{metadata.version}/model.onnx"
            )
        return Model(metadata, hashlib.sha256(content).hexdigest(), version.path, content)

    def read_all(self) -> tuple[list[Model], list[Failure]]:
        """Read the highest version of every model. Return the models, and the failures of the others."""
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
            f"no model {variant!r}{nearest(variant, known)}; gan-serve list shows the models in {self.root}; {_ANOTHER}"
        )


def read_model(path: Path) -> Model:
    """Read a model file whose path came from a repository.

    Raises:
        Failure: It is missing or invalid.
    """
    name, version = path.parts[-3:-1]
    return Repository(path.parents[2]).read(ModelVersion(name, int(version), path))


def _scan(root: Path) -> list[ModelVersion]:
    try:
        return [version for folder in root.iterdir() if folder.is_dir() for version in _versions(folder)]
    except OSError as error:
        raise UsageError(f"no models folder {root} ({error.strerror}); {_LAYOUT}") from None


def _likely_folder(root: Path) -> Path | None:
    """Return the models folder if the user gave one of its subfolders or its parent instead."""
    places = {
        "model.onnx": root.parent.parent,
        "[1-9]*/model.onnx": root.parent,
        "models/*/[1-9]*/model.onnx": root / "models",
    }
    return next((folder for pattern, folder in places.items() if next(root.glob(pattern), None)), None)


def _versions(folder: Path) -> list[ModelVersion]:
    try:
        numbers = [path.name for path in folder.iterdir() if re.fullmatch(r"[1-9]\d{0,8}", path.name)]
    except FileNotFoundError:  # it was removed in the meantime
        return []
    except PermissionError:
        _log.warning("%s: no permission to look for models there", folder)
        return []
    if not numbers and not folder.name.isdecimal() and (folder / "model.onnx").is_file():
        _log.warning(
            "%s: its model.onnx is ignored, because it is not in a version's folder; move it to 1/model.onnx", folder
        )
    return [ModelVersion(printable(folder.name), int(number), folder / number / "model.onnx") for number in numbers]


def _read(path: Path, root: Path) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise Failure(f"{path}: not a regular file; copy the model itself there")
        _refuse_links(path, root, status.st_nlink)
        return path.read_bytes()
    except FileNotFoundError:
        raise Failure(f"{path}: the file is missing; copy the model there, or remove its folder") from None
    except OSError as error:
        raise Failure(f"{path}: cannot be read ({error.strerror})") from None


def _refuse_links(path: Path, root: Path, links: int) -> None:
    if not path.resolve().is_relative_to(root):
        raise Failure(f"{path}: a link out of the models folder; copy the model itself there")
    # Package installers may hard-link files from their cache, so the package's own files are exempt.
    if links > 1 and not root.is_relative_to(_PACKAGE):
        raise Failure(f"{path}: a hard link, through which others may change the file; copy the model there")
