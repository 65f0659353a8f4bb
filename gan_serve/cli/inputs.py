"""What the model named on the command line adds to it: an option for each input, and examples with its name."""

import inspect
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gan_serve.cli.options import find_model, flag
from gan_serve.cli.sources import STDIN
from gan_serve.errors import UsageError
from gan_serve.nearest import nearest

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
    examples = _short_examples(model) if short else _examples(model, metadata)
    fixed = [each for each in signature.parameters.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]
    parameters = fixed + [_parameter(tensor) for tensor in tensors]
    context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)

    def with_options(context: typer.Context, **options: Any) -> None:
        known = [STDIN, *itertools.dropwhile("--".__ne__, arguments)]  # behind "--" nothing is an option
        dashed = (each for each in options.get("images", []) if each.startswith("-"))
        unknown = [*context.args, *(each for each in dashed if each not in known)]
        _refuse(unknown, [each.name for each in fixed], [tensor.name for tensor in tensors], options["model"])
        command(**options)

    with_options.__signature__ = signature.replace(parameters=[context, *parameters])  # type: ignore[attr-defined]
    with_options.__annotations__ = {each.name: each.annotation for each in (context, *parameters)}
    with_options.__doc__ = f"{inspect.getdoc(command)}\n\n\b\n" + "\n".join(examples)
    return with_options


def _model(command: Callable[..., None], arguments: Sequence[str], short: bool) -> str | None:
    """The model that the arguments name, if they call this command; the short form names it first."""
    if list(arguments[:1]) != [command.__name__]:
        return None
    if short:
        return next((each for each in arguments[1:2] if not each.startswith("-")), None)
    return _value(arguments, "--model")


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
    return [tensor for tensor in _choices(metadata) if not short or tensor != metadata.translated]


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


def _refuse(unknown: Sequence[str], fixed: Sequence[str], inputs: Sequence[str], model: str) -> None:
    if unknown and not unknown[0].startswith("-"):
        raise UsageError(f"{unknown[0]!r} belongs to no option; repeat the option for each value, put a glob in quotes")
    if unknown:
        takes = (
            f"the inputs of {model} are {', '.join(map(flag, inputs))}" if inputs else f"{model} has no inputs to set"
        )
        raise UsageError(f"no option {unknown[0]}{nearest(unknown[0], map(flag, [*fixed, *inputs]))}; {takes}")


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


def _short_examples(model: str | None) -> list[str]:
    command = f"gan-serve translate {model or 'MODEL'}"
    examples = ["Examples:", f"{command} photo.jpg", f"{command} 'photos/*.jpg' --output made/"]
    return [*examples, f"{command} - --output - < photo.jpg > made.png"]
