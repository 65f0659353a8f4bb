"""Decode and encode bodies of the Open Inference Protocol: JSON, optionally followed by binary tensors."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan_serve.images.limits import MAX_SIDE
from gan_serve.metadata import ModelMetadata
from gan_serve.sampling import Arrays
from gan_serve.server.api.v1_parsing import parse_object
from gan_serve.server.errors import bad_request
from gan_serve.server.settings import Settings
from gan_serve.tensors import Image, InputTensor

DATATYPES = {"float32": "FP32", "int64": "INT64"}
_NUMBER = 16  # pixels that need as much memory as one number in JSON
_NUMBERS: dict[str, frozenset[type]] = {"float32": frozenset((int, float)), "int64": frozenset((int,))}


@dataclass(frozen=True)
class InferRequest:
    """An inference request: the graph's inputs, and the requested outputs."""

    id: str
    feeds: Arrays
    outputs: dict[str, bool]  # by name: whether as binary data
    timeout: float | None  # seconds

    @property
    def rows(self) -> int:
        """The size of the batch."""
        return len(next(iter(self.feeds.values())))


def decode_request(body: bytes, header_length: str | None, metadata: ModelMetadata, settings: Settings) -> InferRequest:
    """Decode and validate a request. `header_length` is the length of its JSON, if binary tensors follow.

    Raises:
        ApiError: the request is invalid.
    """
    head, tail = _split_body(body, header_length)
    document = parse_object(head)
    parameters = _object(document, "parameters")
    feeds, rest = _decode_inputs(document.get("inputs"), tail, metadata, settings.max_count)
    if rest:
        raise bad_request(f"{len(rest)} bytes follow the last input")
    request_id = document.get("id", "")
    if not isinstance(request_id, str):
        raise bad_request("id is not a string")
    request = InferRequest(request_id, feeds, _decode_outputs(document, parameters, metadata), _timeout(parameters))
    _check_pixels(request, metadata, settings.max_pixels)
    return request


def encode_response(request: InferRequest, metadata: ModelMetadata, outputs: Arrays) -> tuple[bytes, int | None]:
    """Return the body of a response, and the length of its JSON if binary tensors follow."""
    described: list[dict[str, Any]] = []
    tail: list[memoryview] = []
    for name, as_bytes in request.outputs.items():
        array = np.ascontiguousarray(outputs[name], "<f4")
        tensor: dict[str, Any] = {"name": name, "datatype": "FP32", "shape": list(array.shape)}
        if as_bytes:
            tail.append(array.data)
            tensor["parameters"] = {"binary_data_size": array.nbytes}
        else:
            tensor["data"] = array.ravel().tolist()
        described.append(tensor)
    document: dict[str, Any] = {
        "model_name": metadata.name,
        "model_version": str(metadata.version),
        "outputs": described,
    }
    if request.id:
        document["id"] = request.id
    head = json.dumps(document, allow_nan=False, separators=(",", ":")).encode()
    return b"".join([head, *tail]), len(head) if tail else None


def _split_body(body: bytes, header_length: str | None) -> tuple[memoryview, memoryview]:
    view = memoryview(body)
    if header_length is None:
        return view, view[:0]
    if not re.fullmatch(r"[0-9]{1,20}", header_length) or int(header_length) > len(body):
        raise bad_request(f"Inference-Header-Content-Length must be from 0 to {len(body)}, the body's length")
    return view[: int(header_length)], view[int(header_length) :]


def _decode_inputs(inputs: Any, tail: memoryview, metadata: ModelMetadata, most: int) -> tuple[Arrays, memoryview]:
    tensors = {tensor.name: tensor for tensor in metadata.inputs}
    feeds: Arrays = {}
    for each in _objects(inputs, "inputs"):
        name = each.get("name")
        if not isinstance(name, str) or name not in tensors or name in feeds:
            raise bad_request(f"inputs must be {', '.join(tensors)}, each exactly once")
        feeds[name], tail = _decode_tensor(each, tensors[name], tail, most)
    if missing := tensors.keys() - feeds:
        raise bad_request(f"{metadata.name} needs {', '.join(sorted(missing))}")
    if len({len(array) for array in feeds.values()}) > 1:
        raise bad_request("the inputs differ in batch size, the first number of their shapes")
    _check_sides(feeds, metadata)
    return {name: feeds[name] for name in tensors}, tail


def _decode_tensor(
    document: Mapping[str, Any], tensor: InputTensor, tail: memoryview, most: int
) -> tuple[NDArray[Any], memoryview]:
    shape = _shape(document.get("shape"), tensor, most)
    if document.get("datatype") != DATATYPES[tensor.dtype]:
        raise bad_request(f"the datatype of {tensor.name} must be {DATATYPES[tensor.dtype]}")
    size = _object(document, "parameters").get("binary_data_size")
    if size is None:
        array = _from_json(document.get("data"), tensor, math.prod(shape))
    else:
        array, tail = _from_bytes(size, tensor, math.prod(shape), tail)
    _check_values(array, tensor)
    return array.reshape(shape), tail


def _shape(shape: Any, tensor: InputTensor, most: int) -> tuple[int, ...]:
    expected = [f"1 to {most}", *(f"1 to {MAX_SIDE}" if length < 0 else str(length) for length in tensor.shape)]
    if not isinstance(shape, list) or any(type(length) is not int for length in shape):
        raise bad_request(f"{tensor.name} needs a shape, a list of integers")
    if len(shape) != len(expected) or not 1 <= shape[0] <= most or not _fits(shape[1:], tensor.shape):
        raise bad_request(f"the shape of {tensor.name} must be [{', '.join(expected)}]")
    return tuple(shape)


