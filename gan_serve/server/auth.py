"""Who may ask. Keys are compared in constant time, and so that their lengths do not show."""

import hashlib
import hmac
from base64 import b64decode
from collections.abc import Iterable
from pathlib import Path

from starlette.datastructures import Headers
from starlette.types import Scope

from gan_serve.errors import UsageError
from gan_serve.server.errors import ApiError
from gan_serve.server.settings import Settings, variable

PROBES = ("/v1/health", "/v2/health/live", "/v2/health/ready")  # always answered, and without keys

_ASK = 'Basic realm="gan-serve: the key is the password"'  # makes a browser ask its user


class ApiKeys:
    """Secrets, any one of which opens."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._digests = [_digest(secret) for secret in secrets]

    def __bool__(self) -> bool:
        return bool(self._digests)

    def check(self, scope: Scope) -> None:
        """Let a request pass that bears one of them.

        Raises:
            ApiError: it bears none.
        """
        headers = Headers(scope=scope)
        given = _digest(_authorized(headers.get("authorization", "")) or headers.get("x-api-key", ""))
        # All are compared, so that the time does not tell which one is near.
        if not any([hmac.compare_digest(given, digest) for digest in self._digests]):  # noqa: C419
            message = "this needs a key: send Authorization: Bearer KEY"
            browser = "text/html" in headers.get("accept", "")
            raise ApiError(401, message, {"WWW-Authenticate": _ASK if browser else "Bearer"})


def api_keys(settings: Settings) -> ApiKeys:
    """The keys that callers need, from the environment and the file.

    Raises:
        UsageError: one of the two is given and holds none, or one that no header carries; or the file cannot be read.
    """
    keys: list[str] = []
    if given := settings.api_keys.get_secret_value():
        keys += _checked(given.split(","), "api_keys")
    if settings.api_keys_file:
        keys += _checked(_lines(settings.api_keys_file), "api_keys_file")
    return ApiKeys(keys)


def admin_keys(settings: Settings) -> ApiKeys:
    """The token that administration needs, if there is any.

    Raises:
        UsageError: it is blank, or no header carries it.
    """
    token = settings.admin_token.get_secret_value()
    return ApiKeys(_checked([token], "admin_token") if token else [])


def needs_key(path: str) -> bool:
    """Whether a route is closed where there are keys; administration has a token of its own."""
    return path not in PROBES and not path.startswith("/v1/admin/")


def _authorized(header: str) -> str:
    """The key in a header: a bearer's token, or the password that a browser asks its user for."""
    scheme, _, token = header.partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return b64decode(token, validate=True).decode().partition(":")[2]
    except ValueError:  # neither base64 nor UTF-8
        return ""


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"api_keys_file {path}: cannot be read ({error})") from None


def _checked(given: Iterable[str], setting: str) -> list[str]:
    """The keys in what was given. A message shows none of them."""
    keys = [key.strip() for key in given if key.strip()]
    if not keys:
        raise UsageError(f"{setting} ({variable(setting)}) holds no key; leave it out where none is needed")
    if not all(key.isascii() and key.isprintable() for key in keys):
        raise UsageError(f"{setting} ({variable(setting)}) holds a key that no header carries; use printable ASCII")
    return keys


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
