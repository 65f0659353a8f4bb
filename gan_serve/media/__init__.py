"""Media: the formats of files in which outputs are written, read back and shown.

A kind of output names its medium: the module of this package that holds it as `MEDIUM`.
"""

from dataclasses import replace
from functools import cache
from importlib import import_module
from typing import get_args

from gan_serve.media.medium import Format, Medium
from gan_serve.metadata import ModelMetadata
from gan_serve.tensors import Output, OutputTensor


def medium_of(metadata: ModelMetadata) -> Medium:
    """Return the medium of a model: that of its first output with an image, or else numbers.

    If the model makes both, the medium of the image has the formats of numbers, too.
    """
    if not metadata.drawn_outputs:
        return find_medium(metadata.outputs[0])
    medium = find_medium(metadata.drawn_outputs[0])
    if not metadata.numeric_outputs:
        return medium
    return replace(medium, formats=medium.formats + find_medium(metadata.numeric_outputs[0]).formats)


def find_medium(output: Output | type[Output]) -> Medium:
    """Return the medium that a kind of output names."""
    medium: Medium = import_module(f"{__name__}.{output.medium}").MEDIUM
    return medium


@cache
def all_formats() -> dict[str, Format]:
    """Return the formats of all media, by name."""
    return {format.name: format for kind in get_args(OutputTensor) for format in find_medium(kind).formats}