def _fits(shape: Sequence[int], expected: Sequence[int]) -> bool:
    return all(
        1 <= length <= MAX_SIDE if fixed < 0 else length == fixed for length, fixed in zip(shape, expected, strict=True)
    )


def _check_sides(feeds: Arrays, metadata: ModelMetadata) -> None:
    """Check that images of any size all have one size that the network takes in a single tile."""
    sizes = {feeds[tensor.name].shape[2:] for tensor in metadata.image_inputs if tensor.any_size}
    if len(sizes) > 1:
        raise bad_request("the images differ in height or width")
    if any(length % metadata.multiple for size in sizes for length in size):
        raise bad_request(f"height and width must be multiples of {metadata.multiple}")
    most = min((tensor.tile for tensor in metadata.image_inputs if tensor.tile), default=0)
    if most and any(length > most for size in sizes for length in size):
        raise bad_request(
            f"height and width may be up to {most}; use /v1/models/{metadata.name}/generate for larger images"
        )


def _check_pixels(request: InferRequest, metadata: ModelMetadata, most: int) -> None:
    """Check the total pixels of a response, and the numbers that it holds as JSON."""
    drawn = {tensor.name: tensor for tensor in metadata.drawn_outputs if tensor.name in request.outputs}
    images = {name: tensor for name, tensor in drawn.items() if isinstance(tensor, Image)}
    shapes = {name: tensor.shape for name, tensor in drawn.items()}
    shapes |= {name: tensor.shape_at(*_sides(request.feeds, tensor)) for name, tensor in images.items()}
    pixels = request.rows * sum(math.prod(shape[-2:]) for shape in shapes.values())
    if pixels > most:
        raise bad_request(f"{pixels} pixels are too many for one response; request up to {most} in total")
    numbers = request.rows * sum(math.prod(shape) for name, shape in shapes.items() if not request.outputs[name])
    if numbers * _NUMBER > most:
        raise bad_request(
            f"{numbers} numbers are too many for JSON; request up to {most // _NUMBER}, or binary data by "
            "the parameter binary_data_output"
        )


def _sides(feeds: Arrays, tensor: Image) -> tuple[int, int]:
    """Return the height and width of an output, which may depend on those of an input."""
    if not tensor.like:
        return tensor.shape[1], tensor.shape[2]
    height, width = feeds[tensor.like].shape[2:]
    return height * tensor.scale, width * tensor.scale


def _from_bytes(size: Any, tensor: InputTensor, count: int, tail: memoryview) -> tuple[NDArray[Any], memoryview]:
    dtype = np.dtype(tensor.dtype).newbyteorder("<")
    if type(size) is not int or size != count * dtype.itemsize:
        raise bad_request(f"binary_data_size of {tensor.name} must be {count * dtype.itemsize}, by its shape")
    if size > len(tail):
        raise bad_request(f"{tensor.name} has {size} bytes, but only {len(tail)} are left in the body")
    return np.frombuffer(tail[:size], dtype).astype(tensor.dtype, copy=False), tail[size:]


def _from_json(data: Any, tensor: InputTensor, count: int) -> NDArray[Any]:
    if not isinstance(data, list):
        raise bad_request(f"{tensor.name} needs data, a list of numbers")
    while data and isinstance(data[0], list):
        if not all(isinstance(each, list) for each in data):
            raise bad_request(f"data of {tensor.name} is not an array")
        data = list(chain.from_iterable(data))
    if len(data) != count or not _NUMBERS[tensor.dtype].issuperset(map(type, data)):
        raise bad_request(f"data of {tensor.name} must be {count} numbers for {DATATYPES[tensor.dtype]}")
    try:
        with np.errstate(over="ignore"):  # too large numbers become infinite and are rejected later
            return np.array(data, tensor.dtype)
    except OverflowError:
        raise bad_request(f"data of {tensor.name} has a number that is too large") from None


def _check_values(array: NDArray[Any], tensor: InputTensor) -> None:
    if ((array >= tensor.low) & (array <= tensor.high)).all():
        return
    if not np.isfinite(array).all():
        raise bad_request(f"the values of {tensor.name} must be finite")
    raise bad_request(f"the values of {tensor.name} must be from {tensor.low:g} to {tensor.high:g}")


def _decode_outputs(
    document: Mapping[str, Any], parameters: Mapping[str, Any], metadata: ModelMetadata
) -> dict[str, bool]:
    known = [tensor.name for tensor in metadata.outputs]
    binary = parameters.get("binary_data_output") is True
    if not document.get("outputs"):
        return dict.fromkeys(known, binary)
    outputs = {}
    for each in _objects(document["outputs"], "outputs"):
        name, options = each.get("name"), _object(each, "parameters")
        if not isinstance(name, str) or name not in known:
            raise bad_request(f"outputs must be among {', '.join(known)}")
        if unknown := options.keys() - {"binary_data"}:
            raise bad_request(f"output {name} has no parameter {min(unknown)[:40]!r}; use binary_data")
        outputs[name] = options.get("binary_data", binary) is True
    return outputs


def _timeout(parameters: Mapping[str, Any]) -> float | None:
    """Return the client's timeout in seconds. Clients send microseconds, as with Triton."""
    timeout = parameters.get("timeout")
    if timeout is None:
        return None
    if type(timeout) is not int or not 0 < timeout < 2**63:
        raise bad_request("timeout must be a positive integer, in microseconds")
    return timeout / 1e6


def _objects(value: Any, name: str) -> Sequence[Mapping[str, Any]]:
    if not isinstance(value, list) or not value or not all(isinstance(each, dict) for each in value):
        raise bad_request(f"{name} must be a list of objects")
    return value


def _object(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = document.get(name, {})
    if not isinstance(value, dict):
        raise bad_request(f"{name} must be an object")
    return value
