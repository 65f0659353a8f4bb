"""Images of any size and masks over HTTP: the bytes of the command line, and the limits of a request."""

import io
import json
import re
import threading
import time
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import requests
import tritonclient.http as triton
from command_line import Run
from PIL import Image as PILImage
from server_process import ON_ONE_CORE, Server


def png(width: int, height: int, seed: int = 0, levels: int = 256) -> bytes:
    noise = np.random.RandomState(seed).randint(levels, size=(height, width, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    PILImage.fromarray(noise).save(buffer, "png")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("model", "names"),
    [("enlarger", ["image"]), ("painter", ["image"]), ("filler", ["image", "hole"]), ("mender", ["image", "hole"])],
)
def test_an_image_of_odd_size_gets_the_bytes_of_the_command_line(
    server: Server, run: Run, model: str, names: list[str]
) -> None:
    contents = {name: png(47, 23, seed) for seed, name in enumerate(names)}
    for name, content in contents.items():
        Path(f"{name}.png").write_bytes(content)
    arguments = [part for name in names for part in (f"--{name}", f"{name}.png")]
    assert run("generate", "--model", model, *arguments, "--output", "x.png").code == 0
    answer = server.generate(model, files={name: (f"{name}.png", content) for name, content in contents.items()})
    assert (answer.status_code, answer.content) == (200, Path("x.png").read_bytes())


def animation(format: str = "gif") -> bytes:
    """Return an animation of three frames."""
    buffer = io.BytesIO()
    first, *others = [PILImage.new("RGB", (8, 6), colour) for colour in ("red", "lime", "blue")]
    first.save(buffer, format, save_all=True, append_images=others, duration=[50, 120, 300])
    return buffer.getvalue()


@pytest.mark.parametrize("format", ["gif", "webp"])
def test_an_animation_gives_an_animation_with_the_bytes_of_the_command_line(
    server: Server, run: Run, format: str
) -> None:
    Path("x.gif").write_bytes(animation())
    assert run("translate", "inverter", "x.gif", "--output", f"y.{format}").code == 0
    answer = server.generate("inverter", files={"image": ("x.gif", animation())}, data={"format": format})
    assert (answer.status_code, answer.content) == (200, Path(f"y.{format}").read_bytes())
    assert "Gan-Serve-Warning" not in answer.headers


def test_an_image_in_several_poses_moves_as_from_the_command_line(server: Server, run: Run) -> None:
    Path("x.png").write_bytes(png(8, 8))
    poses = ["walk left 3", "stand left"]
    command = ["translate", "poser", "x.png", "--pose", ",".join(poses), "--seed", 0, "--output", "walk.gif"]
    assert run(*command).code == 0
    fields = {"pose": poses, "seed": 0, "format": "gif"}
    answer = server.generate("poser", files={"image": ("x.png", png(8, 8))}, data=fields)
    assert (answer.status_code, answer.content) == (200, Path("walk.gif").read_bytes())
    refused = server.generate("poser", files={"image": ("x.png", png(8, 8))}, data={"pose": "walk lft 3"})
    assert (refused.status_code, "did you mean walk left 3" in refused.json()["error"]) == (400, True)


def test_ignored_parts_of_an_image_are_reported_in_a_header(server: Server) -> None:
    name = "\N{LATIN SMALL LETTER E WITH ACUTE}\N{SNOWMAN}.gif"
    answer = server.generate("inverter", files={"image": (name, animation())})
    assert answer.status_code == 200
    assert answer.headers["Gan-Serve-Warning"] == "image holds several images; only the first is used"
    still = server.generate("inverter", files={"image": ("x.png", png(8, 6))})
    assert "Gan-Serve-Warning" not in still.headers


def test_an_animation_of_too_many_pixels_is_rejected(server: Server) -> None:
    buffer = io.BytesIO()
    frames = [PILImage.new("L", (200, 200), level) for level in range(9)]
    frames[0].save(buffer, "gif", save_all=True, append_images=frames[1:])
    refused = server.generate("inverter", files={"image": ("x.gif", buffer.getvalue())}, data={"format": "gif"})
    assert (refused.status_code, "9 frames of 200x200 pixels; send up to" in refused.json()["error"]) == (400, True)


def test_a_transparent_image_gets_the_bytes_of_the_command_line(server: Server, run: Run) -> None:
    pixels = np.random.RandomState(0).randint(256, size=(9, 14, 4), dtype=np.uint8)
    PILImage.fromarray(pixels).save("x.png")
    assert run("translate", "enlarger", "x.png", "--output", "y.png").code == 0
    answer = server.generate("enlarger", files={"image": ("x.png", Path("x.png").read_bytes())})
    assert (answer.status_code, answer.content) == (200, Path("y.png").read_bytes())
    assert PILImage.open(io.BytesIO(answer.content)).mode == "RGBA"


def test_several_images_of_several_sizes_are_answered_one_by_one(server: Server) -> None:
    contents = [png(20, 10), png(9, 30, 1)]
    files = [("image", (f"{number}.png", content)) for number, content in enumerate(contents)]
    answers = server.generate("enlarger", files=files, headers={"Accept": "application/json"}).json()["answers"]
    for answer, content in zip(answers, contents, strict=True):
        alone = server.generate("enlarger", files={"image": (answer["values"]["image"], content)})
        assert PILImage.open(io.BytesIO(alone.content)).size in ((40, 20), (18, 60))
    assert [answer["values"]["image"] for answer in answers] == ["0.png", "1.png"]


def test_an_image_that_is_sent_twice_is_one_file(server: Server) -> None:
    files = [("image", (name, png(20, 10))) for name in ("a.png", "a.png", "a.jpg")]
    answer = server.generate("enlarger", files=files, headers={"Accept": "application/zip"})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert len(archive.namelist()) == len(set(archive.namelist())) == 2


def test_pixels_are_bounded_over_all_images_of_a_request(server: Server) -> None:
    one, half = png(300, 300, levels=2), png(200, 150, levels=2)
    assert server.generate("painter", files={"image": ("a.png", one)}).status_code == 200
    files = [("image", ("a.png", one)), ("image", ("b.png", half))]
    refused = server.generate("painter", files=files)
    assert (refused.status_code, "200x150 pixels; send up to" in refused.json()["error"]) == (400, True)
    larger = server.generate("enlarger", files={"image": ("a.png", png(200, 200))})
    assert (larger.status_code, "160000 pixels are too many" in larger.json()["error"]) == (400, True)


def test_images_and_masks_of_different_counts_are_rejected(server: Server) -> None:
    files = [("image", (f"{number}.png", png(8, 8))) for number in range(3)]
    files += [("hole", (f"{number}.png", png(8, 8))) for number in range(2)]
    refused = server.generate("mender", files=files)
    assert (refused.status_code, "are paired one by one" in refused.json()["error"]) == (400, True)


@pytest.mark.parametrize("format", ["jpeg", "png", "webp", "tiff"])
def test_an_image_is_turned_by_its_orientation(server: Server, format: str) -> None:
    buffer, exif = io.BytesIO(), PILImage.Exif()
    exif[0x0112] = 6  # EXIF orientation: rotate to the right
    PILImage.new("RGB", (20, 10)).save(buffer, format, exif=exif)
    answer = server.generate("enlarger", files={"image": ("a", buffer.getvalue())})
    assert PILImage.open(io.BytesIO(answer.content)).size == (20, 40)


def test_an_image_whose_size_differs_from_its_header_is_rejected(server: Server) -> None:
    """The limits rely on the header; here the orientation follows the pixels."""
    exif = PILImage.Exif()
    exif[0x0112] = 6
    chunk = b"eXIf" + exif.tobytes()[6:]
    late = len(chunk[4:]).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    content = png(20, 10)
    answer = server.generate("enlarger", files={"image": ("a.png", content[:-12] + late + content[-12:])})
    assert answer.status_code == 400
    assert answer.json()["error"] == "a.png: its size differs from its header; save it again, upright"


def black_png() -> bytes:
    """Return 16 megapixels in a few kilobytes."""
    buffer = io.BytesIO()
    PILImage.new("RGB", (4000, 4000)).save(buffer, "png")
    return buffer.getvalue()


def large_file() -> bytes:
    """Return 8 million bytes without compression."""
    buffer = io.BytesIO()
    PILImage.new("RGB", (1600, 1600)).save(buffer, "bmp")
    return buffer.getvalue()


@pytest.mark.parametrize(("content", "most"), [(black_png(), 5e6), (large_file(), 12e6)], ids=["pixels", "bytes"])
def test_queued_images_take_only_the_memory_of_their_files(models: Path, content: bytes, most: float) -> None:
    def ask(model: str, image: bytes) -> threading.Thread:
        def send() -> None:
            with suppress(requests.ConnectionError):  # the server stops before it answers
                server.generate(model, files={"image": ("a", image)})

        thread = threading.Thread(target=send)
        thread.start()
        return thread

    busy = io.BytesIO()
    PILImage.new("RGB", (2048, 2048)).save(busy, "png")
    with Server(models, script=ON_ONE_CORE) as server:
        clients = [ask("enlarger", busy.getvalue())]
        time.sleep(0.5)  # the only worker is busy now
        before = server.memory()
        clients += [ask("classifier", content) for _ in range(10)]
        until = time.monotonic() + 20
        while not re.search(r'^gan_serve_images_waiting{model="classifier"} 10', server.get("/metrics").text, re.M):
            assert time.monotonic() < until
        grown = server.memory() - before
    for client in clients:
        client.join()
    assert grown < 10 * most + 40e6


def test_damaged_images_leave_nothing_in_memory(models: Path) -> None:
    content = black_png()[:-2000]
    with Server(models) as server:
        for number in range(10):
            answer = server.generate("classifier", files={"image": ("a.png", content)})
            assert (answer.status_code, "a.png: damaged" in answer.json()["error"]) == (400, True)
            if number == 2:  # once each of two workers has handled one
                before = server.memory()
        assert server.memory() - before < 150e6


def test_a_model_of_any_size_has_no_array_format(server: Server) -> None:
    refused = server.generate(
        "enlarger", files={"image": ("a.png", png(8, 8))}, headers={"Accept": "application/x-npy"}
    )
    assert refused.status_code == 406


def infer(server: Server, model: str, **arrays: np.ndarray) -> triton.InferResult:
    client = triton.InferenceServerClient(server.url.removeprefix("http://"))
    inputs = [triton.InferInput(name, list(array.shape), "FP32") for name, array in arrays.items()]
    for each, array in zip(inputs, arrays.values(), strict=True):
        each.set_data_from_numpy(array)
    try:
        return client.infer(model, inputs)
    finally:
        client.close()


def test_the_inference_protocol_accepts_every_size_of_the_network(server: Server) -> None:
    result = infer(server, "enlarger", image=np.zeros((2, 3, 6, 4), np.float32))
    assert result.as_numpy("larger").shape == (2, 3, 12, 8)
    with pytest.raises(triton.InferenceServerException, match="height and width must be multiples of 2"):
        infer(server, "enlarger", image=np.zeros((1, 3, 5, 4), np.float32))
    with pytest.raises(triton.InferenceServerException, match="the images differ in height or width"):
        infer(server, "filler", image=np.zeros((1, 3, 4, 4), np.float32), hole=np.zeros((1, 1, 6, 4), np.float32))


def test_the_inference_protocol_keeps_the_limits(models: Path) -> None:
    """It rejects an image that needs tiles, too many pixels, and too many numbers as JSON."""
    with Server(models, max_pixels=16_000) as server:
        assert infer(server, "enlarger", image=np.zeros((3, 3, 32, 32), np.float32)).as_numpy("larger").shape[0] == 3
        with pytest.raises(
            triton.InferenceServerException, match="may be up to 32; use /v1/models/enlarger/generate for"
        ):
            infer(server, "enlarger", image=np.zeros((1, 3, 34, 32), np.float32))
        message = "16384 pixels are too many for one response; request up to 16000 in total"
        with pytest.raises(triton.InferenceServerException, match=message):
            infer(server, "enlarger", image=np.zeros((4, 3, 32, 32), np.float32))
        tensor = {"name": "image", "shape": [1, 3, 16, 16], "datatype": "FP32", "data": [0] * 768}
        answer = server.post("/v2/models/enlarger/infer", json={"inputs": [tensor]})
        assert answer.status_code == 400
        assert answer.json()["error"] == (
            "3072 numbers are too many for JSON; request up to 1000, or binary data by the parameter binary_data_output"
        )


def test_a_large_json_body_delays_no_other_request(zoo: Server) -> None:
    numbers = np.random.RandomState(0).standard_normal(300_000).tolist()
    tensor = {"name": "latent", "shape": [1, 64], "datatype": "FP32", "data": numbers}
    body = json.dumps({"inputs": [tensor]})
    answers: list[requests.Response] = []
    sender = threading.Thread(target=lambda: answers.append(zoo.post("/v2/models/acgan/infer", data=body)))
    began = time.monotonic()
    sender.start()
    pauses = []
    while sender.is_alive():
        started = time.monotonic()
        assert zoo.get("/v2/health/live").status_code == 200
        pauses.append(time.monotonic() - started)
    assert "must be 64 numbers" in answers[0].json()["error"]
    assert max(pauses) < (time.monotonic() - began) / 3
