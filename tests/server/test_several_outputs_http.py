"""Models with images and numbers over HTTP, and as the demo shows them."""

import base64
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from command_line import Run
from PIL import Image as PILImage
from server_process import Server

import gan_serve
from gan_serve.demo.rendering import data_url, show_numbers, show_others, show_result
from gan_serve.result import Result

SCAN = np.random.RandomState(0).randint(256, size=(8, 8), dtype=np.uint8)


@pytest.fixture
def scan(run: Run) -> Path:
    """An image in the current folder."""
    PILImage.fromarray(SCAN).save("scan.png")
    return Path("scan.png")


@pytest.fixture(scope="module")
def result(models: Path) -> Result:
    return gan_serve.load("inspector", models=models).generate(image=SCAN, descent=[2, 5])


def test_a_single_image_is_the_first_and_a_header_holds_the_numbers(server: Server, run: Run, scan: Path) -> None:
    run("generate", "--model", "inspector", "--image", scan, "--output", "x.png")
    answer = server.generate(
        "inspector", files={"image": ("scan.png", scan.read_bytes())}, headers={"Accept": "image/png"}
    )
    assert (answer.status_code, answer.content) == (200, Path("x.png").read_bytes())
    numbers = json.loads(answer.headers["Gan-Serve-Numbers"])
    assert numbers == {"score": pytest.approx(SCAN.max() / 127.5 + 9)}
    made = server.get("/v1/models/apart/generate?seed=1")
    assert json.loads(made.headers["Gan-Serve-Numbers"]).keys() == {"brightest"}
    assert "Gan-Serve-Numbers" not in server.get("/v1/models/digits/generate?seed=1").headers
    assert "Gan-Serve-Numbers" not in server.get("/v1/models/apart/generate?seed=1&count=4&grid=true").headers


def test_a_zip_holds_all_images_and_the_numbers(server: Server, run: Run) -> None:
    run("generate", "--model", "apart", "--count", 2, "--seed", 1, "--output", "x/")
    run("generate", "--model", "apart", "--count", 2, "--seed", 1, "--output", "x/", "--format", "json")
    answer = server.generate("apart", json={"count": 2, "seed": 1})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        sent = {name: archive.read(name) for name in archive.namelist()}
    assert sent == {path.name: path.read_bytes() for path in Path("x").iterdir()}
    assert len(sent) == 6


def test_json_holds_all_images_and_the_numbers(server: Server, scan: Path) -> None:
    fields = {"image": base64.b64encode(scan.read_bytes()).decode(), "format": "json"}
    (answer,) = server.generate("inspector", json=fields).json()["answers"]
    np.testing.assert_array_equal(decoded(answer["png"]), 255 - SCAN)
    assert answer["values"]["score"] == pytest.approx(SCAN.max() / 127.5 + 9)
    assert {name: decoded(each).shape for name, each in answer["others"].items()} == {"heat": (2, 2)}


def decoded(text: str) -> np.ndarray:
    return np.asarray(PILImage.open(io.BytesIO(base64.b64decode(text))))


def test_numbers_alone_are_lines(server: Server, run: Run) -> None:
    lines = run("generate", "--model", "apart", "--count", 3, "--seed", 1, "--format", "jsonl").out
    accept = {"Accept": "application/x-ndjson"}
    assert server.generate("apart", json={"count": 3, "seed": 1}, headers=accept).text == lines
    assert server.get("/v1/models/apart/generate?seed=1&format=jsonl").text == lines.splitlines(keepends=True)[0]


def test_pixels_of_all_images_count(server: Server) -> None:
    answer = server.generate("apart", json={"count": 16, "scale": 10, "seed": 1})
    assert answer.status_code == 400
    assert "108800 pixels are too many" in answer.json()["error"]  # 16 times 64 + 4, enlarged


def test_openapi_names_the_header_and_the_formats(server: Server) -> None:
    paths = server.get("/openapi.json").json()["paths"]
    answer = paths["/v1/models/apart/generate"]["get"]["responses"]["200"]
    assert "brightest" in answer["headers"]["Gan-Serve-Numbers"]["description"]
    assert {"image/png", "application/json", "application/x-ndjson", "application/zip"} <= answer["content"].keys()
    assert "headers" not in paths["/v1/models/digits/generate"]["get"]["responses"]["200"]


def test_the_protocol_returns_every_output(server: Server) -> None:
    tensor = {"name": "latent", "datatype": "FP32", "shape": [2, 16], "data": [0.5] * 32}
    outputs = server.post("/v2/models/apart/infer", json={"inputs": [tensor]}).json()["outputs"]
    assert {each["name"]: each["shape"] for each in outputs} == {
        "brightest": [2], "image": [2, 1, 8, 8], "heat": [2, 1, 2, 2],
    }  # fmt: skip


def test_the_demo_shows_all_images_with_the_numbers_below(result: Result) -> None:
    page = show_result(result)
    for name in (None, "heat"):
        for content in result.drawing(name).encode_each("png", 1):
            assert page.count(data_url(content)) == 1
    assert page.count('alt="heat"') == 2
    for descent in (2, 5):
        assert f"{descent}, score {SCAN.max() / 127.5 - 1 + descent:.4g}</figcaption>" in page
    assert "score" in show_numbers(result)
    assert "<figcaption>heat</figcaption>" in show_others(result)
