"""Generate images with classic GANs, on ONNX Runtime.

    >>> import gan_serve
    >>> gan_serve.list_models()
    ['acgan', 'cgan', 'dcgan', 'gan']
    >>> acgan = gan_serve.load("acgan")
    >>> result = acgan.generate(label=3, count=16, seed=0)
    >>> result.array.shape
    (16, 1, 28, 28)
    >>> result.images()[0].show()
    >>> result.save("threes.png", grid=True)
    [PosixPath('threes.png')]

Importing this package loads neither numpy nor ONNX Runtime; `load` does.
"""

import sys

# `gan-serve` and `python -m gan_serve` import this module first: from here on, Ctrl-C ends them with one line.
if sys.argv[:1] == ["-m"] or "".join(sys.argv[:1]).endswith("gan-serve"):
    from gan_serve.system.interrupt import leave_at_signals

    leave_at_signals()

from os import PathLike
from typing import TYPE_CHECKING

from gan_serve.errors import Failure, GanServeError, UsageError, short_repr

if TYPE_CHECKING:
    from gan_serve.generator import Generator

__all__ = ["Failure", "GanServeError", "UsageError", "__version__", "list_models", "load"]

__version__ = "0.1.0"


def load(
    name: str, *, device: str = "auto", exact: bool = True, models: str | PathLike[str] | None = None
) -> "Generator":
    """Load a model by its name, or by the name of its variant.

    `device` is `auto`, `cpu`, `cuda` or `cuda:N`. `models` is a folder with the layout `<name>/<version>/model.onnx`;
    the default is the folder of the shipped models. `exact=False` computes one large image faster on several CPU
    cores; the same seed then reproduces an image only to within 1/255 per pixel.

        >>> gan_serve.load("acgan", device="cpu").generate(label=[0, 1, 2], count=8).save("grid.png", grid=True)

    Raises:
        UsageError: The model or the device does not exist.
        Failure: The file is invalid, or ONNX Runtime cannot run it.
    """
    from gan_serve.generator import Generator
    from gan_serve.repository import Repository, models_folder

    if not isinstance(name, str):
        raise UsageError(f"{short_repr(name)} is not a model name; gan_serve.list_models() returns the names")
    return Generator(Repository(models_folder(models)).find(name), device=device, exact=exact)


def list_models(models: str | PathLike[str] | None = None) -> list[str]:
    """Return the names that `load` accepts.

    >>> gan_serve.list_models()
    ['acgan', 'cgan', 'dcgan', 'gan']
    """
    from gan_serve.repository import Repository, models_folder

    return Repository(models_folder(models)).names
