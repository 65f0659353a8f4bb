"""What stands before the server's own paths, where a proxy shows it under a path of a site."""

import re

from starlette.types import Scope

from gan_serve.server.errors import ApiError, bad_request
from gan_serve.server.request_context import RequestContext

_PREFIX = re.compile(r"(/[\w~-][\w.~-]*)*", re.ASCII)
_HEADER = "x-forwarded-prefix"
EXAMPLE = "a path such as /images"


def checked_prefix(given: str) -> str:
    """A prefix without a slash at its end; nothing, where the server has a host of its own.

    Raises:
        ValueError: it is no path.
    """
    prefix = given.strip().rstrip("/")
    if not _PREFIX.fullmatch(prefix):
        raise ValueError(f"{given!r} is not {EXAMPLE}")
    return prefix


def place(scope: Scope, note: RequestContext, root_path: str) -> None:
    """Let the routes see paths of their own, and the note what an address begins with.

    A path may come with `root_path` before it or without. What the header names is never taken off a path: whoever
    sends it could then ask for a path that the proxy shuts.

    Raises:
        ApiError: the header names no path; or the address is the prefix alone, where relative addresses would fail.
    """
    own = scope.get("root_path", "")  # of the server that runs this one
    note.prefix = _forwarded(note.header(_HEADER), root_path) + own
    path, before = scope["path"], root_path + own
    for prefix in filter(None, dict.fromkeys((before, own))):
        if path == prefix:
            query = scope["query_string"].decode("latin-1")
            location = f"{note.prefix}/" + (f"?{query}" if query else "")
            raise ApiError(308, f"it is at {note.prefix}/", {"Location": location})
        if path.startswith(f"{prefix}/"):
            path = path.removeprefix(prefix)
            break
    scope["path"], scope["root_path"] = path, ""


def _forwarded(header: str, root_path: str) -> str:
    """The prefix that the proxy names: several proxies name one each, the outermost first."""
    if not header:
        return root_path
    try:
        return "".join(checked_prefix(each) for each in header.split(","))
    except ValueError:
        raise bad_request(f"the header X-Forwarded-Prefix must be {EXAMPLE}") from None
