"""`fit`: from logs of failures to a scenario, with what it leaves open, and a check by simulation."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from clustersim import folders
from clustersim.fitting.answer import Fit
from clustersim.fitting.causes import fit_causes
from clustersim.fitting.checking import FEWEST, MOST, check, figures_of, measure
from clustersim.fitting.writing import fleet_document, text_of
from clustersim.formatting import counted
from clustersim.logs.cleaning import MERGE_S
from clustersim.logs.errors import LogError
from clustersim.logs.history import CALENDAR, History
from clustersim.logs.reading import read_history
from clustersim.scenario import Scenario, loads
from clustersim.scenario.describe import replication_s
from clustersim.scenario.loading import variant
from clustersim.settings import Output, Settings, merged
from clustersim.store import ChoiceError
from clustersim.studies.study import on_a_fixed_number, simulations
from clustersim.units import format_duration

USUAL_CHECK, LONGEST_CHECK = 60.0, 600.0
"""Seconds of one core that simulating the fitted fleet takes if more than 40 histories can be had for them,
and beyond which it is not simulated unless somebody asks for it."""
MOST_CAUSES = 100


def fit(
    logs: str | PathLike[str] | Sequence[str | PathLike[str]],
    output: Output = None,
    *,
    nodes: int | str | PathLike[str] | None = None,
    begin: str | None = None,
    end: str | None = None,
    timezone: str | None = None,
    columns: Mapping[str, str] | None = None,
    format: str | None = None,
    merge: float = MERGE_S,
    clock: str = CALENDAR,
    name: str | None = None,
    settings: Settings | None = None,
    **keywords: Any,
) -> Fit:
    """Fit failures, repairs and what is special about nodes to *logs*, and return the scenario they make.

    *nodes*, *begin* and *end* are what was observed, without which there is no rate: a number of nodes, or a
    file where the fleet has changed, and the window.  *timezone*, *columns* and *format* say how the logs are
    read, *merge* (s) within what time rows of one node and cause are one.  The fleet is simulated, 40 to 200
    times, to see whether it behaves as the log does.  With *output*, `fit.json` and `scenario.yaml` are
    written to that folder.  Keywords are fields of `Settings`.  Raises ChoiceError where a log, or what was
    observed, cannot be used.
    """
    how = on_a_fixed_number(merged(settings, keywords))
    files = [logs] if isinstance(logs, str | PathLike) else list(logs)
    fleet = os.fspath(nodes) if isinstance(nodes, PathLike) else nodes
    window = {"nodes": fleet, "begin": begin, "end": end, "clock": clock}
    read = {"timezone": timezone, "columns": columns, "format": format, "merge_s": merge}

    def heard(done: int, size: int) -> None:
        how.progress.advance(100 * done // max(size, 1), 100)

    try:
        history = read_history([os.fspath(file) for file in files], **window, **read, progress=heard)  # type: ignore[arg-type]
    except LogError as error:
        raise ChoiceError(str(error)) from error
    source = ", ".join(Path(file).name for file in files)
    return fit_history(history, name or folders.slug(Path(files[0]).stem), source, output, how)


def fit_history(
    history: History, name: str, source: str, output: Output = None, settings: Settings | None = None
) -> Fit:
    """Return the fit of a log that has been read; *source* is what it is called in the scenario.

    Raises ChoiceError where no row is a failure.
    """
    how = settings or Settings()
    _refuse_useless(history)
    causes = fit_causes(history, lambda cause: how.progress.say(f"Fitting {cause}"))
    most_away = figures_of(history)[2]
    spares = 0 if math.isnan(most_away) else min(int(most_away), history.nodes // 2)
    document = fleet_document(history, causes, name, source, spares)
    text = text_of(history, causes, document)
    scenario = loads(text, Fit.scenario_file, replace(how, replications=None).changes)
    fleet = _fleet(scenario, history)
    count = _histories(fleet) if how.replications is None else how.replications
    with simulations(how.without_changes, output, "fit", fleet) as running:
        point = running.point(fleet, {"figures": measure(fleet)}, range(count))
        running.run([point])
        simulated = [kept["figures"] for kept in point.store.first(count)]
        answer = Fit(scenario, scenario, count, history, causes, text, check(history, simulated))
        return running.finished(answer, output)


def _histories(fleet: Scenario) -> int:
    """Return how many histories of the *fleet* the log is compared with; 0 where they would take too long."""
    seconds = replication_s(fleet)
    if FEWEST * seconds > LONGEST_CHECK:
        return 0
    return int(min(max(USUAL_CHECK / seconds, FEWEST), MOST))


def _fleet(scenario: Scenario, history: History) -> Scenario:
    """Return the fitted fleet with all of its nodes in the job, each watched for as long as the log."""
    horizon = format_duration(history.window_s)
    gpus = scenario.cluster.gpus_per_node * history.nodes
    certain = dict.fromkeys(["uncertain"] * bool(scenario.uncertain))
    whole = {"cluster.spares": 0, "cluster.gpus": gpus, "simulation.horizon": horizon}
    return variant(scenario, {**certain, **whole})


def _refuse_useless(history: History) -> None:
    """Raise ChoiceError where a log has no failures, or more causes than a scenario can have."""
    if not len(history.time_s):
        first = f"; the first problem: {history.problems[0]}" if history.problems else ""
        raise ChoiceError(
            f"none of {counted(history.rows['total'], 'row')} is a failure within the window{first};"
            " correct the window, or the columns"
        )
    if len(history.causes) > MOST_CAUSES:
        raise ChoiceError(
            f"{len(history.causes):,} causes, {MOST_CAUSES} are possible; name a column with fewer"
        )
