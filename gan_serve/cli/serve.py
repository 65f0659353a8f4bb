"""gan-serve serve: start the HTTP server. Its options are the server's settings."""

import inspect
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from gan_serve.cli.options import flag
from gan_serve.errors import Failure

INSTALL = 'pip install "gan-serve[cpu,serve]"'
INSTALL_DEMO = 'pip install "gan-serve[cpu,demo]"'
# Defaults of each command that differ from the settings' own.
DEFAULTS: dict[str, dict[str, str]] = {"serve": {}, "demo": {"port": "7860", "log_level": "warning"}}


def serve(**settings: Any) -> None:
    """Serve every model over HTTP.

    The server has a plain API with /docs, and the Open Inference Protocol for tritonclient.

    Every option is also an environment variable: GAN_SERVE_PORT for --port, and so on. Set keys and tokens in the
    environment only.

    Examples:
    gan-serve serve
    gan-serve serve --host 0.0.0.0 --port 9000 --models my-models/
    GAN_SERVE_API_KEYS=secret gan-serve serve --demo
    curl -o three.png 'localhost:8000/v1/models/acgan/generate?label=3&seed=42'
    """
    try:
        from gan_serve.server import run
        from gan_serve.server.settings import Settings, load_settings
    except ModuleNotFoundError as error:
        raise not_installed(error) from None
    loaded = load_settings(Settings, **settings)
    if loaded.demo:
        _check_demo()
    run.serve(loaded)


def _check_demo() -> None:
    try:
        import gradio  # noqa: F401  # fail before the server starts
    except ModuleNotFoundError as error:
        raise Failure(f"the demo is not installed (no {error.name}); install it with: {INSTALL_DEMO}") from None


def with_settings(command: Callable[..., None], arguments: Sequence[str]) -> Callable[..., None]:
    """Return the command with an option for each setting, if `arguments` call it.

    Raises:
        Failure: The server is not installed.
    """
    parameters = _parameters(command) if arguments[:1] == [command.__name__] else []

    def with_options(**options: Any) -> None:
        command(**options)

    with_options.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    with_options.__annotations__ = {each.name: each.annotation for each in parameters}
    with_options.__doc__ = inspect.getdoc(command)
    return with_options


def _parameters(command: Callable[..., None]) -> list[inspect.Parameter]:
    try:
        from gan_serve.server.settings import flags, variable
    except ModuleNotFoundError as error:
        raise not_installed(error) from None
    parameters, defaults = [], DEFAULTS[command.__name__]
    for name, field in flags().items():
        if name == command.__name__:  # no `gan-serve demo --demo`
            continue
        switch = field.annotation is bool
        option = typer.Option(
            flag(name),
            metavar=None if switch else name.rpartition("_")[2].upper(),
            help=f"{field.description}{_default(defaults.get(name, field.default))}  [env: {variable(name)}]",
            show_default=False,
        )
        annotation = Annotated[bool | None, option] if switch else Annotated[str | None, option]
        parameters.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation))
    return parameters


def _default(value: object) -> str:
    return "" if value in (None, "", False) else f"  [default: {value}]"


def not_installed(error: ModuleNotFoundError) -> Failure:
    """Return the error for a missing extra `serve`."""
    return Failure(f"the server is not installed (no {error.name}); install it with: {INSTALL}")
