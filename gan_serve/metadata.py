"""The JSON document inside an ONNX file that describes the model: inputs, outputs and origin."""

import json
import math
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal, get_args

from gan_serve.errors import Failure
from gan_serve.schema import ValidationError, check_printable, decode, encode
from gan_serve.tensors import (
    Choice,
    Drawn,
    Image,
    InputTensor,
    Label,
    Latent,
    Mask,
    Numeric,
    OutputTensor,
    Raster,
    Scalar,
)

PROPERTY = "gan_serve"  # the key in the ONNX file's metadata_props
REWRITE_METADATA = "write its metadata again, as docs/models.md shows"
SCHEMA: Final = 1  # increment when readers of the old schema would misread the new one

# The options and arguments of the command line and the API: an input with one of these names could not be set.
RESERVED = frozenset(
    ("model", "images", "count", "seed", "index", "walk_to", "steps", "step", "mix_with", "mix", "mix_index", "output",
     "format", "grid", "scale", "show", "device", "inexact", "models", "ray", "help", "context")
)  # fmt: skip

Task = Literal[
    "unconditional", "class-conditional", "latent-code", "image-to-image", "classification", "anomaly-detection"
]
TASKS: tuple[Task, ...] = get_args(Task)


@dataclass(frozen=True, kw_only=True)
class Paper:
    """The publication that defines the variant."""

    title: str
    authors: str
    year: int
    url: str


@dataclass(frozen=True, kw_only=True)
class Data:
    """The training data and its license."""

    name: str
    images: int
    license: str
    attribution: str


@dataclass(frozen=True, kw_only=True)
class Training:
    """The training run that made the weights."""

    steps: int
    batch_size: int  # per process
    images_seen: int | None = None  # by all processes; None: `steps * batch_size`
    seed: int
    precision: str
    hardware: str
    duration_seconds: float
    processor_seconds: float | None = None  # CPU time of all threads; less than the duration on a busy machine
    commit: str
    recipe: dict[str, str | int | float | bool | list[float] | None]
    observed: dict[str, float] = field(default_factory=dict)  # diagnostics of the last steps, such as D(fake)

    @property
    def planned_steps(self) -> int:
        """The recipe's steps; more than `steps` if training stopped early."""
        planned = self.recipe.get("steps")
        return planned if isinstance(planned, int) else self.steps

    @property
    def extent(self) -> str:
        """The number of steps as text, with the planned number if training stopped early."""
        stopped = self.steps < self.planned_steps
        return f"{self.steps:,} of {self.planned_steps:,}" if stopped else f"{self.steps:,}"


@dataclass(frozen=True, kw_only=True)
class Score:
    """A figure of merit of this file, with reference values for real data and for an untrained model."""

    name: str
    value: float
    better: Literal["higher", "lower"]
    description: str
    real: float | None = None  # the same figure for real data: the floor or ceiling
    control: float | None = None  # the same figure for the untrained generator


@dataclass(frozen=True, kw_only=True)
class Milestone:
    """A point of the learning curve: the Frechet distance on the classifier's features after `step` steps."""

    step: int
    fcd: float
    observed: dict[str, float] = field(default_factory=dict)  # as in Training, for the steps before this one


@dataclass(frozen=True, kw_only=True)
class Feedback:
    """An output that is fed back into an input for several steps (MidiNet's bars, AnoGAN's latent)."""

    output: str
    input: str
    steps: int
    keep: Literal["all", "last"] = "last"

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError(f"steps is {self.steps}; it must be positive")


