"""What the model named on the command line adds to it: an option for each input, and examples with its name."""

import inspect
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.models import OptionInfo

from gan_serve.cli.images import STDIN
from gan_serve.cli.options import find_model, flag
from gan_serve.errors import UsageError
from gan_serve.suggestions import nearest

if TYPE_CHECKING:
    from gan_serve.metadata import ModelMetadata
    from gan_serve.request import Choice

# What no option claims is kept, so that the answer can name what the model takes.
CONTEXT = {"ignore_unknown_options": True, "allow_extra_args": True}


def with_model_options(command: Callable[..., None], arguments: Sequence[str]) -> Callable[..., None]:
    """`generate` or `translate` with its `**inputs` replaced by the inputs of the model that `arguments` name.

    Raises:
        GanServeError: there is no such model, or it is broken.
    """
    signature = inspect.signature(command)
    short = "images" in signature.parameters  # which are arguments there, not an option
    model = _model(command, arguments, short)
    metadata = _metadata(model, _value(arguments, "--models")) if model else None
    tensors = _options(metadata, short) if metadata else []
    examples = _short_examples(model, tensors) if short else _examples(model, metadata)
    fixed = [each for each in signature.parameters.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]
    known = [flag(each.name) for each in fixed if isinstance(each.annotation.__metadata__[0], OptionInfo)]
    parameters = fixed + [_parameter(tensor) for tensor in tensors]
    context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)

    def with_options(context: typer.Context, **options: Any) -> None:
        taken = [options["model"], *options["images"]] if short else []  # for arguments
        meant = [STDIN, *itertools.dropwhile("--".__ne__, arguments)]  # behind "--" nothing is an option
        unknown = [*context.args, *(each for each in taken if each.startswith("-") and each not in meant)]
        _refuse(unknown, known, [flag(tensor.name) for tensor in tensors], model)
        command(**options)

    with_options.__signature__ = signature.replace(parameters=[context, *parameters])  # type: ignore[attr-defined]
    with_options.__annotations__ = {each.name: each.annotation for each in (context, *parameters)}
    with_options.__doc__ = f"{inspect.getdoc(command)}\n\n\b\n" + "\n".join(examples)
    return with_options


def _model(command: Callable[..., None], arguments: Sequence[str], short: bool) -> str | None:
    """The model that the arguments name, if they call this command; the short form has it as its first argument."""
    if list(arguments[:1]) != [command.__name__]:
        return None
    return _first_argument(arguments[1:]) if short else _value(arguments, "--model")


def _first_argument(arguments: Sequence[str]) -> str | None:
    """What belongs to no option; every option of the short form has a value, a model's own included."""
    rest = iter(arguments)
    for argument in rest:
        if not argument.startswith("-"):
            return argument
        if "=" not in argument and argument not in ("--help", "-h", "--"):
            next(rest, None)
    return None


def _value(arguments: Sequence[str], option: str) -> str | None:
    """The value of an option that the parser has not seen yet; the last one counts, as it does for the parser."""
    value = None
    for argument, following in itertools.pairwise([*arguments, None]):
        if argument == option:
            value = following
        elif argument and argument.startswith(f"{option}="):
            value = argument.removeprefix(f"{option}=")
    return value


def _metadata(model: str, models: str | None) -> "ModelMetadata":
    return find_model(model, Path(models) if models else None).metadata


def _options(metadata: "ModelMetadata", short: bool) -> "list[Choice]":
    return [tensor for tensor in _choices(metadata) if not short or tensor != metadata.source_image]


def _choices(metadata: "ModelMetadata") -> "list[Choice]":
    from gan_serve.request import choices

    return list(choices(metadata).values())


def _parameter(tensor: "Choice") -> inspect.Parameter:
    kind: object = str | None
    value, several = "VALUE", "a list makes a row of each"
    if tensor.kind in ("image", "mask"):
        kind, value, several = list[str] | None, "FILE", "- is stdin; give the option again for more"
    option = typer.Option(
        flag(tensor.name),
        metavar=value,
        help=f"{tensor.description} {tensor.hint}; {several}.".strip(),
        show_default=tensor.default_hint,
    )
    return inspect.Parameter(
        tensor.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind, option]
    )


def _refuse(unknown: Sequence[str], options: Sequence[str], inputs: Sequence[str], model: str | None) -> None:
    if unknown and not unknown[0].startswith("-"):
        raise UsageError(f"{unknown[0]!r} belongs to no option; repeat the option for each value, put a glob in quotes")
    if unknown:
        raise UsageError(f"no option {unknown[0]}{nearest(unknown[0], [*options, *inputs])}; {_taken(inputs, model)}")


def _taken(inputs: Sequence[str], model: str | None) -> str:
    if model is None:
        return "--help shows them all"
    return f"the inputs of {model} are {', '.join(inputs)}" if inputs else f"{model} has no inputs to set"


def _examples(model: str | None, metadata: "ModelMetadata | None") -> list[str]:
    command = f"gan-serve generate --model {model or 'NAME'}"
    if metadata and metadata.image_inputs:
        one = "".join(f" {flag(image.name)} {image.example}" for image in metadata.image_inputs)
        many = "".join(f" {flag(image.name)} '{image.name}s/*.png'" for image in metadata.image_inputs)
        output = "made/" if metadata.image_outputs else "answers.jsonl"
        return ["Examples:", f"{command}{one}", f"{command}{many} --output {output}"]
    examples = ["Examples:", command, f"{command} --count 16 --grid --scale 4 --seed 42"]
    tensors = _choices(metadata) if metadata else []
    examples += [f"{command} {flag(tensor.name)} {tensor.example} --count 8 --grid" for tensor in tensors]
    examples += [f"{command} --seed 1 --walk-to 2 --output walk.gif"]
    examples += _mixture(command, metadata) if metadata else []
    examples += [f"{command} --count 100000 --output many.npy"]
    return examples if model else [*examples, f"{command} --help      the inputs of that model"]


def _mixture(command: str, metadata: "ModelMetadata") -> list[str]:
    """Of a model that has a second latent, with what selects it in the middle, where both seeds show."""
    return [
        f"{command} --seed 1 --mix-with 2 --mix {latent.name} --count 4 --grid"
        + "".join(f" {flag(each.name)} {each.middle:g}" for each in metadata.scalars if each.name == latent.selected_by)
        for latent in metadata.latents[1:2]
    ]


def _short_examples(model: str | None, tensors: "Sequence[Choice]") -> list[str]:
    """What must be given beside the image, such as a mask, is given here, too."""
    command = f"gan-serve translate {model or 'MODEL'}"
    others = "".join(f" {flag(each.name)} {each.example}" for each in tensors if each.kind in ("image", "mask"))
    return [
        "Examples:",
        f"{command} photo.jpg{others}",
        f"{command} 'photos/*.jpg'{others} --output made/",
        f"{command} -{others} --output - < photo.jpg > made.png",
        *([] if model else [f"{command} --help      the inputs of that model"]),
    ]
