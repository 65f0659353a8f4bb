"""Writers of one file, row by row."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as PILImage
from small_models import APART, CLASSIFIER, DIGIT

import gan_serve
from gan_serve.formats import Output
from gan_serve.generator import Generator
from gan_serve.images.npy import read_npy
from gan_serve.jobs.appending import AppendingWriter, JsonlFile, NpyFile
from gan_serve.jobs.job import Job, job_file
from gan_serve.provenance import parse_provenance
from gan_serve.request import make_request

COUNT = 6
Whole = tuple[Job, Generator, bytes]  # a job, and the bytes of its complete file


def write(job: Job, generator: Generator) -> int:
    """Finish the job; the number of rows that were pending."""
    with AppendingWriter(job) as writer:
        pending = list(writer.pending)
        if pending:
            writer.prepare(generator.run_places(job.request, pending))()
    return len(pending)


def complete(job: Job, generator: Generator) -> Whole:
    assert write(job, generator) == COUNT
    return job, generator, job.output.path.read_bytes()


@pytest.fixture(scope="module")
def array(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    generator = gan_serve.load("digits", models=models)
    request = make_request(DIGIT, {}, seed=7, count=COUNT)
    output = Output(tmp_path_factory.mktemp("array") / "all.npy", "npy")
    return complete(Job(DIGIT, generator.sha256, request, output), generator)


@pytest.fixture(scope="module")
def arrays(models: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Job, Generator, dict[Path, bytes]]:
    """A job with two arrays, and the bytes of its complete files."""
    generator = gan_serve.load("apart", models=models)
    output = Output(tmp_path_factory.mktemp("arrays") / "all.npy", "npy")
    job = Job(APART, generator.sha256, make_request(APART, {}, seed=7, count=COUNT), output)
    complete(job, generator)
    return job, generator, {path: path.read_bytes() for path in sorted(output.path.parent.iterdir())}


@pytest.fixture(scope="module")
def lines(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    generator = gan_serve.load("classifier", models=models)
    images = [PILImage.new("L", (8, 8), 40 * place) for place in range(COUNT)]
    request = make_request(CLASSIFIER, {"image": images})
    output = Output(tmp_path_factory.mktemp("lines") / "all.jsonl", "jsonl")
    return complete(Job(CLASSIFIER, generator.sha256, request, output), generator)


def cut(whole: Whole, share: float) -> int:
    """Interrupt the job where part of the file is written, and finish it; the number of rows made again."""
    job, generator, content = whole
    job.output.path.unlink(missing_ok=True)
    job_file(job.output).write_text(job.to_json())
    job.output.path.with_name(f".{job.output.path.name}.part").write_bytes(content[: int(share * len(content))])
    pending = write(job, generator)
    assert job.output.path.read_bytes() == content
    assert [path.name for path in job.output.path.parent.iterdir()] == [job.output.path.name]
    return pending


def test_the_format_chooses_the_writer(array: Whole, lines: Whole) -> None:
    assert [type(file) for file in AppendingWriter(array[0]).files] == [NpyFile]
    assert [type(file) for file in AppendingWriter(lines[0]).files] == [JsonlFile]


def test_an_array_holds_the_rows_and_the_provenance(array: Whole) -> None:
    job, generator, _ = array
    document, rows = read_npy(job.output.path)
    np.testing.assert_array_equal(rows, generator.run(job.request).array)
    assert parse_provenance(document, "all.npy").request == job.request


@settings(max_examples=15, deadline=None)
@given(share=st.floats(0, 1))
def test_an_array_cut_anywhere_is_finished_with_the_same_bytes(array: Whole, share: float) -> None:
    assert cut(array, share) <= COUNT


@settings(max_examples=15, deadline=None)
@given(share=st.floats(0, 1))
def test_lines_cut_anywhere_are_finished_with_the_same_bytes(lines: Whole, share: float) -> None:
    rows = lines[2][: int(share * len(lines[2]))].count(b"\n")
    assert cut(lines, share) == COUNT - rows


@settings(max_examples=15, deadline=None)
@given(shares=st.tuples(st.floats(0, 1), st.floats(0, 1)), moved=st.sampled_from([None, 0, 1]))
def test_arrays_of_several_outputs_cut_anywhere_are_finished_with_the_same_bytes(
    arrays: tuple[Job, Generator, dict[Path, bytes]], shares: tuple[float, float], moved: int | None
) -> None:
    job, generator, contents = arrays
    job_file(job.output).write_text(job.to_json())
    for place, (path, content) in enumerate(contents.items()):
        if place != moved:  # it was interrupted after this one file was complete
            path.unlink(missing_ok=True)
            path.with_name(f".{path.name}.part").write_bytes(content[: int(shares[place] * len(content))])
    pending = write(job, generator)
    assert {path: path.read_bytes() for path in job.output.path.parent.iterdir()} == contents
    assert pending == COUNT or moved is None


def test_rows_of_an_array_that_are_complete_are_kept(array: Whole) -> None:
    assert [cut(array, share) for share in (0, 0.5, 1)] == [COUNT, COUNT // 2, 0]


def test_a_partial_file_of_no_known_job_is_discarded(array: Whole) -> None:
    job, generator, content = array
    job.output.path.unlink()
    job.output.path.with_name(".all.npy.part").write_bytes(b"something else")
    assert write(job, generator) == COUNT
    assert job.output.path.read_bytes() == content
