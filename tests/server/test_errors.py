"""What the core refuses is the caller's mistake in every front end: never the server's, and never without a reason."""

import io
import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from command_line import Run
from PIL import Image as PILImage
from playwright.sync_api import Page, expect
from server_process import Server

import gan_serve
from gan_serve.errors import GanServeError


def png(width: int = 8, height: int = 8) -> bytes:
    buffer = io.BytesIO()
    PILImage.new("RGB", (width, height)).save(buffer, "png")
    return buffer.getvalue()


@dataclass(frozen=True)
class Wrong:
    """A request that the core refuses: fields as JSON has them, images by the name of their input, and the reason."""

    model: str
    fields: dict[str, Any]
    reason: str
    images: dict[str, list[bytes]] = field(default_factory=dict)


REFUSED = {
    "too tall an answer": Wrong("enlarger", {}, "the limit is 16383 a side", {"image": [png(1, 8200)]}),
    "a damaged image": Wrong("mender", {}, "damaged", {"image": [png(60, 60)[:60]], "hole": [png()]}),
    "no image": Wrong("enlarger", {}, "not an image of type PNG", {"image": [b"text"]}),
    "a missing mask": Wrong("mender", {}, "mender needs hole", {"image": [png()]}),
    "masks of another count": Wrong(
        "mender", {}, "there are 3 of image and 2 of hole", {"image": [png()] * 3, "hole": [png()] * 2}
    ),
    "a count of the same": Wrong("enlarger", {"count": 2}, "enlarger is deterministic", {"image": [png()]}),
    "a seed below 0": Wrong("digits", {"seed": -5}, "seed -5 is not an integer from 0 to 18446744073709551615"),
    "a seed too large": Wrong("digits", {"seed": 2**64}, "is not an integer from 0 to 18446744073709551615"),
    "an index below 0": Wrong("digits", {"index": -1}, "index -1 is not an integer from 0"),
    "a count of 0": Wrong("digits", {"count": 0}, "count 0 is not an integer from 1"),
    "a class that does not exist": Wrong("digits", {"label": 10}, "does not exist; use 0-9"),
    "a number out of range": Wrong("styled", {"slant": 2}, "is not a number from -1 to 1"),
    "a walk and a mixture": Wrong("styled", {"walk_to": 1, "mix_with": 2, "mix": "latent"}, "leave out one of them"),
    "steps of no walk": Wrong("styled", {"steps": 3}, "steps needs a walk; give walk_to"),
    "a step beyond the walk": Wrong("styled", {"walk_to": 1, "steps": 3, "step": 3}, "step 3 is not an integer from 0"),
    "a walk with a count": Wrong("styled", {"walk_to": 1, "count": 3}, "a walk has one image per step"),
    "a mixture of nothing": Wrong("styled", {"mix_with": 1}, "mix must name the latents to take from seed 1"),
    "a latent that does not exist": Wrong("styled", {"mix_with": 1, "mix": "third"}, "styled has no latent 'third'"),
    "a walk without noise": Wrong("classifier", {"walk_to": 1}, "classifier has no noise input", {"image": [png()]}),
}


def refused(answer: requests.Response) -> str:
    assert answer.status_code == 400, answer.text
    return str(answer.json()["error"])


def by_query(server: Server, wrong: Wrong) -> str:
    """With an image that is the whole body, where there is one."""
    path, query = f"/v1/models/{wrong.model}/generate", {name: str(value) for name, value in wrong.fields.items()}
    if not wrong.images:
        return refused(server.get(path, params=query))
    return refused(server.post(path, params=query, data=wrong.images["image"][0], headers={"Content-Type": "image/x"}))


def by_json(server: Server, wrong: Wrong) -> str:
    return refused(server.generate(wrong.model, json=in_base64(wrong)))


def by_form(server: Server, wrong: Wrong) -> str:
    parts: list[Any] = [(name, (f"{name}.png", each)) for name, given in wrong.images.items() for each in given]
    parts += [(name, (None, str(value))) for name, value in wrong.fields.items()]
    return refused(server.generate(wrong.model, files=parts))


def by_demo(server: Server, wrong: Wrong) -> str:
    called = {"data": [wrong.model, in_base64(wrong), None, 1]}
    return refused(server.post("/gradio_api/run/generate", json=called))


def in_base64(wrong: Wrong) -> dict[str, Any]:
    return wrong.fields | {name: [b64encode(each).decode() for each in given] for name, given in wrong.images.items()}


WAYS: list[Callable[[Server, Wrong], str]] = [by_query, by_json, by_form, by_demo]


