"""Writers of one file per image, and checks of output paths."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import DIGIT

import gan_serve
from gan_serve.errors import Failure, UsageError
from gan_serve.formats import Output
from gan_serve.generator import Generator
from gan_serve.jobs.job import Job, job_file
from gan_serve.jobs.writers import FolderWriter, check_apart, check_replaceable, is_complete
from gan_serve.request import make_request

COUNT = 5
PLACES = st.sets(st.integers(0, COUNT - 1))


@pytest.fixture(scope="module")
def generator(models: Path) -> Generator:
    return gan_serve.load("digits", models=models)


def job_at(path: Path, generator: Generator, seed: int = 7, *, folder: bool = True) -> Job:
    request = make_request(DIGIT, {}, seed=seed, count=COUNT if folder else 1)
    return Job(DIGIT, generator.sha256, request, Output(path, "png", folder=folder))


def fill(job: Job, generator: Generator) -> None:
    with FolderWriter(job) as writer:
        writer.prepare(generator.run_places(job.request, writer.pending))()


@settings(max_examples=15, deadline=None)
@given(lost=PLACES)
def test_only_missing_images_are_pending(
    generator: Generator, tmp_path_factory: pytest.TempPathFactory, lost: set[int]
) -> None:
    job = job_at(tmp_path_factory.mktemp("folder"), generator)
    fill(job, generator)
    files = sorted(job.output.path.iterdir())
    contents = {path: path.read_bytes() for path in files}
    removed = [path for path in files if any(f"index{place:05}" in path.name for place in lost)]
    for path in removed:
        path.unlink()
    with FolderWriter(job) as writer:
        assert {*writer.pending} == lost
        if lost:
            writer.prepare(generator.run_places(job.request, writer.pending))()
    assert {path: path.read_bytes() for path in job.output.path.iterdir()} == contents


def test_an_image_that_was_made_differently_is_kept(generator: Generator, tmp_path: Path) -> None:
    fill(job_at(tmp_path, generator), generator)
    first, second, *_ = sorted(tmp_path.iterdir())
    first.write_bytes(second.read_bytes())
    with pytest.raises(Failure, match="exists and was made differently"), FolderWriter(job_at(tmp_path, generator)):
        pass
    assert first.read_bytes() == second.read_bytes()
    assert not job_file(job_at(tmp_path, generator).output).exists()


def test_a_file_is_complete_if_the_same_job_made_it(generator: Generator, tmp_path: Path) -> None:
    path = tmp_path / "one.png"
    job = job_at(path, generator, folder=False)
    assert not is_complete(job)
    path.touch()
    assert not is_complete(job)
    generator.run(job_at(path, generator, seed=8, folder=False).request).save(path)
    with pytest.raises(Failure, match="made differently"):
        is_complete(job)
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(Failure, match="not a regular file"):
        is_complete(job_at(tmp_path / "pipe.png", generator, folder=False))


def test_output_never_goes_into_the_folder_of_the_inputs(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    check_apart(tmp_path / "out", [tmp_path / "in" / "a.png"])
    with pytest.raises(UsageError, match="holds the input images"):
        check_apart(tmp_path / "in" / ".." / "in", [tmp_path / "in" / "a.png"])


def test_only_files_of_gan_serve_and_empty_files_are_replaced(generator: Generator, tmp_path: Path) -> None:
    (ours,) = generator.generate(seed=1).save(tmp_path / "ours.png")
    foreign, empty = tmp_path / "foreign.png", tmp_path / "empty.png"
    foreign.write_bytes(b"a photo")
    empty.touch()
    for path in (ours, empty, tmp_path / "new.png", Path("/dev/null")):
        check_replaceable(path, [foreign])
    with pytest.raises(Failure, match="gan-serve did not make it"):
        check_replaceable(foreign, [])
    with pytest.raises(Failure, match="is an input image"):
        check_replaceable(ours, [ours])
