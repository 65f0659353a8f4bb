"""The lock of a job's output path."""

from pathlib import Path

import pytest
from small_models import DIGIT

from gan_serve.errors import Failure
from gan_serve.formats import Output
from gan_serve.jobs.job import Job, job_file
from gan_serve.jobs.lock import job_lock
from gan_serve.request import make_request


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(DIGIT, "0" * 64, make_request(DIGIT, {}, seed=7), Output(tmp_path, "png", folder=True))


def test_the_job_file_exists_while_the_job_runs(job: Job) -> None:
    scans: list[bool] = []
    with job_lock(job, scans.append):
        assert job_file(job.output).read_text() == job.to_json()
    assert not job_file(job.output).exists()
    assert scans == [False]


def test_only_one_writer_has_the_lock(job: Job) -> None:
    with job_lock(job, lambda resumed: None), pytest.raises(Failure, match="another process is writing to it"):
        job_lock(job, lambda resumed: None).__enter__()
    with job_lock(job, lambda resumed: None):
        pass


def test_an_interrupted_job_leaves_its_file_and_is_resumed(job: Job) -> None:
    with pytest.raises(KeyboardInterrupt), job_lock(job, lambda resumed: None):
        raise KeyboardInterrupt
    assert job_file(job.output).read_text() == job.to_json()
    scans: list[bool] = []
    with job_lock(job, scans.append):
        pass
    assert scans == [True]


def test_a_failed_scan_leaves_no_job_file(job: Job) -> None:
    def fail(resumed: bool) -> None:
        raise Failure("something else is there")

    with pytest.raises(Failure, match="something else"):
        job_lock(job, fail).__enter__()
    assert not job_file(job.output).exists()


def test_a_folder_that_does_not_exist_cannot_be_locked(job: Job) -> None:
    gone = Job(DIGIT, job.sha256, job.request, Output(job.output.path / "gone", "png", folder=True))
    with pytest.raises(Failure, match="cannot be written"):
        job_lock(gone, lambda resumed: None).__enter__()
