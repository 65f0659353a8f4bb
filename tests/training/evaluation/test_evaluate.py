"""Scorers are found by the name of a task, and scores are rounded in one place."""

import pytest

from gan_serve.errors import UsageError
from gan_serve.metadata import TASKS, Score
from training.evaluation.evaluate import find_scorer
from training.evaluation.scores import rounded, score


@pytest.mark.parametrize("task", TASKS)
def test_every_task_has_a_scorer(task: str) -> None:
    scorer = find_scorer("model", task)
    assert callable(scorer.scores)
    assert callable(scorer.protocol)
    assert isinstance(scorer.NEEDS_CLASSIFIER, bool)


def test_a_task_without_a_scorer_is_an_error() -> None:
    with pytest.raises(UsageError, match=r"^oracle: no protocol is known for the task telling-fortunes$"):
        find_scorer("oracle", "telling-fortunes")


def test_all_values_of_a_score_are_rounded() -> None:
    expected = Score(name="psnr", value=0.1235, better="higher", description="peak signal-to-noise ratio in dB", real=2)
    assert score("psnr", 0.123456, real=2.00001) == expected
    assert rounded(Score(name="a", value=1, better="lower", description="", control=0.00005001)).control == 0.0001
