"""Add the options and examples of the model that the command line names."""

import inspect
import itertools
import shlex
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
    from gan_serve.tensors import Choice

# Keep unknown options, so that the error can list the model's inputs.
CONTEXT = {"ignore_unknown_options": True, "allow_extra_args": True}


def with_model_options(command: Callable[..., None], arguments: Sequence[str]) -> Callable[..., None]:
    """Return `generate` or `translate` with an option for each input of the model in `arguments`.

    Raises:
        GanServeError: The model does not exist, or its file is invalid.
    """
    signature = inspect.signature(command)
    short = "images" in signature.parameters  # `translate` takes images as arguments, `generate` as an option
    model = _model(command, arguments, short)
    metadata = _metadata(model, _value(arguments, "--models")) if model else None
    tensors = _options(metadata, short) if metadata else []
    examples = _short_examples(model, tensors) if short else _examples(model, metadata)
    fixed = [each for each in signature.parameters.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]
    known = [flag(each.name) for each in fixed if isinstance(each.annotation.__metadata__[0], OptionInfo)]
    parameters = fixed + [_parameter(tensor) for tensor in tensors]
    context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)

    def with_options(context: typer.Context, **options: Any) -> None:
        positional = [options["model"], *options["images"]] if short else []
        allowed = [STDIN, *itertools.dropwhile("--".__ne__, arguments)]  # after "--" nothing is an option
        unknown = [*context.args, *(each for each in positional if each.startswith("-") and each not in allowed)]
        _reject(unknown, known, [flag(tensor.name) for tensor in tensors], model)
        command(**options)

    with_options.__signature__ = signature.replace(parameters=[context, *parameters])  # type: ignore[attr-defined]
    with_options.__annotations__ = {each.name: each.annotation for each in (context, *parameters)}
    with_options.__doc__ = f"{inspect.getdoc(command)}\n\n\b\n" + "\n".join(examples)
    return with_options


def _model(command: Callable[..., None], arguments: Sequence[str], short: bool) -> str | None:
    """Return the model in the arguments if they call this command. In the short form it is the first argument."""
    if list(arguments[:1]) != [command.__name__]:
        return None
    return _first_argument(arguments[1:]) if short else _value(arguments, "--model")


def _first_argument(arguments: Sequence[str]) -> str | None:
    """Return the first positional argument. In the short form, every option has a value."""
    rest = iter(arguments)
    for argument in rest:
        if not argument.startswith("-"):
            return argument
        if "=" not in argument and argument not in ("--help", "-h", "--"):
            next(rest, None)
    return None


def _value(arguments: Sequence[str], option: str) -> str | None:
    """Return the value of an option before parsing. Of several, the last one counts, as in the parser."""
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
    return [tensor for tensor in metadata.choices.values() if not short or tensor != metadata.source_image]


def _parameter(tensor: "Choice") -> inspect.Parameter:
    kind: object = list[str] | None if tensor.repeats else str | None
    option = typer.Option(
        flag(tensor.name),
        metavar=tensor.metavar,
        help=f"{tensor.description} {tensor.hint}; {tensor.several}.".strip(),
        show_default=tensor.default_hint,
    )
    return inspect.Parameter(
        tensor.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind, option]
    )


def _reject(unknown: Sequence[str], options: Sequence[str], inputs: Sequence[str], model: str | None) -> None:
    if unknown and not unknown[0].startswith("-"):
        raise UsageError(f"unexpected argument {unknown[0]!r}; repeat the option for each value, and quote globs")
    if unknown:
        raise UsageError(f"no option {unknown[0]}{nearest(unknown[0], [*options, *inputs])}; {_advice(inputs, model)}")


def _advice(inputs: Sequence[str], model: str | None) -> str:
    if model is None:
        return "--help shows all options"
    return f"the inputs of {model} are {', '.join(inputs)}" if inputs else f"{model} has no inputs to set"


def _examples(model: str | None, metadata: "ModelMetadata | None") -> list[str]:
    command = f"gan-serve generate --model {model or 'NAME'}"
    if metadata and metadata.image_inputs:
        one = "".join(f" {flag(image.name)} {image.example}" for image in metadata.image_inputs)
        many = "".join(f" {flag(image.name)} '{image.name}s/*.png'" for image in metadata.image_inputs)
        output = "outputs/" if metadata.drawn_outputs else "outputs.jsonl"
        return ["Examples:", f"{command}{one}", f"{command}{many} --output {output}"]
    examples = ["Examples:", command, f"{command} --count 16 --grid --scale 4 --seed 42"]
    for tensor in metadata.choices.values() if metadata else ():
        examples.append(f"{command} {flag(tensor.name)} {shlex.quote(tensor.example)} --count 8 --grid")
    examples += [f"{command} --seed 1 --walk-to 2 --output walk.gif"]
    examples += _mixture(command, metadata) if metadata else []
    examples += [f"{command} --count 100000 --output many.npy"]
    return examples if model else [*examples, f"{command} --help      the inputs of that model"]


def _mixture(command: str, metadata: "ModelMetadata") -> list[str]:
    """Return an example of style mixing for a model with two latents. The scalar that selects one is in the middle."""
    return [
        f"{command} --seed 1 --mix-with 2 --mix {latent.name} --count 4 --grid"
        + "".join(f" {flag(each.name)} {each.middle:g}" for each in metadata.scalars if each.name == latent.selected_by)
        for latent in metadata.latents[1:2]
    ]


def _short_examples(model: str | None, tensors: "Sequence[Choice]") -> list[str]:
    """Return the examples of `translate`, with all required inputs, such as a mask."""
    command = f"gan-serve translate {model or 'MODEL'}"
    others = "".join(f" {flag(each.name)} {each.example}" for each in tensors if each.is_required)
    return [
        "Examples:",
        f"{command} photo.jpg{others}",
        f"{command} 'photos/*.jpg'{others} --output outputs/",
        f"{command} -{others} --output - < photo.jpg > output.png",
        *([] if model else [f"{command} --help      the inputs of that model"]),
    ]
