"""Large requests, run in parts."""

from pathlib import Path

import numpy as np
import pytest
from small_models import DIGIT, ENLARGER

import gan_serve
from gan_serve.formats import Output
from gan_serve.generator import BATCH, Generator
from gan_serve.jobs.job import Job
from gan_serve.jobs.run import job_threads, run_in_parts, run_job
from gan_serve.request import make_request
from gan_serve.system.cpus import cpu_count

COUNT = 2 * BATCH + 3


@pytest.fixture(scope="module")
def generator(models: Path) -> Generator:
    return gan_serve.load("digits", models=models)


def test_parts_are_the_whole_result_in_order(generator: Generator) -> None:
    request = make_request(DIGIT, {}, seed=7, count=COUNT)
    parts = list(run_in_parts(generator, request))
    assert [len(part) for part in parts] == [BATCH, BATCH, 3]
    np.testing.assert_array_equal(np.concatenate([part.array for part in parts]), generator.run(request).array)


def test_a_job_that_stopped_continues_with_the_missing_images(generator: Generator, tmp_path: Path) -> None:
    request = make_request(DIGIT, {}, seed=7, count=COUNT)
    job = Job(DIGIT, generator.sha256, request, Output(tmp_path / "all", "png", folder=True))
    existing: list[int] = []
    results = run_job(job, generator, existing.append)
    next(results)
    results.close()
    made = sum(len(result) for result in run_job(job, generator, existing.append))
    assert existing == [0, BATCH]
    assert made == COUNT - BATCH
    assert len([*job.output.path.iterdir()]) == COUNT


def test_a_complete_file_is_not_made_again(generator: Generator, tmp_path: Path) -> None:
    request = make_request(DIGIT, {}, seed=7, count=3)
    job = Job(DIGIT, generator.sha256, request, Output(tmp_path / "all.npy", "npy"))
    existing: list[int] = []
    assert [len(result) for result in run_job(job, generator, existing.append)] == [3]
    assert [*run_job(job, generator, existing.append)] == []
    assert existing == [0, 3]


def test_images_of_any_size_share_the_threads() -> None:
    assert (job_threads(DIGIT), job_threads(ENLARGER)) == (1, cpu_count())
