"""API keys and the admin token, compared in constant time so that neither contents nor lengths leak."""

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

PROBES = ("/v1/health", "/v2/health/live", "/v2/health/ready")  # need no key and are exempt from the load limits

_ASK = 'Basic realm="gan-serve: the key is the password"'  # makes a browser prompt its user


class ApiKeys:
    """A set of secrets, any one of which grants access."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._digests = [_digest(secret) for secret in secrets]

    def __bool__(self) -> bool:
        return bool(self._digests)

    def check(self, scope: Scope) -> None:
        """Check the key of a request.

        Raises:
            ApiError: it has none, or a wrong one.
        """
        headers = Headers(scope=scope)
        key = _digest(_authorized(headers.get("authorization", "")) or headers.get("x-api-key", ""))
        # Compare all of them, so that the time reveals nothing.
        if not any([hmac.compare_digest(key, digest) for digest in self._digests]):  # noqa: C419
            message = "an API key is required; send Authorization: Bearer KEY"
            browser = "text/html" in headers.get("accept", "")
            raise ApiError(401, message, {"WWW-Authenticate": _ASK if browser else "Bearer"})


def api_keys(settings: Settings) -> ApiKeys:
    """Return the keys that clients need, from the environment and from the file.

    Raises:
        UsageError: one of the two is set but holds no valid keys, or the file cannot be read.
    """
    keys: list[str] = []
    if text := settings.api_keys.get_secret_value():
        keys += _checked(text.split(","), "api_keys")
    if settings.api_keys_file:
        keys += _checked(_lines(settings.api_keys_file), "api_keys_file")
    return ApiKeys(keys)


def admin_keys(settings: Settings) -> ApiKeys:
    """Return the token for the admin routes; empty if none is set.

    Raises:
        UsageError: the token is blank or not printable ASCII.
    """
    token = settings.admin_token.get_secret_value()
    return ApiKeys(_checked([token], "admin_token") if token else [])


def needs_key(path: str) -> bool:
    """Return whether a route needs an API key. The admin routes have a token of their own."""
    return path not in PROBES and not path.startswith("/v1/admin/")


def _authorized(header: str) -> str:
    """Return the key in an Authorization header: a bearer token, or the password of basic authentication."""
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


def _checked(texts: Iterable[str], setting: str) -> list[str]:
    """Return the keys without surrounding spaces. Error messages never show a key."""
    keys = [key.strip() for key in texts if key.strip()]
    if not keys:
        raise UsageError(f"{setting} ({variable(setting)}) holds no key; leave it unset if you need none")
    if not all(key.isascii() and key.isprintable() for key in keys):
        raise UsageError(f"{setting} ({variable(setting)}) holds a key that is not printable ASCII; choose another one")
    return keys


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
