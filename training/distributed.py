"""Training in several processes under `torchrun`; every function is the identity in a single process."""

import os
from collections.abc import Callable

import torch
import torch.distributed as dist
from torch import Tensor, nn


def start(device: torch.device) -> None:
    """Select the GPU of this process, and join the other processes if `torchrun` started several."""
    if device.type == "cuda":
        torch.cuda.set_device(device)  # streams and random states belong to the current device
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and not dist.is_initialized():
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")


def wait() -> None:
    """Wait for all processes: one that exits early would break the connections of the others."""
    if dist.is_initialized():
        dist.barrier()


def stop() -> None:
    """Leave the group that `start` joined."""
    if dist.is_initialized():
        dist.destroy_process_group()


def rank() -> int:
    """Return this process's number; only process 0 writes files and messages."""
    return int(os.environ.get("RANK", "0"))


def world_size() -> int:
    """Return the number of processes that train together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def broadcast(module: nn.Module) -> None:
    """Copy the first process's parameters and buffers to all processes."""
    if dist.is_initialized():
        for tensor in module.state_dict().values():
            dist.broadcast(tensor, src=0)


def average_gradients(parameters: list[nn.Parameter]) -> None:
    """Replace each gradient by its mean over the processes, in one message."""
    if not dist.is_initialized():
        return
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    flat /= world_size()
    for gradient, mean in zip(gradients, torch.split(flat, [gradient.numel() for gradient in gradients]), strict=True):
        gradient.copy_(mean.view_as(gradient))


def any_process(flag: bool, device: torch.device) -> bool:
    """Return whether the flag is set in at least one process, so that all of them stop at the same step."""
    if not dist.is_initialized():
        return flag
    votes = torch.tensor(int(flag), device=device)
    dist.all_reduce(votes, op=dist.ReduceOp.MAX)
    return bool(votes)


def own_share(draw: Callable[..., Tensor], count: int, *shape: int, like: Tensor) -> Tensor:
    """Return this process's rows of the noise (count * world_size, *shape) that a single process would have drawn.

    `draw` is torch.randn or torch.rand, on the device of `like`.

    Every process draws all rows: their random states stay equal, so a step does not depend on the number of processes.
    """
    noise = draw(count * world_size(), *shape, device=like.device)
    return noise[rank() * count : (rank() + 1) * count]
