"""Small models in the exporter's format: a graph with its metadata inside the file."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from gan_serve.metadata import PROPERTY, Data, ModelMetadata, Paper, Training
from gan_serve.tensors import Image, InputTensor, Label, Latent, Mask, OutputTensor, Probabilities, Scalar, ScoreOutput

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def metadata_of(name: str, inputs: tuple[InputTensor, ...], *outputs: OutputTensor, **changes: Any) -> ModelMetadata:
    fields: dict[str, Any] = {
        "name": name,
        "version": 1,
        "variant": name,
        "default": True,
        "task": "class-conditional" if any(isinstance(tensor, Label) for tensor in inputs) else "unconditional",
        "description": f"{name} draws noise.",
        "inputs": inputs,
        "outputs": outputs,
        "paper": Paper(title="A Test", authors="Nobody", year=2026, url="https://example.org"),
        "data": Data(name="noise", images=1, license="CC0", attribution="Nobody"),
        "training": Training(
            steps=1, batch_size=1, seed=0, precision="fp32", hardware="CPU", duration_seconds=60, commit="", recipe={}
        ),
    }
    return ModelMetadata(**(fields | changes))


Parts = tuple[list[onnx.NodeProto], list[TensorProto]]  # of a graph: its nodes and its weights


def build_model(metadata: ModelMetadata) -> onnx.ModelProto:
    nodes, weights = _parts(metadata)
    inputs = [
        helper.make_tensor_value_info(tensor.name, _element(tensor), ["batch", *_lengths(tensor)])
        for tensor in metadata.inputs
    ]
    outputs = [
        helper.make_tensor_value_info(tensor.name, TensorProto.FLOAT, ["batch", *_lengths(tensor)])
        for tensor in metadata.outputs
    ]
    graph = helper.make_graph(nodes, metadata.name, inputs, outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(model, {PROPERTY: metadata.to_json()})
    return model


def _lengths(tensor: InputTensor | OutputTensor) -> list[int | str]:
    return [f"{tensor.name}_{axis}" if length == -1 else length for axis, length in enumerate(tensor.shape)]


def _parts(metadata: ModelMetadata) -> Parts:
    if metadata.is_random:
        return _drawing(metadata)
    if metadata.masks:
        return _filling(metadata)
    if metadata.label:
        return _shading(metadata)
    return _of_one_image(metadata) if len(metadata.input_images) == 1 else _comparing(metadata)


def _of_one_image(metadata: ModelMetadata) -> Parts:
    if metadata.any_size:
        return _enlarging(metadata)
    if metadata.image_outputs and metadata.numeric_outputs:
        return _inspecting(metadata)
    return _inverting(metadata) if metadata.image_outputs else _judging(metadata)


def _enlarging(metadata: ModelMetadata) -> Parts:
    """A local network that needs even sides: pairs of pixels, a convolution over them, and more pixels than before."""
    (before,), (after,) = metadata.inputs, metadata.outputs
    assert isinstance(before, Image)
    assert isinstance(after, Image)
    shape = 4 * after.scale**2 * after.channels, 4 * before.channels, 3, 3
    weight = (np.random.RandomState(0).standard_normal(shape) / 6).astype(np.float32)
    nodes = [
        helper.make_node("SpaceToDepth", [before.name], ["pairs"], blocksize=2),
        helper.make_node("Conv", ["pairs", "weight"], ["seen"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        helper.make_node("Tanh", ["seen"], ["bounded"]),
        helper.make_node("DepthToSpace", ["bounded"], [after.name], blocksize=2 * after.scale),
    ]
    return nodes, [numpy_helper.from_array(weight, "weight")]


def _filling(metadata: ModelMetadata) -> Parts:
    """White in the hole, and darker by a quarter elsewhere."""
    (image, mask), (filled,) = metadata.inputs, metadata.outputs
    nodes = [
        helper.make_node("Mul", [image.name, "share"], ["dark"]),
        helper.make_node("Max", ["dark", mask.name], [filled.name]),
    ]
    return nodes, [numpy_helper.from_array(np.array(0.75, np.float32), "share")]


def _shading(metadata: ModelMetadata) -> Parts:
    """The image times 1 for the first class, less for each following one, and 0 for the last."""
    (image, label), (shaded,) = metadata.inputs, metadata.outputs
    assert isinstance(label, Label)
    nodes = [
        helper.make_node("Gather", ["shares", label.name], ["share"]),
        helper.make_node("Constant", [], ["axes"], value_ints=[1, 2, 3]),
        helper.make_node("Unsqueeze", ["share", "axes"], ["factor"]),
        helper.make_node("Mul", [image.name, "factor"], [shaded.name]),
    ]
    shares = np.linspace(1, 0, len(label.classes), dtype=np.float32)
    return nodes, [numpy_helper.from_array(shares, "shares")]


def _comparing(metadata: ModelMetadata) -> Parts:
    """White where two images are opposite, black where they are equal."""
    (one, other), (difference,) = metadata.inputs, metadata.outputs
    nodes = [
        helper.make_node("Sub", [one.name, other.name], ["change"]),
        helper.make_node("Abs", ["change"], [difference.name]),
    ]
    return nodes, []


def _drawing(metadata: ModelMetadata) -> Parts:
    """tanh(latent @ W + embedding[label] + scalars + image), an image; its negatives, and its brightest value."""
    image, *others = metadata.image_outputs
    size = int(np.prod(image.shape))
    random = np.random.RandomState(0)
    nodes, weights, terms = [], [], []
    for tensor in metadata.inputs:
        width = tensor.size if isinstance(tensor, Latent) else len(tensor.classes) if isinstance(tensor, Label) else 1
        weight = (random.standard_normal((width, size)) / width**0.5).astype(np.float32)
        weights.append(numpy_helper.from_array(weight, f"{tensor.name}_weight"))
        terms.append(f"{tensor.name}_term")
        nodes += _term(tensor, terms[-1])
        if isinstance(tensor, Latent) and tensor.selected_by:
            nodes += _selected(metadata, tensor, terms[-1])
            terms[-1] = f"{terms[-1]}_selected"
    nodes += [helper.make_node("Sum", terms, ["sum"]), helper.make_node("Tanh", ["sum"], ["flat"])]
    weights.append(numpy_helper.from_array(np.array([-1, *image.shape], np.int64), "shape"))
    nodes.append(helper.make_node("Reshape", ["flat", "shape"], [image.name]))
    nodes += [_negative(image, other) for other in others]
    return nodes + [node for score in metadata.numeric_outputs for node in _brightest("flat", score)], weights


def _negative(image: Image, other: Image) -> onnx.NodeProto:
    """The negative, or the brightest pixels of a smaller image's squares."""
    side = image.shape[2] // other.shape[2]
    if side == 1:
        return helper.make_node("Neg", [image.name], [other.name])
    return helper.make_node("MaxPool", [image.name], [other.name], kernel_shape=[side, side], strides=[side, side])


