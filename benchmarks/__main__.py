"""`python -m benchmarks`: compare Numeral with other software that does the same work.

Results go to standard output, as a table or, with `--json`, as one JSON document; progress goes to standard error.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from benchmarks import fairness as fairness_case
from benchmarks import handwriting as handwriting_kinds
from benchmarks import inference as inference_cases
from benchmarks import pipeline as pipeline_cases
from benchmarks import restarts as restarts_case
from benchmarks import scale as scale_cases
from benchmarks import serving as serving_cases
from benchmarks import soak as soak_case
from benchmarks import streaming as streaming_case
from benchmarks import training as training_cases
from benchmarks import web as web_case
from benchmarks.attacks import verdicts
from benchmarks.convolutions import cases as convolution_cases
from benchmarks.dense import table as dense_table
from benchmarks.fleet import rows as fleet_rows
from benchmarks.result import write
from benchmarks.runner import people, warn_of_what_misleads
from core.errors import ConfigError, NumeralError
from core.terminal import accept_any_text

app = typer.Typer(
    help="Compare Numeral with other software that does the same work.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

CaseOption = Annotated[
    str, typer.Option("--case", metavar="PATTERN", help="Only the matching cases, e.g. mlp-32 or 'cnn*'.")
]
RoundsOption = Annotated[int, typer.Option(help="How often each side is measured.", min=1)]
SecondsOption = Annotated[float, typer.Option(help="How long each side is measured in each round.", min=0.001)]
RepositoryOption = Annotated[
    str | None,
    typer.Option(help="A folder whose champion is of the recipe mlp; versions are added to it. [default: train one]"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]


@app.command()
def training(
    pattern: CaseOption = "*",
    rounds: RoundsOption = 7,
    seconds: SecondsOption = 2,
    shards: Annotated[
        int | None, typer.Option(help="Shards of a batch on our side. [default: the case's]", min=1)
    ] = None,
    threads: Annotated[int | None, typer.Option(help="BLAS threads on our side. [default: the case's]", min=1)] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare training steps with PyTorch and scikit-learn, on two cores."""
    warn_of_what_misleads()
    write(training_cases.measure(pattern, rounds, seconds, shards=shards, threads=threads), as_json=as_json)


@app.command()
def inference(
    pattern: CaseOption = "*", rounds: RoundsOption = 7, seconds: SecondsOption = 2, as_json: JsonOption = False
) -> None:
    """Compare forward passes with ONNX Runtime, on one thread."""
    warn_of_what_misleads()
    write(inference_cases.measure(pattern, rounds, seconds), as_json=as_json)


@app.command()
def convolutions(
    pattern: CaseOption = "*", rounds: RoundsOption = 7, seconds: SecondsOption = 0.5, as_json: JsonOption = False
) -> None:
    """Compare our forward pass of a convolution with other ways to compute it in NumPy, on one thread."""
    warn_of_what_misleads()
    write([*convolution_cases.measure(pattern, rounds, seconds)], as_json=as_json)


@app.command()
def dense(
    pattern: CaseOption = "*",
    kernels: Annotated[
        list[str] | None,
        typer.Option(help="Kernels of OpenBLAS, e.g. Haswell; may be repeated. [default: those that it chooses]"),
    ] = None,
    rounds: RoundsOption = 5,
    seconds: SecondsOption = 2,
    as_json: JsonOption = False,
) -> None:
    """Show where the time of a training step of dense layers goes, call by call, on one and two threads."""
    warn_of_what_misleads()
    rows = [*dense_table.measure(pattern, kernels or ["default"], rounds, seconds)]
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in rows], indent=2))
    else:
        dense_table.write(rows)


