"""The one JSON document that makes an ONNX file describe itself: what goes in, what comes out, and where it is from."""

import json
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gan_serve.errors import Failure
from gan_serve.tensors import Image, InputTensor, Label, Latent, OutputTensor, Scalar

PROPERTY = "gan_serve"  # the key in the ONNX file's metadata_props
SCHEMA: Final = 1  # raise it when a reader of the old schema would misunderstand the new one

# The tool's own options; an input of one of these names could not be set.
RESERVED = frozenset(
    ("model", "count", "seed", "index", "output", "format", "grid", "scale", "show", "device", "models", "help")
)

Task = Literal["unconditional", "class-conditional", "latent-code", "image-to-image", "classification"]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=64)]


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Paper(_Document):
    """The publication that defines the variant."""

    title: str
    authors: str
    year: int
    url: str


class Data(_Document):
    """What the model was trained on, and on which terms."""

    name: str
    images: int
    license: str
    attribution: str


class Training(_Document):
    """How the weights came to be."""

    steps: int
    batch_size: int
    seed: int
    precision: str
    hardware: str
    duration_seconds: float
    processor_seconds: float | None = None  # of all threads; on a busy machine less than the duration
    commit: str
    recipe: dict[str, str | int | float | bool | list[float] | None]
    observed: dict[str, float] = {}  # what was watched in the last steps and no loss contains, such as D(fake)


class Score(_Document):
    """One figure of merit of the file itself, beside what a perfect and what a worthless model would get."""

    name: str
    value: float
    better: Literal["higher", "lower"]
    description: str
    real: float | None = None  # the same figure for real data: the floor or ceiling
    control: float | None = None  # the same figure for the untrained generator


class Milestone(_Document):
    """How far the model had come on its way: Frechet distance on the judge's features after so many steps."""

    step: int
    fcd: float


class Feedback(_Document):
    """An output that is fed back as an input, so many times (MidiNet's bars, AnoGAN's latent)."""

    output: str
    input: str
    steps: int = Field(gt=0)
    keep: Literal["all", "last"] = "last"


class ModelMetadata(_Document):
    """Everything that serving and people know about a model. Inputs and outputs are in the graph's order."""

    schema_version: Literal[1] = SCHEMA
    name: Name
    version: int = Field(gt=0)
    variant: Name
    default: bool  # whether the bare variant name means this model
    task: Task
    description: str
    inputs: tuple[InputTensor, ...] = Field(min_length=1)
    outputs: tuple[OutputTensor, ...] = Field(min_length=1)
    paper: Paper
    differences: str = ""  # from the paper
    data: Data
    training: Training
    scores: tuple[Score, ...] = ()
    scores_protocol: str = ""  # sample counts, seeds and judge behind the scores
    learning_curve: tuple[Milestone, ...] = ()  # what shows where more steps stop helping
    feedback: Feedback | None = None

    @model_validator(mode="after")
    def _inputs_can_be_named(self) -> "ModelMetadata":
        names = [tensor.name for tensor in self.inputs]
        if taken := RESERVED.intersection(names):
            raise ValueError(f"an input cannot have the name of an option: {', '.join(sorted(taken))}")
        if len(set(names)) < len(names):
            raise ValueError("two inputs have the same name")
        return self

    @property
    def label(self) -> Label | None:
        """The input that says which class to make, if the model has one."""
        return next((tensor for tensor in self.inputs if isinstance(tensor, Label)), None)

    @property
    def scalars(self) -> tuple[Scalar, ...]:
        """The numbers that a user may turn."""
        return tuple(tensor for tensor in self.inputs if isinstance(tensor, Scalar))

    @property
    def draws(self) -> bool:
        """Whether anything is drawn at random, so that a seed means something."""
        drawn = (isinstance(scalar.default, tuple) for scalar in self.scalars)
        return any(drawn) or any(isinstance(tensor, Latent | Label) for tensor in self.inputs)

    @property
    def image_inputs(self) -> tuple[Image, ...]:
        """What must be given, since an image is never drawn."""
        return tuple(tensor for tensor in self.inputs if isinstance(tensor, Image))

    @property
    def image_outputs(self) -> tuple[Image, ...]:
        """The pictures that the model makes; where there are none, it answers with numbers."""
        return tuple(tensor for tensor in self.outputs if isinstance(tensor, Image))

    def to_json(self) -> str:
        """The document as it stands in the file."""
        return self.model_dump_json()


def parse_metadata(document: str, source: str) -> ModelMetadata:
    """Read and check the document found in `source` (a file's name, for the messages).

    Raises:
        Failure: it is not valid, or was written for a newer gan-serve.
    """
    try:
        fields = json.loads(document)
    except ValueError as error:
        raise Failure(f"{source}: its metadata is not JSON ({error}); export the model again") from None
    version = fields.get("schema_version") if isinstance(fields, dict) else None
    if isinstance(version, int) and version > SCHEMA:
        raise Failure(
            f"{source}: its metadata has schema {version}, this gan-serve reads up to {SCHEMA}; "
            "upgrade with: pip install --upgrade gan-serve"
        )
    try:
        return ModelMetadata.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "document"
        raise Failure(f"{source}: its metadata is wrong at {where}: {first['msg']}; export the model again") from None
