"""API errors: an HTTP status and one line for the client, never a path or a stack trace."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus

from gan_serve.errors import GanServeError

CLIENT_CLOSED_REQUEST = 499  # as nginx logs it; no client ever receives it


class ApiError(Exception):
    """An error that is reported to the client: what is wrong, and how to fix it."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})


class TooManyRequests(ApiError):
    """The queue is too long. The client may retry after `seconds`."""

    def __init__(self, message: str, seconds: int = 1) -> None:
        super().__init__(HTTPStatus.TOO_MANY_REQUESTS, message, {"Retry-After": str(seconds)})


class DeadlineExceeded(ApiError):
    """The deadline has passed."""

    def __init__(self) -> None:
        super().__init__(HTTPStatus.GATEWAY_TIMEOUT, "the deadline passed before the response was ready; retry later")


class ClientDisconnected(ApiError):
    """The client has closed the connection."""

    def __init__(self) -> None:
        super().__init__(CLIENT_CLOSED_REQUEST, "the client has disconnected")


def without_frames(error: Exception) -> Exception:
    """Return the error without its traceback and context.

    The traceback refers to the task and its images, and the task refers to the error: this cycle would keep all of them
    in memory until the garbage collector runs.
    """
    error.__context__ = None
    return error.with_traceback(None)


def bad_request(message: str) -> ApiError:
    """Return an error for an invalid request."""
    return ApiError(HTTPStatus.BAD_REQUEST, message)


@contextmanager
def blamed_on_caller() -> Iterator[None]:
    """Convert errors of the core to `bad_request`. Use it only around code that checks the client's input."""
    try:
        yield
    except GanServeError as error:
        raise bad_request(str(error)) from None


def unavailable(message: str) -> ApiError:
    """Return an error for a resource that is not available at the moment."""
    return ApiError(HTTPStatus.SERVICE_UNAVAILABLE, message, {"Retry-After": "1"})
