"""Did you mean ...?"""

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str:
    """A clause that names what the user may have meant, or nothing; capitals make no difference."""
    import difflib

    folded = {each.casefold(): each for each in known}  # capitals make no difference
    name = name.casefold()
    matches = [name] if name in folded else difflib.get_close_matches(name, folded, n=3, cutoff=0.5)
    return f" (did you mean {' or '.join(folded[match] for match in matches)}?)" if matches else ""
