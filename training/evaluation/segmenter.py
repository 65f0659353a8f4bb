"""The segmenter of a data set: a small network, trained on real images alone, that classifies every pixel."""

from pathlib import Path

import onnx
import torch
from torch import Tensor
from torch.nn import functional as F
from torchmetrics.functional.classification import multiclass_accuracy, multiclass_jaccard_index

from gan_serve.errors import UsageError
from training import progress
from training.data import loading
from training.data.dataset import Batch, Dataset, Terms, to_signed
from training.data.palettes import Palette, palette_of
from training.evaluation import classifier
from training.evaluation.auxiliary import export_auxiliary, fit_auxiliary, write_auxiliary
from training.evaluation.scores import DIGITS
from training.gan import Game, Player, Recipe, Stage
from training.inference import open_network, run_in_batches
from training.loop.replacing import check_new
from training.networks import translation

VIEW = "map"
BATCH = 20


class Segmentation(Game):
    """A game of one player: a U-Net that learns the class of every pixel of images, half of them mirrored."""

    def __init__(self, dataset: Dataset, settings: Recipe, width: int = 24) -> None:
        super().__init__(settings)
        self.palette = palette_of(dataset.name)
        self.network = translation.UNet(dataset.spec.channels, len(self.palette), dataset.spec.size, width, dropout=0.3)

    def loss(self, batch: Batch) -> Terms:
        """Return the cross-entropy of the classes; pixels without a class do not count."""
        images, classes = batch["image"], self.palette.numbers(batch[VIEW])
        if torch.rand(()) < 0.5:
            images, classes = images.flip(-1), classes.flip(-1)
        logits = self.network(images).float()
        return {"class": F.cross_entropy(logits, classes, ignore_index=self.palette.unlabelled)}

    def stages(self) -> list[Stage]:
        return [Stage({"segmenter": Player([self.network], self.loss)})]


def make_segmenter(source: str, epochs: int, seed: int = 0, *, replace: bool = False) -> tuple[Path, float]:
    """Train the segmenter of a data set of images and maps, and write it; return its file and its accuracy.

    Raises:
        UsageError: there is a segmenter of data of this name, and `replace` is false.
    """
    with progress.working(f"loading {source}"):
        train, test = (loading.load(source, split, views=(VIEW,)) for split in ("train", "test"))
    path = _file(train.name)
    check_new(path, "rename the data, which names its segmenter", replace=replace)
    batch = min(16, len(train.images))
    game = fit_auxiliary(Segmentation, "segmenter", train, epochs=epochs, batch=batch, seed=seed)
    content = export_auxiliary(game.network, to_signed(test.images[:2]), ["logits"])
    predicted = Segmenter(train.name, content).predict(to_signed(test.images))
    measured = scores(predicted, to_signed(test.views[VIEW]), palette_of(train.name))
    write_auxiliary(path, content, {"data": train.name, "epochs": epochs, "seed": seed, **measured})
    return path, measured["pixel_accuracy"]


def scores(predicted: Tensor, maps: Tensor, palette: Palette) -> dict[str, float]:
    """Return the share of right pixels and the mean IoU of predicted classes (N, H, W) for painted maps."""
    classes, ignored = palette.numbers(maps), palette.unlabelled
    accuracy = multiclass_accuracy(predicted, classes, len(palette), average="micro", ignore_index=ignored)
    overlap = multiclass_jaccard_index(predicted, classes, len(palette), ignore_index=ignored)
    return {"pixel_accuracy": round(float(accuracy), DIGITS), "mean_iou": round(float(overlap), DIGITS)}


def _file(name: str) -> Path:
    return classifier.FOLDER / f"{name}{classifier.MAPS}.onnx"


class Segmenter:
    """The segmenter of a data set, from its file or from `content`, the bytes of such a file.

    Raises:
        UsageError: there is none for this data.
    """

    def __init__(self, name: str, content: bytes | None = None) -> None:
        path = _file(name)
        if content is None and not path.is_file():
            raise UsageError(f"no segmenter for {name}; train one with: python -m training judge {name} --maps")
        content = content or path.read_bytes()
        onnx.checker.check_model(content)
        self.session = open_network(content, str(path))

    def predict(self, images: Tensor) -> Tensor:
        """Return the class of each pixel of images (N, 3, H, W) in [-1, 1]: (N, H, W)."""
        (logits,) = run_in_batches(self.session, {"image": images.numpy()}, ["logits"], BATCH)
        return torch.from_numpy(logits.argmax(axis=1))