def _brightest(flat: str, score: OutputTensor) -> list[onnx.NodeProto]:
    axis = helper.make_node("Constant", [], [f"{score.name}_axis"], value_ints=[1])
    return [axis, helper.make_node("ReduceMax", [flat, f"{score.name}_axis"], [score.name], keepdims=0)]


def _inspecting(metadata: ModelMetadata) -> Parts:
    """The brightest value plus a number, the image's negative, and its brightest pixels by quarters."""
    (image, descent), (score, *images) = metadata.inputs, metadata.outputs
    nodes = [
        helper.make_node("Flatten", [image.name], ["flat"]),
        *_brightest("flat", replace(score, name="brightest")),
        helper.make_node("Add", ["brightest", descent.name], [score.name]),
        *(_negative(image, each) for each in images),
    ]
    return nodes, []


def _inverting(metadata: ModelMetadata) -> Parts:
    """White for black, exactly."""
    (before,), (after,) = metadata.inputs, metadata.outputs
    assert isinstance(before, Image)
    ends = numpy_helper.from_array(np.array(before.low + before.high, np.float32), "ends")
    return [helper.make_node("Sub", ["ends", before.name], [after.name])], [ends]


def _judging(metadata: ModelMetadata) -> Parts:
    """Softmax of a random projection of the image, and its brightest value."""
    (image,), (classes, score) = metadata.inputs, metadata.outputs
    size = int(np.prod(image.shape)), *classes.shape
    weight = numpy_helper.from_array(np.random.RandomState(0).standard_normal(size).astype(np.float32), "weight")
    axis = numpy_helper.from_array(np.array([1], np.int64), "axis")
    nodes = [
        helper.make_node("Flatten", [image.name], ["flat"]),
        helper.make_node("MatMul", ["flat", "weight"], ["logits"]),
        helper.make_node("Softmax", ["logits"], [classes.name]),
        helper.make_node("ReduceMax", ["flat", "axis"], [score.name], keepdims=0),
    ]
    return nodes, [weight, axis]


def _element(tensor: InputTensor) -> int:
    return TensorProto.INT64 if tensor.dtype == "int64" else TensorProto.FLOAT


def _term(tensor: InputTensor, output: str) -> list[onnx.NodeProto]:
    weight = f"{tensor.name}_weight"
    if isinstance(tensor, Latent):
        return [helper.make_node("MatMul", [tensor.name, weight], [output])]
    if isinstance(tensor, Image):
        return [helper.make_node("Flatten", [tensor.name], [output])]
    if isinstance(tensor, Label):
        return [helper.make_node("Gather", [weight, tensor.name], [output])]
    axis = helper.make_node("Constant", [], [f"{tensor.name}_axis"], value_ints=[1])
    column = helper.make_node("Unsqueeze", [tensor.name, f"{tensor.name}_axis"], [f"{tensor.name}_column"])
    return [axis, column, helper.make_node("MatMul", [f"{tensor.name}_column", weight], [output])]


