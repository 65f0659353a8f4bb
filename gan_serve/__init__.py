"""Classic GANs, served by ONNX Runtime.

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

# The programs `python -m gan_serve` and `gan-serve` import this first, and Ctrl-C ends them in one line from here on.
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
    """Open a model by its name, or by the name of its variant.

    `device` is `auto`, `cpu`, `cuda` or `cuda:N`; `models` is a folder laid out as `<name>/<version>/model.onnx`, and
    the shipped models where it is not given. `exact=False` makes one large image faster on several cores of a
    processor, but the same seed then gives the same image only to within 1/255 a pixel.

        >>> gan_serve.load("acgan", device="cpu").generate(label=[0, 1, 2], count=8).save("grid.png", grid=True)

    Raises:
        UsageError: no such model or device.
        Failure: the file is broken, or no runtime can execute it.
    """
    from gan_serve.generator import Generator
    from gan_serve.repository import Repository, models_folder

    if not isinstance(name, str):
        raise UsageError(f"{short_repr(name)} is no name of a model; gan_serve.list_models() tells them")
    return Generator(Repository(models_folder(models)).find(name), device=device, exact=exact)


def list_models(models: str | PathLike[str] | None = None) -> list[str]:
    """The names that `load` takes.

    >>> gan_serve.list_models()
    ['acgan', 'cgan', 'dcgan', 'gan']
    """
    from gan_serve.repository import Repository, models_folder

    return Repository(models_folder(models)).names
