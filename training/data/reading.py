"""Read the images below a folder as serving does, and report everything else there in one line."""

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


class Category(NamedTuple):
    """A category of files that are skipped or changed, and how a warning counts them."""

    sentence: str
    one: str
    many: str


UNREADABLE = Category("skipped {}", "unreadable file", "unreadable files")
BROKEN = Category("skipped {}", "broken link", "broken links")
CIRCULAR = Category("skipped {}", "link to a folder above it", "links to folders above them")
HIDDEN = Category("skipped {}", "hidden or system file or folder", "hidden or system files and folders")
EMPTY = Category("skipped {}", "folder without images", "folders without images")
BESIDE = Category("skipped {} outside the training folder", "file", "files")
VALIDATION = Category("skipped {}, since the test part is used for the scores", "validation image", "validation images")
ALONE = Category("skipped {}", "image without a partner of the same name", "images without partners of the same names")
NARROW = Category("skipped {}", "image that is not twice as wide as high", "images that are not twice as wide as high")
ANIMATED = Category("used only the first image of {}", "file with several images", "files with several images")
TRANSPARENT = Category("made transparent parts white in {}", "image", "images")


@dataclass
class Reading:
    """One pass over a folder of data, which collects what to report."""

    root: Path
    noted: dict[Category, dict[Path, None]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    known_folders: dict[Path, dict[str, Path]] = field(default_factory=dict)

    def note(self, category: Category, path: Path) -> None:
        """Record a file or folder for the report; repeated calls count once."""
        self.noted.setdefault(category, {})[path] = None

    def entries(self, folder: Path) -> list[Path]:
        """List files and folders by name, without those of operating systems and tools."""
        entries = []
        for path in sorted(folder.iterdir()):
            if path.name.startswith(".") or path.name.lower() in _SYSTEM:
                self.note(HIDDEN, path)
            else:
                entries.append(path)
        return entries

    def own_files(self, folder: Path) -> list[Path]:
        """List the files directly in a folder."""
        others = [path for path in self.entries(folder) if not path.is_dir()]
        for path in others:
            if not path.is_file():
                self.note(BROKEN if path.is_symlink() else UNREADABLE, path)
        return [path for path in others if path.is_file()]

    def files(self, folder: Path, above: tuple[Path, ...] = ()) -> Iterator[Path]:
        """Yield the files of a folder and of all folders below it; `above` are the folders on the way to it."""
        real = folder.resolve()
        if any(each.is_relative_to(real) for each in above):
            self.note(CIRCULAR, folder)
            return
        yield from self.own_files(folder)
        for path in self.entries(folder):
            if path.is_dir():
                yield from self.files(path, (*above, real))

    def images(self, files: Iterable[Path]) -> Iterator[tuple[Path, PilImage]]:
        """Yield the readable images among the files: RGB, or RGBA if parts are transparent."""
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
        """Return the subfolders that contain an image at any depth, by name."""
        if folder not in self.known_folders:
            subfolders = [path for path in self.entries(folder) if path.is_dir()]
            holding = {path.name: path for path in subfolders if holds_image(path)}
            for path in subfolders:
                if path.name not in holding:
                    self.note(EMPTY, path)
            self.known_folders[folder] = holding
        return self.known_folders[folder]

    def warn(self) -> None:
        """Warn in one line about everything that was skipped or changed; only the first process does."""
        messages = [*self.remarks, *(self._counted(category, list(paths)) for category, paths in self.noted.items())]
        if messages and distributed.rank() == 0:
            warnings.warn(f"{self.root}: {'; '.join(messages)}", stacklevel=2)

    def _counted(self, category: Category, paths: Sequence[Path]) -> str:
        count = category.sentence.format(counted(len(paths), category.one, category.many))
        return f"{count}: {listed([str(path.relative_to(self.root)) for path in paths])}"


def holds_image(folder: Path) -> bool:
    """Return whether a folder contains a readable image at any depth."""
    reading = Reading(folder)
    return next(reading.images(reading.files(folder)), None) is not None


def counted(number: int, one: str, many: str) -> str:
    """Return a number with its noun."""
    return f"{number} {one if number == 1 else many}"


def listed(names: Sequence[str], most: int = 5) -> str:
    """Join names for a message, shortening long lists."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
