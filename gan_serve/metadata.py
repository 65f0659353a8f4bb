"""The one JSON document that makes an ONNX file describe itself: what goes in, what comes out, and where it is from."""

import json
import math
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal, get_args

from gan_serve.errors import Failure
from gan_serve.schema import ValidationError, check_printable, decode, encode
from gan_serve.tensors import Image, InputTensor, Label, Latent, Mask, OutputTensor, Scalar

PROPERTY = "gan_serve"  # the key in the ONNX file's metadata_props
REWRITE_METADATA = "write its metadata anew, as docs/models.md shows"
SCHEMA: Final = 1  # raise it when a reader of the old schema would misunderstand the new one

# The tool's own options and arguments; an input of one of these names could not be set.
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
    """What the model was trained on, and on which terms."""

    name: str
    images: int
    license: str
    attribution: str


@dataclass(frozen=True, kw_only=True)
class Training:
    """How the weights came to be."""

    steps: int
    batch_size: int  # of each process
    images_seen: int | None = None  # by all processes; if not known, `steps * batch_size`
    seed: int
    precision: str
    hardware: str
    duration_seconds: float
    processor_seconds: float | None = None  # of all threads; on a busy machine less than the duration
    commit: str
    recipe: dict[str, str | int | float | bool | list[float] | None]
    observed: dict[str, float] = field(default_factory=dict)  # in the last steps, what no loss contains: D(fake) ...

    @property
    def planned_steps(self) -> int:
        """The recipe's; more than `steps` where the training was stopped early."""
        planned = self.recipe.get("steps")
        return planned if isinstance(planned, int) else self.steps

    @property
    def extent(self) -> str:
        """How many steps, and of how many where the training was stopped early."""
        stopped = self.steps < self.planned_steps
        return f"{self.steps:,} of {self.planned_steps:,}" if stopped else f"{self.steps:,}"


@dataclass(frozen=True, kw_only=True)
class Score:
    """One figure of merit of the file itself, beside what a perfect and what a worthless model would get."""

    name: str
    value: float
    better: Literal["higher", "lower"]
    description: str
    real: float | None = None  # the same figure for real data: the floor or ceiling
    control: float | None = None  # the same figure for the untrained generator


@dataclass(frozen=True, kw_only=True)
class Milestone:
    """How far the model had come on its way: Frechet distance on the judge's features after so many steps."""

    step: int
    fcd: float
    observed: dict[str, float] = field(default_factory=dict)  # as in Training, in the steps before


@dataclass(frozen=True, kw_only=True)
class Feedback:
    """An output that is fed back as an input, so many times (MidiNet's bars, AnoGAN's latent)."""

    output: str
    input: str
    steps: int
    keep: Literal["all", "last"] = "last"

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError(f"it is fed back {self.steps} times")


