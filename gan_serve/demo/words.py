"""What goes wrong, told in words: where a client expects it, or on the page in place of the pictures."""

import functools
import html
import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import gradio as gr

from gan_serve.errors import GanServeError
from gan_serve.server.refusals import Refusal

NO_UPLOADS = "nothing is uploaded or fetched; send pictures as base64 with the request"

_log = logging.getLogger(__name__)

Parameters = ParamSpec("Parameters")
Returned = TypeVar("Returned")


def in_words(error: Exception) -> str:
    """What is wrong in one line; the log has the stack of what nobody expected."""
    if isinstance(error, GanServeError | Refusal):
        return str(error)
    _log.error("the demo failed", exc_info=error)
    return "the server failed; its log says more"


def alert(error: Exception) -> str:
    """What is wrong in one line, as the page shows it."""
    return f'<p role="alert">{html.escape(in_words(error))}</p>'


def speaking(handler: Callable[Parameters, Returned]) -> Callable[Parameters, Returned]:
    """A handler whose errors are told in words, as Gradio tells its clients."""

    @functools.wraps(handler)
    def told(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Returned:
        try:
            return handler(*args, **kwargs)
        except Exception as error:
            raise gr.Error(in_words(error), print_exception=False) from None

    return told


def showing(handler: Callable[Parameters, tuple[str, ...]], outputs: int) -> Callable[Parameters, tuple[str, ...]]:
    """A handler of the page whose errors stand where its first output would; the others are empty then."""

    @functools.wraps(handler)
    def shown(*args: Parameters.args, **kwargs: Parameters.kwargs) -> tuple[str, ...]:
        try:
            return handler(*args, **kwargs)
        except Exception as error:
            return (alert(error), *[""] * (outputs - 1))

    return shown
