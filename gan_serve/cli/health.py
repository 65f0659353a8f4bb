"""gan-serve health: is a server ready? The question of a container's health check."""

import json
from http.client import HTTPException, InvalidURL
from typing import Annotated
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector

import typer

from gan_serve.cli.serve import not_installed
from gan_serve.errors import Failure, UsageError

_PATIENCE = 5.0  # seconds
_REACHED_AT = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # where a server that listens on all addresses answers


def health(
    url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="The server; that of GAN_SERVE_HOST and GAN_SERVE_PORT if not given."),
    ] = None,
) -> None:
    """Ask a server how it is; the exit code is 1 if it is not ready.

    Examples:
    gan-serve health
    gan-serve health --url http://127.0.0.1:9000
    """
    server = _checked(url) if url else _own()
    state = _state(server)
    if state != "ready":
        raise Failure(f"the server at {server} is {state}")
    typer.echo(f"the server at {server} is ready")


def _checked(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise _no_address(url)
    return url.rstrip("/")


def _no_address(url: str) -> UsageError:
    return UsageError(f"{url} is no address of a server; give one such as http://127.0.0.1:8000")


def _own() -> str:
    """The server that has the same environment."""
    try:
        from gan_serve.server.settings import Settings, address, load_settings
    except ModuleNotFoundError as error:
        raise not_installed(error) from None
    settings = load_settings(Settings)
    host = _REACHED_AT.get(settings.host, settings.host)
    return address(host, settings.port)


def _state(server: str) -> str:
    opener = OpenerDirector()  # the usual one would ask a proxy, and raise what is not ready as an error
    for handler in (HTTPHandler(), HTTPSHandler()):
        opener.add_handler(handler)
    try:
        with opener.open(f"{server}/v1/health", timeout=_PATIENCE) as answer:
            content = answer.read()
    except OSError as error:
        reason = getattr(error, "reason", error)  # of which urllib makes an error of its own
        reason = getattr(reason, "strerror", None) or reason
        raise Failure(f"no server answers at {server} ({reason}); start one with: gan-serve serve") from None
    except (InvalidURL, ValueError):  # before anybody was asked
        raise _no_address(server) from None
    except HTTPException:
        raise _another(server) from None
    try:
        return str(json.loads(content)["state"])
    except (ValueError, LookupError, TypeError):
        raise _another(server) from None


def _another(server: str) -> Failure:
    return Failure(f"what answers at {server} is no gan-serve server")
