"""The path prefix of a server that a proxy publishes under a path, such as /images."""

import re

from starlette.types import Scope

from gan_serve.server.errors import ApiError, bad_request
from gan_serve.server.request_context import RequestContext

_PREFIX = re.compile(r"(/[\w~-][\w.~-]*)*", re.ASCII)
_HEADER = "x-forwarded-prefix"
EXAMPLE = "a path such as /images"


def checked_prefix(text: str) -> str:
    """Return a prefix without its trailing slash; empty if the server is at the root of its host.

    Raises:
        ValueError: the text is not a path.
    """
    prefix = text.strip().rstrip("/")
    if not _PREFIX.fullmatch(prefix):
        raise ValueError(f"{text!r} is not {EXAMPLE}")
    return prefix


def place(scope: Scope, context: RequestContext, root_path: str) -> None:
    """Remove the prefix from the scope's path, and store it in the context.

    The proxy may or may not have removed `root_path` from the path already. A prefix from the header is never removed:
    otherwise a client could send the header to reach a path that the proxy blocks.

    Raises:
        ApiError: the header is not a path; or a redirect, if the path is the prefix without a trailing slash.
    """
    own = scope.get("root_path", "")  # set by the ASGI server
    context.prefix = _forwarded(context.header(_HEADER), root_path) + own
    path, before = scope["path"], root_path + own
    for prefix in filter(None, dict.fromkeys((before, own))):
        if path == prefix:
            query = scope["query_string"].decode("latin-1")
            location = f"{context.prefix}/" + (f"?{query}" if query else "")
            raise ApiError(308, f"moved to {context.prefix}/", {"Location": location})
        if path.startswith(f"{prefix}/"):
            path = path.removeprefix(prefix)
            break
    scope["path"], scope["root_path"] = path, ""


def _forwarded(header: str, root_path: str) -> str:
    """Return the prefix in the header. Several proxies add one each, the outermost first."""
    if not header:
        return root_path
    try:
        return "".join(checked_prefix(each) for each in header.split(","))
    except ValueError:
        raise bad_request(f"the header X-Forwarded-Prefix must be {EXAMPLE}") from None
