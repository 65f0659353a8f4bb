"""A name, a file or a folder -> images in memory -> batches."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from zipfile import BadZipFile

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from gan_serve.errors import Failure, UsageError
from gan_serve.metadata import Data
from training import distributed
from training.gan import Batch, ImageSpec

Split = Literal["train", "test"]
Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Source:
    """A known data set: on which terms it is given, and where the hub keeps it, if not `prepare` makes it."""

    channels: int
    license: str
    attribution: str
    classes: tuple[str, ...] = ()  # none: the file names them
    hub: str = ""
    image: str = "image"  # the column that holds the images


_DIGITS = tuple("0123456789")
_GARMENTS = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
SOURCES = {
    "mnist": Source(
        hub="ylecun/mnist",
        channels=1,
        classes=_DIGITS,
        license="no formal licence is known",
        attribution="MNIST, Yann LeCun, Corinna Cortes, Christopher J. C. Burges",
    ),
    "fashion_mnist": Source(
        hub="zalando-datasets/fashion_mnist",
        channels=1,
        classes=_GARMENTS,
        license="MIT",
        attribution="Fashion-MNIST, Han Xiao, Kashif Rasul, Roland Vollgraf (Zalando SE)",
    ),
    "cifar10": Source(
        hub="uoft-cs/cifar10",
        image="img",
        channels=3,
        classes=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
        license="none found; a research data set",
        attribution="CIFAR-10, Alex Krizhevsky, Vinod Nair, Geoffrey Hinton",
    ),
    "nouns": Source(
        channels=3,
        license="CC0, as its makers say; the repository that holds it is GPL-3.0",
        attribution="Nouns artwork, the Nouns project and its contributors",
    ),
}
STACKED_MNIST = "stacked_mnist"


@dataclass(frozen=True)
class Dataset:
    """Images as bytes in memory, shuffled only when batches are drawn."""

    name: str
    images: torch.Tensor  # uint8 (N, C, H, W)
    labels: torch.Tensor  # int64 (N,)
    classes: tuple[str, ...]
    license: str
    attribution: str

    @property
    def spec(self) -> ImageSpec:
        """What networks need to know."""
        return ImageSpec(channels=self.images.shape[1], size=self.images.shape[2], classes=self.classes)

    @property
    def data(self) -> Data:
        """What a model card says of it."""
        return Data(name=self.name, images=len(self.images), license=self.license, attribution=self.attribution)

    def partly_labelled(self, known: int) -> PartlyLabelled:
        """The same images, so many of them with their labels."""
        return PartlyLabelled(self, known)

    def batches(self, batch_size: int, seed: int, device: torch.device, first_step: int = 0) -> Iterator[Batch]:
        """Endless batches of this process's share: `image` in [-1, 1] and `label`.

        Which images step n sees depends on the seed and n alone: a resumed training sees what it would have seen.
        """
        everyone = batch_size * distributed.world_size()
        if everyone > len(self.images):
            raise Failure(f"{self.name} has {len(self.images)} images, fewer than one batch of {everyone}")
        steps_per_epoch = len(self.images) // everyone
        images, labels = self.images.to(device), self.labels.to(device)
        epoch, step = divmod(first_step, steps_per_epoch)
        while True:
            order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed * 1_000_003 + epoch))
            for position in range(step, steps_per_epoch):
                first = position * everyone + distributed.rank() * batch_size
                chosen = order[first : first + batch_size].to(device)
                yield {"image": to_signed(images[chosen]), "label": labels[chosen]}
            epoch, step = epoch + 1, 0


@dataclass(frozen=True)
class PartlyLabelled:
    """A data set of which only some labels are known, as many of each class; the seed decides which."""

    dataset: Dataset
    known: int

    def batches(self, batch_size: int, seed: int, device: torch.device, first_step: int = 0) -> Iterator[Batch]:
        """Batches with `image`, unlabelled, and of the same size `labelled` with the `label` of each.

        Raises:
            Failure: a class has fewer images than labels shall be known.
        """
        images, labels = self._labelled(seed)
        everyone = batch_size * distributed.world_size()
        first = distributed.rank() * batch_size
        for step, batch in enumerate(self.dataset.batches(batch_size, seed, device, first_step), first_step):
            random = torch.Generator().manual_seed(seed * 1_000_003 + step)
            chosen = torch.randint(len(images), (everyone,), generator=random)[first : first + batch_size]
            labelled = to_signed(images[chosen].to(device))
            yield {"image": batch["image"], "labelled": labelled, "label": labels[chosen].to(device)}

    def _labelled(self, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
        each, rest = divmod(self.known, len(self.dataset.classes))
        if rest or not each:
            raise Failure(f"{self.known} labels are not as many of each of {len(self.dataset.classes)} classes")
        order = torch.randperm(len(self.dataset.images), generator=torch.Generator().manual_seed(seed))
        chosen = torch.cat(
            [order[self.dataset.labels[order] == label][:each] for label in range(len(self.dataset.classes))]
        )
        if len(chosen) < self.known:
            raise Failure(f"{self.dataset.name} has a class of fewer than {each} images")
        return self.dataset.images[chosen], self.dataset.labels[chosen]


def load(source: str, split: Split = "train", image_size: int = 28) -> Dataset:
    """A known name, an `.npz` file, or a folder with a subfolder of images per class.

    A known name is looked for as `NAME.npz` in the folder `$GAN_SERVE_DATA`, then on the Hugging Face hub.
    Images of a folder are resized to squares of `image_size`; transparency becomes white.

    Raises:
        UsageError: no such data set.
        Failure: the data cannot be used, with the reason.
    """
    if source == STACKED_MNIST:
        from training.stacking import stacked  # which builds upon this module

        return stacked(load("mnist", split))
    path = Path(source)
    if source in SOURCES:
        local = Path(os.environ.get("GAN_SERVE_DATA", "")) / f"{source}.npz"
        dataset = _from_npz(local, split) if local.is_file() else _from_hub(source, split)
    elif path.is_dir():
        dataset = _from_folder(path / split if (path / split).is_dir() else path, image_size)
    elif path.suffix == ".npz" and path.is_file():
        dataset = _from_npz(path, split)
    else:
        known = ", ".join([*SOURCES, STACKED_MNIST])
        raise UsageError(f"no data {source!r}; use one of {known}, an .npz file or a folder of images")
    return _checked(dataset)


def to_signed(images: torch.Tensor) -> torch.Tensor:
    """Bytes 0..255 -> float32 -1..1."""
    return images.float().div_(127.5).sub_(1)


def _from_hub(name: str, split: Split) -> Dataset:
    source = SOURCES[name]
    if not source.hub:
        raise Failure(
            f"{name} is composed: python -m training prepare {name} FOLDER; then use its file as the data, or set "
            f"GAN_SERVE_DATA to the folder that holds {name}.npz"
        )
    try:
        import datasets

        # What goes wrong is told below, in one line instead of one for each try.
        logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
        table = datasets.load_dataset(source.hub, split=split)
    except Exception as error:  # the library raises many kinds, most of them from the network layer below it
        raise Failure(
            f"cannot get {name} from the Hugging Face hub ({type(error).__name__}); "
            f"go online, or set GAN_SERVE_DATA to a folder that holds {name}.npz"
        ) from error
    return _dataset(name, _stack(table[source.image]), np.asarray(table["label"]), source.classes)


def _stack(images: Any) -> Pixels:
    return np.stack([np.asarray(image) for image in images])


def _from_npz(path: Path, split: Split) -> Dataset:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            prefix = f"{split}_" if f"{split}_images" in arrays else ""
            images = arrays[f"{prefix}images"]
            labels = arrays[f"{prefix}labels"] if f"{prefix}labels" in arrays else np.zeros(len(images), np.int64)
            classes = tuple(map(str, arrays["classes"])) if "classes" in arrays else ()
    except KeyError:
        raise Failure(f"{path}: holds no array `{split}_images` or `images`") from None
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise Failure(f"{path}: not a readable .npz file of plain arrays ({error})") from None
    if path.stem in SOURCES and not classes:
        classes = SOURCES[path.stem].classes
    return _dataset(path.stem, images, labels, classes)


def _from_folder(folder: Path, size: int) -> Dataset:
    subfolders = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    classes = tuple(path.name for path in subfolders) or ("image",)
    pictures: list[Pixels] = []
    labels: list[int] = []
    unreadable: list[str] = []
    for label, subfolder in enumerate(subfolders or [folder]):
        for path in sorted(path for path in subfolder.iterdir() if path.is_file() and not path.name.startswith(".")):
            try:
                pictures.append(_read_image(path, size))
                labels.append(label)
            except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
                unreadable.append(str(path.relative_to(folder)))
    if unreadable:
        shown = ", ".join(unreadable[:5]) + (f" and {len(unreadable) - 5} more" if len(unreadable) > 5 else "")
        warnings.warn(f"{folder}: left out {len(unreadable)} unreadable files: {shown}", stacklevel=2)
    if not pictures:
        raise Failure(f"{folder}: no readable images; put them into one subfolder per class")
    images = np.stack(pictures)
    if (images == images[..., :1]).all():
        images = images[..., 0]  # grey throughout
    return _dataset(folder.name, images, np.array(labels), classes)


def _read_image(path: Path, size: int) -> Pixels:
    """Any image as RGB pixels (size, size, 3): centre crop, then resize; transparent parts become white."""
    with Image.open(path) as image:
        rgba = _to_8_bits(image).convert("RGBA")
    side = min(rgba.size)
    left, top = (rgba.width - side) // 2, (rgba.height - side) // 2
    square = rgba.resize((size, size), Image.Resampling.LANCZOS, box=(left, top, left + side, top + side))
    white = Image.new("RGBA", square.size, "white")
    return np.asarray(Image.alpha_composite(white, square).convert("RGB"))


def _to_8_bits(image: Image.Image) -> Image.Image:
    """16-bit grey images keep their upper byte; Pillow's own conversion would clip them to white."""
    if not image.mode.startswith("I"):
        return image
    return Image.fromarray((np.asarray(image).clip(0, 65_535) >> 8).astype(np.uint8))


