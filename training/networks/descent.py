"""A descent on a latent inside a served graph: gradients that export, and Adam in a loop."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Gradient = Callable[[Tensor], Tensor]

BETAS, EPSILON = (0.9, 0.999), 1e-8  # Adam's


def pull(network: nn.Module, inputs: Tensor) -> tuple[Tensor, Gradient]:
    """Return a network's output, and the function that pulls the gradient at its output back to its inputs.

    The function is what autograd would compute, which cannot be exported, written in operators that can. The network
    is in evaluation mode: a layer of the kinds below, or a `Sequential` of them.

    Raises:
        TypeError: the network has a layer of another kind.
    """
    if not isinstance(network, nn.Sequential):
        return _pull_layer(network, inputs)
    gradients = []
    for layer in network:
        inputs, gradient = pull(layer, inputs)
        gradients.append(gradient)

    def through_all(slope: Tensor) -> Tensor:
        for gradient in reversed(gradients):
            slope = gradient(slope)
        return slope

    return inputs, through_all


def _pull_layer(layer: nn.Module, inputs: Tensor) -> tuple[Tensor, Gradient]:
    match layer:
        case nn.Linear():
            return layer(inputs), lambda slope: slope @ layer.weight
        case nn.Conv2d():
            return layer(inputs), _convolution(layer, inputs)
        case nn.ConvTranspose2d():
            return layer(inputs), lambda slope: F.conv2d(slope, layer.weight, None, layer.stride, layer.padding)
        case nn.BatchNorm2d():
            assert layer.running_var is not None
            scale = (layer.weight / (layer.running_var + layer.eps).sqrt())[:, None, None]
            return layer(inputs), lambda slope: slope * scale
        case nn.ReLU():  # not the layer itself, which may change its inputs
            return F.relu(inputs), lambda slope: slope * (inputs > 0)
        case nn.LeakyReLU(negative_slope=leak):
            return F.leaky_relu(inputs, leak), lambda slope: torch.where(inputs > 0, slope, leak * slope)
        case nn.Tanh():
            outputs = inputs.tanh()
            return outputs, lambda slope: slope * (1 - outputs.square())
        case nn.Flatten() | nn.Unflatten():
            return layer(inputs), lambda slope: slope.reshape(-1, *inputs.shape[1:])
    raise TypeError(f"no gradient is known for {layer}")


def _convolution(layer: nn.Conv2d, inputs: Tensor) -> Gradient:
    padding, stride = [int(each) for each in layer.padding], layer.stride
    sizes = zip(inputs.shape[2:], padding, layer.kernel_size, stride, strict=True)
    rest = [(size + 2 * pad - kernel) % step for size, pad, kernel, step in sizes]  # pixels that no window reaches
    return lambda slope: F.conv_transpose2d(slope, layer.weight, None, stride, padding, rest)


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