@app.command()
def serving(
    pattern: CaseOption = "*",
    rounds: RoundsOption = 5,
    calls: Annotated[
        int, typer.Option(help="Calls in one round of the fastest case; the others make fewer.", min=100)
    ] = 20_000,
    repository: RepositoryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare the service under load with MLServer, Triton and a bare gRPC handler."""
    warn_of_what_misleads()
    write(serving_cases.measure(pattern, rounds, calls, repository), as_json=as_json)


@app.command()
def soak(
    seconds: Annotated[
        float | None,
        typer.Option(help="How long to run; with --attack, each attack. [default: 600; 25 with --attack]", min=1),
    ] = None,
    swap_every: Annotated[float, typer.Option(help="Seconds between two swaps.", min=0.01)] = 0.5,
    kill_every: Annotated[float, typer.Option(help="Seconds between two kills of a worker; 0 kills none.", min=0)] = 15,
    attack: Annotated[bool, typer.Option("--attack", help="Attack the service, in one way after the other.")] = False,
    only: Annotated[str, typer.Option(metavar="PATTERN", help="Only the matching attacks, e.g. 'unread-*'.")] = "*",
    everything: Annotated[
        bool, typer.Option("--everything", help="Attack the service during the load, swaps and kills.")
    ] = False,
    repository: RepositoryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run at full load with swaps, damaged versions and killed workers, and check every answer; or attack."""
    if attack and everything:
        raise ConfigError("--attack runs the attacks alone, and --everything during the load: choose one of them")
    if attack:
        held = soak_case.attack(seconds or 25, only, repository, lambda found: verdicts.write(found, as_json=as_json))
        raise typer.Exit(0 if held else 1)
    write(soak_case.measure(seconds or 600, swap_every, kill_every, repository, attacking=everything), as_json=as_json)


@app.command()
def fairness(
    seconds: Annotated[float, typer.Option(help="How long the flood lasts, in seconds.", min=1)] = 30,
    callers: Annotated[int, typer.Option(help="Costly calls in flight at once.", min=1, max=500)] = 400,
    repository: Annotated[
        str, typer.Option(help="Folder or URL of the versions; the champion answers.")
    ] = handwriting_kinds.PRETRAINED,
    against: Annotated[Path | None, typer.Option(help="A checkout of another commit to compare with.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Flood the service with costly pictures, and measure how long another client's small ones take."""
    warn_of_what_misleads()
    write(fairness_case.measure(seconds, callers, repository, against), as_json=as_json)


@app.command()
def restarts(
    times: Annotated[int, typer.Option(help="How often to restart.", min=1)] = 100,
    callers: Annotated[int, typer.Option(help="Threads of each client that ask without pause.", min=1)] = 8,
    workers: Annotated[int, typer.Option(help="Worker processes of the service.", min=1)] = 2,
    seconds: Annotated[float, typer.Option(help="How long the service runs between two restarts.", min=0.1)] = 1,
    as_json: JsonOption = False,
) -> None:
    """Stop and start the service under load, and count the calls that are lost."""
    write(restarts_case.measure(times, callers, workers, seconds), as_json=as_json)


@app.command()
def fleet(
    replicas: Annotated[list[int], typer.Option(help="How many services; may be repeated.", min=0)] = [1, 4, 8],  # noqa: B006 — typer reads it
    followers: Annotated[
        list[int], typer.Option(help="How many followers alone, as a simulation; may be repeated; 0: none.", min=0)
    ] = [100],  # noqa: B006
    swaps: Annotated[int, typer.Option(help="How many versions are promoted for each number.", min=1)] = 8,
    poll: Annotated[
        float | None, typer.Option(help="Seconds between two looks. [default: the service's own]", min=0.01)
    ] = None,
    pattern: CaseOption = "*",
    repository: Annotated[
        str, typer.Option(help="Folder or URL of the versions; the champion is promoted again and again.")
    ] = handwriting_kinds.PRETRAINED,
    as_json: JsonOption = False,
) -> None:
    """Let many services follow one repository: listings, the time of a promotion, and the calls that are lost."""
    warn_of_what_misleads()
    plan = fleet_rows.Plan([*filter(None, replicas)], [*filter(None, followers)], swaps, poll, repository)
    write(fleet_rows.measure(plan, pattern), as_json=as_json)


@app.command()
def pipeline(
    rounds: Annotated[int, typer.Option(help="How often each is measured.", min=1)] = 3,
    against: Annotated[Path | None, typer.Option(help="A checkout of another commit to compare with.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure what a retraining costs beside its training: time and memory, with Prefect's server and without."""
    warn_of_what_misleads()
    write(pipeline_cases.measure(rounds, against), as_json=as_json)


@app.command()
def streaming(
    images: Annotated[
        int, typer.Option(help="How many images to train on; the default writes 6.3 GB.")
    ] = streaming_case.FULL,
    workers: Annotated[int, typer.Option(help="Threads that prepare batches ahead.")] = 1,
    threads: Annotated[int, typer.Option(help="BLAS threads.")] = 1,
    folder: Annotated[Path | None, typer.Option(help="Folder for the temporary file. [default: the system's]")] = None,
    as_json: JsonOption = False,
) -> None:
    """Train on a file that is larger than the memory that training may use."""
    write(streaming_case.measure(images, workers, threads, folder), as_json=as_json)


@app.command()
def scale(
    images: Annotated[
        int, typer.Option(help="How many images the large runs read; the default writes 6.3 GB.", min=1)
    ] = scale_cases.FULL,
    workers: Annotated[int, typer.Option(help="Processes, or workers of a Dask cluster, that read.", min=1)] = 2,
    pattern: CaseOption = "*",
    repository: Annotated[
        str, typer.Option(help="Folder or URL of the versions; the champion reads.")
    ] = handwriting_kinds.PRETRAINED,
    folder: Annotated[Path | None, typer.Option(help="Folder for temporary files. [default: the system's]")] = None,
    as_json: JsonOption = False,
) -> None:
    """Read millions of images with one version: images per second, and whether memory stays constant."""
    warn_of_what_misleads()
    write(scale_cases.measure(images, workers, repository, pattern, folder), as_json=as_json)


@app.command()
def web(
    crowd: Annotated[int, typer.Option("--people", help="How many people draw at once.", min=1)] = 200,
    seconds: Annotated[float, typer.Option(help="How long they draw, in each round.", min=1)] = 20,
    rounds: RoundsOption = 3,
    repository: Annotated[
        str | None, typer.Option(help="A folder whose champion answers. [default: the version that ships]")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Let many people draw on the page at once, and measure how long they wait for the answers."""
    warn_of_what_misleads()
    write(web_case.measure(crowd, seconds, rounds, repository), as_json=as_json)


@app.command()
def handwriting(
    each: Annotated[int, typer.Option(help="Pictures of each kind.", min=1)] = 200,
    seed: Annotated[int, typer.Option(help="Of the pictures; another one draws others.", min=0)] = 0,
    repository: Annotated[
        str, typer.Option(help="Folder or URL of the versions; the champion is asked.")
    ] = handwriting_kinds.PRETRAINED,
    folder: Annotated[
        list[Path] | None,
        typer.Option(help="A folder of real pictures, whose names begin with their digit; may be repeated."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Count the pictures that are read right, by writing style, pen, paper and program, and the non-digits refused."""
    version = handwriting_kinds.version_of(repository)
    rows = handwriting_kinds.measure(version, each, seed, tuple(folder or ()))
    handwriting_kinds.write([*rows], as_json=as_json)


if __name__ == "__main__":
    accept_any_text()
    try:
        app()
    except NumeralError as error:
        people.print(f"error: {error}", style="red", markup=False)
        raise SystemExit(2 if isinstance(error, ConfigError) else 1) from error
