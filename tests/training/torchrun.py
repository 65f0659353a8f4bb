"""`torchrun --nproc-per-node 2 -m training ...`, from a process that has imported the trainer.

The processes that it starts are forks, so that PyTorch is imported once.
"""

import os
import sys

import torch._dynamo  # which every optimizer imports
from torch.distributed import run

import training.loop.runs
from training.__main__ import main


def work() -> None:
    """Run the command; torchrun takes a process that leaves by `sys.exit` for one that never ends."""
    try:
        main()
    except SystemExit as ended:
        if ended.code:
            raise


if __name__ == "__main__":
    if "RANK" in os.environ:
        work()
    else:
        run.main(["--standalone", "--nproc-per-node=2", "--start-method=fork", "--run-path", __file__, *sys.argv[1:]])
