"""Names for files that nobody named: what they show, in the order model, inputs, seed, index."""

import hashlib
import re
import sys
from collections.abc import Sequence
from pathlib import PurePath

from gan_serve.image_inputs import ImageRef
from gan_serve.latent_mixing import Interpolation, LatentMixing
from gan_serve.metadata import ModelMetadata
from gan_serve.request import Inputs, Item, Request, Value

# In bytes, of which every file system takes 255 in a name; gan-serve adds some of its own before and behind.
_LONGEST = 200
_LONGEST_IMAGE = 40  # an image's own name within another
_LONGEST_LIST = 100  # several of them


def item_stem(metadata: ModelMetadata, seed: int, item: Item) -> str:
    """The name of one image among many; it sorts by index."""
    parts = [metadata.name, *_values([item.inputs])]
    parts += [f"seed{seed}", f"index{item.index:05}"] if metadata.is_random else []
    return _fitted("-".join([*parts, *_second(item.mixing)]))


def request_stem(metadata: ModelMetadata, request: Request, *, with_seed: bool = True) -> str:
    """The name of a whole answer. Without its seed, a job that drew one finds its unfinished output again."""
    parts = [metadata.name, *_values(request.inputs)]
    parts += [f"seed{request.seed}"] if with_seed and metadata.is_random else []
    parts += [f"index{request.index}"] if request.index else []
    parts += [f"count{request.count}"] if request.count > 1 else []
    return _fitted("-".join([*parts, *_second(request.mixing)]))


def _second(mixing: LatentMixing | None) -> list[str]:
    if mixing is None:
        return []
    if isinstance(mixing, Interpolation):
        step = [] if mixing.step is None else [f"step{mixing.step:05}"]
        return [f"to{mixing.seed}", f"steps{mixing.steps}", *step]
    index = [] if mixing.index is None else [f"index{mixing.index:05}"]
    return [f"with{mixing.seed}", ",".join(mixing.latents), *index]


def _values(rows: Sequence[Inputs]) -> list[str]:
    return [_span(name, list(dict.fromkeys(row[name] for row in rows))) for name in rows[0]]


def _span(name: str, values: Sequence[Value]) -> str:
    prefix = "" if isinstance(values[0], ImageRef) else name  # an image's own name says what it is
    # The frames of an animation have one name.
    texts = [*dict.fromkeys(_image(value) if isinstance(value, ImageRef) else str(value) for value in values)]
    if _is_range(values):
        return f"{prefix}{texts[0]}-{texts[-1]}"
    several = ",".join(texts)
    is_short = len(texts) <= 4 and len(several.encode()) <= _LONGEST_LIST
    return prefix + (several if is_short else f"{texts[0]}...{texts[-1]}")


def _is_range(values: Sequence[Value]) -> bool:
    first = values[0]
    if isinstance(first, ImageRef) or len(values) < 3:
        return False
    return list(values) == list(range(int(first), int(first) + len(values)))


def _image(reference: ImageRef) -> str:
    """Its name, as far as every system takes it, and a digest to tell it from its namesakes and from its copies."""
    stem = re.sub(r"[^\w.-]+", "_", _storable(PurePath(reference.file or "array").stem))
    return f"{_cut(stem, _LONGEST_IMAGE)}-{_digest(f'{reference.file} {reference.sha256}')}"


def _storable(text: str) -> str:
    """With ? for what the file system of an ASCII locale cannot have in a name."""
    encoding = sys.getfilesystemencoding()
    return text.encode(encoding, "replace").decode(encoding)


def _fitted(stem: str) -> str:
    """A name that is too long, cut, with a digest of what it was."""
    return stem if len(stem.encode()) <= _LONGEST else f"{_cut(stem, _LONGEST)}-{_digest(stem)}"


def _cut(text: str, most: int) -> str:
    """Its beginning, of so many bytes at most, without half a character."""
    return text.encode()[:most].decode(errors="ignore")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:8]
