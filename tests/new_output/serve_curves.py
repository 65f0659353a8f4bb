"""Serve a model of curves with a copy of gan_serve that knows them, and print what every front end answers as JSON."""

import asyncio
import contextlib
import io
import json
import os
import sys
from pathlib import Path
from typing import Any, get_args

import httpx
import numpy as np
from onnx import TensorProto, helper, numpy_helper
from small_models import LATENT, metadata_of, save_model

import gan_serve
from gan_serve.cli import run
from gan_serve.demo.rendering import show_result
from gan_serve.metadata import PROPERTY, ModelMetadata
from gan_serve.server.app import make_app
from gan_serve.server.service import Service
from gan_serve.server.settings import Settings
from gan_serve.tensors import OutputTensor, ScoreOutput

Curve = get_args(OutputTensor)[-1]
WAVE = metadata_of("wave", (LATENT,), Curve(name="curve", points=40), ScoreOutput(name="highest", low=-1, high=1))


def content_of(metadata: ModelMetadata) -> bytes:
    """A graph: tanh(latent @ W), and its highest value."""
    weight = np.random.RandomState(0).standard_normal((16, 40)).astype(np.float32) / 4
    nodes = [
        helper.make_node("MatMul", ["latent", "weight"], ["sum"]),
        helper.make_node("Tanh", ["sum"], ["curve"]),
        helper.make_node("ReduceMax", ["curve", "axis"], ["highest"], keepdims=0),
    ]
    weights = [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(np.array([1], np.int64), "axis")]
    shapes = {"latent": ["batch", 16], "curve": ["batch", 40], "highest": ["batch"]}
    latent, *outputs = (helper.make_tensor_value_info(name, TensorProto.FLOAT, each) for name, each in shapes.items())
    graph = helper.make_graph(nodes, "wave", [latent], outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(model, {PROPERTY: metadata.to_json()})
    return model.SerializeToString()


def call(*arguments: str) -> dict[str, Any]:
    """Run a command line: its exit code, its output in bytes as Latin-1, and its messages."""
    out, error = io.TextIOWrapper(io.BytesIO(), write_through=True), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        code = run(arguments)
    return {"code": code, "out": out.buffer.getvalue().decode("latin-1"), "error": error.getvalue()}


def command_lines() -> dict[str, Any]:
    generate = ("generate", "--model", "wave", "--seed", "1")
    several = (*generate, "--count", "3", "--output")
    made = {
        "usual": call(*generate),
        "csv": call(*generate, "--output", "one.csv"),
        "plain": call(*generate, "--output", "plain", "--format", "csv"),
        "again": call(*generate, "--output", "plain", "--format", "csv"),
        "stdout": call(*generate, "--output", "-"),
        "folder": call(*several, "all/"),
        "grid": call(*several, "grid.png", "--grid"),
        "array": call(*several, "all.npy"),
        "gif": call(*several, "all.gif"),
        "numbers": call(*several, "-", "--format", "jsonl"),
        "too many": call(*several, "many.csv"),
        "no grid": call(*several, "grid.csv", "--grid"),
        "other": call(*several, "x.bmp", "--grid"),
        "list": call("list"),
        "info": call("info", "wave"),
    }
    names = ["one.csv", "plain", "grid.png", "all.npy", "all.gif", *map(str, sorted(Path("all").iterdir()))]
    made["reproduced"] = {name: call("reproduce", name, "--output", "-")["error"] for name in names}
    changed = Path("one.csv").read_text().rstrip("\n").rsplit("\n", 1)[0] + "\n2.5\n"
    Path("changed.csv").write_text(changed)
    Path("cut.csv").write_bytes(Path("one.csv").read_bytes()[:-3] + b"\xff")
    made["changed"], made["cut"] = call("reproduce", "changed.csv"), call("reproduce", "cut.csv")
    return made


async def responses() -> dict[str, Any]:
    service = Service(Settings(), workers=1)
    service.library.reload()
    route = "/v1/models/wave/generate"
    asked: dict[str, tuple[str, str]] = {
        "usual": (f"{route}?seed=1", "*/*"),
        "accept csv": (f"{route}?seed=1", "text/csv"),
        "accept png": (f"{route}?seed=1", "image/png"),
        "format": (f"{route}?seed=1&format=webp", "*/*"),
        "grid": (f"{route}?seed=1&count=3&grid=true", "*/*"),
        "json": (f"{route}?seed=1", "application/json"),
        "openapi": ("/openapi.json", "*/*"),
        "metadata": ("/v2/models/wave", "*/*"),
    }
    async with httpx.AsyncClient(transport=httpx.ASGITransport(make_app(service)), base_url="http://server") as client:
        got = {name: await client.get(path, headers={"Accept": accept}) for name, (path, accept) in asked.items()}
        got["zip"] = await client.post(route, json={"seed": 1, "count": 3})
        tensor = {"name": "latent", "datatype": "FP32", "shape": [1, 16], "data": [0] * 16}
        got["v2"] = await client.post("/v2/models/wave/infer", json={"inputs": [tensor]})
    service.scheduler.stop(1)
    return {
        name: {"status": each.status_code, "headers": dict(each.headers), "body": each.content.decode("latin-1")}
        for name, each in got.items()
    }


def python() -> dict[str, Any]:
    result = gan_serve.load("wave").generate(3, seed=1)
    image = result.images()[0]
    return {
        "size": image.size,
        "mode": image.mode,
        "column": np.asarray(image)[:, 0].argmin(axis=0).tolist(),
        "array": result.array.shape,
        "first": float(result.array[0, 0]),
        "grid": result.grid(columns=2).size,
        "saved": [path.name for path in result.save("saved/")],
        "demo": show_result(result),
    }


def main() -> None:
    os.environ["GAN_SERVE_MODELS"] = "models"
    save_model(Path("models"), WAVE, content_of(WAVE))
    print(json.dumps({"cli": command_lines(), "http": asyncio.run(responses()), "python": python()}))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
