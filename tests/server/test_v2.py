"""The Open Inference Protocol, tested with Triton's client."""

import io
import json
import re
import struct
from typing import Any

import numpy as np
import pytest
import requests
import tritonclient.http as triton
from server_process import Server
from test_models import MODELS, NAMES, SIZES, noise

from gan_serve.generator import Generator
from gan_serve.repository import Repository
from gan_serve.request import make_request
from gan_serve.sampling import Arrays, complete, input_arrays

TYPES = {"float32": "FP32", "int64": "INT64"}


def client_of(server: Server) -> triton.InferenceServerClient:
    return triton.InferenceServerClient(server.url.removeprefix("http://"))


def feeds_of(generator: Generator, places: range) -> Arrays:
    """Return the graph's inputs for some places of seed 5, as the command line makes them."""
    inputs = generator.metadata.image_inputs
    if inputs:  # all rows of a tensor have one size
        rows = {tensor.name: [noise(tensor, len(SIZES) * place) for place in places] for tensor in inputs}
        return {name: np.stack(each).astype(np.float32) for name, each in rows.items()}
    request = make_request(generator.metadata, {}, seed=5, count=len(places), index=places.start)
    items = [complete(generator.metadata.inputs, 5, request.item(place)) for place in range(len(request))]
    return input_arrays(generator.metadata.inputs, 5, items)


def inputs_of(feeds: Arrays, binary: bool) -> list[triton.InferInput]:
    inputs = []
    for name, array in feeds.items():
        inputs.append(triton.InferInput(name, list(array.shape), TYPES[str(array.dtype)]))
        inputs[-1].set_data_from_numpy(array, binary_data=binary)
    return inputs


@pytest.mark.parametrize("binary", [True, False], ids=["bytes", "json"])
@pytest.mark.parametrize("name", NAMES)
def test_the_client_gets_the_bits_of_every_shipped_model(zoo: Server, name: str, binary: bool) -> None:
    generator = Generator(Repository(MODELS).find(name), device="cpu", threads=1)
    feeds = feeds_of(generator, range(3))
    known = [tensor.name for tensor in generator.metadata.outputs]
    wanted = [triton.InferRequestedOutput(output, binary_data=binary) for output in known]
    client = client_of(zoo)
    version = "1" if binary else ""
    answer = client.infer(name, inputs_of(feeds, binary), version, outputs=wanted, request_id="mine")
    client.close()
    assert (answer.get_response()["id"], answer.get_response()["model_version"]) == ("mine", "1")
    for output, expected in generator.infer(feeds).items():
        np.testing.assert_array_equal(answer.as_numpy(output), expected)


def test_the_client_lists_and_checks_every_shipped_model(zoo: Server) -> None:
    client = client_of(zoo)
    assert (client.is_server_live(), client.is_server_ready()) == (True, True)
    assert client.get_server_metadata()["name"] == "gan-serve"
    index = client.get_model_repository_index()
    assert {each["name"] for each in index} == set(NAMES)
    assert {each["state"] for each in index} == {"READY"}
    for name in NAMES:
        metadata = Repository(MODELS).find(name).metadata
        assert client.is_model_ready(name)
        assert client.is_model_ready(name, str(metadata.version))
        described = client.get_model_metadata(name, str(metadata.version))
        assert [each["name"] for each in described["inputs"]] == [tensor.name for tensor in metadata.inputs]
        assert [each["shape"] for each in described["outputs"]] == [[-1, *each.shape] for each in metadata.outputs]
    assert not client.is_model_ready("absent")
    assert not client.is_model_ready(NAMES[0], "99")
    client.close()


def test_the_client_reads_an_error(zoo: Server) -> None:
    client = client_of(zoo)
    with pytest.raises(triton.InferenceServerException, match="no model 'absent'"):
        client.get_model_metadata("absent")
    client.close()


