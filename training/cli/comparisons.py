"""Commands that run many trainings."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from training.cli.options import (
    MODELS,
    RECORDS,
    RUNS,
    Device,
    Jobs,
    Minutes,
    Models,
    Replace,
    ReplaceModels,
    Runs,
    Steps,
)

if TYPE_CHECKING:
    from training.experiments.zoo import Summary

commands = typer.Typer()


@commands.command(epilog="Example: python -m training zoo lsgan wgan_gp --minutes 120")
def zoo(
    names: Annotated[list[str] | None, typer.Argument(help="Variants.  [default: all]")] = None,
    minutes: Minutes = None,
    device: Device = "auto",
    jobs: Jobs = None,
    steps: Steps = None,
    runs_folder: Runs = RUNS,
    models: Models = MODELS,
    replace: ReplaceModels = False,
) -> None:
    """Train and publish many variants from scratch; run it again to continue after a stop."""
    from training import variants
    from training.experiments.zoo import is_published, publication, run_tasks
    from training.loop import devices
    from training.loop.replacing import check_writable

    chosen = list(dict.fromkeys(names or variants.trainings()))
    for name in chosen:
        variants.training(name)  # reports a wrong name before hours have passed
    options = () if steps is None else ("--steps", str(steps))
    done = [name for name in chosen if is_published(name, runs_folder, models)]
    tasks = [publication(name, runs_folder, models, options, replace=replace) for name in chosen if name not in done]
    check_writable(runs_folder)
    check_writable(models)
    summary = run_tasks(tasks, str(devices.find_device(device)), jobs=jobs, minutes=minutes)
    _report(done, summary, "published")


@commands.command(epilog="Example: python -m training study losses --minutes 120")
def study(
    name: Annotated[str, typer.Argument(help="A study from training/experiments/studies.py.")],
    minutes: Minutes = None,
    device: Device = "auto",
    jobs: Jobs = None,
    steps: Steps = None,
    runs_folder: Runs = RUNS,
    records: Annotated[Path, typer.Option(help="The folder for the scores.")] = RECORDS,
) -> None:
    """Train the cases of a study, each with several seeds, and record the scores for docs/studies.md."""
    from training.experiments import studies
    from training.experiments.zoo import run_tasks
    from training.loop import devices
    from training.loop.replacing import check_writable

    chosen = studies.find(name)
    options = () if steps is None else ("--steps", str(steps))
    done = [case.name for case in chosen.cases if case.record(records / name).exists()]
    tasks = [case.task(runs_folder / name, records / name, options) for case in chosen.cases if case.name not in done]
    check_writable(runs_folder)
    check_writable(records)
    summary = run_tasks(tasks, str(devices.find_device(device)), jobs=jobs, minutes=minutes)
    _report(done, summary, "recorded")


def _report(done: list[str], summary: "Summary", state: str) -> None:
    """Print the state of each task, and exit with an error if any failed."""
    for name in [*done, *summary.finished]:
        typer.echo(f"{name}: {state}")
    for name in summary.unfinished:
        typer.echo(f"{name}: not finished; run the command again to continue")
    for name, log in summary.failed.items():
        typer.echo(f"error: {name} failed; see {log}", err=True)
    if summary.failed or summary.signal:
        raise typer.Exit(128 + summary.signal if summary.signal else 1)


@commands.command(
    "stacked-mnist", epilog="Example: python -m training stacked-mnist --variants dcgan,lsgan,wgan_gp --steps 5000"
)
def stacked_mnist(
    names: Annotated[str, typer.Option("--variants", help="Variants, separated by commas.")] = "dcgan,wgan_gp",
    steps: Annotated[int, typer.Option(min=1, help="Steps of each generator; a critic takes more.")] = 15_600,
    samples: Annotated[int, typer.Option(min=1, help="Images to score.")] = 25_600,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    seed: Annotated[int, typer.Option(min=0, help="Decides weights, batches and noise.")] = 0,
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder of all trainings.")] = RUNS
    / "stacked_mnist",
    records: Annotated[
        Path | None, typer.Option(help="The folder for the scores.  [default: scores are only printed]")
    ] = None,
    replace: Replace = False,
) -> None:
    """Count the modes that variants with equal networks find, of 1,000 triples of digits; run it again to continue."""
    from training.experiments import stacked_mnist as comparison
    from training.loop import devices, runs

    chosen = comparison.find([name.strip() for name in names.split(",")])
    device = str(devices.find_device(device))  # reports a wrong device before anything is scored
    if records:
        comparison.check_records(chosen, output, records, seed, replace=replace)
    typer.echo(comparison.HEADER)
    try:
        for line in comparison.compare(chosen, output, steps=steps, samples=samples, seed=seed, device=device):
            typer.echo(line)
            if records:
                comparison.record(line, records, seed, replace=replace)
    except runs.Stopped as stopped:
        typer.echo(f"{stopped}; run the command again to continue", err=True)
        raise typer.Exit(stopped.exit_code) from None
    for published in comparison.PUBLISHED:
        typer.echo(published)
    typer.echo(f"{comparison.NOTES}\n{comparison.REFERENCES}")
    typer.echo(f"Images: {output}/VARIANT-{seed}/sample.png")
