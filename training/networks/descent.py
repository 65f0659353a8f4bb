"""A descent on a latent inside a served graph: gradients that export, and Adam in a loop."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Gradient = Callable[[Tensor], Tensor]

BETAS, EPSILON = (0.9, 0.999), 1e-8  # Adam's


def pull(network: nn.Module, inputs: Tensor) -> tuple[Tensor, Gradient]:
    """Return a network's outputs, and the function that pulls the gradient at the outputs back to the inputs.

    The function is what autograd would compute, which cannot be exported, written in operators that can. The network
    is in evaluation mode: a layer of the kinds in `PULLED`, or a `Sequential` of them.

    Raises:
        KeyError: the network has a layer of another kind.
    """
    if not isinstance(network, nn.Sequential):
        outputs = network(inputs.clone())  # an activation may overwrite what it gets
        return outputs, partial(PULLED[type(network)], network, inputs, outputs)
    gradients = []
    for layer in network:
        inputs, gradient = pull(layer, inputs)
        gradients.append(gradient)

    def through_all(slope: Tensor) -> Tensor:
        for gradient in reversed(gradients):
            slope = gradient(slope)
        return slope

    return inputs, through_all


def _linear(layer: nn.Linear, inputs: Tensor, outputs: Tensor, slope: Tensor) -> Tensor:
    return slope @ layer.weight


def _convolution(layer: nn.Conv2d, inputs: Tensor, outputs: Tensor, slope: Tensor) -> Tensor:
    padding = [int(each) for each in layer.padding]
    sizes = zip(inputs.shape[2:], padding, layer.kernel_size, layer.stride, strict=True)
    rest = [(size + 2 * pad - kernel) % stride for size, pad, kernel, stride in sizes]  # pixels that no window reaches
    return F.conv_transpose2d(slope, layer.weight, None, layer.stride, padding, rest)


def _transposed(layer: nn.ConvTranspose2d, inputs: Tensor, outputs: Tensor, slope: Tensor) -> Tensor:
    return F.conv2d(slope, layer.weight, None, layer.stride, layer.padding)


def _normalised(layer: nn.BatchNorm2d, inputs: Tensor, outputs: Tensor, slope: Tensor) -> Tensor:
    assert layer.running_var is not None
    return slope * (layer.weight / (layer.running_var + layer.eps).sqrt())[:, None, None]


def _rectified(layer: nn.ReLU, inputs: Tensor, outputs: Tensor, slope: Tensor) -> Tensor:
    return slope * (inputs > 0)


def _leaky(layer: nn.LeakyReLU, inputs: Tensor, outputs: Tensor, slope: Tensor) -> Tensor:
    return torch.where(inputs > 0, slope, layer.negative_slope * slope)


def _tanh(layer: nn.Tanh, inputs: Tensor, outputs: Tensor, slope: Tensor) -> Tensor:
    return slope * (1 - outputs.square())


def _reshaped(layer: nn.Module, inputs: Tensor, outputs: Tensor, slope: Tensor) -> Tensor:
    return slope.reshape(-1, *inputs.shape[1:])


# Of a layer, its inputs and its outputs: from the gradient at the outputs to that at the inputs.
PULLED: Mapping[type[nn.Module], Callable[[Any, Tensor, Tensor, Tensor], Tensor]] = {
    nn.Linear: _linear,
    nn.Conv2d: _convolution,
    nn.ConvTranspose2d: _transposed,
    nn.BatchNorm2d: _normalised,
    nn.ReLU: _rectified,
    nn.LeakyReLU: _leaky,
    nn.Tanh: _tanh,
    nn.Flatten: _reshaped,
    nn.Unflatten: _reshaped,
}


def descend(gradient: Gradient, start: Tensor, steps: Tensor, rate: float) -> Tensor:
    """Return latents (N, Z) after Adam's steps from `start` against the gradient of a function of each latent.

    Each row takes its own number of `steps` (N,). In an exported graph the steps are one loop.
    """
    step, mean, square = torch.zeros((), dtype=torch.int64), torch.zeros_like(start), torch.zeros_like(start)

    def goes_on(step: Tensor, *_: Tensor) -> Tensor:
        return step < steps.max()

    def move(step: Tensor, latent: Tensor, mean: Tensor, square: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        slope, after = gradient(latent), step + 1
        mean = torch.lerp(slope, mean, BETAS[0])
        square = torch.lerp(slope.square(), square, BETAS[1])
        unbiased = [moment / (1 - beta**after) for moment, beta in zip((mean, square), BETAS, strict=True)]
        moved = latent - rate * unbiased[0] / (unbiased[1].sqrt() + EPSILON)
        return after, torch.where((step < steps)[:, None], moved, latent), mean, square

    if torch.compiler.is_exporting():
        return torch.while_loop(goes_on, move, (step, start.clone(), mean, square.clone()))[1]  # none may be a view
    state = step, start, mean, square
    while goes_on(*state):
        state = move(*state)
    return state[1]
