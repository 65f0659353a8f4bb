"""Tests that apply to every file in training/variants automatically."""

import dataclasses
import inspect
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from larger import enlarged
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from gan_serve.metadata import Data, Training
from training import export, variants
from training.data.catalog import SOURCES
from training.data.dataset import Dataset, DataSpec
from training.loop.runs import Trained
from training.loop.trainer import Trainer

ROOT = Path(__file__).parents[3]
FACTS = {"steps": 1, "batch_size": 1, "seed": 0, "precision": "fp32", "hardware": "CPU", "duration_seconds": 1.0,
         "commit": "", "recipe": {}}  # fmt: skip


@pytest.fixture(params=variants.names())
def name(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A variant; networks that repeat a block have two of them, which is enough for these tests."""
    variant = variants.find(request.param)
    if hasattr(variant, "blocks"):
        monkeypatch.setattr(variant, "blocks", 2)
    return str(request.param)


@pytest.fixture
def trainer(name: str, digits: Dataset) -> Trainer:
    variant = variants.find(name)
    recipe = dataclasses.replace(variant.recipe, steps=10, batch_size=8)
    beside = dataclasses.replace(digits, views=dict.fromkeys(recipe.views, 255 - digits.images))
    dataset = enlarged(digits, recipe.views) if recipe.image_size > 32 else beside
    torch.manual_seed(0)
    gan = variant(dataset.spec, recipe)
    return Trainer(gan, gan.source(dataset), seed=0, precision="fp32", device="cpu")


def test_a_step_has_finite_losses_and_observes_the_discriminator(trainer: Trainer) -> None:
    for terms in trainer.train():
        assert terms
        assert all(torch.isfinite(value) for value in terms.values())
        if trainer.game.diagnostics:
            break
    observed = trainer.game.diagnostics
    assert all(torch.isfinite(value) for value in observed.values())
    assert {"D(real)", "D(fake)"} <= set(observed) or {"score(real)", "score(fake)"} <= set(observed)
    assert all(0 <= value <= 1 for name, value in observed.items() if name.startswith("D("))


def test_only_the_current_player_changes_its_weights(trainer: Trainer) -> None:
    next(trainer.train())
    batch = next(trainer.dataset.batches(8, 1, trainer.device))
    for player in trainer.stages[0].players.values():
        own = {id(parameter) for network in player.networks for parameter in network.parameters()}
        before = {name: parameter.clone() for name, parameter in trainer.game.named_parameters()}
        trainer.update(player, batch)
        for name, parameter in trainer.game.named_parameters():
            if id(parameter) not in own:
                assert torch.equal(parameter, before[name]), name
        assert any(not torch.equal(parameter, before[name]) for name, parameter in trainer.game.named_parameters())


def test_the_export_equals_pytorch_and_describes_itself(name: str) -> None:
    torch.manual_seed(0)
    variant = variants.find(name)
    known = SOURCES[variant.recipe.dataset]
    gan = variant(DataSpec.of_images(known.channels, variant.recipe.image_size, known.classes or ("one", "two"))).eval()
    data = {"name": variant.recipe.dataset, "images": 1, "license": known.license, "attribution": known.attribution}
    trained = Trained(name, gan, variant.recipe.dataset, Data(**data), Training(**FACTS))
    for part, servable in gan.servables().items():
        metadata = export.describe(trained, part, servable)
        content = export.export(servable, metadata)  # compares with PyTorch at batch 1, 2, 3, 7 and 16, or raises
        assert len(content) < 4_000_000
        assert metadata.name == (f"{name}-{part}" if part else name)
        assert str(ROOT).encode() not in content


def test_its_docstring_names_the_paper(name: str) -> None:
    variant = variants.find(name)
    assert variant.paper.url in (inspect.getdoc(variant) or "")
    assert variant.differences


class Coarse(TorchDispatchMode):
    """Records the operations whose result is a single bfloat16 number."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: set[str] = set()

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **kwargs or {})
        tensors = [value for value in tree_leaves(result) if isinstance(value, torch.Tensor)]
        if any(value.dtype == torch.bfloat16 and value.dim() == 0 for value in tensors):
            self.operations.add(str(function))
        return result


def test_losses_are_float32_under_autocast(trainer: Trainer) -> None:
    trainer._enter_next_stage()
    batch = next(trainer.dataset.batches(8, 1, trainer.device))
    for player in trainer.stages[0].players.values():
        with torch.autocast("cpu", torch.bfloat16), Coarse() as coarse:
            terms = player.loss(batch)
        assert {name: value.dtype for name, value in terms.items()} == dict.fromkeys(terms, torch.float32)
        assert not coarse.operations


READS = ("aten._local_scalar_dense", "aten.nonzero", "aten.masked_select")  # the CPU waits for their results


class Recorded(TorchDispatchMode):
    """Records every operation, with the shapes of its tensors and its other arguments."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[str] = []

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        arguments = tree_map(
            lambda value: tuple(value.shape) if isinstance(value, torch.Tensor) else value, (args, kwargs)
        )
        self.operations.append(f"{function} {arguments}")
        return function(*args, **kwargs or {})


def test_a_turn_that_a_gpu_replays_is_the_same_computation_at_every_step(trainer: Trainer) -> None:
    if not trainer.game.repeats:
        trainer.stages = trainer.stages[1:2]  # the stage in which something changes
    batches = trainer.dataset.batches(8, 1, trainer.device)
    trainer._enter_next_stage()
    turns: list[list[str]] = []
    for progress, batch in zip((0.25, 0.5), batches, strict=False):
        trainer.game.after_step(progress)
        with Recorded() as recorded:
            for player in trainer.stages[0].players.values():
                player.loss(batch)
        turns.append(recorded.operations)
    assert (turns[0] == turns[1]) == trainer.game.repeats
    # Only labels may be read: on a CPU, `one_hot` checks the smallest and the largest.
    reads = [
        operation
        for turn in turns
        for before, operation in pairwise(turn)
        if operation.startswith(READS) and not before.startswith(("aten.aminmax", *READS))
    ]
    assert not (reads and trainer.game.repeats), "a replayed computation cannot read values"
