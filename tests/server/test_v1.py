"""The plain API returns the bytes that the command line writes."""

import base64
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from command_line import Run
from jsonschema import Draft202012Validator
from PIL import Image as PILImage
from server_process import Server

NOISE = np.random.RandomState(0).randint(256, size=(8, 6, 3), dtype=np.uint8)


def png() -> bytes:
    buffer = io.BytesIO()
    PILImage.fromarray(NOISE).save(buffer, "png")
    return buffer.getvalue()


WHOLE, DAMAGED = (base64.b64encode(content).decode() for content in (png(), png()[:-80]))


@pytest.fixture
def image(run: Run) -> Path:
    """An image in the current folder."""
    PILImage.fromarray(NOISE).save("in.png")
    return Path("in.png")


@pytest.mark.parametrize("format", ["png", "webp", "jpeg", "npy"])
def test_get_returns_the_bytes_of_the_command_line(server: Server, run: Run, format: str) -> None:
    run("generate", "--model", "digits", "--label", "3", "--seed", 7, "--format", format, "--output", f"x.{format}")
    answer = server.get(f"/v1/models/digits/generate?label=3&seed=7&format={format}")
    assert (answer.status_code, answer.content) == (200, Path(f"x.{format}").read_bytes())
    assert answer.headers["content-type"] == f"{'application/x-' if format == 'npy' else 'image/'}{format}"


@pytest.mark.parametrize(
    ("model", "fields", "arguments"),
    [
        ("digits", {"label": ["three", 7], "count": 4, "seed": 1, "grid": True, "scale": 2}, "--label 3,7 --count 4"),
        ("digits", {"label": "0-9", "seed": 1, "grid": True, "scale": 2, "format": "png"}, "--label 0-9"),
        ("turned-grey", {"tilt_angle": 0.25, "index": 5, "seed": 1, "scale": 2}, "--tilt-angle 0.25 --index 5"),
        ("turned", {"seed": 1, "scale": 2}, ""),
    ],
)
def test_post_returns_the_bytes_of_the_command_line(
    server: Server, run: Run, model: str, fields: dict[str, Any], arguments: str
) -> None:
    grid = ["--grid"] if fields.get("grid") else []
    command = ["generate", "--model", model, *arguments.split(), *grid, "--scale", 2, "--seed", 1]
    assert run(*command, "--output", "x.png").code == 0
    answer = server.generate(model, json=fields)
    assert (answer.status_code, answer.content) == (200, Path("x.png").read_bytes())


def test_several_images_are_a_zip_of_the_command_lines_files(server: Server, run: Run) -> None:
    run("generate", "--model", "digits", "--label", "1,5", "--count", 2, "--seed", 1, "--output", "x/")
    answer = server.generate("digits", json={"label": [1, 5], "count": 2, "seed": 1})
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        sent = {name: archive.read(name) for name in archive.namelist()}
        dates = {entry.date_time for entry in archive.infolist()}
    assert sent == {path.name: path.read_bytes() for path in Path("x").iterdir()}
    assert dates == {(1980, 1, 1, 0, 0, 0)}  # a constant, so that equal requests get equal bytes
    assert server.generate("digits", json={"label": [1, 5], "count": 2, "seed": 1}).content == answer.content


def test_json_holds_images_and_their_inputs(server: Server) -> None:
    answer = server.generate("digits", json={"count": 2, "seed": 5}, headers={"Accept": "application/json"}).json()
    assert (answer["model"], answer["version"], answer["seed"], answer["provider"]) == ("digits", 1, 5, "cpu")
    for index, each in enumerate(answer["answers"]):
        label = each["values"]["label"]
        alone = server.get(f"/v1/models/digits/generate?label={label}&seed=5&index={index}")
        assert base64.b64decode(each["png"]) == alone.content