def _selected(metadata: ModelMetadata, latent: Latent, term: str) -> list[onnx.NodeProto]:
    """The latent's term, the more of it the further its selector is from the highest value."""
    (selector,) = (scalar for scalar in metadata.scalars if scalar.name == latent.selected_by)
    return [
        helper.make_node("Constant", [], ["highest"], value_float=float(selector.high)),
        helper.make_node("Sub", ["highest", selector.name], ["share"]),
        helper.make_node("Constant", [], ["share_axis"], value_ints=[1]),
        helper.make_node("Unsqueeze", ["share", "share_axis"], ["share_column"]),
        helper.make_node("Mul", [term, "share_column"], [f"{term}_selected"]),
    ]


def save_model(root: Path, metadata: ModelMetadata, content: bytes | None = None) -> Path:
    path = root / metadata.name / str(metadata.version) / "model.onnx"
    path.parent.mkdir(parents=True)
    path.write_bytes(build_model(metadata).SerializeToString() if content is None else content)
    return path


LATENT = Latent(name="latent", size=16)
GREY = Image(name="image", channels=1, height=8, width=8)
COLOUR = Image(name="image", channels=3, height=8, width=6, low=0)
DIGIT = metadata_of("digits", (LATENT, Label(name="label", classes=DIGITS)), GREY)
PLAIN = metadata_of("plain", (Latent(name="latent", size=16, distribution="uniform"),), COLOUR)
PAIR = metadata_of("pair", (LATENT,), GREY, replace(GREY, name="negative"))
TURNED = metadata_of(
    "turned-grey", (LATENT, Scalar(name="tilt_angle", low=-1, high=1, default=0.5)), GREY, variant="turned"
)
CLASSIFIER = metadata_of(
    "classifier",
    (GREY,),
    Probabilities(name="classes", classes=DIGITS),
    ScoreOutput(name="brightest", low=-1, high=1),
    task="classification",
)
BRIGHTEST = ScoreOutput(name="brightest", low=-1, high=1)
SCORED = metadata_of("scored", (LATENT,), GREY, BRIGHTEST)
APART = metadata_of("apart", (LATENT,), BRIGHTEST, GREY, replace(GREY, name="heat", height=2, width=2))
INSPECTOR = metadata_of(
    "inspector",
    (GREY, Scalar(name="descent", low=0, high=10, default=10)),
    ScoreOutput(name="score", low=-1, high=11, description="How far from normal."),
    replace(GREY, name="reconstruction"),
    replace(GREY, name="heat", height=2, width=2, low=0),
    task="anomaly-detection",
)
INVERTER = metadata_of("inverter", (COLOUR,), replace(COLOUR, name="inverse"), task="image-to-image")
NOISY = metadata_of("noisy", (COLOUR, LATENT), replace(COLOUR, name="noisy"), task="image-to-image")
PHOTO = Image(name="image", channels=3, height=None, width=None, multiple=2, tile=32, overlap=14)
ENLARGER = metadata_of(
    "enlarger",
    (PHOTO,),
    Image(name="larger", channels=3, height=None, width=None, like="image", scale=2),
    task="image-to-image",
)
FILLER = metadata_of(
    "filler",
    (replace(PHOTO, low=0, tile=None, overlap=0), Mask(name="hole", height=None, width=None)),
    Image(name="filled", channels=3, height=None, width=None, low=0, like="image"),
    task="image-to-image",
)
ICON = Image(name="image", channels=3, height=8, width=8, low=0, fit="pad")
PAINTER = metadata_of("painter", (ICON,), replace(ICON, name="painted", like="image"), task="image-to-image")
POSER = metadata_of(
    "poser",
    (ICON, Label(name="pose", classes=("stand left", "walk left 1", "walk left 2", "walk left 3"))),
    replace(ICON, name="posed", like="image"),
    task="image-to-image",
)
MENDER = metadata_of(
    "mender",
    (ICON, Mask(name="hole", height=8, width=8)),
    replace(ICON, name="mended", like="image"),
    task="image-to-image",
)
SKETCHER = metadata_of(
    "sketcher", (replace(ICON, sketch=True),), replace(ICON, name="painted", like="image"), task="image-to-image"
)
SHADER = metadata_of(
    "shader",
    (ICON, Label(name="glasses", classes=("as it is", "round", "square red"), default="as it is")),
    replace(ICON, name="shaded"),
    task="image-to-image",
)
RETOUCHER = metadata_of(
    "retoucher",
    (ICON, replace(ICON, name="painting", paints="image")),
    replace(ICON, name="difference", like="image"),
    task="image-to-image",
)
STYLED = metadata_of(
    "styled",
    (
        LATENT,
        replace(LATENT, name="second_latent"),
        Scalar(name="slant", low=-1, high=1, default=0, description="To which side it leans."),
        Scalar(name="code", low=-2, high=2, default=(-1, 1)),
    ),
    GREY,
    task="latent-code",
)
CROSSED = metadata_of(
    "crossed",
    (
        LATENT,
        replace(LATENT, name="second_latent", selected_by="crossover"),
        Scalar(name="crossover", low=0, high=4, default=4),
    ),
    GREY,
    task="latent-code",
)
