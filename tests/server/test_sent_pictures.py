"""Pictures of any size, and masks, over HTTP: the bytes of the command line, and limits that hold for all together."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tritonclient.http as triton
from command_line import Run
from PIL import Image as Pictures
from server_process import Server


def png(width: int, height: int, seed: int = 0, levels: int = 256) -> bytes:
    noise = np.random.RandomState(seed).randint(levels, size=(height, width, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Pictures.fromarray(noise).save(buffer, "png")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("model", "names"),
    [("enlarger", ["image"]), ("painter", ["image"]), ("filler", ["image", "hole"]), ("mender", ["image", "hole"])],
)
def test_a_picture_of_odd_size_gets_the_bytes_of_the_command_line(
    server: Server, run: Run, model: str, names: list[str]
) -> None:
    contents = {name: png(47, 23, seed) for seed, name in enumerate(names)}
    for name, content in contents.items():
        Path(f"{name}.png").write_bytes(content)
    given = [part for name in names for part in (f"--{name}", f"{name}.png")]
    assert run("generate", "--model", model, *given, "--output", "x.png").code == 0
    answer = server.generate(model, files={name: (f"{name}.png", content) for name, content in contents.items()})
    assert (answer.status_code, answer.content) == (200, Path("x.png").read_bytes())


def test_several_pictures_of_several_sizes_are_answered_one_by_one(server: Server) -> None:
    contents = [png(20, 10), png(9, 30, 1)]
    files = [("image", (f"{number}.png", content)) for number, content in enumerate(contents)]
    answers = server.generate("enlarger", files=files, headers={"Accept": "application/json"}).json()["answers"]
    for answer, content in zip(answers, contents, strict=True):
        alone = server.generate("enlarger", files={"image": (answer["values"]["image"], content)})
        assert Pictures.open(io.BytesIO(alone.content)).size in ((40, 20), (18, 60))
    assert [answer["values"]["image"] for answer in answers] == ["0.png", "1.png"]


def test_a_picture_that_is_sent_twice_is_one_file(server: Server) -> None:
    files = [("image", (name, png(20, 10))) for name in ("a.png", "a.png", "a.jpg")]
    answer = server.generate("enlarger", files=files, headers={"Accept": "application/zip"})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert len(archive.namelist()) == len(set(archive.namelist())) == 2


def test_pixels_are_bounded_over_all_pictures_of_a_request(server: Server) -> None:
    one, half = png(300, 300, levels=2), png(200, 150, levels=2)
    assert server.generate("painter", files={"image": ("a.png", one)}).status_code == 200
    files = [("image", ("a.png", one)), ("image", ("b.png", half))]
    refused = server.generate("painter", files=files)
    assert (refused.status_code, "200x150 pixels; send up to" in refused.json()["error"]) == (400, True)
    larger = server.generate("enlarger", files={"image": ("a.png", png(200, 200))})
    assert (larger.status_code, "160000 pixels are too many" in larger.json()["error"]) == (400, True)


def test_pictures_and_masks_that_do_not_go_together_are_refused(server: Server) -> None:
    files = [("image", (f"{number}.png", png(8, 8))) for number in range(3)]
    files += [("hole", (f"{number}.png", png(8, 8))) for number in range(2)]
    refused = server.generate("mender", files=files)
    assert (refused.status_code, "belong together one by one" in refused.json()["error"]) == (400, True)


def test_any_size_has_no_array(server: Server) -> None:
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


def test_the_inference_protocol_takes_any_size_that_the_network_takes(server: Server) -> None:
    made = infer(server, "enlarger", image=np.zeros((2, 3, 6, 4), np.float32))
    assert made.as_numpy("larger").shape == (2, 3, 12, 8)
    with pytest.raises(triton.InferenceServerException, match="height and width must be multiples of 2"):
        infer(server, "enlarger", image=np.zeros((1, 3, 5, 4), np.float32))
    with pytest.raises(triton.InferenceServerException, match="the pictures differ in height or width"):
        infer(server, "filler", image=np.zeros((1, 3, 4, 4), np.float32), hole=np.zeros((1, 1, 6, 4), np.float32))
