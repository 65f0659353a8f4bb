"""Error messages for the page and for `gradio_client`."""

import functools
import html
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import gradio as gr

from gan_serve.demo.client import connection, visitor
from gan_serve.server.errors import ApiError
from gan_serve.server.responses import error_of

NO_UPLOADS = "the demo accepts no uploads and fetches no files; send images as base64 with the request"

Parameters = ParamSpec("Parameters")
Returned = TypeVar("Returned")


class DemoError(gr.Error):
    """An `ApiError` as Gradio sends it to clients. Gradio has no status of its own for it."""

    def __init__(self, error: ApiError) -> None:
        super().__init__(str(error), print_exception=False)
        self.api_error = error


def to_api_error(error: Exception) -> ApiError:
    """Convert an exception to an `ApiError`; log unexpected ones."""
    return error_of(connection(visitor()).scope, error)


def alert(error: Exception) -> str:
    """Return an error's message as HTML."""
    return f'<p role="alert">{html.escape(str(to_api_error(error)))}</p>'


def as_gradio_error(handler: Callable[Parameters, Returned]) -> Callable[Parameters, Returned]:
    """Wrap a handler so that its errors reach clients as Gradio errors, with one clear line."""

    @functools.wraps(handler)
    def wrapper(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Returned:
        try:
            return handler(*args, **kwargs)
        except Exception as error:
            raise DemoError(to_api_error(error)) from None

    return wrapper


def as_html_error(
    handler: Callable[Parameters, tuple[str, ...]], outputs: int
) -> Callable[Parameters, tuple[str, ...]]:
    """Wrap a handler of the page so that an error replaces its first output, and the others are empty."""

    @functools.wraps(handler)
    def wrapper(*args: Parameters.args, **kwargs: Parameters.kwargs) -> tuple[str, ...]:
        try:
            return handler(*args, **kwargs)
        except Exception as error:
            return (alert(error), *[""] * (outputs - 1))

    return wrapper
