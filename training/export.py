"""Servable -> ONNX file with its metadata inside; a file that differs from PyTorch is refused."""

import itertools
import logging
import warnings
from collections.abc import Sequence

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

OPSET = 18  # old enough for every runtime of the last years
BATCHES = (1, 2, 3, 7, 16)
TOLERANCE = 1e-4  # between PyTorch and ONNX Runtime, for values in -1..1


def usual_name(variant: str, part: str) -> str:
    """What a variant's servable is called: `<variant>-<part>`, or as the variant."""
    return f"{variant}-{part}" if part else variant


def describe(
    trained: Trained, part: str, servable: Servable, *, name: str | None = None, version: int = 1
) -> ModelMetadata:
    """The metadata of one of a training's servables; the name is the variant's, or `<variant>-<part>`."""
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
        feedback=servable.feedback,
    )


def export(servable: Servable, metadata: ModelMetadata) -> bytes:
    """The ONNX file of a servable.

    Raises:
        Failure: ONNX Runtime computes something else than PyTorch, a row depends on its batch, or what an input that
            the metadata allows leads to is not finite.
    """
    names = [tensor.name for tensor in metadata.inputs], [tensor.name for tensor in metadata.outputs]
    network = fold_parametrizations(servable.network.cpu())
    graph = to_onnx(network, servable.examples(4), *names, [tensor.shape for tensor in metadata.inputs])
    content = with_property(graph, PROPERTY, metadata.to_json())
    check(content, network, servable)
    check_extremes(content, metadata)
    return content


def to_onnx(
    network: nn.Module,
    examples: tuple[Tensor, ...],
    inputs: Sequence[str],
    outputs: Sequence[str],
    shapes: Sequence[tuple[int, ...]] | None = None,
) -> bytes:
    """The network's graph with its weights inside; `examples` has two rows or more.

    The batch axis is dynamic, and so are those whose length in `shapes`, which have no batch axis, is -1.
    """
    varying = [(-1, *shape) for shape in shapes or [()] * len(examples)]
    dynamic = tuple(
        {axis: torch.export.Dim.DYNAMIC for axis, length in enumerate(shape) if length == -1} for shape in varying
    )
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it would warn that torchvision is not installed
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the exporter's own deprecations; what matters is checked by its results
        program = torch.onnx.export(
            network,
            examples,
            dynamo=True,
            input_names=inputs,
            output_names=outputs,
            dynamic_shapes=dynamic,
            opset_version=OPSET,
            verbose=False,
        )
    assert program is not None  # it is None only for the old exporter
    model: onnx.ModelProto = program.model_proto
    for node in model.graph.node:  # traces of the source code, which would name this machine's folders
        del node.metadata_props[:]
        node.doc_string = ""
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def with_property(content: bytes, key: str, document: str) -> bytes:
    """The same ONNX file with one metadata property set."""
    model = onnx.load_from_string(content)
    properties = {entry.key: entry.value for entry in model.metadata_props} | {key: document}
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, properties)
    return bytes(model.SerializeToString())


def check(content: bytes, network: nn.Module, servable: Servable) -> None:
    """Compare ONNX Runtime with PyTorch at several batch sizes, and a row alone with the row in its batch.

    Where images may have any size, each batch has images of another one.

    Raises:
        Failure: they differ, or an image has another size than the metadata says.
    """
    session = open_network(content, "the export")
    names = [tensor.name for tensor in servable.inputs]
    for batch, size in zip(BATCHES, itertools.cycle(servable.sizes), strict=False):
        examples = servable.examples(batch, seed=batch, size=size)
        feeds = {name: example.numpy() for name, example in zip(names, examples, strict=True)}
        with torch.no_grad():
            expected = _arrays(network(*examples))
        found = session.run(None, feeds)
        _compare(found, expected, TOLERANCE, f"ONNX Runtime differs from PyTorch at batch {batch}")
        row, in_batch = {name: feed[-1:] for name, feed in feeds.items()}, [array[-1:] for array in found]
        # Not bit for bit: several rows may be summed in another order, which is why a processor gets one at a time.
        _compare(session.run(None, row), in_batch, TOLERANCE, f"a row depends on its batch of {batch}")
        _check_sizes(found, servable.outputs, *size)


def check_extremes(content: bytes, metadata: ModelMetadata) -> None:
    """Run the file on the inputs at which a network is most likely to fail.

    Raises:
        Failure: it makes NaN or infinity.
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
    found: Sequence[NDArray[np.float32]], outputs: Sequence[OutputTensor], height: int, width: int
) -> None:
    for array, tensor in zip(found, outputs, strict=True):
        if isinstance(tensor, Image):
            shape = tensor.shape_at(height * tensor.scale, width * tensor.scale)
            if array.shape[1:] != shape:
                raise Failure(f"{tensor.name} has the shape {array.shape[1:]}, not {shape}; nothing was written")


def _arrays(outputs: Tensor | tuple[Tensor, ...]) -> list[NDArray[np.float32]]:
    return [output.numpy() for output in (outputs if isinstance(outputs, tuple) else (outputs,))]


def _compare(
    found: Sequence[NDArray[np.float32]], expected: Sequence[NDArray[np.float32]], most: float, what: str
) -> None:
    for one, other in zip(found, expected, strict=True):
        if one.shape != other.shape:
            raise Failure(f"{what}: shape {one.shape} instead of {other.shape}; nothing was written")
        apart = float(np.abs(one - other).max())
        if not apart <= most:  # NaN is a difference too
            raise Failure(f"{what}: by {apart:.2g}, at most {most:g} is allowed; nothing was written")
