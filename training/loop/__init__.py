"""The training loop: steps, runs that resume, checkpoints, logs and devices."""