@pytest.mark.parametrize("way", ["form", "json", "lines", "url"])
def test_an_image_is_sent_in_a_form_or_in_json(server: Server, run: Run, image: Path, way: str) -> None:
    encode = base64.encodebytes if way == "lines" else base64.b64encode
    encoded = encode(image.read_bytes()).decode()
    if way == "form":
        assert run("generate", "--model", "inverter", "--image", image, "--output", "x.png").code == 0
        answer = server.generate("inverter", files={"image": ("in.png", image.read_bytes())})
        assert answer.content == Path("x.png").read_bytes()
    else:
        answer = server.generate(
            "inverter", json={"image": f"data:image/png;base64,{encoded}" if way == "url" else encoded}
        )
    with PILImage.open(io.BytesIO(answer.content)) as inverse:
        np.testing.assert_array_equal(np.asarray(inverse), 255 - NOISE)


def test_a_classifier_returns_the_numbers_of_the_command_line(server: Server, run: Run, image: Path) -> None:
    numbers = run("generate", "--model", "classifier", "--image", image).out
    files = [("image", ("in.png", image.read_bytes()))]
    lines = server.generate("classifier", files=files, headers={"Accept": "application/x-ndjson"})
    assert lines.text == numbers
    both = server.generate("classifier", files=files * 2).json()
    assert [each["values"] for each in both["answers"]] == [json.loads(numbers)] * 2


def test_an_image_with_a_seed_can_be_cached(server: Server) -> None:
    path = "/v1/models/digits/generate?label=3&seed=7"
    first = server.get(path)
    assert first.headers["cache-control"] == "public, max-age=3600"
    known = {"If-None-Match": f'"other", {first.headers["etag"]}'}
    again = server.get(path, headers=known)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    for other in (
        f"{path}&index=1",
        f"{path}&scale=2",
        f"{path}&format=webp",
        path.replace("digits", "plain").replace("label=3&", ""),
    ):
        assert server.get(other, headers=known).status_code == 200
    drawn = server.get("/v1/models/digits/generate?label=3")
    assert (drawn.headers["cache-control"], "etag" in drawn.headers) == ("no-store", False)
    assert server.get(f"{path.replace('7', drawn.headers['gan-serve-seed'])}").content == drawn.content


def test_headers_name_the_model_the_seed_and_the_provider(server: Server) -> None:
    headers = server.get("/v1/models/digits/generate?seed=7").headers
    described = server.get("/v1/models/digits").json()
    assert (headers["gan-serve-model"], headers["gan-serve-version"], headers["gan-serve-seed"]) == ("digits", "1", "7")
    assert (headers["gan-serve-sha256"], headers["gan-serve-provider"]) == (described["sha256"], "cpu")
    assert described["inputs"][1]["classes"][3] == "three"
    listed = server.get("/v1/models").json()["models"]
    assert [each["name"] for each in listed] == sorted(each["name"] for each in listed)
    assert described["sha256"] in [each["sha256"] for each in listed]


@pytest.mark.parametrize(
    ("accept", "count", "answered"),
    [
        ("image/avif,image/webp,image/*,*/*;q=0.8", 1, "image/png"),
        ("image/jpeg;q=0.5, image/png;q=0.9", 1, "image/png"),
        ("*/*", 2, "application/zip"),
        ("application/x-npy", 2, "application/x-npy"),
        ("application/*, application/zip;q=0", 2, "application/x-npy"),
        ("text/html", 1, None),
        ("image/png", 2, None),
        ("image/png;q=zero", 1, None),
    ],
)
def test_accept_decides_the_format(server: Server, accept: str, count: int, answered: str | None) -> None:
    answer = server.generate("plain", json={"count": count}, headers={"Accept": accept})
    if answered:
        assert (answer.status_code, answer.headers["content-type"]) == (200, answered)
    else:
        assert answer.status_code == 406
        assert "Accept allows none of this response's types; use" in answer.json()["error"]