def test_the_example_of_the_documentation_runs(zoo: Server) -> None:
    text = (MODELS.parent / "docs/serving.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code.replace("localhost:8000", zoo.url.removeprefix("http://")), names)
    names["client"].close()
    assert names["image"].shape == (1, 1, 28, 28)


LATENT = {"name": "latent", "shape": [1, 16], "datatype": "FP32", "data": [0.5] * 16}
LABEL = {"name": "label", "shape": [1], "datatype": "INT64", "data": [3]}


def infer(server: Server, document: Any, tail: bytes = b"", **headers: str) -> requests.Response:
    head = document if isinstance(document, bytes) else json.dumps(document).encode()
    lengths = {"Inference-Header-Content-Length": str(len(head))} if tail else {}
    return server.post("/v2/models/digits/infer", data=head + tail, headers=lengths | headers)


def test_outputs_have_the_requested_form(server: Server) -> None:
    plain = infer(server, {"inputs": [LATENT, LABEL]})
    values = np.array(plain.json()["outputs"][0]["data"], np.float32)
    assert "inference-header-content-length" not in plain.headers
    for fields in (
        {"parameters": {"binary_data_output": True}},
        {"outputs": [{"name": "image", "parameters": {"binary_data": True}}]},
    ):
        raw = infer(server, {"inputs": [LATENT, LABEL], **fields})
        begin = int(raw.headers["inference-header-content-length"])
        np.testing.assert_array_equal(np.frombuffer(raw.content[begin:], np.float32), values)
        assert json.load(io.BytesIO(raw.content[:begin]))["outputs"][0]["shape"] == [1, 1, 8, 8]


def test_nested_data_and_bytes_mean_the_same(server: Server) -> None:
    flat = infer(server, {"inputs": [LATENT, LABEL]})
    assert infer(server, {"inputs": [LATENT | {"data": [[0.5] * 16]}, LABEL]}).json() == flat.json()
    raw = {"name": "latent", "shape": [1, 16], "datatype": "FP32", "parameters": {"binary_data_size": 64}}
    assert infer(server, {"inputs": [raw, LABEL]}, struct.pack("<16f", *[0.5] * 16)).json() == flat.json()


def changed(tensor: dict[str, Any], **changes: Any) -> dict[str, Any]:
    merged = tensor | changes
    return {"inputs": [merged if each is tensor else each for each in (LATENT, LABEL)]}


def raw(size: Any) -> dict[str, Any]:
    return {"inputs": [{**LATENT, "data": None, "parameters": {"binary_data_size": size}}, LABEL]}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (b"", "inputs must be a list"),
        (b"\x00\x01", "not JSON"),
        (b'{"inputs": ' + b"[" * 50_000, "not JSON"),
        (b'{"inputs": [{"data": ' + b"[" * 900 + b"]" * 900 + b"}]}", "inputs must be latent, label"),
        ([], "not a JSON object"),
        ({"inputs": []}, "inputs must be a list of objects"),
        ({"inputs": [3]}, "inputs must be a list of objects"),
        ({"inputs": [LATENT]}, "digits needs label"),
        ({"inputs": [LATENT, LATENT, LABEL]}, "each exactly once"),
        ({"inputs": [LATENT, LABEL], "id": 3}, "id is not a string"),
        ({"inputs": [LATENT, LABEL], "outputs": [{"name": "absent"}]}, "outputs must be among image"),
        ({"inputs": [LATENT, LABEL], "outputs": 3}, "outputs must be a list"),
        (
            {"inputs": [LATENT, LABEL], "outputs": [{"name": "image", "parameters": {"classification": 3}}]},
            "no parameter 'classification'",
        ),
        ({"inputs": [LATENT, LABEL], "parameters": {"timeout": -1}}, "timeout must be a positive integer"),
        ({"inputs": [LATENT, LABEL], "parameters": []}, "parameters must be an object"),
        (changed(LATENT, name="la\x00tent"), "inputs must be latent, label"),
        (changed(LATENT, shape=[-1, 16]), "the shape of latent must be [1 to 16, 16]"),
        (changed(LATENT, shape=[0, 16]), "the shape of latent must be"),
        (changed(LATENT, shape=[2**62, 16]), "the shape of latent must be"),
        (changed(LATENT, shape=[1, 2**62]), "the shape of latent must be"),
        (changed(LATENT, shape=[1]), "the shape of latent must be"),
        (changed(LATENT, shape=[1.0, 16]), "needs a shape, a list of integers"),
        (changed(LATENT, shape=[True, 16]), "needs a shape, a list of integers"),
        (changed(LATENT, shape="1,16"), "needs a shape, a list of integers"),
        (changed(LATENT, datatype="FP64"), "the datatype of latent must be FP32"),
        (changed(LATENT, datatype=["FP32"]), "the datatype of latent must be FP32"),
        (changed(LATENT, data=[0.5] * 15), "must be 16 numbers"),
        (changed(LATENT, data=["0.5"] * 16), "must be 16 numbers"),
        (changed(LATENT, data=[True] * 16), "must be 16 numbers"),
        (changed(LATENT, data=[[0.5], 0.5]), "data of latent is not an array"),
        (changed(LATENT, data="AAAA"), "needs data, a list of numbers"),
        (changed(LATENT, data=[1e39] * 16), "the values of latent must be finite"),
        (changed(LATENT, data=[10**400] * 16), "a number that is too large"),
        (changed(LABEL, data=[10]), "the values of label must be from 0 to 9"),
        (changed(LABEL, data=[-1]), "the values of label must be from 0 to 9"),
        (changed(LABEL, data=[2**63]), "a number that is too large"),
        (changed(LABEL, data=[3.0]), "must be 1 numbers for INT64"),
        (changed(LABEL, shape=[2], data=[3, 4]), "the inputs differ in batch size"),
        (changed(LATENT, parameters={"shared_memory_region": "x"}, data=None), "needs data, a list of numbers"),
        (raw(-64), "binary_data_size of latent must be 64, by its shape"),
        (raw(2**70), "binary_data_size of latent must be 64, by its shape"),
        (raw("64"), "binary_data_size of latent must be 64, by its shape"),
        (raw(64), "has 64 bytes, but only 0 are left in the body"),
    ],
)
def test_an_invalid_request_gets_one_clear_line(server: Server, document: Any, message: str) -> None:
    answer = infer(server, document)
    assert answer.status_code == 400, answer.text
    assert message in answer.json()["error"]


