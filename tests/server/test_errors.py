"""Invalid requests get the same clear reason in every front end, and never count as errors of the server."""

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


def black_png(side: int) -> bytes:
    """Return a black square image in a few kilobytes."""
    buffer = io.BytesIO()
    PILImage.new("1", (side, side)).save(buffer, "png")
    return buffer.getvalue()


@dataclass(frozen=True)
class Wrong:
    """An invalid request: fields as in JSON, images by the name of their input, and the expected reason."""

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


def error_of(answer: requests.Response) -> str:
    assert answer.status_code == 400, answer.text
    message = str(answer.json()["error"])
    assert "\n" not in message
    return message


def by_query(server: Server, wrong: Wrong) -> str:
    """Send the fields in the query, and the first image as the whole body."""
    path, query = f"/v1/models/{wrong.model}/generate", {name: str(value) for name, value in wrong.fields.items()}
    if not wrong.images:
        return error_of(server.get(path, params=query))
    return error_of(server.post(path, params=query, data=wrong.images["image"][0], headers={"Content-Type": "image/x"}))


def by_json(server: Server, wrong: Wrong) -> str:
    return error_of(server.generate(wrong.model, json=in_base64(wrong)))


def by_form(server: Server, wrong: Wrong) -> str:
    parts: list[Any] = [(name, (f"{name}.png", each)) for name, contents in wrong.images.items() for each in contents]
    parts += [(name, (None, str(value))) for name, value in wrong.fields.items()]
    return error_of(server.generate(wrong.model, files=parts))


def by_demo(server: Server, wrong: Wrong) -> str:
    call = {"data": [wrong.model, in_base64(wrong), None, 1]}
    return error_of(server.post("/gradio_api/run/generate", json=call))


def in_base64(wrong: Wrong) -> dict[str, Any]:
    return wrong.fields | {
        name: [b64encode(each).decode() for each in contents] for name, contents in wrong.images.items()
    }


BAD_IMAGES = {
    "truncated": (png(60, 60)[:-40], "damaged"),
    "truncated in its header": (png()[:20], "not an image of type PNG"),
    "text": (b"no image <b>at all</b>", "not an image of type PNG"),
    "too large": (black_png(8500), "8500x8500 pixels; more than the 64 megapixels"),
    "a decompression bomb": (black_png(14_000), "more than the 64 megapixels"),
}
# The same files as an image of any size, as an image that is resized for the network, and as a mask.
BAD = (
    {f"an image, {kind}": Wrong("enlarger", {}, why, {"image": [bad]}) for kind, (bad, why) in BAD_IMAGES.items()}
    | {f"resized, {kind}": Wrong("classifier", {}, why, {"image": [bad]}) for kind, (bad, why) in BAD_IMAGES.items()}
    | {
        f"a mask, {kind}": Wrong("mender", {}, why, {"image": [png()], "hole": [bad]})
        for kind, (bad, why) in BAD_IMAGES.items()
    }
)
CASES = REFUSED | BAD
WAYS: list[Callable[[Server, Wrong], str]] = [by_query, by_json, by_form, by_demo]


@pytest.fixture(scope="module", autouse=True)
def _no_server_errors(demo: Server) -> Iterator[None]:
    """Neither the log nor the metrics may blame the server for any of these requests."""
    yield
    levels = {json.loads(line)["level"] for line in demo.lines if line.startswith("{")}
    assert levels <= {"info"}
    assert not any("Traceback" in line for line in demo.lines)
    assert not re.search(r'code="500"', demo.get("/metrics").text)


@pytest.mark.parametrize("wrong", CASES.values(), ids=CASES.keys())
@pytest.mark.parametrize("way", WAYS, ids=[way.__name__ for way in WAYS])
def test_the_server_gives_the_reason(demo: Server, way: Callable[[Server, Wrong], str], wrong: Wrong) -> None:
    # A whole body holds one image, so that the mask is missing.
    reason = "mender needs hole" if way is by_query and wrong.model == "mender" else wrong.reason
    assert reason in way(demo, wrong)