def _dataset(name: str, images: NDArray[Any], labels: NDArray[Any], classes: tuple[str, ...]) -> Dataset:
    if images.dtype != np.uint8 or images.ndim not in (3, 4):
        raise Failure(f"{name}: images are {images.dtype} of shape {images.shape}, not uint8 (N, H, W) or (N, H, W, C)")
    if images.ndim == 3:
        images = images[..., None]
    if labels.shape != (len(images),) or not np.issubdtype(labels.dtype, np.integer):
        raise Failure(f"{name}: {len(images)} images need as many integer labels, not {labels.dtype} {labels.shape}")
    if not classes:
        classes = tuple(map(str, range(int(labels.max(initial=0)) + 1)))
    source = SOURCES.get(name)
    return Dataset(
        name=name,
        images=torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))),
        labels=torch.from_numpy(labels.astype(np.int64)),
        classes=classes,
        license=source.license if source else "unknown; the user's own data",
        attribution=source.attribution if source else name,
    )


def _checked(dataset: Dataset) -> Dataset:
    count, channels, height, width = dataset.images.shape
    if count < 2:
        raise Failure(f"{dataset.name}: {count} image(s); a GAN learns a distribution and needs many")
    if channels not in (1, 3) or height != width:
        raise Failure(
            f"{dataset.name}: images are {height}x{width} with {channels} channels; use square, grey or RGB ones"
        )
    low, high = int(dataset.labels.min()), int(dataset.labels.max())
    if low < 0 or high >= len(dataset.classes):
        raise Failure(f"{dataset.name}: labels run from {low} to {high}, but there are {len(dataset.classes)} classes")
    return dataset
