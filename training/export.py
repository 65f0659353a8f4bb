"""Export a servable as an ONNX file with its metadata inside; refuse a file that differs from PyTorch."""

import inspect
import itertools
import logging
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gan_serve.errors import Failure
from gan_serve.extremes import try_extremes
from gan_serve.graph import check_outputs
from gan_serve.metadata import PROPERTY, ModelMetadata
from gan_serve.sampling import Arrays
from gan_serve.tensors import Image, OutputTensor
from training.gan import Servable
from training.inference import open_network
from training.loop.runs import Trained
from training.networks.parametrizations import fold_parametrizations

OPSET = 18  # old enough for every recent runtime
BATCHES = (1, 2, 3, 7, 16)


def usual_name(variant: str, part: str) -> str:
    """Return the name of a variant's servable: `<variant>-<part>`, or the variant's name."""
    return f"{variant}-{part}" if part else variant


def describe(
    trained: Trained, part: str, servable: Servable, *, name: str | None = None, version: int = 1
) -> ModelMetadata:
    """Return the metadata of one of a training's servables; its default name is the usual one."""
    usual = usual_name(trained.variant, part)
    return ModelMetadata(
        name=name or usual,
        version=version,
        variant=trained.variant,
        default=name in (None, usual) and part == next(iter(trained.gan.servables())),
        task=servable.task,
        description=servable.description,
        inputs=servable.inputs,
        outputs=servable.outputs,
        paper=trained.gan.paper,
        differences=trained.gan.differences,
        data=trained.data,
        training=trained.training,
    )


def export(servable: Servable, metadata: ModelMetadata) -> bytes:
    """Return the ONNX file of a servable.

    Raises:
        Failure: ONNX Runtime and PyTorch differ, a row depends on its batch, or an input that the metadata allows
            gives an output that is not finite.
    """
    names = [tensor.name for tensor in metadata.inputs], [tensor.name for tensor in metadata.outputs]
    network = fold_parametrizations(servable.network.cpu())
    graph = to_onnx(network, servable.examples(4), *names, [tensor.shape for tensor in metadata.inputs])
    content = with_property(graph, PROPERTY, metadata.to_json())
    check(content, network, servable)
    if servable.highest:
        check(content, network, servable.without_steps)
    check_extremes(content, metadata)
    return content


def to_onnx(
    network: nn.Module,
    examples: tuple[Tensor, ...],
    inputs: Sequence[str],
    outputs: Sequence[str],
    shapes: Sequence[tuple[int, ...]] | None = None,
) -> bytes:
    """Return the network's graph with its weights inside; `examples` has two rows or more.

    The batch axis is dynamic, and so is every axis whose length in `shapes`, which omit the batch, is -1.
    """
    varying = [(-1, *shape) for shape in shapes or [()] * len(examples)]
    dynamic = tuple(
        {axis: torch.export.Dim.DYNAMIC for axis, length in enumerate(shape) if length == -1} for shape in varying
    )
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # otherwise it warns that torchvision is not installed
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the exporter's own deprecations; `check` tests the result
        program = torch.onnx.export(
            network,
            examples,
            dynamo=True,
            input_names=inputs,
            output_names=outputs,
            dynamic_shapes=_as_passed(network, dynamic),
            opset_version=OPSET,
            verbose=False,
        )
    assert program is not None  # None only from the old exporter
    model: onnx.ModelProto = program.model_proto
    for node in _nodes(model.graph):  # source locations, which would name this machine's folders
        del node.metadata_props[:]
        node.doc_string = ""
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def _as_passed(network: nn.Module, values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a value for each argument of the network; those of `*labels` are one tuple."""
    kinds = [parameter.kind for parameter in inspect.signature(network.forward).parameters.values()]
    if inspect.Parameter.VAR_POSITIONAL not in kinds:
        return values
    single = kinds.index(inspect.Parameter.VAR_POSITIONAL)
    return (*values[:single], values[single:])


def _nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """Yield every node, those in the bodies of loops included."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            yield from _nodes(attribute.g)


def with_property(content: bytes, key: str, document: str) -> bytes:
    """Return the ONNX file with one metadata property set."""
    model = onnx.load_from_string(content)
    properties = {entry.key: entry.value for entry in model.metadata_props} | {key: document}
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, properties)
    return bytes(model.SerializeToString())


def check(content: bytes, network: nn.Module, servable: Servable) -> None:
    """Compare ONNX Runtime with PyTorch at several batch sizes, and a single row with the row in its batch.

    Where images may have any size, each batch has another size.

    Raises:
        Failure: they differ, or the size of an image differs from the metadata.
    """
    session = open_network(content, "the export")
    names = [tensor.name for tensor in servable.inputs]
    for batch, size in zip(BATCHES, itertools.cycle(servable.sizes), strict=False):
        examples = servable.examples(batch, seed=batch, size=size)
        feeds = {name: example.numpy() for name, example in zip(names, examples, strict=True)}
        with torch.no_grad():
            expected = _arrays(network(*examples))
        outputs = session.run(None, feeds)
        _compare(outputs, expected, servable.tolerance, f"ONNX Runtime differs from PyTorch at batch {batch}")
        row, in_batch = {name: feed[-1:] for name, feed in feeds.items()}, [array[-1:] for array in outputs]
        # Not bit for bit: several rows may be summed in another order, so the server runs one row at a time.
        _compare(session.run(None, row), in_batch, servable.tolerance, f"a row depends on its batch of {batch}")
        _check_sizes(outputs, servable.outputs, *size)


def check_extremes(content: bytes, metadata: ModelMetadata) -> None:
    """Run the file on the inputs that are most likely to make a network fail.

    Raises:
        Failure: an output is NaN or infinite.
    """
    session = open_network(content, "the export")
    names = [tensor.name for tensor in metadata.outputs]

    def infer(inputs: Arrays) -> None:
        check_outputs(metadata, inputs, dict(zip(names, session.run(names, inputs), strict=True)))

    try:
        try_extremes(metadata, infer)
    except Failure as failure:
        raise Failure(f"{failure}; nothing was written") from None


def _check_sizes(
    arrays: Sequence[NDArray[np.float32]], outputs: Sequence[OutputTensor], height: int, width: int
) -> None:
    for array, tensor in zip(arrays, outputs, strict=True):
        if isinstance(tensor, Image):
            shape = tensor.shape_at(height * tensor.scale, width * tensor.scale)
            if array.shape[1:] != shape:
                raise Failure(f"{tensor.name} has the shape {array.shape[1:]}, not {shape}; nothing was written")


def _arrays(outputs: Tensor | tuple[Tensor, ...]) -> list[NDArray[np.float32]]:
    return [output.numpy() for output in (outputs if isinstance(outputs, tuple) else (outputs,))]


def _compare(
    outputs: Sequence[NDArray[np.float32]], expected: Sequence[NDArray[np.float32]], tolerance: float, what: str
) -> None:
    for one, other in zip(outputs, expected, strict=True):
        if one.shape != other.shape:
            raise Failure(f"{what}: shape {one.shape} instead of {other.shape}; nothing was written")
        difference = float(np.abs(one - other).max())
        allowed = tolerance * max(1.0, float(np.abs(other).max()))
        if not difference <= allowed:  # NaN is a difference too
            raise Failure(f"{what}: by {difference:.2g}, at most {allowed:.2g} is allowed; nothing was written")
