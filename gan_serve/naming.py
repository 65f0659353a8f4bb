"""Default file names: model, inputs, seed and index, in this order."""

import hashlib
import re
import sys
from collections.abc import Sequence
from pathlib import PurePath

from gan_serve.image_inputs import ImageRef
from gan_serve.latent_mixing import Interpolation, LatentMixing
from gan_serve.metadata import ModelMetadata
from gan_serve.request import Inputs, Item, Request, Value

# Limits in bytes. File systems allow 255 in a name; gan-serve adds a prefix and a suffix to some names.
_MAX_STEM = 200
_MAX_IMAGE = 40  # an input image's name within the stem
_MAX_LIST = 100  # a list of values within the stem


def item_stem(metadata: ModelMetadata, seed: int, item: Item) -> str:
    """Return the name of one image's file. Names sort by index."""
    parts = [metadata.name, *_values([item.inputs])]
    parts += [f"seed{seed}", f"index{item.index:05}"] if metadata.is_random else []
    return _shortened("-".join([*parts, *_second_seed(item.mixing)]))


def request_stem(metadata: ModelMetadata, request: Request, *, with_seed: bool = True) -> str:
    """Return the name of a whole request's file or folder.

    Leave out the seed (`with_seed=False`) where a job with a random seed must find its unfinished output again.
    """
    parts = [metadata.name, *_values(request.inputs)]
    parts += [f"seed{request.seed}"] if with_seed and metadata.is_random else []
    parts += [f"index{request.index}"] if request.index else []
    parts += [f"count{request.count}"] if request.count > 1 else []
    return _shortened("-".join([*parts, *_second_seed(request.mixing)]))


def _second_seed(mixing: LatentMixing | None) -> list[str]:
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
    prefix = "" if isinstance(values[0], ImageRef) else name  # an image's file name speaks for itself
    texts = [*dict.fromkeys(map(_text, values))]  # without repetition: the frames of an animation share a name
    if _is_range(values):
        return f"{prefix}{texts[0]}-{texts[-1]}"
    several = ",".join(texts)
    is_short = len(texts) <= 4 and len(several.encode()) <= _MAX_LIST
    return prefix + (several if is_short else f"{texts[0]}...{texts[-1]}")


def _is_range(values: Sequence[Value]) -> bool:
    first = values[0]
    if not isinstance(first, int | float) or len(values) < 3:
        return False
    return list(values) == list(range(int(first), int(first) + len(values)))


def _text(value: Value) -> str:
    return _image(value) if isinstance(value, ImageRef) else _portable(str(value))


def _image(reference: ImageRef) -> str:
    """Return the image's name in portable characters, and a digest that tells images of the same name apart."""
    stem = _portable(PurePath(reference.file or "array").stem)
    return f"{_cut(stem, _MAX_IMAGE)}-{_digest(f'{reference.file} {reference.sha256}')}"


def _portable(text: str) -> str:
    """Replace characters that a file's name cannot have everywhere by _."""
    encoding = sys.getfilesystemencoding()
    return re.sub(r"[^\w.-]+", "_", text.encode(encoding, "replace").decode(encoding))


def _shortened(stem: str) -> str:
    """Cut a name that is too long, and add a digest of the whole name."""
    return stem if len(stem.encode()) <= _MAX_STEM else f"{_cut(stem, _MAX_STEM)}-{_digest(stem)}"


def _cut(text: str, limit: int) -> str:
    """Return the beginning of a text: at most `limit` bytes, in whole characters."""
    return text.encode()[:limit].decode(errors="ignore")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:8]
