"""Did you mean ...?"""

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str:
    """Return " (did you mean ...?)" with the most similar names, or an empty string. Case is ignored."""
    import difflib

    folded = {each.casefold(): each for each in known}
    name = name.casefold()
    matches = [name] if name in folded else difflib.get_close_matches(name, folded, n=3, cutoff=0.5)
    return f" (did you mean {' or '.join(folded[match] for match in matches)}?)" if matches else ""