def error_of(answer: requests.Response) -> str:
    """Return the message of an error. All errors have the same form and reveal nothing about the machine."""
    document = answer.json()
    assert set(document) == {"error", "request_id"}
    assert document["request_id"] == answer.headers["x-request-id"]
    assert not re.search(r"Traceback|File \"|/tmp|/root|site-packages|\.py\b", answer.text)
    return str(document["error"])


@pytest.mark.parametrize(
    ("model", "fields", "status", "message"),
    [
        ("digit", {}, 404, "no model 'digit' (did you mean digits?)"),
        ("../digits", {}, 404, "Not Found"),
        ("digits", {"version": 2}, 404, "digits has no version 2; use 1"),
        ("digits", {"version": None}, 400, "version 'None' is not a positive integer"),
        ("digits", {"version": True}, 400, "version 'True' is not a positive integer"),
        ("digits", {"version": 10**30}, 400, "is not a positive integer"),
        ("digits", {"label": 10}, 400, "label 10 does not exist; use 0-9"),
        ("digits", {"label": []}, 400, "label is an empty list"),
        ("digits", {"label": True}, 400, "label must be a number, text, or a list of them"),
        ("digits", {"label": [[3]]}, 400, "label must be a number"),
        ("digits", {"label": {"three": 3}}, 400, "label must be a number"),
        ("digits", {"label": "3" * 2000}, 400, "label has a value of 2000 characters; send up to 1000"),
        ("digits", {"label": ["3" * 200]}, 400, "label has a value of 200 characters; send up to 100"),
        ("digits", {"label": [3] * 17}, 400, "label has 17 values; send up to 16"),
        ("digits", {"label": "0-9", "count": 2}, 400, "20 images are too many for one request; ask for up to 16"),
        ("digits", {"count": 0}, 400, "count 0 is not an integer from 1"),
        ("digits", {"count": 10**30}, 400, "count"),
        ("digits", {"count": 2.0}, 400, "count is not an integer"),
        ("digits", {"seed": -1}, 400, "seed -1 is not an integer from 0"),
        ("digits", {"scale": 0}, 400, "scale 0 is not an integer from 1 to 16383"),
        ("digits", {"scale": 100}, 400, "640000 pixels are too many for one response; request up to 100000"),
        ("digits", {"grid": "perhaps"}, 400, "grid is not true or false"),
        ("digits", {"format": "gif"}, 400, "1 images cannot be sent as 'gif'; use png, webp, jpeg, npy, json, zip"),
        ("digits", {"format": "png", "count": 2}, 400, "2 images cannot be sent as 'png'; use zip, npy, json"),
        ("digits", {"format": ["png"]}, 400, "format is not a string"),
        ("digits", {"seed": None}, 400, "seed is null; give a value or leave it out"),
        ("digits", {"label": None}, 400, "label is null; give a value or leave it out"),
        ("digits", {"lable": 3}, 400, "digits has no input 'lable' (did you mean label?)"),
        ("turned", {"tilt_angle": 2}, 400, "tilt_angle 2 is not a number from -1 to 1"),
        ("turned", {"tilt_angle": 10**400}, 400, "is not a number from -1 to 1"),
        ("digits", {"scale": 10**4299}, 400, "is not an integer from 1 to 16383"),
        ("classifier", {"image": "/etc/passwd"}, 400, "image is not base64"),
        ("classifier", {"image": "no base64!"}, 400, "image is not base64"),
        ("classifier", {"image": "L2V0Yy9wYXNzd2Q="}, 400, "image: not an image"),
        ("classifier", {"image": 3}, 400, "image must be an image file in base64"),
        ("classifier", {"image": ["YQ=="] * 17}, 400, "17 images are too many"),
        ("inverter", {"image": "YQ==", "count": 2}, 400, "image: not an image"),
        ("inverter", {"image": DAMAGED}, 400, "image: damaged"),
        ("enlarger", {"image": DAMAGED}, 400, "image: damaged"),
        ("classifier", {"image": WHOLE, "grid": True}, 400, "classifier answers with numbers; leave out grid"),
        ("classifier", {"image": WHOLE, "scale": 2}, 400, "classifier answers with numbers; leave out scale"),
    ],
)
def test_an_invalid_request_gets_one_clear_line(
    server: Server, model: str, fields: dict[str, Any], status: int, message: str
) -> None:
    answer = server.generate(model, json=fields)
    assert answer.status_code == status, answer.text
    assert message in error_of(answer)


