"""gan-serve health: ask a server whether it is ready, for a container's health check."""

import json
from http.client import HTTPException, InvalidURL
from typing import Annotated
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector

import typer

from gan_serve.cli.serve import not_installed
from gan_serve.errors import Failure, UsageError

_TIMEOUT = 5.0  # seconds
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # addresses for reaching a server that listens on all addresses


def health(
    url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="The server's URL. [default: from GAN_SERVE_HOST and GAN_SERVE_PORT]"),
    ] = None,
) -> None:
    """Check whether a server is ready. The exit code is 1 if it is not.

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
    return UsageError(f"{url} is not a server's URL; give one such as http://127.0.0.1:8000")


def _own() -> str:
    """Return the URL of the server with this environment."""
    try:
        from gan_serve.server.settings import Settings, address, load_settings
    except ModuleNotFoundError as error:
        raise not_installed(error) from None
    settings = load_settings(Settings)
    host = _LOOPBACK.get(settings.host, settings.host)
    return address(host, settings.port)


def _state(server: str) -> str:
    opener = OpenerDirector()  # the default opener would use a proxy, and raise an error for a server not ready
    for handler in (HTTPHandler(), HTTPSHandler()):
        opener.add_handler(handler)
    try:
        with opener.open(f"{server}/v1/health", timeout=_TIMEOUT) as response:
            content = response.read()
    except OSError as error:
        reason = getattr(error, "reason", error)  # urllib wraps the error
        reason = getattr(reason, "strerror", None) or reason
        raise Failure(f"no server answers at {server} ({reason}); start one with: gan-serve serve") from None
    except (InvalidURL, ValueError):  # raised before connecting
        raise _no_address(server) from None
    except HTTPException:
        raise _another(server) from None
    try:
        return str(json.loads(content)["state"])
    except (ValueError, LookupError, TypeError):
        raise _another(server) from None


def _another(server: str) -> Failure:
    return Failure(f"the server at {server} is not gan-serve; check the URL")