@pytest.fixture(scope="module", autouse=True)
def _blameless(demo: Server) -> Iterator[None]:
    """None of this is the server's fault: neither its log nor its metrics may say so."""
    yield
    levels = {json.loads(line)["level"] for line in demo.lines if line.startswith("{")}
    assert levels <= {"info"}
    assert not any("Traceback" in line for line in demo.lines)
    assert not re.search(r'code="500"', demo.get("/metrics").text)


@pytest.mark.parametrize("wrong", REFUSED.values(), ids=REFUSED.keys())
@pytest.mark.parametrize("way", WAYS, ids=[way.__name__ for way in WAYS])
def test_the_server_refuses_with_the_reason(demo: Server, way: Callable[[Server, Wrong], str], wrong: Wrong) -> None:
    # A body holds one image, and no mask beside it.
    reason = "mender needs hole" if way is by_query and wrong.model == "mender" else wrong.reason
    assert reason in way(demo, wrong)


@pytest.mark.parametrize("wrong", REFUSED.values(), ids=REFUSED.keys())
def test_python_and_the_command_line_refuse_with_the_same_reason(
    run: Run, shown_models: Path, monkeypatch: pytest.MonkeyPatch, wrong: Wrong
) -> None:
    monkeypatch.setenv("GAN_SERVE_MODELS", str(shown_models))
    files: dict[str, list[str]] = {}
    for name, given in wrong.images.items():
        files[name] = [f"{name}{number}.png" for number in range(len(given))]
        for file, content in zip(files[name], given, strict=True):
            Path(file).write_bytes(content)
    with pytest.raises(GanServeError, match=re.escape(wrong.reason)):
        gan_serve.load(wrong.model).generate(**wrong.fields, **files)
    words = [f"--{name.replace('_', '-')}={value}" for name, value in wrong.fields.items()]
    words += [f"--{name}={file}" for name, given in files.items() for file in given]
    outcome = run("generate", "--model", wrong.model, *words)
    assert (outcome.code in (1, 2), outcome.out) == (True, "")
    assert re.fullmatch(rf"error: .*{re.escape(wrong.reason).replace('_', '[_-]')}.*\n", outcome.error), outcome.error


@pytest.mark.parametrize(
    ("shape", "reason"),
    [([1, 3, 1, 8200], "multiples of 2"), ([1, 3, 2, 8200], "height and width may be up to 32; /v1/models/enlarger")],
)
def test_the_inference_protocol_refuses_with_the_reason(demo: Server, shape: list[int], reason: str) -> None:
    tensor = {"name": "image", "datatype": "FP32", "shape": shape, "data": [0] * (3 * shape[2] * shape[3])}
    assert reason in refused(demo.post("/v2/models/enlarger/infer", json={"inputs": [tensor]}))


@pytest.mark.parametrize(
    ("endpoint", "values", "status", "reason"),
    [
        ("generate", [3, {}, None, 1], 400, "the model must be a text"),
        ("generate", ["digits", [1], None, 1], 400, "the inputs must be an object"),
        ("generate", ["digits"], 400, "didn't receive enough input values (needed: 4, got: 1)"),
        ("generate", ["digits", {"scale": 2}, None, 1], 400, "the demo takes no scale; use /v1/models/digits/generate"),
        ("generate", ["digit", {}, None, 1], 404, "no model 'digit' (did you mean digits?)"),
        ("walk", ["digits", 1, -2, 4, None], 400, "walk_to -2 is not an integer from 0"),
        ("absent", [], 404, "there is no such function; load the page again"),
    ],
)
def test_the_demo_refuses_a_call_that_is_none(
    demo: Server, endpoint: str, values: list[object], status: int, reason: str
) -> None:
    answer = demo.post(f"/gradio_api/run/{endpoint}", json={"data": values})
    assert (answer.status_code, reason in answer.json()["error"]) == (status, True), answer.text


def test_the_page_says_what_is_wrong_with_a_seed(visit: Callable[..., Page]) -> None:
    page = visit("?model=digits&seed=5&count=2")
    expect(page.locator("#gs-images img")).to_have_count(2)
    seed, told = page.locator("#gs-seed input"), page.locator("#gs-images [role=alert]")
    for given, reason in (("-5", "seed -5 is not an integer from 0 to 9007199254740991"), ("", "the seed is empty")):
        seed.fill(given)
        seed.press("Tab")
        expect(told).to_contain_text(reason)
    expect(page.get_by_text("Error", exact=True)).to_have_count(0)
    seed.fill("6")
    seed.press("Tab")
    expect(page.locator("#gs-images img")).to_have_count(2)
