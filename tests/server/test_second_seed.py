"""Walks and mixtures over HTTP have the bytes of the command line."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from command_line import Run
from server_process import Server

WALK = "/v1/models/digits/generate?label=3&seed=1&walk_to=2&steps=5"
PIXEL = "R0lGODdhAQABAIAAAP///////ywAAAAAAQABAAACAkQBADs="  # a GIF, in base64
COMMAND = ("generate", "--model", "digits", "--label", 3, "--seed", 1)


@pytest.mark.parametrize("format", ["gif", "webp"])
def test_get_returns_a_walk_that_caches_can_keep(server: Server, run: Run, format: str) -> None:
    run(*COMMAND, "--walk-to", 2, "--steps", 5, "--scale", 2, "--output", f"walk.{format}")
    answer = server.get(f"{WALK}&scale=2", headers={"Accept": f"text/html,image/{format};q=0.9"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, f"image/{format}")
    assert answer.content == Path(f"walk.{format}").read_bytes()
    known = {"If-None-Match": answer.headers["etag"]}
    assert server.get(f"{WALK}&scale=2&format={format}", headers=known).status_code == 304
    for other in (WALK.replace("steps=5", "steps=6"), WALK.replace("walk_to=2", "walk_to=3")):
        assert server.get(f"{other}&scale=2&format={format}", headers=known).status_code == 200


def test_get_returns_one_image_of_a_walk(server: Server, run: Run) -> None:
    run(*COMMAND, "--walk-to", 2, "--steps", 5, "--step", 3, "--output", "frame.png")
    answer = server.get(f"{WALK}&step=3")
    assert (answer.content, answer.headers["content-type"]) == (Path("frame.png").read_bytes(), "image/png")
    assert server.get(f"{WALK}&step=2", headers={"If-None-Match": answer.headers["etag"]}).status_code == 200
    assert server.get(f"{WALK.replace('steps=5', 'steps=100')}&step=99").status_code == 200  # a response has fewer


def test_get_returns_one_image_of_a_mixture(server: Server, run: Run) -> None:
    run(*COMMAND, "--index", 1, "--mix-with", 2, "--mix", "latent", "--mix-index", 4, "--output", "mixed.png")
    fields = "label=3&seed=1&index=1&mix_with=2&mix=latent"
    answer = server.get(f"/v1/models/digits/generate?{fields}&mix_index=4")
    assert answer.content == Path("mixed.png").read_bytes()


def test_post_returns_the_files_of_a_walk(server: Server, run: Run) -> None:
    run(*COMMAND, "--walk-to", 2, "--steps", 5, "--output", "walk/")
    answer = server.generate("digits", json={"label": "three", "seed": 1, "walk_to": 2, "steps": 5})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        sent = {name: archive.read(name) for name in archive.namelist()}
    assert sent == {path.name: path.read_bytes() for path in Path("walk").iterdir()}


@pytest.mark.parametrize("mix", ["latent", ["latent"]])
def test_a_mixture_is_a_square(server: Server, run: Run, mix: object) -> None:
    run(*COMMAND, "--mix-with", 2, "--mix", "latent", "--count", 3, "--grid", "--output", "square.png")
    fields = {"label": 3, "seed": 1, "mix_with": 2, "mix": mix, "count": 3, "grid": True}
    assert server.generate("digits", json=fields).content == Path("square.png").read_bytes()


@pytest.mark.parametrize(
    ("model", "fields", "message"),
    [
        ("digits", {"walk_to": 2, "steps": 17}, "17 images are too many for one request; ask for up to 16"),
        ("digits", {"walk_to": 2, "steps": 10**30}, "steps"),
        ("digits", {"walk_to": 2, "steps": 8, "label": "0-9"}, "80 images are too many"),
        ("digits", {"mix_with": 2, "mix": "latent", "count": 5}, "25 images are too many"),
        ("digits", {"walk_to": "two"}, "walk_to is not an integer"),
        ("digits", {"walk_to": 2, "steps": 1}, "steps 1 is not an integer from 2"),
        ("digits", {"walk_to": 2, "steps": 5, "step": 5}, "step 5 is not an integer from 0 to 4"),
        ("digits", {"walk_to": 2, "step": "last"}, "step is not an integer"),
        ("digits", {"step": 4}, "step needs a walk; give walk_to, the seed where the walk ends"),
        ("digits", {"walk_to": 2, "step": 4, "format": "gif"}, "cannot be sent as 'gif'; use png"),
        ("digits", {"mix_index": 4}, "mix_index needs a second seed; give mix_with"),
        ("digits", {"mix_with": 2, "mix": "latent", "mix_index": 2**64}, "mix_index 18446744073709551616 is not an"),
        ("digits", {"walk_to": 2, "count": 4}, "leave out the count of 4"),
        ("digits", {"walk_to": 2, "mix_with": 3}, "leave out one of them"),
        ("digits", {"mix_with": 2, "mix": {"latent": 1}}, "mix must be a number, text, or a list of them"),
        ("digits", {"mix_with": 2, "mix": []}, "mix must name the latents to take from seed 2; use latent"),
        ("digits", {"mix_with": 2, "mix": ["label"]}, "digits has no latent 'label'"),
        ("digits", {"walk_to": 2, "steps": 2, "format": "png"}, "2 images cannot be sent as 'png'; use zip"),
        ("turned", {"walk_to": 2, "scale": 50}, "2560000 pixels are too many"),
        ("classifier", {"image": PIXEL, "walk_to": 2}, "classifier has no noise input"),
    ],
)
def test_an_invalid_request_gets_one_clear_line(
    server: Server, model: str, fields: dict[str, Any], message: str
) -> None:
    answer = server.generate(model, json=fields)
    assert answer.status_code == 400, answer.text
    assert message in answer.json()["error"]


def test_openapi_describes_the_second_seed_of_models_that_draw_noise(server: Server) -> None:
    paths = server.get("/openapi.json").json()["paths"]
    parameters = {each["name"]: each["schema"] for each in paths["/v1/models/digits/generate"]["get"]["parameters"]}
    assert parameters["steps"]["minimum"] == 2
    assert "A response holds up to 16" in parameters["steps"]["description"]
    assert parameters["step"]["minimum"] == parameters["mix_index"]["minimum"] == 0
    assert parameters["mix"]["anyOf"][1]["items"] == {"enum": ["latent"]}
    assert "gif" in parameters["format"]["enum"]
    body = paths["/v1/models/classifier/generate"]["post"]["requestBody"]["content"]["application/json"]
    assert "walk_to" not in body["schema"]["properties"]
