"""The judges that are shipped for scoring."""

import numpy as np
import pytest

from gan_serve.errors import UsageError
from training.judge import Judge


@pytest.mark.parametrize(("name", "accuracy"), [("mnist", 0.993), ("fashion_mnist", 0.92)])
def test_a_shipped_judge_is_good_enough_and_says_how_good(name: str, accuracy: float) -> None:
    judge = Judge(name)
    assert judge.facts["data"] == name
    assert accuracy <= judge.facts["test_accuracy"] < 1
    opinion = judge.look(np.zeros((3, 1, 28, 28), np.float32))
    assert opinion.features.shape == (3, 128)
    np.testing.assert_allclose(opinion.probabilities.sum(axis=1), 1, rtol=1e-5)


def test_data_without_a_judge_is_told_how_to_get_one() -> None:
    with pytest.raises(UsageError, match="train one with: python -m training judge usps"):
        Judge("usps")
