"""Record turns on a GPU as CUDA graphs: small networks spend most of their time on launching kernels."""

from collections.abc import Callable

import torch

from training.data.dataset import Batch, Terms

Turn = Callable[[Batch], Terms]

WARM_UP = 3  # turns, in which optimizers create their state and libraries choose their kernels


class Replayed:
    """A turn that is the same computation every time: run a few times, then recorded as a CUDA graph and replayed.

    Each replay draws new random numbers. Everything else that changes from step to step must be in a tensor.
    """

    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        self.runs = 0
        self.graph = torch.cuda.CUDAGraph()
        self.stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        self.batch: Batch = {}  # the input of the recorded turn
        self.terms: Terms = {}  # its output

    def __call__(self, batch: Batch) -> Terms:
        self.runs += 1
        if self.runs <= WARM_UP:
            return self._run(batch)
        if not self.batch:
            self._record(batch)
        for name, values in batch.items():
            self.batch[name].copy_(values)
        self.graph.replay()
        return self.terms

    def _run(self, batch: Batch) -> Terms:
        """Run the turn on the stream that will also record it."""
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            terms = self.turn(batch)
        torch.cuda.current_stream().wait_stream(self.stream)
        return terms

    def _record(self, batch: Batch) -> None:
        self.batch = {name: values.clone() for name, values in batch.items()}
        with torch.cuda.graph(self.graph, stream=self.stream):
            self.terms = {name: value.detach() for name, value in self.turn(self.batch).items()}