def test_a_missing_image_is_reported_without_terms_of_the_command_line(server: Server) -> None:
    assert error_of(server.generate("classifier")) == "classifier needs image: an image of any size (made 8x8 grey)"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("count=2", "GET returns one image, not 2; use POST, grid=true or format=gif"),
        ("label=3&label=4", "GET returns one image"),
        ("seed=x", "seed is not an integer"),
        ("seed=1&seed=2", "seed is not an integer"),
        ("version=0", "version '0' is not a positive integer"),
        ("label=%00", "does not exist"),
        ("label=%ff%fe", "does not exist"),
    ],
)
def test_an_invalid_query_gets_one_clear_line(server: Server, query: str, message: str) -> None:
    answer = server.get(f"/v1/models/digits/generate?{query}")
    assert answer.status_code == 400, answer.text
    assert message in error_of(answer)


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", {}, 400),
        (b"[]", {}, 400),
        (b"\xff", {}, 400),
        (b'{"seed": NaN}', {}, 400),
        (b'{"label": -Infinity}', {}, 400),
        (b'{"\\ud800": true}', {}, 400),
        (b'{"seed": 1e400}', {}, 400),
        (b'{"seed": ' + b"9" * 5000 + b"}", {}, 400),
        (b"[" * 100_000, {}, 400),
        (b'{"label": ' + b"[" * 900 + b"]" * 900 + b"}", {}, 400),
        (b"{}" + b" " * 300_000, {}, 413),
        (b"{}", {"Content-Type": "text/plain"}, 415),
        (b"{}", {"Content-Encoding": "gzip"}, 415),
        (b"--x", {"Content-Type": "multipart/form-data"}, 400),
        (b"--x\r\nfalse", {"Content-Type": "multipart/form-data; boundary=x"}, 400),
    ],
)
def test_an_invalid_body_is_rejected(server: Server, body: bytes, headers: dict[str, str], status: int) -> None:
    answer = server.generate("digits", data=body, headers={"Content-Type": "application/json"} | headers)
    assert answer.status_code == status, answer.text
    assert error_of(answer)


def test_a_body_without_a_length_is_limited_too(server: Server) -> None:
    answer = server.generate("digits", data=(b" " * 10_000 for _ in range(40)))
    assert answer.status_code == 413
    assert error_of(answer) == "the body is too large; send up to 300000 bytes"


def test_a_decompression_bomb_is_never_decoded(server: Server) -> None:
    buffer = io.BytesIO()
    PILImage.new("1", (8000, 8000)).save(buffer, "PNG")
    before = server.memory()
    for _ in range(20):
        answer = server.generate("inverter", files={"image": ("bomb.png", buffer.getvalue())})
        assert answer.status_code == 400
        assert error_of(answer) == "bomb.png: 8000x8000 pixels; send up to 100000 in total"
    assert server.memory() - before < 50e6


def test_a_request_id_is_in_the_response_and_in_the_log(server: Server) -> None:
    answer = server.get("/v1/models/absent", headers={"X-Request-ID": "mine-1"})
    assert answer.json()["request_id"] == "mine-1"
    assert server.get("/v1/models", headers={"X-Request-ID": 'x"\\{'}).headers["x-request-id"] != 'x"\\{'
    (record,) = [each for each in server.logged("request") if each["request_id"] == "mine-1"]
    assert (record["method"], record["path"], record["status"]) == ("GET", "/v1/models/absent", 404)