@pytest.mark.parametrize("wrong", CASES.values(), ids=CASES.keys())
def test_python_and_the_command_line_give_the_same_reason(
    run: Run, shown_models: Path, monkeypatch: pytest.MonkeyPatch, wrong: Wrong
) -> None:
    monkeypatch.setenv("GAN_SERVE_MODELS", str(shown_models))
    files: dict[str, list[str]] = {}
    for name, contents in wrong.images.items():
        files[name] = [f"{name}{number}.png" for number in range(len(contents))]
        for file, content in zip(files[name], contents, strict=True):
            Path(file).write_bytes(content)
    with pytest.raises(GanServeError, match=re.escape(wrong.reason)):
        gan_serve.load(wrong.model).generate(**wrong.fields, **files)
    words = [f"--{name.replace('_', '-')}={value}" for name, value in wrong.fields.items()]
    words += [f"--{name}={file}" for name, paths in files.items() for file in paths]
    outcome = run("generate", "--model", wrong.model, *words)
    assert (outcome.code in (1, 2), outcome.out) == (True, "")
    assert re.fullmatch(rf"error: .*{re.escape(wrong.reason).replace('_', '[_-]')}.*\n", outcome.error), outcome.error


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        ([1, 3, 1, 8200], "multiples of 2"),
        ([1, 3, 2, 8200], "may be up to 32; use /v1/models/enlarger/generate for"),
    ],
)
def test_the_inference_protocol_gives_the_reason(demo: Server, shape: list[int], reason: str) -> None:
    tensor = {"name": "image", "datatype": "FP32", "shape": shape, "data": [0] * (3 * shape[2] * shape[3])}
    assert reason in error_of(demo.post("/v2/models/enlarger/infer", json={"inputs": [tensor]}))


@pytest.mark.parametrize("content", [bad for bad, _ in BAD_IMAGES.values()], ids=BAD_IMAGES.keys())
def test_the_inference_protocol_takes_numbers_and_no_image_files(demo: Server, content: bytes) -> None:
    """An image file is rejected both as a string and as binary data, whose length does not match the shape."""
    text = {"name": "image", "datatype": "BYTES", "shape": [1, 3, 8, 8], "data": [b64encode(content).decode()]}
    answer = demo.post("/v2/models/enlarger/infer", json={"inputs": [text]})
    assert error_of(answer) == "the datatype of image must be FP32"
    size = {"binary_data_size": len(content)}
    head = json.dumps({"inputs": [{**text, "datatype": "FP32", "data": None, "parameters": size}]}).encode()
    headers = {"Inference-Header-Content-Length": str(len(head))}
    answer = demo.post("/v2/models/enlarger/infer", data=head + content, headers=headers)
    assert error_of(answer) == "binary_data_size of image must be 768, by its shape"


@pytest.mark.parametrize("way", WAYS, ids=[way.__name__ for way in WAYS])
def test_the_servers_limit_on_pixels_holds_in_every_front_end(
    demo: Server, way: Callable[[Server, Wrong], str]
) -> None:
    large = Wrong("classifier", {}, "", {"image": [black_png(700)]})
    assert "700x700 pixels; send up to 400000 in total" in way(demo, large)


@pytest.mark.parametrize(
    ("endpoint", "values", "status", "reason"),
    [
        ("generate", [3, {}, None, 1], 400, "the model must be a string"),
        ("generate", ["digits", [1], None, 1], 400, "the inputs must be an object"),
        ("generate", ["digits"], 400, "didn't receive enough input values (needed: 4, got: 1)"),
        ("generate", ["digits", {"scale": 2}, None, 1], 400, "the demo takes no scale; use /v1/models/digits/generate"),
        ("generate", ["digit", {}, None, 1], 404, "no model 'digit' (did you mean digits?)"),
        ("walk", ["digits", 1, -2, 4, None], 400, "walk_to -2 is not an integer from 0"),
        ("absent", [], 404, "no such function; reload the page"),
    ],
)
def test_the_demo_gives_the_reason_for_an_invalid_call(
    demo: Server, endpoint: str, values: list[object], status: int, reason: str
) -> None:
    answer = demo.post(f"/gradio_api/run/{endpoint}", json={"data": values})
    assert (answer.status_code, reason in answer.json()["error"]) == (status, True), answer.text


def test_the_page_gives_the_reason_for_an_invalid_seed(visit: Callable[..., Page]) -> None:
    page = visit("?model=digits&seed=5&count=2")
    expect(page.locator("#gs-images img")).to_have_count(2)
    seed, alert = page.locator("#gs-seed input"), page.locator("#gs-images [role=alert]")
    for value, reason in (("-5", "seed -5 is not an integer from 0 to 9007199254740991"), ("", "the seed is empty")):
        seed.fill(value)
        seed.press("Tab")
        expect(alert).to_contain_text(reason)
    expect(page.get_by_text("Error", exact=True)).to_have_count(0)
    seed.fill("6")
    seed.press("Tab")
    expect(page.locator("#gs-images img")).to_have_count(2)
