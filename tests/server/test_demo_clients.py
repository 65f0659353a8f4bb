"""The demo's endpoints for `gradio_client` and curl, and the demo behind API keys."""

import io
import subprocess
import sys
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from gradio_client import Client
from gradio_client.exceptions import AppError
from PIL import Image as PILImage
from playwright.sync_api import Browser, expect
from server_process import Server


@pytest.fixture(scope="module")
def client(demo: Server) -> Iterator[Client]:
    client = Client(demo.url, verbose=False)
    yield client
    client.close()


def png(colour: str) -> str:
    buffer = io.BytesIO()
    PILImage.new("RGB", (12, 9), colour).save(buffer, "png")
    return b64encode(buffer.getvalue()).decode()


def test_generate_returns_what_the_plain_api_returns(client: Client, demo: Server) -> None:
    output = client.predict("digits", {"label": "three"}, 7, 4, api_name="/generate")
    assert output == demo.generate("digits", json={"label": "three", "seed": 7, "count": 4, "format": "json"}).json()
    assert output == client.predict("digits", {"label": "three", "seed": 7, "count": 4}, api_name="/generate")


def test_translate_takes_an_image_and_a_mask(client: Client, demo: Server) -> None:
    output = client.predict("mender", png("red"), {"hole": png("white")}, api_name="/translate")
    fields = {"image": png("red"), "hole": png("white"), "format": "json"}
    assert output == demo.generate("mender", json=fields).json()


def test_walk_mix_and_models(client: Client) -> None:
    walked = client.predict("digits", 1, 2, 5, {"label": 3}, api_name="/walk")
    assert {PILImage.open(io.BytesIO(b64decode(each))).size for each in walked} == {(8, 8)}
    assert len(set(walked)) == 5
    assert len(set(client.predict("styled", ["second_latent"], 1, 2, 3, api_name="/mix"))) == 9
    assert {"digits", "sketcher"} <= {each["name"] for each in client.predict(api_name="/models")}


@pytest.mark.parametrize(
    ("endpoint", "values", "message"),
    [
        ("/generate", ["<none>"], "no model '<none>'"),
        ("/generate", ["digits", {"label": 10}], "does not exist"),
        ("/generate", ["digits", {}, 7, 33], "33 images are too many for one request"),
        ("/translate", ["digits", "AAAA"], "digits takes no image"),
        ("/translate", ["sketcher", "AAAA"], "not an image of type PNG"),
        ("/walk", ["digits", 1, 2, 33], "33 images are too many"),
        ("/mix", ["styled", ["third"]], "styled has no latent"),
    ],
)
def test_an_invalid_call_gets_a_clear_message(
    client: Client, endpoint: str, values: list[object], message: str
) -> None:
    with pytest.raises(AppError, match=message) as caught:
        client.predict(*values, api_name=endpoint)
    assert "Traceback" not in str(caught.value)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/absent", 404), ("GET", "/v2/models/digits/absent", 404), ("POST", "/v1/models", 405)]
    + [("DELETE", path, 405) for path in ("/v2", "/v2/models/digits/infer", "/metrics")],
)
def test_the_demo_does_not_change_the_errors_of_the_apis(demo: Server, method: str, path: str, status: int) -> None:
    answer = requests.request(method, demo.url + path, timeout=60)
    assert (answer.status_code, set(answer.json())) == (status, {"error", "request_id"})


def test_the_demo_accepts_no_uploads_and_fetches_nothing(demo: Server, tmp_path: Path) -> None:
    for route in ("upload", "process_recording"):
        assert demo.post(f"/gradio_api/{route}", files={"video": b"x"}).status_code == 404
    for route in ("file=http://example.org/x.png", "proxy=http://example.org", "deep_link?session_hash=x", "app_id"):
        refused = demo.get(f"/gradio_api/{route}")
        assert (refused.status_code, "send images as base64" in refused.json()["error"]) == (404, True)
    (tmp_path / "x.png").write_bytes(b"x")
    for path in ("http://example.org/x.png", str(tmp_path / "x.png")):
        file = {"path": path, "meta": {"_type": "gradio.FileData"}}
        refused = demo.post("/gradio_api/run/generate", json={"data": ["digits", {"label": [file]}, 7, 1]})
        assert "send images as base64" in refused.json()["error"]


def test_inputs_of_visitors_are_not_kept(demo: Server) -> None:
    image = b64encode(b64decode(png("red")) + bytes(200_000)).decode()  # bytes after the image's end are ignored

    def visit(visitor: str) -> None:
        data = ["mender", image, {"hole": png("white")}, None]
        response = demo.post("/gradio_api/run/translate", json={"data": data, "session_hash": visitor})
        assert response.status_code == 200

    for _ in range(20):
        visit("first")
    before = demo.memory()
    for number in range(100):
        visit(f"visitor {number}")
    assert demo.memory() - before < 100 * len(image) / 2


def test_curl_calls_a_function_and_fetches_its_output(demo: Server) -> None:
    call = demo.post("/gradio_api/call/v2/generate", json={"model": "digits", "seed": 7}).json()["event_id"]
    answer = demo.get(f"/gradio_api/call/generate/{call}").text
    assert answer.startswith("event: complete")
    assert '"seed": 7' in answer


def test_pages_are_confined(demo: Server) -> None:
    assert "default-src 'self'" in demo.get("/").headers["content-security-policy"]
    assert demo.get("/demo/samples/..%2f..%2fmodels").status_code == 404
    assert demo.get("/demo/examples/mender/7/x.png").status_code == 404
    assert demo.get("/v1/health").json()["state"] == "ready"


COMMAND = "import sys; from gan_serve.cli import run; sys.exit(run(['demo']))"


def test_the_command_shows_models_as_soon_as_they_load_to_visitors_with_a_key(
    shown_models: Path, chromium: Browser
) -> None:
    with Server(shown_models, script=COMMAND, wait=False, api_keys="secret", log_level="info") as server:
        page = chromium.new_page(http_credentials={"username": "anybody", "password": "secret"})
        page.goto(f"{server.url}/?model=digits&seed=1&count=2")
        expect(page.locator("#gs-images img")).to_have_count(2)
        page.close()
        refused = server.get("/", headers={"Accept": "text/html"})
        assert (refused.status_code, refused.headers["www-authenticate"][:5]) == (401, "Basic")
        assert server.get("/", auth=("anybody", "wrong")).status_code == 401
        client = Client(server.url, headers={"Authorization": "Bearer secret"}, verbose=False)
        assert client.predict("digits", {}, 7, api_name="/generate")["seed"] == 7
        client.close()
        assert server.stop() == 0


def test_a_missing_demo_says_how_to_install_it() -> None:
    script = f"import sys; sys.modules['gradio'] = None; {COMMAND}"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stderr.startswith("error: the demo is not installed (no gradio); install it with: pip install ")
