"""The two ways to fail. A front end prints the message, never a traceback."""


class GanServeError(Exception):
    """Something the user can act on; the message is one line that says what is wrong and what would be right."""

    exit_code = 1


class UsageError(GanServeError):
    """The request itself is wrong: an unknown model, a label that does not exist, a value out of range."""

    exit_code = 2


class Failure(GanServeError):
    """The request was right but could not be done: a broken file, a missing runtime, a full disk."""
