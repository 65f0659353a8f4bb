"""Jobs, and the files that mark unfinished ones."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import DIGIT

from gan_serve.errors import Failure
from gan_serve.formats import Output
from gan_serve.jobs.job import Job, job_file, unfinished_seed
from gan_serve.provenance import parse_provenance
from gan_serve.request import make_request

WORD = st.integers(0, 2**64 - 1)


def job_at(path: Path, seed: int = 7, *, folder: bool = True) -> Job:
    request = make_request(DIGIT, {}, seed=seed, count=3)
    return Job(DIGIT, "0" * 64, request, Output(path, "png", folder=folder))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("job")


def test_the_job_file_is_hidden_in_the_folder_or_beside_the_file(tmp_path: Path) -> None:
    assert job_file(job_at(tmp_path).output) == tmp_path / ".gan-serve-job.json"
    assert job_file(job_at(tmp_path / "a.npy", folder=False).output) == tmp_path / ".a.npy.job.json"


@settings(max_examples=30)
@given(seed=WORD, share=st.floats(0, 1))
def test_a_job_is_resumed_from_its_whole_file_and_starts_again_from_a_part(
    folder: Path, seed: int, share: float
) -> None:
    job = job_at(folder, seed)
    content = job.to_json()
    part = content[: int(share * len(content))]
    job_file(job.output).write_text(part)
    assert job.is_resumed() == (part == content)
    job_file(job.output).write_text(content)
    assert job.is_resumed()
    assert unfinished_seed(job.output) == seed


def test_another_job_is_not_resumed(tmp_path: Path) -> None:
    job = job_at(tmp_path)
    job_file(job.output).write_text(job.to_json())
    for other in (job_at(tmp_path, seed=8), replace(job, scale=2), replace(job, sha256="1" * 64)):
        with pytest.raises(Failure, match="another unfinished job"):
            other.is_resumed()


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"provenance": {"seed": "7"}}', '{"provenance": 1}'])
def test_a_damaged_job_file_has_no_seed(tmp_path: Path, content: str) -> None:
    output = job_at(tmp_path).output
    assert unfinished_seed(output) is None
    job_file(output).write_text(content)
    assert unfinished_seed(output) is None


@given(seed=WORD, place=st.integers(0, 2))
def test_the_provenance_of_an_image_has_its_index_and_sampled_label(seed: int, place: int) -> None:
    job = job_at(Path("folder"), seed)
    item = job.item(place)
    provenance = parse_provenance(job.provenance(item).to_json(), "a file")
    assert (provenance.seed, provenance.index, provenance.count) == (seed, place, 1)
    assert provenance.inputs == (item.inputs,)
    assert item.inputs["label"] in range(10)
