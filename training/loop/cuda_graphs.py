"""Turns of a game on a GPU: small networks spend their time on starting kernels; a recorded turn starts all at once."""

from collections.abc import Callable

import torch

from training.data.dataset import Batch, Terms

Turn = Callable[[Batch], Terms]

WARM_UP = 3  # turns, in which optimizers make their state and libraries choose their kernels


class Replayed:
    """A turn that is the same computation every time: played a few times, then recorded as a CUDA graph and replayed.

    Random numbers are drawn anew at each replay. Whatever else changes from step to step must be in a tensor.
    """

    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        self.played = 0
        self.graph = torch.cuda.CUDAGraph()
        self.stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        self.batch: Batch = {}  # where the recorded turn finds its batch
        self.terms: Terms = {}  # and leaves its losses

    def __call__(self, batch: Batch) -> Terms:
        self.played += 1
        if self.played <= WARM_UP:
            return self._play(batch)
        if not self.batch:
            self._record(batch)
        for name, values in batch.items():
            self.batch[name].copy_(values)
        self.graph.replay()
        return self.terms

    def _play(self, batch: Batch) -> Terms:
        """On a stream of its own, as what is recorded will be."""
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            terms = self.turn(batch)
        torch.cuda.current_stream().wait_stream(self.stream)
        return terms

    def _record(self, batch: Batch) -> None:
        self.batch = {name: values.clone() for name, values in batch.items()}
        with torch.cuda.graph(self.graph, stream=self.stream):
            self.terms = {name: value.detach() for name, value in self.turn(self.batch).items()}
