"""A label with a default, a mask that keeps nothing, and an image that is painted over: in every front end."""

import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
from command_line import Run
from PIL import Image as PILImage
from server_process import Server
from small_models import FILLER, ICON, RETOUCHER, SHADER, metadata_of, save_model

import gan_serve
from gan_serve.demo.controls import make_controls, read_controls
from gan_serve.tensors import Image, Label, Mask

GREY = np.full((8, 8, 3), 100, np.uint8)
PAINTED = GREY.copy()
PAINTED[2:4] = (250, 100, 0)


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    PILImage.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def images(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line in a folder with an image and a painting over it, beside models that take them."""
    monkeypatch.setenv("GAN_SERVE_MODELS", str(tmp_path / "models"))
    for metadata in (SHADER, RETOUCHER):
        save_model(tmp_path / "models", metadata)
    for name, pixels in (("grey", GREY), ("painted", PAINTED)):
        PILImage.fromarray(pixels).save(f"{name}.png")
    return run


def pixels_of(path: str | Path) -> Any:
    return np.asarray(PILImage.open(path))


def test_a_label_with_a_default_is_drawn_only_if_a_class_is_named(images: Run) -> None:
    for option, expected in (([], 100), (["--glasses", "as it is"], 100), (["--glasses", "square red"], 0)):
        path = images(
            "generate", "--model", "shader", "--image", "grey.png", *option, "--output", "made.png"
        ).out.strip()
        assert (pixels_of(path) == expected).all()
        assert images("reproduce", path).error == "identical\n"
    assert not SHADER.is_random
    several = images("generate", "--model", "shader", "--image", "grey.png", "--count", "2")
    assert (several.code, "deterministic: a count of 2" in several.error) == (2, True)
    usage = " ".join(images("translate", "shader", "--help").out.replace("│", " ").split())
    assert "[default: (as it is)]" in usage
    assert "default: as it is" in images("info", "shader").out


def test_a_label_with_a_default_needs_no_any_in_the_demo() -> None:
    *_, control = make_controls(SHADER, {}, [], 10**6)
    (component,) = control.components
    assert isinstance(component, gr.Radio)
    assert component.choices == [("as it is", 0), ("round", 1), ("square red", 2)]
    assert component.value == 0
    assert [read_controls([control], [value]) for value in (0, 2)] == [{}, {"glasses": 2}]


def test_the_schema_tells_the_default_and_the_images_that_are_needed(demo: Server) -> None:
    paths = demo.get("/openapi.json").json()["paths"]
    content = paths["/v1/models/shader/generate"]["post"]["requestBody"]["content"]
    assert content["application/json"]["schema"]["properties"]["glasses"]["anyOf"][0]["default"] == "as it is"
    retoucher = paths["/v1/models/retoucher/generate"]["post"]["requestBody"]["content"]
    assert retoucher["multipart/form-data"]["schema"]["required"] == ["image"]


def test_a_default_must_be_a_class() -> None:
    with pytest.raises(ValueError, match=r"'asitis' of glasses is not one of .* \(did you mean as it is\?\)"):
        Label(name="glasses", classes=("as it is", "round"), default="asitis")


def test_a_mask_that_does_not_keep_lets_the_model_repaint_everything(tmp_path: Path) -> None:
    photo, hole = FILLER.inputs
    assert isinstance(hole, Mask)
    repainter = replace(FILLER, name="repainter", inputs=(photo, replace(hole, keeps=False)))
    for metadata in (FILLER, repainter):
        save_model(tmp_path, metadata)
    mask = np.zeros((8, 8), bool)
    mask[0] = True
    darkened = []
    for name in ("filler", "repainter"):
        (made,) = gan_serve.load(name, models=tmp_path).generate(image=GREY, hole=mask).images()
        assert (np.asarray(made)[0] == 255).all()
        darkened.append(np.unique(np.asarray(made)[1:]).tolist())
    assert darkened == [[100], [75]]


def test_a_painting_is_the_image_where_none_is_given(images: Run) -> None:
    names = []
    for option, changed in (([], 0), (["--painting", "painted.png"], 16)):
        path = images("translate", "retoucher", "grey.png", *option).out.strip()
        assert pixels_of(path).any(axis=2).sum() == changed
        assert images("reproduce", path).error == "identical\n"
        names.append(re.sub("[0-9a-f]{8}", "#", path))
    assert names == ["retoucher-grey-#.png", "retoucher-grey-#-painted-#.png"]
    usage = " ".join(images("translate", "retoucher", "--help").out.replace("│", " ").split())
    assert "--painting FILE the image given as image, painted over" in usage
    assert "[default: (image, not painted over)]" in usage


def test_a_painting_is_sent_in_a_form_or_left_out(demo: Server) -> None:
    for files, changed in (({}, 0), ({"painting": png(PAINTED)}, 16)):
        answer = demo.generate("retoucher", files={"image": png(GREY), **files})
        assert answer.status_code == 200, answer.text
        assert (np.asarray(PILImage.open(io.BytesIO(answer.content))).any(axis=2)).sum() == changed
    alone = demo.generate("retoucher", data=png(GREY), headers={"Content-Type": "image/png"})
    assert alone.status_code == 200, alone.text
    missing = demo.generate("retoucher", files={"painting": png(PAINTED)})
    assert missing.json()["error"] == "retoucher needs image: an image of any size (made 8x8 RGB and padded)"


@pytest.mark.parametrize(
    ("painting", "complaint"),
    [
        (
            replace(ICON, name="painting", paints="photo"),
            "painting paints 'photo', which is not an image input before it",
        ),
        (replace(ICON, name="painting", paints="painting"), "paints 'painting', which is not an image input before it"),
        (replace(ICON, name="painting", paints="image", channels=1), "must have the same size and colours"),
        (replace(ICON, name="painting", paints="image", height=16), "must have the same size and colours"),
        (replace(ICON, name="painting", paints="image", low=-1), "must have the same size and colours"),
    ],
)
def test_a_painting_must_match_an_image_before_it(painting: Image, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        metadata_of("retoucher", (ICON, painting), replace(ICON, name="made"))
