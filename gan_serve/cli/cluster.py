"""gan-serve generate --ray: a folder of images, filled by the machines of a cluster."""

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from gan_serve.cli.run import watched
from gan_serve.errors import UsageError
from gan_serve.system.text import path_bytes

if TYPE_CHECKING:
    from gan_serve.formats import Output
    from gan_serve.latent_mixing import LatentMixing
    from gan_serve.metadata import ModelMetadata
    from gan_serve.repository import Model
    from gan_serve.request import Request


def check_drawn(
    metadata: "ModelMetadata", output: str | None, show: bool, mixing: "LatentMixing | None", inexact: bool
) -> None:
    """Refuse what is no large job of drawing.

    Raises:
        UsageError: it is not.
    """
    if metadata.image_inputs or not metadata.image_outputs:
        raise UsageError("--ray is for models that draw alone: images that go in lie on this machine")
    if output == "-" or show:
        raise UsageError(f"--ray fills a folder; leave out {'--show' if show else '--output -'}")
    if inexact:
        raise UsageError("--inexact is for one large image, --ray for many; leave out one of them")
    if mixing:
        raise UsageError(f"--ray is for many images of one seed; leave it out, or the {mixing.kind} with another one")


def run_on_cluster(found: "Model", request: "Request", plan: "Output", device: str, scale: int, address: str) -> None:
    """Fill a folder, or what is left of it to do.

    Raises:
        UsageError: the images go into one file.
        Interrupted: a signal asked to stop.
    """
    if not plan.folder:
        raise UsageError("--ray fills a folder; ask for several images, and leave out --grid, npy and gif")
    from gan_serve.deploy.shards import cluster, run_job
    from gan_serve.jobs.job import Job

    job = Job(found.metadata, found.sha256, request, replace(plan, path=plan.path.absolute()), scale)
    with (
        cluster(address),
        watched(job) as (progress, heed),
        closing(run_job(job, found, device, progress.start)) as made,
    ):
        for images in made:
            progress.advance(images)
            heed()
    typer.echo(path_bytes(plan.path))
