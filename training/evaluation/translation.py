"""Score a model that turns images into images: how near it comes to the truth, beside what simpler means reach."""

import torch
from torch import Tensor

from gan_serve.metadata import Score
from gan_serve.repository import Model
from training.data.dataset import Dataset
from training.evaluation.classification import answers
from training.evaluation.classifier import EvaluationClassifier
from training.evaluation.figures import FIGURES, Outcome, psnr
from training.gan import EvaluationCase

BATCH = 20
MOST = 1_000  # images


def scores(model: Model, untrained: Model, trial: EvaluationCase, train: Dataset, test: Dataset) -> list[Score]:
    """The figures that the trial names, and how many dB better than each baseline the model is."""
    cut = selected(trial, slice(MOST))
    outcome, control = (Outcome(run(each, cut), cut, test, train) for each in (model, untrained))
    figures = {name: FIGURES[name] for name in cut.figures}
    found = [
        Score(
            name=name,
            value=round(figure.measure(outcome), 4),
            better=figure.better,
            description=figure.description,
            real=round(figure.real(outcome), 4) if figure.real else None,
            control=round(figure.measure(control), 4),
        )
        for name, figure in figures.items()
    ]
    return found + [_gain(name, outcome, control) for name in cut.baselines]


def _gain(name: str, outcome: Outcome, control: Outcome) -> Score:
    rows, columns = outcome.trial.box
    base = psnr(outcome.trial.baselines[name][:, :, rows, columns], outcome.compared[1])
    return Score(
        name=f"psnr_gain_over_{name}",
        value=round(psnr(*outcome.compared) - base, 4),
        better="higher",
        description=f"dB more than {BASELINES[name]} has, which are {base:.2f}",
        control=round(psnr(*control.compared) - base, 4),
    )


BASELINES = {
    "input": "the image that goes in",
    "mean": "a hole filled with the mean colour around it",
    "nearest": "a hole filled from the test image that looks most alike around it",
}


def protocol(trial: EvaluationCase, test: Dataset) -> str:
    """What the scores were measured on."""
    judges = ""
    if {"fcd", "label_accuracy", "feature_retrieval"} & set(trial.figures):
        judges += f" The judge recognises {EvaluationClassifier(test.name).facts['test_accuracy']:.2%} of the test set."
    if "mean_iou" in trial.figures:
        judges += " The segmenter was trained on the real training photos."
    if not test.pairs:
        judges += " They have no true partners: the images of the other set stand for the truth."
    return (
        f"{min(len(trial.truth), MOST):,} test images, one training.{judges} Real: the truth itself, or for a distance "
        "training images. Control: the untrained network."
    )


def selected(trial: EvaluationCase, rows: slice | Tensor) -> EvaluationCase:
    """Some images of a trial."""
    inputs, baselines = (
        {name: images[rows] for name, images in each.items()} for each in (trial.inputs, trial.baselines)
    )
    return EvaluationCase(inputs, trial.truth[rows], trial.figures, baselines, trial.box)


def run(model: Model, trial: EvaluationCase) -> Tensor:
    """What the exported model makes of the trial's inputs: (N, C, H, W)."""
    return torch.from_numpy(answers(model, model.metadata.image_outputs[0].name, trial.inputs, BATCH))
