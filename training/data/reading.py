"""The images below a folder, read as serving reads them, and one line about all else that lies there."""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from gan_serve.errors import Failure
from gan_serve.images.pixels import PilImage
from gan_serve.images.preprocess import holds_several, open_pil_image, upright
from training import distributed

_SYSTEM = frozenset(
    ("__macosx", "__pycache__", "@eadir", "thumbs.db", "desktop.ini", "lost+found", "$recycle.bin",
     "system volume information")
)  # fmt: skip


class Kind(NamedTuple):
    """What is told of files that are not used as they are: a sentence, and what it counts."""

    sentence: str
    one: str
    many: str


UNREADABLE = Kind("left out {}", "unreadable file", "unreadable files")
BROKEN = Kind("left out {}", "broken link", "broken links")
CIRCULAR = Kind("left out {}", "link to a folder above it", "links to folders above them")
HIDDEN = Kind("left out {}", "hidden or system file or folder", "hidden or system files and folders")
EMPTY = Kind("left out {}", "folder without an image", "folders without an image")
BESIDE = Kind("left out {} beside the folder to train on", "file", "files")
VALIDATION = Kind("left out {}, since the test part is for the scores", "image for validation", "images for validation")
ALONE = Kind("left out {}", "image without a partner of its name", "images without partners of their names")
NARROW = Kind("left out {}", "image that is not twice as wide as high", "images that are not twice as wide as high")
ANIMATED = Kind("used only the first image of {}", "file with several", "files with several")
TRANSPARENT = Kind("made transparent parts white in {}", "image", "images")


@dataclass
class Reading:
    """One way through a folder of data, which remembers what is to be told."""

    root: Path
    met: dict[Kind, dict[Path, None]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    known_folders: dict[Path, dict[str, Path]] = field(default_factory=dict)

    def note(self, kind: Kind, path: Path) -> None:
        """Remember a file or folder; what is met twice counts once."""
        self.met.setdefault(kind, {})[path] = None

    def entries(self, folder: Path) -> list[Path]:
        """Files and folders in the order of their names, without those of operating systems and tools."""
        entries = []
        for path in sorted(folder.iterdir()):
            if path.name.startswith(".") or path.name.lower() in _SYSTEM:
                self.note(HIDDEN, path)
            else:
                entries.append(path)
        return entries

    def own_files(self, folder: Path) -> list[Path]:
        """The files of a folder itself."""
        others = [path for path in self.entries(folder) if not path.is_dir()]
        for path in others:
            if not path.is_file():
                self.note(BROKEN if path.is_symlink() else UNREADABLE, path)
        return [path for path in others if path.is_file()]

    def files(self, folder: Path, above: tuple[Path, ...] = ()) -> Iterator[Path]:
        """The files of a folder and of all below it; `above` are the folders that it was reached by."""
        real = folder.resolve()
        if any(each.is_relative_to(real) for each in above):
            self.note(CIRCULAR, folder)
            return
        yield from self.own_files(folder)
        for path in self.entries(folder):
            if path.is_dir():
                yield from self.files(path, (*above, real))

    def images(self, files: Iterable[Path]) -> Iterator[tuple[Path, PilImage]]:
        """What can be read of the files: RGB, or RGBA where parts are transparent."""
        for path in files:
            try:
                with open_pil_image(path, str(path)) as opened:
                    several, image = holds_several(opened), upright(opened, str(path))
            except Failure:
                self.note(UNREADABLE, path)
                continue
            if several:
                self.note(ANIMATED, path)
            if image.mode == "RGBA" and image.getchannel("A").getextrema() != (255, 255):
                self.note(TRANSPARENT, path)
            yield path, image

    def folders(self, folder: Path) -> dict[str, Path]:
        """The subfolders that hold an image, at any depth, by their names."""
        if folder not in self.known_folders:
            subfolders = [path for path in self.entries(folder) if path.is_dir()]
            holding = {path.name: path for path in subfolders if holds_image(path)}
            for path in subfolders:
                if path.name not in holding:
                    self.note(EMPTY, path)
            self.known_folders[folder] = holding
        return self.known_folders[folder]

    def tell(self) -> None:
        """Warn, in one line, of what was not used as it is; of several processes one does."""
        told = [*self.remarks, *(self._counted(kind, list(paths)) for kind, paths in self.met.items())]
        if told and distributed.rank() == 0:
            warnings.warn(f"{self.root}: {'; '.join(told)}", stacklevel=2)

    def _counted(self, kind: Kind, paths: Sequence[Path]) -> str:
        count = kind.sentence.format(counted(len(paths), kind.one, kind.many))
        return f"{count}: {listed([str(path.relative_to(self.root)) for path in paths])}"


def holds_image(folder: Path) -> bool:
    """Whether a readable image lies there, at any depth."""
    reading = Reading(folder)
    return next(reading.images(reading.files(folder)), None) is not None


def counted(number: int, one: str, many: str) -> str:
    """A number of things in words."""
    return f"{number} {one if number == 1 else many}"


def listed(names: Sequence[str], most: int = 5) -> str:
    """Names for a message, not all of many."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
