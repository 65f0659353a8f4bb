"""`torchrun --nproc-per-node 2 -m training ...`, from a process that has imported the trainer.

The processes that it starts are forks, so that PyTorch is imported once.
"""

import importlib
import os
import sys

from torch.distributed import run

from training.__main__ import main

IMPORTED_BY_TRAINING = ("torch._dynamo", "training.loop.runs")


def work() -> None:
    """Run the command; torchrun would wait forever for a process that leaves by `sys.exit`."""
    try:
        main()
    except SystemExit as ended:
        if ended.code:
            raise


if __name__ == "__main__":
    if "RANK" in os.environ:
        work()
    else:
        for module in IMPORTED_BY_TRAINING:
            importlib.import_module(module)
        run.main(["--standalone", "--nproc-per-node=2", "--start-method=fork", "--run-path", __file__, *sys.argv[1:]])
