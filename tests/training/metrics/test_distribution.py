import numpy as np
import pytest

from training.metrics import distribution


def gaussian(mean: float, count: int = 2_000, size: int = 4, seed: int = 0) -> distribution.Array:
    return (np.random.default_rng(seed).standard_normal((count, size)) + mean).astype(np.float32)


def test_the_frechet_distance_of_two_gaussians_is_the_squared_distance_of_their_means() -> None:
    assert distribution.frechet_distance(gaussian(0), gaussian(0)) == pytest.approx(0, abs=1e-6)
    assert distribution.frechet_distance(gaussian(0), gaussian(2)) == pytest.approx(4 * 2**2, rel=0.02)


def test_the_inception_style_score_runs_from_one_to_the_number_of_classes() -> None:
    assert distribution.inception_style_score(np.full((100, 10), 0.1, np.float32)) == pytest.approx(1)
    assert distribution.inception_style_score(np.eye(10, dtype=np.float32)) == pytest.approx(10)
    assert distribution.inception_style_score(np.eye(10, dtype=np.float32)[:1].repeat(9, 0)) == pytest.approx(1)


def test_a_dropped_class_has_the_smallest_share_zero() -> None:
    probabilities = np.eye(3, dtype=np.float32)
    assert distribution.smallest_class_share(probabilities[[0, 0, 1, 2]]) == 0.25
    assert distribution.smallest_class_share(probabilities[[0, 0, 1, 1]]) == 0


def test_label_accuracy_counts_hits() -> None:
    assert distribution.label_accuracy(np.eye(3, dtype=np.float32), np.array([0, 1, 0])) == pytest.approx(2 / 3)


def test_a_collapsed_class_has_no_diversity() -> None:
    labels = np.zeros(100, np.int64)
    assert distribution.intra_class_distance(np.ones((100, 4), np.float32), labels) == 0
    assert distribution.intra_class_distance(gaussian(0, 100), labels) > 1


def test_neighbourhoods_distinguish_quality_from_diversity() -> None:
    real = gaussian(0)
    same = distribution.neighbourhoods(real, gaussian(0, seed=1))
    assert min(same["precision"], same["recall"], same["coverage"]) > 0.9
    assert same["density"] == pytest.approx(1, abs=0.1)
    collapsed = distribution.neighbourhoods(real, gaussian(0, seed=1) * 0.05)
    assert collapsed["precision"] > 0.99
    assert collapsed["recall"] < 0.1
    elsewhere = distribution.neighbourhoods(real, gaussian(50))
    assert elsewhere == {"precision": 0, "recall": 0, "density": 0, "coverage": 0}


def test_a_clustering_is_scored_by_its_best_assignment() -> None:
    labels = np.array([0, 0, 1, 1, 2, 2])
    assert distribution.clustering_error(np.array([2, 2, 0, 0, 1, 1]), labels) == 0
    assert distribution.clustering_error(np.array([2, 2, 0, 0, 0, 1]), labels) == pytest.approx(1 / 6)
    assert distribution.clustering_error(np.zeros(6, np.int64), labels) == pytest.approx(4 / 6), (
        "no two clusters count as one class"
    )
    assert distribution.error(np.array([0, 0, 1, 1, 2, 0]), labels) == pytest.approx(1 / 6)
