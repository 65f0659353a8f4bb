"""What goes wrong, told in words: where a client expects it, or on the page in place of the images."""

import functools
import html
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import gradio as gr

from gan_serve.demo.client import connection, visitor
from gan_serve.server.errors import ApiError
from gan_serve.server.responses import error_of

NO_UPLOADS = "nothing is uploaded or fetched; send images as base64 with the request"

Parameters = ParamSpec("Parameters")
Returned = TypeVar("Returned")


class Told(gr.Error):
    """A refusal as Gradio tells its clients, which gives it no status of its own."""

    def __init__(self, refusal: ApiError) -> None:
        super().__init__(str(refusal), print_exception=False)
        self.refusal = refusal


def in_words(error: Exception) -> ApiError:
    """What is wrong in one line; the log has the stack of what nobody expected."""
    return error_of(connection(visitor()).scope, error)


def alert(error: Exception) -> str:
    """What is wrong in one line, as the page shows it."""
    return f'<p role="alert">{html.escape(str(in_words(error)))}</p>'


def as_gradio_error(handler: Callable[Parameters, Returned]) -> Callable[Parameters, Returned]:
    """A handler whose errors are told in words, as Gradio tells its clients."""

    @functools.wraps(handler)
    def told(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Returned:
        try:
            return handler(*args, **kwargs)
        except Exception as error:
            raise Told(in_words(error)) from None

    return told


def as_html_error(
    handler: Callable[Parameters, tuple[str, ...]], outputs: int
) -> Callable[Parameters, tuple[str, ...]]:
    """A handler of the page whose errors stand where its first output would; the others are empty then."""

    @functools.wraps(handler)
    def shown(*args: Parameters.args, **kwargs: Parameters.kwargs) -> tuple[str, ...]:
        try:
            return handler(*args, **kwargs)
        except Exception as error:
            return (alert(error), *[""] * (outputs - 1))

    return shown
