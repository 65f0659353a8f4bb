"""Did you mean ...?"""

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str:
    """A clause that names what the user may have meant, or nothing."""
    import difflib

    matches = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
    return f" (did you mean {' or '.join(matches)}?)" if matches else ""
