"""What a caller is told instead of an answer: a status and one line, never a path or a stack."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus

from gan_serve.errors import GanServeError

CLIENT_CLOSED_REQUEST = 499  # what nginx writes into its log, and nobody reads as an answer


class ApiError(Exception):
    """Why a request gets no answer, and what would be right."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})


class TooManyRequests(ApiError):
    """More is waiting than can be answered in time; the caller may come back after `seconds`."""

    def __init__(self, message: str, seconds: int = 1) -> None:
        super().__init__(HTTPStatus.TOO_MANY_REQUESTS, message, {"Retry-After": str(seconds)})


class DeadlineExceeded(ApiError):
    """The deadline has passed."""

    def __init__(self) -> None:
        super().__init__(HTTPStatus.GATEWAY_TIMEOUT, "the deadline passed before the answer was there; ask again later")


class ClientDisconnected(ApiError):
    """The caller has left."""

    def __init__(self) -> None:
        super().__init__(CLIENT_CLOSED_REQUEST, "the caller has left")


def without_frames(error: Exception) -> Exception:
    """The same error, without where it came from.

    Its frames hold the call and its images, and the call holds the error: all of it would stay in memory until the
    garbage collector comes.
    """
    error.__context__ = None
    return error.with_traceback(None)


def bad_request(message: str) -> ApiError:
    """The request itself is wrong."""
    return ApiError(HTTPStatus.BAD_REQUEST, message)


@contextmanager
def blamed_on_caller() -> Iterator[None]:
    """Where nothing is looked at but what the caller sent: whatever the core refuses there, the request is wrong."""
    try:
        yield
    except GanServeError as error:
        raise bad_request(str(error)) from None


def unavailable(message: str) -> ApiError:
    """What was asked for will be there, but is not yet or no longer."""
    return ApiError(HTTPStatus.SERVICE_UNAVAILABLE, message, {"Retry-After": "1"})
