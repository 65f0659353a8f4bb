"""Read the metadata of an ONNX file without ONNX Runtime.

An ONNX file is one protobuf message. Parsing its wire format takes a few lines, and lets models be listed, described
and validated without the 0.2 seconds of importing a runtime.
"""

from collections.abc import Iterator

from gan_serve.errors import Failure

_Message = dict[int, str]  # field number -> message type; only fields that lead to tensors

_MODEL, _METADATA_PROPS, _KEY, _VALUE = "ModelProto", 14, 1, 2
_DATA_LOCATION, _EXTERNAL_DATA, _EXTERNAL = 14, 13, 1
_LEADS_TO_TENSORS: dict[str, _Message] = {
    "ModelProto": {7: "GraphProto", 25: "FunctionProto"},
    "GraphProto": {1: "NodeProto", 5: "TensorProto", 15: "SparseTensorProto"},
    "FunctionProto": {7: "NodeProto"},
    "NodeProto": {5: "AttributeProto"},
    "AttributeProto": {
        5: "TensorProto",
        6: "GraphProto",
        10: "TensorProto",
        11: "GraphProto",
        22: "SparseTensorProto",
        23: "SparseTensorProto",
    },
    "SparseTensorProto": {1: "TensorProto", 2: "TensorProto"},
}


class _Malformed(Exception):
    """The bytes are not a complete protobuf message."""


def read_property(content: bytes, key: str, source: str) -> str:
    """Return the metadata property `key` of the ONNX file with the bytes `content`.

    Raises:
        Failure: The file is truncated or not ONNX, lacks the property, or has external weights.
    """
    message = memoryview(content)
    try:
        if not content:
            raise _Malformed
        properties = dict(_properties(message))
        external = _has_external_data(message, _MODEL)
    except (_Malformed, UnicodeDecodeError, RecursionError):  # no exporter nests a thousand graphs
        raise Failure(f"{source}: {_diagnosis(content)}") from None
    if external:
        raise Failure(
            f"{source}: its weights are in another file; include them with Python: onnx.save(onnx.load(FILE), FILE)"
        )
    if key not in properties:
        raise Failure(
            f"{source}: not a gan-serve model (no {key!r} metadata); docs/models.md shows how to add metadata to a "
            "foreign model"
        )
    return properties[key]


def _diagnosis(content: bytes) -> str:
    if not content:
        return "the file is empty; copy or export it again"
    # Every ONNX file opens with ir_version: field 1, a varint.
    return "the file is truncated or damaged; copy or export it again" if content[0] == 8 else "not an ONNX file"


def _properties(model: memoryview) -> Iterator[tuple[str, str]]:
    for number, value in _fields(model):
        if number == _METADATA_PROPS and isinstance(value, memoryview):
            entry = dict(_fields(value))
            yield _text(entry.get(_KEY)), _text(entry.get(_VALUE))


def _has_external_data(message: memoryview, kind: str) -> bool:
    if kind == "TensorProto":
        return any(
            number == _EXTERNAL_DATA or (number == _DATA_LOCATION and value == _EXTERNAL)
            for number, value in _fields(message)
        )
    inner = _LEADS_TO_TENSORS[kind]
    return any(
        _has_external_data(value, inner[number])
        for number, value in _fields(message)
        if number in inner and isinstance(value, memoryview)
    )


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield the number and value of each field: an integer for a varint, otherwise bytes."""
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == 0:
            value, position = _varint(message, position)
            yield number, value
        else:
            size, position = _size(message, position, wire_type)
            if position + size > len(message):
                raise _Malformed
            yield number, message[position : position + size]
            position += size


def _size(message: memoryview, position: int, wire_type: int) -> tuple[int, int]:
    fixed = {1: 8, 5: 4}
    if wire_type in fixed:
        return fixed[wire_type], position
    if wire_type == 2:
        return _varint(message, position)
    raise _Malformed


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(message):
            break
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise _Malformed


def _text(value: int | memoryview | None) -> str:
    if not isinstance(value, memoryview):
        raise _Malformed
    return bytes(value).decode()
