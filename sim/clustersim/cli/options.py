"""Options that commands share, and the values that they come to."""

from __future__ import annotations

import glob
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from clustersim import library
from clustersim.cli import console
from clustersim.cli.defaults import in_effect, options_of
from clustersim.cli.program import OK, UNMET
from clustersim.units import visible, visible_lines

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from clustersim.cli.screen import Screen
    from clustersim.results import Results
    from clustersim.scenario import Problem, Scenario
    from clustersim.settings import Settings
    from clustersim.studies.study import Study

Command = TypeVar("Command", bound=Callable[..., Any])
Answer = TypeVar("Answer", bound="Study")

RUNS = Path("runs")
NO_ANSWER = (
    *("workers", "executor", "shard", "resume", "no-incidents"),
    *("report", "json", "format", "quiet", "verbose", "dry-run"),
)
"""Options that change nothing in an answer: how a command runs, what else it writes, and how it prints."""
STDIN = "-"
"""In place of a file: the scenario is read from standard input."""


def grouped(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Return a decorator that gives a command all *options*, in this order."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _volume(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value:
        console.manner.is_quiet = parameter.name == "quiet"
        console.manner.is_verbose = not console.manner.is_quiet


def _completed(
    names: Callable[[], Iterable[library.ShippedScenario]],
) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """Return what completes a word in a shell: YAML files, folders, and shipped *names*."""

    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        found = sorted(map(str, Path().glob(f"{glob.escape(incomplete)}*")))
        local = [f"{name}/" if os.path.isdir(name) else name for name in found]
        files = [CompletionItem(name) for name in local if name.endswith((library.SUFFIX, ".yml", "/"))]
        shipped = [CompletionItem(each.name, help=each.title) for each in names()]
        return [item for item in (*files, *shipped) if item.value.startswith(incomplete)]

    return complete


_shipped = _completed(lambda: (each for each in library.listing() if each.kind != library.BASE))
cases = click.argument(
    "cases",
    metavar="[CASE]...",
    nargs=-1,
    shell_complete=_completed(
        lambda: (
            each._replace(name=each.name.removeprefix(library.CASES))
            for each in library.listing()
            if each.kind == library.CASE
        )
    ),
)
scenarios = click.argument(
    "scenarios", metavar="SCENARIO...", nargs=-1, required=True, shell_complete=_shipped
)

scenario = click.argument("scenario", metavar="SCENARIO", shell_complete=_shipped)

_volume_option = partial(click.option, is_flag=True, expose_value=False, is_eager=True, callback=_volume)
volume = grouped(
    _volume_option("-q", "--quiet", help="Only data and errors."),
    _volume_option("-v", "--verbose", help="More messages, and where an internal error happened."),
)


def _form(context: click.Context, parameter: click.Parameter, value: str) -> None:
    console.manner.form = value


form = click.option(
    "--format",
    type=click.Choice((console.TABLE, console.CSV, console.MARKDOWN)),
    default=console.TABLE,
    expose_value=False,
    callback=_form,
    help="Print tables for people, their figures as CSV with all digits, or Markdown. [default: table]",
)
as_json = grouped(
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else."), form
)
"""How an answer is printed."""

sets = grouped(
    click.option(
        "--set",
        "sets",
        metavar="PATH=VALUE",
        multiple=True,
        help="Change a value of the scenario: checkpoint.interval='10 min'; null deletes. Repeatable.",
    ),
    click.option("--seed", metavar="N", type=click.IntRange(min=0), help="Seed of the random numbers."),
    click.option(
        "--replications", metavar="N", type=click.IntRange(min=1), help="Number of independent histories."
    ),
    click.option("--horizon", metavar="DURATION", help="Simulated time: 30d."),
)

changes = grouped(
    sets,
    click.option("--precision", metavar="WIDTH", help="Replicate until ETTR's half-width is met: 0.5pp."),
)

workers = click.option(
    "--workers", metavar="N", type=click.IntRange(min=1), help="Worker processes. [default: one per core]"
)

executor = click.option(
    "--executor",
    metavar="WHERE",
    help="Simulate on local, dask (a cluster of its own here), dask:ADDRESS, or dask:FILE of a scheduler."
    " [default: local]",
)

resume = click.option(
    "--resume", is_flag=True, help="Go on from the finished replications of an interrupted run."
)

shard = click.option(
    "--shard",
    metavar="I/N",
    help="Simulate the Ith of N parts alone, for clustersim merge: 3/16. It goes beside the output, to"
    " <output>-shards/3-of-16.",
)

where = grouped(workers, executor, shard)
"""What to simulate on, and how much of it."""

running = grouped(
    where,
    click.option("--force", is_flag=True, help="Simulate again even if finished."),
    resume,
    click.option("--no-incidents", is_flag=True, help="Leave the large table of incidents out."),
)


baseline = click.option(
    "--baseline", metavar="NAME", help="Scenario that the others are compared to. [default: the first]"
)

report = click.option("--report", is_flag=True, help="Write the HTML report too.")


study = grouped(sets, where, resume, report, as_json, volume)
"""What every study has after its scenario, the folder of its answer, and the options of its own."""


def output(meaning: str) -> Callable[[Command], Command]:
    """Return the option that says where results go."""
    return click.option("-o", "--output", type=click.Path(path_type=Path), metavar="PATH", help=meaning)


def settings(common: Mapping[str, Any]) -> Settings:
    """Return the settings that the common options come to; which of them a command has is its own choice."""
    from clustersim.settings import Settings

    values = dict(common) | dict.fromkeys(_replaced(), None)
    overrides = dict(_pair(text) for text in values.pop("sets", ()))
    incidents = not values.pop("no_incidents", False)
    return Settings(overrides=overrides, incidents=incidents, command=command_line(), **values)


def of_others(common: Mapping[str, Any]) -> Settings:
    """Return the settings with which further scenarios of a question are loaded."""
    return settings({name: common[name] for name in ("sets", "seed", "horizon")})


def _replaced() -> list[str]:
    """Return the default stopping rule, replications or precision, in place of which the other was typed."""
    context = click.get_current_context()
    taken, given = {each.key for each in in_effect(context)}, context.params
    rules = (("replications", "precision"), ("precision", "replications"))
    return [
        default
        for default, typed in rules
        if default in taken and typed not in taken and given.get(typed) is not None
    ]


def _pair(text: str) -> tuple[str, str]:
    path, equals, value = text.partition("=")
    if not equals:
        remedy = f"{text!r} has no =; write it like checkpoint.interval='10 min'"
        raise click.BadParameter(remedy, param_hint="--set")
    return path.strip(), value.strip()


def pair(text: str, option: str, what: str) -> tuple[str, str]:
    """Return both sides of the = in *text*; raises BadParameter, ending in *what*, where one is missing."""
    left, _, right = (part.strip() for part in text.partition("="))
    if not (left and right):
        raise click.BadParameter(f"{text!r} {what}", param_hint=option)
    return left, right


def lists(texts: Iterable[str], option: str) -> dict[str, str]:
    """Return the lists of values of texts such as `cluster.spares=0,10,20`, by their paths."""
    what = "is no list of values; write it like cluster.spares=0,10,20 or cluster.spares=0..40:5"
    return dict(pair(text, option, what) for text in texts)


def load_all(sources: Sequence[str], how: Settings) -> list[Scenario]:
    """Return the scenarios that *sources* name; raise ScenarioError with the problems of all of them."""
    from clustersim.scenario import ScenarioError

    refuse_stdin_twice(sources)
    loaded: list[Scenario] = []
    problems: list[Problem] = []
    for source in sources:
        try:
            loaded.append(from_stdin(how) if source == STDIN else how.load(source))
        except ScenarioError as error:
            problems += map(_as_typed, error.problems)
    if problems:
        raise ScenarioError(dict.fromkeys(problems))
    return loaded


def refuse_stdin_twice(sources: Sequence[str]) -> None:
    """Raise UsageError where more than one of *sources* is standard input."""
    if list(sources).count(STDIN) > 1:
        raise click.UsageError("- is standard input, which can be read only once; name files for the others")


def _as_typed(problem: Problem) -> Problem:
    """Return a *problem* with an option that changes the scenario under the name by which it was given."""
    context = click.get_current_context()
    for path, default in ((f"simulation.{each.key}", each) for each in in_effect(context)):
        if problem.place.file.startswith(f"--set {path}="):
            where = replace(problem.place, file=f"{default.source}: {default.key} = {default.value}")
            return replace(problem, place=where, path="")
    return problem


def from_stdin(how: Settings) -> Scenario:
    """Return the scenario on standard input."""
    from clustersim.scenario.loading import load_stream

    if sys.stdin is None:
        raise click.UsageError("- is standard input, and there is none; name a file")
    if sys.stdin.isatty():
        console.say("Reading a scenario from standard input; end it with Ctrl-D.")
    return load_stream(sys.stdin.buffer, "<stdin>", how.changes)


def command_line() -> str:
    """Return the command as it was typed, and the defaults that change its answer as options."""
    context = click.get_current_context()
    names, more = options_of(context.command), []
    for key in (each.key for each in in_effect(context) if each.key not in (*NO_ANSWER, *_replaced())):
        value = context.params[names[key]]
        more += [f"--{key}"] if value is True else [f"--{key}", str(value)] if value is not False else []
    return visible(shlex.join(["clustersim", *context.find_root().obj, *more]))


def answer(
    question: Callable[..., Answer],
    asked: Mapping[str, Any],
    *,
    scenario: str,
    output: Path | None,
    report: bool,
    as_json: bool,
    shard: str | None = None,
    **common: Any,
) -> Answer | None:
    """Return the answer to the *question* of a study, saved and printed as the common options say.

    What was *asked* are its own options.  None where only a *shard* was simulated, of which that is printed.
    """
    from clustersim import folders

    how = settings(common)
    (loaded,) = load_all([scenario], how)
    command, how = question.__name__, how.without_changes
    folder = output or RUNS / folders.slug(loaded.name) / command
    if shard is not None:
        in_shard(shard, command, [loaded], folder, how, as_json, report, **asked)
        return None
    folders.refuse_file(folder)
    with console.watched(how) as watched:
        study = question(loaded, folder, settings=watched, **asked)
    present(study, study.to_dict() if as_json else None)
    console.say(f"Results: {folder / study.file}")
    if report:
        console.say(f"Report: {study.report(folder / folders.REPORT, command_line())}")
    return study


def in_shard(
    which: str,
    study: str,
    sources: Sequence[Any],
    output: Path,
    how: Settings,
    as_json: bool,
    report: bool = False,
    **asked: Any,
) -> int:
    """Simulate a shard of a *study*, say where it is and what comes next, and return 0."""
    from clustersim import shards

    if report:
        raise click.UsageError("a shard has no report; give --report to clustersim merge")
    with console.watched(how) as watched:
        found = shards.shard(which, study, sources, output, settings=watched, **asked)
    if as_json:
        console.print_json(found.to_dict())
    else:
        click.echo(visible(f"{found}; once all are there: clustersim merge {found.folder.parent}"))
    return OK


def present(shown: object, data: Mapping[str, Any] | None) -> None:
    """Print an answer, or each of a list: its *data* as JSON where there is any, else in the form chosen."""
    if data is not None:
        console.print_json(data)
        return
    from clustersim.cli.screen import Markdown, Screen, csv_text

    answers = shown if isinstance(shown, list) else [shown]
    screen = Markdown() if console.manner.form == console.MARKDOWN else Screen()
    with console.standard_output():
        if console.manner.form == console.CSV:
            records = (record for answer in answers for record in _records(answer))
            click.echo(visible_lines(csv_text(records)), nl=False)
            return
        for answer in answers:
            _show(answer, screen)


def _show(answer: object, screen: Screen) -> None:
    from clustersim.cli.screen import Printable

    if isinstance(answer, Printable):
        answer.show(screen)
    else:
        from clustersim.cli.show import show

        show(answer, screen)


def _records(answer: object) -> Iterable[Mapping[str, Any]]:
    """Return what a table of figures has of an answer, a record for each row."""
    from clustersim.cli.screen import Printable

    if isinstance(answer, Printable):
        return answer.records
    from clustersim.cli.show import records

    return records(answer)


def not_met(sentences: Iterable[object]) -> int:
    """Return 3 where something is not met, after saying what; else 0."""
    broken = list(sentences)
    for sentence in broken:
        console.complain(f"clustersim: not met: {sentence}")
    return UNMET if broken else OK


def summary_with_time(results: Results) -> dict[str, Any]:
    """Return the summary as `--json` prints it: with the seconds that simulating took."""
    return results.summary | {"wall_s": results.provenance.get("wall_s")}