def test_openapi_describes_every_model(server: Server) -> None:
    document = server.get("/openapi.json").json()
    get = document["paths"]["/v1/models/digits/generate"]["get"]
    parameters = {each["name"]: each for each in get["parameters"]}
    assert parameters["label"]["schema"]["anyOf"][0]["enum"][3] == "three"
    assert parameters["label"]["example"] == "zero"
    assert parameters["count"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 16, "default": 1} | {
        "description": "Images for each value of a list."
    }
    turned = document["paths"]["/v1/models/turned-grey/generate"]["post"]["requestBody"]["content"]["application/json"]
    angle = turned["schema"]["properties"]["tilt_angle"]["anyOf"][0]
    assert angle == {"type": "number", "minimum": -1, "maximum": 1, "default": 0.5}
    classifier = document["paths"]["/v1/models/classifier/generate"]
    assert set(classifier) == {"post"}
    content = classifier["post"]["requestBody"]["content"]
    assert set(content) == {"multipart/form-data", "application/json", "image/png"}
    assert not any(each["schema"].get("additionalProperties") for each in content.values())
    assert set(document["paths"]["/v1/models/mender/generate"]["post"]["requestBody"]["content"]) == set(content) - {
        "image/png"
    }
    assert "swagger" in server.get("/docs").text


@pytest.mark.parametrize(
    ("options", "allowed"),
    [
        ({"walk_to": 1, "steps": 3, "step": 2, "count": 1}, True),
        ({"mix_with": 1, "mix": "latent", "mix_index": 2, "count": 2}, True),
        ({"walk_to": 1, "mix_with": 2, "mix": "latent"}, False),
        ({"walk_to": 1, "count": 2}, False),
        ({"steps": 3}, False),
        ({"step": 0}, False),
        ({"mix": "latent"}, False),
        ({"mix_with": 1}, False),
        ({"mix_index": 1}, False),
        ({"nonsense": None}, False),
    ],
)
def test_the_schema_allows_the_options_that_the_server_accepts(
    server: Server, options: dict[str, Any], allowed: bool
) -> None:
    post = server.get("/openapi.json").json()["paths"]["/v1/models/digits/generate"]["post"]
    validator = Draft202012Validator(post["requestBody"]["content"]["application/json"]["schema"])
    assert validator.is_valid(options) is allowed
    assert server.generate("digits", json=options).status_code == (200 if allowed else 400)


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/v1/models", "GET, HEAD, OPTIONS"),
        ("/v1/models/digits/generate", "GET, HEAD, POST, OPTIONS"),
        ("/v1/models/inverter/generate", "POST, OPTIONS"),
        ("/v2/models/digits/infer", "POST, OPTIONS"),
        ("/v2/repository/index", "POST, OPTIONS"),
    ],
)
def test_a_method_that_is_not_allowed_gets_those_that_are(server: Server, path: str, methods: str) -> None:
    for method in {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "TRACE"} - set(methods.split(", ")):
        answer = requests.request(method, server.url + path, timeout=60)
        assert (answer.status_code, answer.headers["allow"]) == (405, methods), method
        if method != "HEAD":
            assert error_of(answer) == f"{method} is not allowed for this route; use {methods}"
    answer = requests.options(server.url + path, timeout=60)
    assert (answer.status_code, answer.headers["allow"], answer.content) == (204, methods, b"")


def test_head_answers_as_get_without_a_body(server: Server) -> None:
    path = "/v1/models/digits/generate?label=3&seed=7"
    head, got = requests.head(server.url + path, timeout=60), server.get(path)
    assert (head.status_code, head.content) == (200, b"")
    assert all(head.headers[name] == got.headers[name] for name in ("etag", "content-type", "content-length"))


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "octet-stream"])
def test_an_image_may_be_the_whole_body(server: Server, kind: str) -> None:
    """All other fields are in the query, and the bytes equal those of JSON."""
    buffer = io.BytesIO()
    PILImage.fromarray(NOISE).save(buffer, "png" if kind == "octet-stream" else kind)
    content, path = buffer.getvalue(), "/v1/models/inverter/generate"
    headers = {"Content-Type": f"application/{kind}" if kind == "octet-stream" else f"image/{kind}"}
    answer = server.post(f"{path}?scale=2&version=1", data=content, headers=headers)
    encoded = base64.b64encode(content).decode()
    assert answer.status_code == 200, answer.text
    assert answer.content == server.post(path, json={"image": encoded, "scale": 2}).content


