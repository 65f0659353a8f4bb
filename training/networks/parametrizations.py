"""Replace computed weights, such as spectrally normalised ones, by plain weights, for evaluation and export."""

import copy

from torch import nn
from torch.nn.utils import parametrize

POWER_ITERATIONS = 50  # of spectral normalisation


def fold_parametrizations(network: nn.Module) -> nn.Module:
    """Return a copy for inference whose normalised weights are plain tensors.

    Its singular vectors are computed again: the average of the weights over a training does not have the average of
    the weights' singular vectors.
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
    """Give the module its own class: parametrized weights are properties of the class, shared with the original."""
    shared = type(module)
    module.__class__ = type(shared.__name__, shared.__bases__, dict(shared.__dict__))
