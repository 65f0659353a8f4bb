"""Networks whose weights are computed, made into plain ones: to be shown or exported."""

import copy

from torch import nn
from torch.nn.utils import parametrize

POWER_ITERATIONS = 50  # of spectral normalisation


def fold_parametrizations(network: nn.Module) -> nn.Module:
    """A copy for inference, whose normalised weights are plain ones; its singular vectors are found anew.

    The average of a training's weights has not got the singular vectors that its average of vectors claims.
    """
    network = copy.deepcopy(network).train()
    for module in network.modules():
        if parametrize.is_parametrized(module):
            _own_class(module)
            for name in list(module.parametrizations):  # type: ignore[arg-type]
                for _ in range(POWER_ITERATIONS):
                    getattr(module, name)
                parametrize.remove_parametrizations(module, name)
    return network.eval()


def _own_class(module: nn.Module) -> None:
    """A parametrized weight is a property of the module's class, which a copy would take from the original too."""
    shared = type(module)
    module.__class__ = type(shared.__name__, shared.__bases__, dict(shared.__dict__))