@pytest.mark.parametrize(
    ("model", "query", "message"),
    [
        ("digits", "", "digits takes no image; send its inputs in the query or as application/json"),
        ("inverter", "?image=x", "image is in the query and is the body; send it once"),
        ("inverter", "?scael=2", "inverter has no input 'scael' (did you mean scale?); it takes image"),
        ("mender", "", "mender needs hole"),
        ("inverter", "", "image: not an image of type PNG"),
    ],
)
def test_an_invalid_whole_body_is_rejected(server: Server, model: str, query: str, message: str) -> None:
    path = f"/v1/models/{model}/generate{query}"
    content = png() if model == "mender" else b"nothing"
    answer = server.post(path, data=content, headers={"Content-Type": "image/png"})
    assert answer.status_code == 400
    assert message in error_of(answer)


@pytest.mark.parametrize("value", [("x.png", png()), (None, "3")], ids=["file", "text"])
@pytest.mark.parametrize(
    ("model", "name", "message"),
    [
        ("inverter", "file", "inverter has no input 'file'; it takes image"),
        ("inverter", "imgae", "inverter has no input 'imgae' (did you mean image?); it takes image"),
        ("digits", "LABEL", "digits has no input 'LABEL' (did you mean label?); it takes label"),
        ("digits", "cuont", "digits has no input 'cuont' (did you mean count?); it takes label"),
        ("plain", "label", "plain has no input 'label'; it takes none"),
    ],
)
def test_an_unknown_field_is_reported_whatever_its_value(
    server: Server, model: str, name: str, message: str, value: tuple[str | None, Any]
) -> None:
    assert error_of(server.generate(model, files={name: value})) == message
    for other in (None, 3, "x", [], {"a": [None]}, True):
        assert error_of(server.generate(model, json={name: other})) == message
    assert error_of(server.post(f"/v1/models/{model}/generate?{name}=3")) == message


def test_a_repeated_field_or_a_misplaced_file_is_rejected(server: Server) -> None:
    twice = server.post("/v1/models/digits/generate?label=3", json={"label": 4})
    assert error_of(twice) == "'label' is in the query and in the body; send it once"
    assert error_of(server.generate("digits", files={"label": ("x.png", png())})).startswith("label is a file; send")
    assert "-F image=@FILE with curl" in error_of(server.generate("inverter", files={"image": (None, "in.png")}))


def test_an_unknown_route_gets_the_address_of_the_documentation(server: Server) -> None:
    assert error_of(server.get("/v1/model")) == "Not Found: no such route; see /docs for all routes"


def test_metrics_count_requests_executions_and_failures(server: Server) -> None:
    server.generate("pair", json={"count": 3})
    server.generate("pair", json={"count": 0})
    page = server.get("/metrics").text
    for line in (
        'gan_serve_requests_total{code="200",model="pair"}',
        'gan_serve_failures_total{model="pair",reason="invalid"}',
        'gan_serve_images_total{model="pair"}',
        'gan_serve_executions_total{model="pair"}',
        'gan_serve_queue_seconds_count{model="pair"}',
        'gan_serve_compute_seconds_count{model="pair"}',
    ):
        assert re.search(rf"^{re.escape(line)} [1-9]", page, re.MULTILINE), line
    assert re.search(r'gan_serve_model{model="pair",provider="cpu",sha256="\w{64}",version="1"} 1.0', page)
