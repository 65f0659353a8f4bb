"""A new kind of output is a file for the kind, a file for its medium, and its name in one list."""

import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PILImage

TESTS = Path(__file__).parent
LIST = re.compile(r"^OutputTensor = .*$", re.MULTILINE)


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a copy of gan_serve with a kind of its own answers on all front ends."""
    root = tmp_path_factory.mktemp("new_output")
    shutil.copytree(TESTS.parent / "gan_serve", root / "gan_serve", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(TESTS / "new_output" / "curve.py", root / "gan_serve" / "tensors" / "curve.py")
    shutil.copy(TESTS / "new_output" / "curves.py", root / "gan_serve" / "media" / "curves.py")
    kinds = root / "gan_serve" / "tensors" / "__init__.py"
    lines, changed = LIST.subn(r"from gan_serve.tensors.curve import Curve\n\n\g<0> | Curve", kinds.read_text())
    assert changed == 1
    kinds.write_text(lines)
    path = os.pathsep.join(map(str, (root, TESTS)))
    done = subprocess.run(
        [sys.executable, TESTS / "new_output" / "serve_curves.py"],
        cwd=root, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answers: dict[str, Any] = json.loads(done.stdout)
    return answers


def opened(text: str) -> PILImage.Image:
    return PILImage.open(io.BytesIO(text.encode("latin-1")))


def test_python_draws_it(answers: dict[str, Any]) -> None:
    made = answers["python"]
    assert (made["size"], made["mode"], made["array"], made["grid"]) == ([40, 32], "RGB", [3, 40], [80, 64])
    assert made["column"][1] == round((1 - made["first"]) / 2 * 31)
    assert made["saved"] == [f"wave-seed1-index{place:05}.csv" for place in range(3)]


def test_the_command_line_writes_its_formats_and_makes_them_again(answers: dict[str, Any]) -> None:
    made = answers["cli"]
    written = ("usual", "csv", "plain", "again", "stdout", "folder", "grid", "array", "gif", "numbers")
    assert {name: made[name]["code"] for name in written} == dict.fromkeys(written, 0)
    assert made["usual"]["out"] == "wave-seed1.csv\n"
    head, *numbers, end = made["stdout"]["out"].split("\n")
    assert json.loads(head.removeprefix("# gan_serve "))["model"] == "wave"
    assert np.float32(numbers[0]) == np.float32(answers["python"]["first"])
    assert (len(numbers), end) == (40, "")
    assert len(made["reproduced"]) == 8
    assert set(made["reproduced"].values()) == {"identical\n"}
    assert made["folder"]["error"].count("wave-seed1-index0000") == 3
    assert [list(json.loads(line)) for line in made["numbers"]["out"].splitlines()] == [["highest"]] * 3


def test_the_command_line_refuses_what_does_not_fit(answers: dict[str, Any]) -> None:
    made = answers["cli"]
    assert "3 images do not fit into many.csv; make a grid" in made["too many"]["error"]
    assert "csv holds numbers, and a grid is an image; leave out one of them" in made["no grid"]["error"]
    assert "curves cannot be written as .bmp; use .csv, .png," in made["other"]["error"]
    assert "differs from changed.csv: 1 of 40 values" in made["changed"]["error"]
    assert re.search(r"error: cut\.csv: damaged \(.*\)\n$", made["cut"]["error"])
    assert [made[name]["code"] for name in ("too many", "no grid", "other", "changed", "cut")] == [2, 2, 2, 1, 1]


def test_lists_describe_it(answers: dict[str, Any]) -> None:
    assert "curve of 40 points, highest" in answers["cli"]["list"]["out"]
    assert "curve: curve of 40 points\n" in answers["cli"]["info"]["out"]


def test_the_server_offers_its_formats(answers: dict[str, Any]) -> None:
    got = answers["http"]
    assert {each["status"] for each in got.values()} == {200}
    types = {name: each["headers"]["content-type"].partition(";")[0] for name, each in got.items()}
    assert (types["usual"], types["accept csv"], types["accept png"]) == ("text/csv", "text/csv", "image/png")
    assert (types["format"], types["grid"], types["zip"]) == ("image/webp", "image/png", "application/zip")
    assert got["usual"]["body"] == answers["cli"]["stdout"]["out"]
    assert opened(got["accept png"]["body"]).size == (40, 32)
    assert "highest" in json.loads(got["usual"]["headers"]["gan-serve-numbers"])
    (answer,) = json.loads(got["json"]["body"])["answers"]
    assert {*answer} == {"index", "values", "png"}
    route = json.loads(got["openapi"]["body"])["paths"]["/v1/models/wave/generate"]["get"]
    assert list(route["responses"]["200"]["content"])[:2] == ["text/csv", "image/png"]
    names = zipfile.ZipFile(io.BytesIO(got["zip"]["body"].encode("latin-1"))).namelist()
    assert sorted(names)[:2] == ["wave-seed1-index00000.csv", "wave-seed1-index00000.json"]


def test_clients_of_the_protocol_get_its_array(answers: dict[str, Any]) -> None:
    described = json.loads(answers["http"]["metadata"]["body"])["outputs"]
    assert described[0] == {"name": "curve", "datatype": "FP32", "shape": [-1, 40]}
    assert len(json.loads(answers["http"]["v2"]["body"])["outputs"][0]["data"]) == 40


def test_the_demo_shows_it_in_the_format_of_its_medium(answers: dict[str, Any]) -> None:
    page = answers["python"]["demo"]
    assert page.count("data:image/webp;base64,") == 3
    assert page.count("<figcaption>highest ") == 3
