"""Generated documents are up to date, and an edit of one is detected."""

import io
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from small_models import CLASSIFIER, DIGIT, INSPECTOR, INVERTER

from gan_serve.metadata import Milestone
from gan_serve.repository import Repository
from training import documents
from training.publishing import cards, samples

ROOT = Path(__file__).parents[3]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "models", tmp_path / "models")
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    shutil.copy(ROOT / "README.md", tmp_path)
    return tmp_path


def test_the_generated_files_are_up_to_date(checkout: Path) -> None:
    assert documents.write(checkout, check=True) == []


def test_an_edited_card_is_detected_and_generated_again(checkout: Path) -> None:
    card = checkout / "models" / "acgan" / "README.md"
    original = card.read_text()
    card.write_text(original.replace("fcd", "FID"))
    assert documents.write(checkout, check=True) == [card]
    assert card.read_text() != original, "a check changes nothing"
    assert documents.write(checkout) == [card]
    assert card.read_text() == original


def test_the_table_names_every_model(checkout: Path) -> None:
    text = (checkout / "README.md").read_text()
    for folder in (checkout / "models").iterdir():
        if folder.is_dir():
            assert f"[`{folder.name}`](models/{folder.name}/README.md)" in text


def test_a_card_shows_a_valid_call_of_its_model() -> None:
    assert "gan-serve generate --model classifier --image image.png\n" in cards.card(CLASSIFIER)
    assert '.generate(image="image.png").answers()\n' in cards.card(CLASSIFIER)
    assert '.generate(image="image.png").save("samples.png", grid=True)\n' in cards.card(INVERTER)


def test_a_card_of_images_and_numbers_names_each_output() -> None:
    card = cards.card(INSPECTOR)
    assert "From top to bottom: input, `reconstruction` and `heat`, all from the test set." in card
    assert "| output | `score` | score | a number from -1 to 11 | How far from normal. |" in card
    assert "| output | `heat` | image | 2x2 grey |  |" in card
    assert 'result.save("samples.png", grid=True)\nprint(result.answers())\n' in card


def test_a_sample_shows_images_above_each_of_the_models_images(models: Path) -> None:
    images = torch.linspace(-1, 1, 3)[:, None, None, None].expand(3, 1, 8, 8)
    content = samples.outputs(Repository(models).find("inspector"), images)
    rows = np.asarray(Image.open(io.BytesIO(content)).convert("L"))[4::8, 4::8]
    assert rows.tolist() == [[0, 128, 255], [255, 128, 0], [0, 0, 255]]


def test_a_card_shows_the_planned_steps_of_a_stopped_training() -> None:
    stopped, finished = (
        cards.card(
            replace(DIGIT, training=replace(DIGIT.training, steps=steps, batch_size=8, recipe={"steps": 11_000}))
        )
        for steps in (3_506, 11_000)
    )
    assert "| steps | 3,506 of 11,000 of batch 8 |" in stopped
    assert "The training was stopped early" in stopped
    assert "| steps | 11,000 of batch 8 |" in finished
    assert "stopped" not in finished


def test_a_card_shows_the_number_of_images_seen() -> None:
    training = replace(DIGIT.training, steps=1_000, batch_size=64)
    assert "| images seen | 64,000 |" in cards.card(replace(DIGIT, training=training))
    two_processes = replace(training, images_seen=128_000)
    assert "| images seen | 128,000 |" in cards.card(replace(DIGIT, training=two_processes))


def test_a_card_shows_how_well_a_critics_scores_predict_the_fcd() -> None:
    estimates = [(9.0, 0.9), (4.0, 0.4), (1.0, 0.1)]
    curve = tuple(
        Milestone(step=step, fcd=fcd, observed={"score(real)": score, "score(fake)": 0.0})
        for step, (fcd, score) in enumerate(estimates)
    )
    assert "FCD and score(real) - score(fake): 1.00" in cards.card(replace(DIGIT, learning_curve=curve))
    assert "Rank correlation" not in cards.card(DIGIT)