@dataclass(frozen=True, kw_only=True)
class ModelMetadata:
    """Everything that serving and people know about a model. Inputs and outputs are in the graph's order."""

    schema_version: Literal[1] = SCHEMA
    name: str
    version: int
    variant: str
    default: bool  # whether the bare variant name means this model
    task: Task
    description: str
    inputs: tuple[InputTensor, ...]
    outputs: tuple[OutputTensor, ...]
    paper: Paper
    differences: str = ""  # from the paper
    data: Data
    training: Training
    scores: tuple[Score, ...] = ()
    scores_protocol: str = ""  # sample counts, seeds and judge behind the scores
    learning_curve: tuple[Milestone, ...] = ()  # what shows where more steps stop helping
    feedback: Feedback | None = None

    def __post_init__(self) -> None:
        for name in (self.name, self.variant):
            if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", name):
                raise ValueError(f"{name!r} is no name of a model; use small letters, digits, _ and -")
        if self.version < 1:
            raise ValueError(f"version {self.version} does not count from 1")
        if not self.inputs or not self.outputs:
            raise ValueError("a model needs inputs and outputs")
        names = [tensor.name for tensor in self.inputs]
        if taken := RESERVED.intersection(names):
            raise ValueError(f"an input cannot have the name of an option: {', '.join(sorted(taken))}")
        if len(set(names)) < len(names):
            raise ValueError("two inputs have the same name")
        for latent in self.latents:
            if latent.selected_by not in (None, *(scalar.name for scalar in self.scalars)):
                raise ValueError(f"{latent.name} is selected by {latent.selected_by!r}, which is no scalar input")
        self._check_sizes()

    def _check_sizes(self) -> None:
        images = {tensor.name: tensor for tensor in self.inputs if isinstance(tensor, Image)}
        sizes = [tensor.shape[1:] for tensor in images.values()]
        if len({tensor.any_size for tensor in images.values()}) > 1:
            raise ValueError("one image input has any size and another a fixed one")
        for tensor in self.image_inputs:
            if isinstance(tensor, Mask) and tensor.shape[1:] not in sizes[:1]:
                raise ValueError(f"{tensor.name} has another size than the first image input")
            if isinstance(tensor, Image) and tensor.like:
                raise ValueError(f"{tensor.name} is an input, and cannot be like {tensor.like!r}")
        for output in self.outputs:
            like = output.like if isinstance(output, Image) else None
            if like and like not in images:
                raise ValueError(f"{output.name} is like {like!r}, which is no image input")
            any_size = images[like].any_size if like else False
            if self.any_size and not any_size:
                raise ValueError(f"{output.name} is like no input of any size, though there is one")
            if isinstance(output, Image) and output.any_size != any_size:
                raise ValueError(f"{output.name} is not of any size where its input is, or the other way round")

    @cached_property
    def label(self) -> Label | None:
        """The input that says which class to make, if the model has one."""
        return next((tensor for tensor in self.inputs if isinstance(tensor, Label)), None)

    @cached_property
    def latents(self) -> tuple[Latent, ...]:
        """The noise that is drawn."""
        return tuple(tensor for tensor in self.inputs if isinstance(tensor, Latent))

    @cached_property
    def scalars(self) -> tuple[Scalar, ...]:
        """The numbers that a user may turn."""
        return tuple(tensor for tensor in self.inputs if isinstance(tensor, Scalar))

    @cached_property
    def is_random(self) -> bool:
        """Whether anything is drawn at random, so that a seed means something."""
        drawn = (isinstance(scalar.default, tuple) for scalar in self.scalars)
        return any(drawn) or any(isinstance(tensor, Latent | Label) for tensor in self.inputs)

    @cached_property
    def image_inputs(self) -> tuple[Image | Mask, ...]:
        """What must be given, since neither an image nor a mask is ever drawn."""
        return tuple(tensor for tensor in self.inputs if isinstance(tensor, Image | Mask))

    @cached_property
    def any_size(self) -> bool:
        """Whether the model takes images of any size, and all that it makes has theirs."""
        return any(tensor.any_size for tensor in self.image_inputs)

    @cached_property
    def multiple(self) -> int:
        """What the sides of images of any size must be multiples of."""
        return math.lcm(*(tensor.multiple for tensor in self.image_inputs if isinstance(tensor, Image)))

    @cached_property
    def per_item(self) -> bool:
        """Whether what is made of an image depends on its size, so that batches are of no use."""
        likes = any(tensor.like for tensor in self.image_outputs)
        return likes or any(tensor.any_size or isinstance(tensor, Mask) for tensor in self.image_inputs)

    @cached_property
    def image_outputs(self) -> tuple[Image, ...]:
        """The images that the model makes; where there are none, it answers with numbers."""
        return tuple(tensor for tensor in self.outputs if isinstance(tensor, Image))

    @cached_property
    def source_image(self) -> Image | None:
        """The image of which the model makes another one, if it does."""
        images = [tensor for tensor in self.inputs if isinstance(tensor, Image)]
        return images[0] if images and self.image_outputs else None

    def to_json(self) -> str:
        """The document as it stands in the file."""
        return encode(self)


def parse_metadata(document: str, source: str) -> ModelMetadata:
    """Read and check the document found in `source` (a file's name, for the messages).

    Raises:
        Failure: it is not valid, or was written for a newer gan-serve.
    """
    try:
        fields = json.loads(document)
    except (ValueError, RecursionError) as error:
        raise Failure(f"{source}: its metadata is not JSON ({error}); {REWRITE_METADATA}") from None
    version = fields.get("schema_version") if isinstance(fields, dict) else None
    if isinstance(version, int) and version > SCHEMA:
        raise Failure(
            f"{source}: its metadata has schema {version}, this gan-serve reads up to {SCHEMA}; "
            "upgrade with: pip install --upgrade gan-serve"
        )
    try:
        metadata = decode(ModelMetadata, fields)
        check_printable(fields)
    except ValidationError as error:
        raise Failure(f"{source}: its metadata is {error}; {REWRITE_METADATA}") from None
    except RecursionError:
        raise Failure(f"{source}: its metadata is nested too deep; {REWRITE_METADATA}") from None
    return metadata
