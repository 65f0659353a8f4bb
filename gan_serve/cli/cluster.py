"""gan-serve generate --ray: fill a folder of images with a Ray cluster."""

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from gan_serve.cli.run import monitored
from gan_serve.errors import UsageError
from gan_serve.system.text import path_bytes

if TYPE_CHECKING:
    from gan_serve.formats import Output
    from gan_serve.latent_mixing import LatentMixing
    from gan_serve.metadata import ModelMetadata
    from gan_serve.repository import Model
    from gan_serve.request import Request


def check_supported(
    metadata: "ModelMetadata", output: str | None, show: bool, mixing: "LatentMixing | None", inexact: bool
) -> None:
    """Reject models and options that a cluster does not support.

    Raises:
        UsageError: The model needs images or makes none, or an option cannot be combined with --ray.
    """
    if metadata.image_inputs or not metadata.drawn_outputs:
        raise UsageError("--ray needs a model that makes images from a seed alone; leave out --ray")
    if output == "-" or show:
        raise UsageError(f"--ray fills a folder; leave out {'--show' if show else '--output -'}")
    if inexact:
        raise UsageError("--inexact is for one large image, and --ray for many; leave out one of them")
    if mixing:
        raise UsageError(f"--ray supports only one seed; leave out --ray, or the {mixing.kind} with a second seed")


def run_on_cluster(model: "Model", request: "Request", plan: "Output", device: str, scale: int, address: str) -> None:
    """Fill a folder, or resume filling it.

    Raises:
        UsageError: The output is one file.
        Interrupted: SIGINT or SIGTERM stopped the job.
    """
    if not plan.folder:
        raise UsageError("--ray fills a folder; ask for several images, and leave out --grid, npy and gif")
    from gan_serve.deploy.shards import cluster, run_job
    from gan_serve.jobs.job import Job

    job = Job(model.metadata, model.sha256, request, replace(plan, path=plan.path.absolute()), scale)
    with (
        cluster(address),
        monitored(job) as (progress, check_signals),
        closing(run_job(job, model, device, progress.start)) as shards,
    ):
        for images, lines in shards:
            progress.advance(images, lines)
            check_signals()
    typer.echo(path_bytes(plan.path))
