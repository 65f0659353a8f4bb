"""The judge of street scenes: a small network, trained on real photos alone, that says what is where."""

import json
from pathlib import Path
from typing import cast

import onnx
import torch
from torch import Tensor
from torch.nn import functional as F
from torchmetrics.functional.classification import multiclass_accuracy, multiclass_jaccard_index

from gan_serve.errors import UsageError
from gan_serve.images.encoding import write_atomic
from training import export
from training.data import loading
from training.data.camvid_labels import CLASSES, UNLABELLED, numbers
from training.data.dataset import Batch, Dataset, Terms, to_signed
from training.evaluation import classifier
from training.gan import Game, Player, Recipe, Stage
from training.inference import open_network, run_in_batches
from training.loop import progress
from training.loop.replacing import check_new
from training.loop.trainer import Trainer
from training.networks import translation

VIEW = "map"
BATCH = 20


class Segmentation(Game):
    """The game of one player: a U-Net that learns the class of every pixel of photos, half of them mirrored."""

    def __init__(self, dataset: Dataset, settings: Recipe, width: int = 24) -> None:
        super().__init__(settings)
        self.network = translation.UNet(dataset.spec.channels, CLASSES, dataset.spec.size, width, dropout=0.3)

    def loss(self, batch: Batch) -> Terms:
        """Cross-entropy of the classes; what has none does not count."""
        photos, classes = batch["image"], numbers(batch[VIEW])
        if torch.rand(()) < 0.5:
            photos, classes = photos.flip(-1), classes.flip(-1)
        return {"class": F.cross_entropy(self.network(photos).float(), classes, ignore_index=UNLABELLED)}

    def stages(self) -> list[Stage]:
        return [Stage({"segmenter": Player([self.network], self.loss)})]


def make_segmenter(source: str, epochs: int, seed: int = 0, *, replace: bool = False) -> tuple[Path, float]:
    """Train the segmenter of a data set of photos and maps, and write it; returns its file and its accuracy.

    Raises:
        UsageError: a segmenter of data of this name is there, which is not to be replaced.
    """
    with progress.working(f"loading {source}"):
        train, test = (loading.load(source, split, views=(VIEW,)) for split in ("train", "test"))
    path = _file(train.name)
    check_new(path, "rename the data, after which its segmenter is called", replace=replace)
    batch = min(16, len(train.images))
    recipe = Recipe(
        dataset=train.name, steps=epochs * (len(train.images) // batch), batch_size=batch, learning_rate=1e-3,
        betas=(0.9, 0.999), ema=0.98, final_learning_rate=0.02,
    )  # fmt: skip
    torch.manual_seed(seed)
    trainer = Trainer(Segmentation(train, recipe), train, seed=seed)
    for _ in progress.track(trainer.train(), f"segmenter of {train.name}", recipe.steps, unit="step"):
        pass
    network = cast(Segmentation, trainer.average.module).network.cpu().eval()
    content = export.to_onnx(network, (to_signed(test.images[:2]),), ["image"], ["logits"])
    found = scores(Segmenter(train.name, content).look(to_signed(test.images)), to_signed(test.views[VIEW]))
    facts = {"data": train.name, "epochs": epochs, "seed": seed, **found}
    write_atomic(path, export.with_property(content, classifier.PROPERTY, json.dumps(facts)))
    return path, found["pixel_accuracy"]


def scores(seen: Tensor, painted: Tensor) -> dict[str, float]:
    """Of classes that are seen (N, H, W) and maps of what there is: the share of right pixels, and the mean IoU."""
    wanted = numbers(painted)
    accuracy = multiclass_accuracy(seen, wanted, CLASSES, average="micro", ignore_index=UNLABELLED)
    overlap = multiclass_jaccard_index(seen, wanted, CLASSES, ignore_index=UNLABELLED)
    return {"pixel_accuracy": round(float(accuracy), 4), "mean_iou": round(float(overlap), 4)}


def _file(name: str) -> Path:
    return classifier.FOLDER / f"{name}{classifier.MAPS}.onnx"


class Segmenter:
    """The shipped segmenter of a data set, or the one whose file's bytes are given.

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

    def look(self, photos: Tensor) -> Tensor:
        """The class of each pixel of photos (N, 3, H, W) in [-1, 1]: (N, H, W)."""
        (logits,) = run_in_batches(self.session, {"image": photos.numpy()}, ["logits"], BATCH)
        return torch.from_numpy(logits.argmax(axis=1))
