"""Options that commands share, and the values that they come to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from clustersim.cli import console

if TYPE_CHECKING:
    from clustersim.experiment import Progress, Settings
    from clustersim.results import Results
    from clustersim.scenario import Scenario

Command = TypeVar("Command", bound=Callable[..., Any])

RUNS = Path("runs")


def grouped(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Return a decorator that gives a command all *options*, in this order."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _volume(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value:
        console.set_volume(console.QUIET if parameter.name == "quiet" else console.VERBOSE)


scenarios = click.argument("scenarios", metavar="SCENARIO...", nargs=-1, required=True)

scenario = click.argument("scenario", metavar="SCENARIO")

volume = grouped(
    click.option(
        "-q",
        "--quiet",
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=_volume,
        help="Only data and errors.",
    ),
    click.option(
        "-v", "--verbose", is_flag=True, expose_value=False, is_eager=True, callback=_volume, help="Say more."
    ),
)

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")

sets = grouped(
    click.option(
        "--set",
        "sets",
        metavar="PATH=VALUE",
        multiple=True,
        help="Change a value of the scenario: checkpoint.interval='10 min'; null deletes. Repeatable.",
    ),
    click.option("--seed", type=click.IntRange(min=0), help="Seed of the random numbers."),
    click.option("--replications", type=click.IntRange(min=1), help="Number of independent histories."),
    click.option("--horizon", metavar="DURATION", help="Simulated time: 30d."),
)

changes = grouped(
    sets,
    click.option("--precision", metavar="WIDTH", help="Replicate until ETTR's half-width is met: 0.5pp."),
)

workers = click.option(
    "--workers", type=click.IntRange(min=1), help="Worker processes (default: one per core)."
)

running = grouped(
    workers,
    click.option("--force", is_flag=True, help="Simulate what is finished already."),
    click.option(
        "--resume", is_flag=True, help="Go on from the finished replications of an interrupted run."
    ),
    click.option("--no-incidents", is_flag=True, help="Leave the large table of incidents out."),
)


def output(meaning: str) -> Callable[[Command], Command]:
    """Return the option that says where results go."""
    return click.option("-o", "--output", type=click.Path(path_type=Path), metavar="PATH", help=meaning)


def split(given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the options of `changes` change, by path, and what is left: the options of `running`."""
    from clustersim.api import changes as changed

    rest = dict(given)
    named = {name: rest.pop(name, None) for name in ("seed", "replications", "precision", "horizon")}
    return changed(dict(_pair(text) for text in rest.pop("sets")), **named), rest


def _pair(text: str) -> tuple[str, str]:
    path, equals, value = text.partition("=")
    if not equals:
        raise click.BadParameter(
            f"{text!r} has no =; write it like checkpoint.interval='10 min'", param_hint="--set"
        )
    return path.strip(), value.strip()


def listed(text: str, option: str) -> tuple[str, list[str]]:
    """Return the path and the values of `cluster.gpus=10k,100k,1M`."""
    path, _, values = text.partition("=")
    found = [value.strip() for value in values.split(",")]
    if not path.strip() or not all(found):
        raise click.BadParameter(
            f"{text!r} is not a list; write it like cluster.gpus=10k,100k", param_hint=option
        )
    return path.strip(), found


def place_of(name: str, output: Path | None, command: str) -> Path:
    """Return the folder for what a command says about the scenario called *name*."""
    from clustersim import folders
    from clustersim.store import RunError

    folder = output or RUNS / folders.slug(name) / command
    if folder.exists() and not folder.is_dir():
        raise RunError(f"{folder}: is a file, not a folder; give another -o")
    return folder


def load_all(sources: Sequence[str], changed: Mapping[str, Any]) -> list[Scenario]:
    """Return the scenarios that *sources* name; raise ScenarioError with the faults of all of them."""
    from clustersim.api import resolve
    from clustersim.scenario import Fault, ScenarioError

    loaded: list[Scenario] = []
    faults: list[Fault] = []
    for source in sources:
        try:
            loaded.append(resolve(source, changed))
        except ScenarioError as error:
            faults += error.faults
    if faults:
        raise ScenarioError(dict.fromkeys(faults))
    return loaded


def command_line() -> str:
    """Return the command as it was typed."""
    import shlex

    context = click.get_current_context()
    return shlex.join(["clustersim", *context.find_root().obj])


def settings(
    progress: Progress, workers: int | None, force: bool, resume: bool, no_incidents: bool
) -> Settings:
    """Return how to run, from the options of `running`."""
    from clustersim.experiment import Settings

    return Settings(workers, None, resume, force, not no_incidents, command_line(), progress)


def summary_with_time(results: Results) -> dict[str, Any]:
    """Return the summary as `--json` prints it: with the seconds that simulating took."""
    return results.summary | {"wall_s": results.provenance.get("wall_s")}
