"""The README's table of models: a row shows what a model makes, at which cost, and how well."""

from dataclasses import replace
from pathlib import Path

import pytest
from small_models import CLASSIFIER, DIGIT, ENLARGER, INVERTER

from gan_serve.metadata import ModelMetadata, Score
from gan_serve.repository import Model
from training.publishing.model_table import TASKS, makes, milliseconds_of, model_table

ROOT = Path(__file__).parents[3]


def row(metadata: ModelMetadata, milliseconds: dict[str, str] | None = None) -> list[str]:
    model = Model(metadata, "", Path("model.onnx"), bytes(1_250_000))
    _, _, line = model_table([model], milliseconds or {}).splitlines()
    return [cell.strip() for cell in line.strip("|").split("|")]


def score(name: str, value: float, real: float | None = None) -> Score:
    return Score(name=name, value=value, better="higher", description="", real=real)


def test_a_row_has_sample_links_purpose_size_time_and_score() -> None:
    metadata = replace(DIGIT, scores=(score("recall", 0.8), score("fcd", 1.234, 0.1)))
    sample, links, purpose, size, time, headline = row(metadata, {DIGIT.name: "2.4"})
    assert f'src="models/{DIGIT.name}/sample.png"' in sample
    assert f"[`{DIGIT.name}`](models/{DIGIT.name}/README.md)" in links
    assert purpose == makes(DIGIT)
    assert (size, time, headline) == ("1.2 MB", "2.4", "FCD 1.23 (real images 0.10)")


def test_a_model_without_images_or_measurements_has_gaps() -> None:
    sample, *_, time, headline = row(replace(CLASSIFIER, scores=()))
    assert (sample, time, headline) == ("", "-", "-")


@pytest.mark.parametrize(
    ("scores", "headline"),
    [
        ([score("label_accuracy", 0.995, 0.999)], "99.5% recognised as the right class (real images 99.9%)"),
        ([score("fcd", 2, 1), score("label_accuracy", 0.5)], "50.0% recognised as the right class"),
        ([score("auroc_uniform_noise", 1), score("auroc_other_classes", 0.9)], "AUROC 0.9 against other classes"),
        ([score("test_error", 0.016)], "98.4% of test images recognised"),
        ([score("psnr", 20), score("psnr_gain_over_input", -0.27)], "PSNR -0.3 dB over the input"),
        ([score("set5_psnr_gain", 2.23)], "PSNR +2.2 dB over bicubic"),
        ([score("unheard_of", 0.12345)], "unheard_of 0.12345"),
    ],
)
def test_the_score_that_says_most_is_shown_in_words(scores: list[Score], headline: str) -> None:
    assert row(replace(DIGIT, scores=tuple(scores)))[-1] == headline


def test_what_a_model_makes_follows_from_its_task_and_data() -> None:
    clothes = replace(DIGIT, data=replace(DIGIT.data, name="fashion_mnist"))
    assert makes(replace(clothes, task="class-conditional")).startswith("Clothes by class, ")
    assert makes(replace(clothes, task="unconditional")).startswith("Clothes, ")
    assert makes(replace(CLASSIFIER, data=clothes.data)).startswith("Recognises clothes, ")
    detector = replace(clothes, inputs=CLASSIFIER.inputs, task="anomaly-detection")
    assert makes(detector).startswith("Detects what is not clothes, ")
    of_bags = replace(detector, training=replace(clothes.training, recipe={"normal": "Bag"}))
    assert makes(of_bags).startswith("Detects what is not Bag among clothes, ")
    scale = ENLARGER.image_outputs[0].scale
    assert makes(replace(ENLARGER, data=replace(clothes.data, name="bsds"))).startswith(
        f"Enlarges photos {scale} times"
    )
    research = replace(clothes.data, license="for research, not for commercial use")
    assert makes(replace(INVERTER, data=research)).endswith("; not for commercial use")


def test_rows_are_in_the_order_of_tasks_then_names() -> None:
    models = [
        Model(replace(DIGIT, name=name, task=task), "", Path("model.onnx"), b"")
        for name, task in [("b", TASKS[1]), ("c", TASKS[0]), ("a", TASKS[1])]
    ]
    rows = model_table(models, {}).splitlines()[2:]
    assert [line.partition("[`")[2][0] for line in rows] == ["c", "a", "b"]


def test_times_are_those_that_the_benchmark_measured() -> None:
    page = (ROOT / "docs" / "performance.md").read_text("utf-8")
    times = milliseconds_of(page)
    assert set(times) == {path.name for path in (ROOT / "models").iterdir() if path.is_dir()}
    rows = "| model | one image: before | after |\n| --- | --- | --- |\n| a | 1 | 2.345 |\n| b | 1 | 1234.5 |\n"
    page = f"| c | 1 | 9 |\n<!-- threads: filled in by x -->\n{rows}<!-- threads: end -->\n| d | 1 | 9 |"
    assert milliseconds_of(page) == {"a": "2.3", "b": "1,234"}