@dataclass(frozen=True, kw_only=True)
class ModelMetadata:
    """All that serving and users know about a model. Inputs and outputs are in the graph's order."""

    schema_version: Literal[1] = SCHEMA
    name: str
    version: int
    variant: str
    default: bool  # whether the variant's name alone selects this model
    task: Task
    description: str
    inputs: tuple[InputTensor, ...]
    outputs: tuple[OutputTensor, ...]
    paper: Paper
    differences: str = ""  # from the paper
    data: Data
    training: Training
    scores: tuple[Score, ...] = ()
    scores_protocol: str = ""  # how scores were computed: sample counts, seeds, classifier
    learning_curve: tuple[Milestone, ...] = ()
    feedback: Feedback | None = None

    def __post_init__(self) -> None:
        for name in (self.name, self.variant):
            if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", name):
                raise ValueError(f"{name!r} is not a model name; use lower-case letters, digits, _ and -")
        if self.version < 1:
            raise ValueError(f"version is {self.version}; versions count from 1")
        if not self.inputs or not self.outputs:
            raise ValueError("a model needs inputs and outputs")
        names = [tensor.name for tensor in self.inputs]
        if reserved := RESERVED.intersection(names):
            raise ValueError(f"an input cannot have the name of an option: {', '.join(sorted(reserved))}")
        for side, tensors in (("inputs", self.inputs), ("outputs", self.outputs)):
            if len({tensor.name for tensor in tensors}) < len(tensors):
                raise ValueError(f"two {side} have the same name")
        for latent in self.latents:
            if latent.selected_by not in (None, *(scalar.name for scalar in self.scalars)):
                raise ValueError(f"{latent.name} is selected by {latent.selected_by!r}, which is not a scalar input")
        self._check_sizes()

    def _check_sizes(self) -> None:
        images = {tensor.name: tensor for tensor in self.input_images}
        sizes = [tensor.shape[1:] for tensor in images.values()]
        if len({tensor.any_size for tensor in images.values()}) > 1:
            raise ValueError("one image input has any size and another a fixed one")
        for mask in self.masks:
            if mask.shape[1:] not in sizes[:1]:
                raise ValueError(f"{mask.name} differs in size from the first image input")
        for image in self.input_images:
            if image.like:
                raise ValueError(f"{image.name} is an input, and cannot be like {image.like!r}")
        for output in self.outputs:
            like = output.like if isinstance(output, Image) else None
            if like and like not in images:
                raise ValueError(f"{output.name} is like {like!r}, which is not an image input")
            any_size = images[like].any_size if like else False
            if self.any_size and not any_size:
                raise ValueError(f"{output.name} must be like an input of any size, since the model has one")
            if isinstance(output, Image) and output.any_size != any_size:
                raise ValueError(f"{output.name} and its input must both have any size, or both a fixed one")

    @cached_property
    def choices(self) -> dict[str, Choice]:
        """The inputs that users set, by name. The others are noise."""
        return {tensor.name: tensor for tensor in self.inputs if isinstance(tensor, Choice)}

    @cached_property
    def label(self) -> Label | None:
        """The input that selects the class, if the model has one."""
        return next((tensor for tensor in self.inputs if isinstance(tensor, Label)), None)

    @cached_property
    def latents(self) -> tuple[Latent, ...]:
        """The noise inputs."""
        return tuple(tensor for tensor in self.inputs if isinstance(tensor, Latent))

    @cached_property
    def scalars(self) -> tuple[Scalar, ...]:
        """The numbers that users may set."""
        return tuple(tensor for tensor in self.inputs if isinstance(tensor, Scalar))

    @cached_property
    def is_random(self) -> bool:
        """Whether any input comes from the seed."""
        return any(tensor.is_drawn for tensor in self.inputs)

    @cached_property
    def image_inputs(self) -> tuple[Image | Mask, ...]:
        """The images and masks, which users must provide."""
        return tuple(tensor for tensor in self.inputs if isinstance(tensor, Raster))

    @cached_property
    def input_images(self) -> tuple[Image, ...]:
        """The image inputs without the masks."""
        return tuple(tensor for tensor in self.inputs if isinstance(tensor, Image))

    @cached_property
    def masks(self) -> tuple[Mask, ...]:
        """The masks."""
        return tuple(tensor for tensor in self.inputs if isinstance(tensor, Mask))

    @cached_property
    def any_size(self) -> bool:
        """Whether the model accepts images of any size, and its outputs have the size of its inputs."""
        return any(tensor.any_size for tensor in self.image_inputs)

    @cached_property
    def multiple(self) -> int:
        """The number of pixels that sides of images of any size must be multiples of."""
        return math.lcm(*(image.multiple for image in self.input_images))

    @cached_property
    def per_item(self) -> bool:
        """Whether items run one by one, because output sizes depend on the input images."""
        likes = any(tensor.like for tensor in self.image_outputs)
        return likes or self.any_size or bool(self.masks)

    @cached_property
    def drawn_outputs(self) -> tuple[Drawn, ...]:
        """The outputs that have an image. A model without any returns numbers."""
        return tuple(tensor for tensor in self.outputs if isinstance(tensor, Drawn))

    @cached_property
    def numeric_outputs(self) -> tuple[Numeric, ...]:
        """The outputs that are numbers."""
        return tuple(tensor for tensor in self.outputs if isinstance(tensor, Numeric))

    @cached_property
    def image_outputs(self) -> tuple[Image, ...]:
        """The drawn outputs that are images themselves, and may have the size of an input image."""
        return tuple(tensor for tensor in self.outputs if isinstance(tensor, Image))

    @cached_property
    def source_image(self) -> Image | None:
        """The image that an image-to-image model translates; None for other models."""
        return self.input_images[0] if self.input_images and self.drawn_outputs else None

    def to_json(self) -> str:
        """Return the document as the file stores it."""
        return encode(self)


def parse_metadata(document: str, source: str) -> ModelMetadata:
    """Parse and validate the document. Error messages call its file `source`.

    Raises:
        Failure: It is invalid, or was written for a newer gan-serve.
    """
    try:
        fields = json.loads(document)
    except (ValueError, RecursionError) as error:
        raise Failure(f"{source}: its metadata is not JSON ({error}); {REWRITE_METADATA}") from None
    version = fields.get("schema_version") if isinstance(fields, dict) else None
    if isinstance(version, int) and version > SCHEMA:
        raise Failure(
            f"{source}: its metadata has schema {version}, but this gan-serve reads schemas up to {SCHEMA}; "
            "upgrade with: pip install --upgrade gan-serve"
        )
    try:
        metadata = decode(ModelMetadata, fields)
        check_printable(fields)
    except ValidationError as error:
        raise Failure(f"{source}: its metadata is {error}; {REWRITE_METADATA}") from None
    except RecursionError:
        raise Failure(f"{source}: its metadata is nested too deeply; {REWRITE_METADATA}") from None
    return metadata