@pytest.mark.parametrize("value", [8, 0, -8])
def test_latents_may_be_as_extreme_as_in_the_export_check(server: Server, value: float) -> None:
    assert infer(server, {"inputs": [{**LATENT, "data": [value] * 16}, LABEL]}).status_code == 200
    beyond = infer(server, changed(LATENT, data=[value + np.copysign(8.1, value)] * 16))
    assert (beyond.status_code, beyond.json()["error"]) == (400, "the values of latent must be from -8 to 8")


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_values_that_are_not_finite_are_rejected(server: Server, value: str) -> None:
    answer = infer(server, raw(64), struct.pack("<16f", *[float(value)] * 16))
    assert (answer.status_code, answer.json()["error"]) == (400, "the values of latent must be finite")


@pytest.mark.parametrize("length", ["-1", "x", "99999", "1" * 5000, "0" * 5000, "²", ""])
def test_an_invalid_header_length_is_rejected(server: Server, length: str) -> None:
    headers = {"Inference-Header-Content-Length": length.encode().decode("latin-1")}
    answer = infer(server, {"inputs": [LATENT, LABEL]}, **headers)
    assert answer.status_code == 400
    assert "Inference-Header-Content-Length must be from 0 to" in answer.json()["error"]


def test_undeclared_bytes_are_rejected(server: Server) -> None:
    answer = infer(server, {"inputs": [LATENT, LABEL]}, b"more")
    assert (answer.status_code, answer.json()["error"]) == (400, "4 bytes follow the last input")


def test_the_clients_own_timeout_is_kept(server: Server) -> None:
    answer = infer(server, {"inputs": [LATENT, LABEL], "parameters": {"timeout": 1}})
    assert answer.status_code == 504
    assert "the deadline passed" in answer.json()["error"]
