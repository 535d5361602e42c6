"""What an answer looks like on a terminal: sentences and tables, in one way for all of them."""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Mapping, Sequence
from functools import singledispatch
from itertools import groupby
from typing import Any

from clustersim.advice import advise, largest_losses
from clustersim.cli import console
from clustersim.cli.screen import Row, Screen
from clustersim.estimate import ConfidenceInterval, in_words
from clustersim.expectations import MET
from clustersim.formatting import NOTHING, counted, duration, percent, significant, whole
from clustersim.headline import headline, worth_table
from clustersim.metrics.catalogue import table_of
from clustersim.metrics.cells import MetricCell, Summary, parts
from clustersim.results import Results
from clustersim.scenario.describe import Description
from clustersim.scenario.published_rates import RateBesidePublished
from clustersim.scenario.values import ASSUMPTION
from clustersim.studies.compare import Comparison
from clustersim.studies.levers import Levers
from clustersim.studies.sensitivity import SensitivityStudy, points_of, rows_of, tornado_rows
from clustersim.studies.solve import Solution
from clustersim.studies.study import Study, Worth
from clustersim.studies.sweep import Sweep
from clustersim.studies.tune import Candidate, Tuning
from clustersim.validation import ClaimResult, Validation, outcomes

MOST_CHANGED = 12
"""Values that are listed of those in which a scenario differs: more make another one."""
CURVE_ROWS = 9
"""Intervals of a tuning's curve that are listed, beside the best and the ends of its range."""
POINTS = 40
"""Points of a sweep that are listed: of more only the best."""
NAMES = {"now": "today's", "young": "Young", "daly": "Daly", "exact": "exact optimum"}
KINDS = {
    "exact": "Figures that the inputs suffice for",
    "band": "Ranges and inequalities",
    "control": "Controls, which must differ",
    "formula": "Formulas: answers that theory or arithmetic gives",
    "plumbing": "Plumbing: figures that went in, and have to come out",
    "fitted": "Fitted: claims that rest on an input which was chosen so that figures agree",
}


@singledispatch
def show(answer: object, screen: Screen) -> None:
    """Print an answer; each kind of answer has its own way below."""
    raise TypeError(f"no way to print {answer!r}")


@show.register
def _run(results: Results, screen: Screen) -> None:
    """Print the first screen and what to be careful about, then all other figures and where the time goes."""
    summary, first = results.summary, headline(results.scenario, results.summary)
    screen.title(f"{first.verdict}\n")
    shown = [(figure.label, in_a_line(figure.cell)) for figure in first.figures]
    screen.table(("", ""), shown)
    if first.expectations:
        screen.title("Expected")
        rows = [(f"  {each.path} {each.wanted}", each.verdict, each.found) for each in first.expectations]
        styles = ["" if each.verdict == MET else "yellow" for each in first.expectations]
        screen.table(("", "", ""), rows, styles=styles)
    worth = worth_table(first.changes)
    screen.title("Worth most over this run, estimated" if worth.rows else "What to change")
    if worth.rows:
        screen.table(("", *worth.columns), [(f"  {name}", *cells) for name, *cells in worth.rows])
    screen.text(f"  {first.changes.how}", "dim")
    screen.advice(sorted(advise(results.scenario, summary), key=lambda advice: not advice.warning))
    screen.title("Further figures")
    shown_above = {figure.path for figure in first.figures}
    screen.table(("", ""), _metrics(summary, shown_above))
    screen.title("Where the time goes")
    screen.table(("", ""), _time(summary))
    if results.folder:
        screen.text(f"\nNext: clustersim report {results.folder}", whole_lines=True)


@singledispatch
def records(answer: object) -> Iterator[Mapping[str, Any]]:
    """Return the figures of an answer with all their digits, a record for each row of its table."""
    raise TypeError(f"no table of {answer!r}")


@records.register
def _run_records(results: Results) -> Iterator[Mapping[str, Any]]:
    """Yield each metric of a run with its interval, or the reason why it is unknown."""
    summary = results.summary
    for path, figure in results.figures.items():
        unit = summary["currency"] if figure.unit == "money" else figure.unit
        what = {"scenario": results.name, "metric": path, "unit": unit, "value": figure.value}
        why = summary["reasons"].get(path)
        yield {**what, "low": figure.low, "high": figure.high, "unknown_because": why}


@records.register
def _comparison_records(comparison: Comparison) -> Iterator[Mapping[str, Any]]:
    """Yield the metrics of each run; those that are compared with their difference to the baseline."""
    gaps = {
        (each.name, metric): gap
        for each in comparison.differences
        for metric, gap in (("ettr.mean", each.ettr), ("effective_gpus", each.effective_gpus))
    }
    for record in (record for result in comparison.results for record in records(result)):
        gap = gaps.get((record["scenario"], record["metric"]))
        ends = gap.interval if gap else ConfidenceInterval()
        yield {**record, "baseline": comparison.baseline, "difference": ends._asdict()}


@records.register
def _study_records(study: Study) -> Iterator[Mapping[str, Any]]:
    """Yield the points of a study, as its frame has them."""
    yield from study.body()[study.points]


def in_a_line(cell: MetricCell) -> str:
    """Return a cell with its remark."""
    return f"{cell.text} ({cell.small})" if cell.small else cell.text


def _metrics(summary: Summary, shown_above: Container[str] = ()) -> Iterator[Row]:
    """Yield the metrics of a run that are not *shown_above*, each with its remark."""
    for metric, (cell,) in table_of([summary]):
        if metric.path not in shown_above:
            yield f"  {metric.heading or metric.label}", in_a_line(cell)


def _time(summary: Summary) -> Iterator[Row]:
    """Yield the entries of the ledger, the largest first, recovery with its stages."""
    ledger, entries, stages = summary["ledger"], parts(summary), parts(summary, "recovery_stages")
    listed = [f"{name} {stages.text(name)}" for name, count in stages.counts.items() if count]
    within = f"  ({', '.join(listed)})" if len(listed) > 1 else ""
    for entry in sorted(ledger, key=lambda entry: -ledger[entry]):
        if ledger[entry]:
            yield f"  {entry}", f"{entries.text(entry):>7}{within if entry == 'recovery' else ''}"


@show.register
def _comparison(comparison: Comparison, screen: Screen) -> None:
    """Print what changed, the runs side by side, which is best, what each step returns, and warnings."""
    if comparison.changed:
        screen.title(f"What differs from {comparison.baseline}")
        screen.table(("", "", ""), _changed(comparison))
        screen.text("")
    screen.table(["", *(result.name for result in comparison.results)], _measures(comparison))
    screen.advice(comparison.advice)
    screen.advice(comparison.warnings)


def _changed(comparison: Comparison) -> Iterator[Row]:
    """Yield the values in which each scenario differs from the baseline, the first ones of very many."""
    for other in comparison.changed:
        name, more = f"  {other.name}", len(other.values) - MOST_CHANGED
        if not other.values:
            yield name, "nothing", ""
        for value in other.values[:MOST_CHANGED]:
            yield name, value.path, " -> ".join(value.texts)
            name = ""
        if more > 0:
            yield "", f"and {more} more", "see --json, changed"


def _largest_loss(summary: Summary) -> str:
    shares = parts(summary)
    return ", ".join(f"{entry} {shares.text(entry)}" for entry in largest_losses(summary)) or NOTHING


def _measures(comparison: Comparison) -> Iterator[Row]:
    """Yield the metrics of all runs, what each loses most by, and its difference to the baseline."""
    summaries = [result.summary for result in comparison.results]
    for metric, cells in table_of(summaries):
        yield metric.heading or metric.label, *(cell.text for cell in cells)
    yield "Largest loss", *map(_largest_loss, summaries)
    gaps = dict.fromkeys((result.name for result in comparison.results), NOTHING)
    for difference in comparison.differences:
        ettr = difference.ettr
        certain = ettr.half_width is None or ettr.distinguishable
        gaps[difference.name] = difference.in_points if certain else "not distinguishable"
    yield f"ETTR against {comparison.baseline}", *gaps.values()


@show.register
def _tuning(tuning: Tuning, screen: Screen) -> None:
    """Print the answer, the intervals side by side, a part of the curve, and what else moves it."""
    first, *others = tuning.advice
    screen.title(f"{first}\n")
    if tuning.best_s is not None:
        if not tuning.no_progress:
            _intervals(tuning, screen)
            screen.text("")
        screen.text("ETTR by interval", "bold")
        rows = [(duration(c.interval_s), in_words(c.ettr), _mark(tuning, c)) for c in _listed(tuning)]
        screen.table(("interval", "ETTR", ""), rows)
    for sweep in tuning.sweeps:
        screen.title(f"What {sweep.grid.axes[0].path} changes, each with its best interval")
        _points(sweep, range(len(sweep.grid)), screen)
    screen.advice(others)
    if tuning.best_s is not None:
        screen.text(f"\n{method(tuning)}")


def method(tuning: Tuning) -> str:
    """Return in one sentence how the answer was found."""
    how = "scored on outages that were simulated once"
    if tuning.simulated:
        how = f"each simulated in full ({tuning.simulated})"
    chosen_on = f"{counted(tuning.replications, 'replication')} of {_given(tuning.scenario.end_s)}"
    return (
        f"{len(tuning.curve)} intervals, {how}: {chosen_on} to choose,"
        f" {tuning.fresh_replications} fresh ones to judge."
    )


def _worth(worth: Worth, distinguishable: bool) -> list[str]:
    return [cell.text for cell in worth.row(distinguishable).values()]


def _intervals(tuning: Tuning, screen: Screen) -> None:
    """Print what the recommended interval gains over the others."""
    rows = [["recommended", _given(tuning.recommended_s)]]
    for gain in tuning.gains:
        worth = _worth(gain.worth, gain.distinguishable)
        rows.append([NAMES[gain.over], _given(gain.interval_s), *worth])
    screen.table(["", "Interval", *tuning.gains[0].worth.row(True)], rows)


def _listed(tuning: Tuning) -> list[Candidate]:
    """Return a few candidates: the best, the ends of the flat range, and others evenly spread by ratio."""
    curve, ends = tuning.curve, tuning.range_s or ()
    low, high = math.log(curve[0].interval_s), math.log(curve[-1].interval_s)
    wanted = [low + (high - low) * place / (CURVE_ROWS - 1) for place in range(CURVE_ROWS)]
    nearest = {min(curve, key=lambda c: abs(math.log(c.interval_s) - at)).interval_s for at in wanted}
    return [candidate for candidate in curve if candidate.interval_s in {*nearest, tuning.best_s, *ends}]


def _mark(tuning: Tuning, candidate: Candidate) -> str:
    if candidate.interval_s == tuning.best_s:
        return "the best that was tried"
    if not candidate.distinguishable:
        return "indistinguishable from it"
    near = tuning.near_best_s
    return "within 0.5 pp of it" if near and near[0] <= candidate.interval_s <= near[1] else ""


@show.register
def _levers(levers: Levers, screen: Screen) -> None:
    """Print what to do first, and what each change earns."""
    first, *others = levers.advice
    screen.title(f"{first}\n")
    screen.text(f"ETTR as it is: {in_words(levers.ettr)}, {counted(levers.replications, 'replication')}\n")
    rows = []
    for lever in levers.levers:
        rows.append([lever.name, *_worth(lever.worth, lever.distinguishable)])
        rows.append([f"  {lever.change.text}"])
    if rows:
        screen.table(["", *levers.levers[0].worth.row(True)], rows, styles=["", "dim"] * len(levers.levers))
    screen.advice(others)


@records.register
def _validation_records(validation: Validation) -> Iterator[Mapping[str, Any]]:
    """Yield the cases as the file has them."""
    yield from validation.to_dict()["cases"]


@show.register
def _sweep(sweep: Sweep, screen: Screen) -> None:
    """Print where the metrics that were asked about are best, and the points: of many the best ones."""
    first, *others = sweep.advice
    screen.title(f"{first}\n")
    screen.text(f"{counted(len(sweep.grid), 'point')}, {counted(sweep.replications, 'replication')} each\n")
    shown = sweep.ranked(POINTS)
    _points(sweep, shown, screen)
    if len(shown) < len(sweep.grid):
        screen.text(f"\nThe best {len(shown)} of {len(sweep.grid):,} points; sweep.csv holds all.")
    screen.advice(others)


@show.register
def _solution(found: Solution, screen: Screen) -> None:
    """Print the answer, and the values that were tried."""
    first, *others = found.advice
    screen.title(f"{first}\n")
    screen.text(f"{counted(found.replications, 'replication')} of each value\n")
    rows: dict[tuple[str, str], list[str]] = {}
    for value, each in found.tried:
        mark = "today's" if found.now is not None and each.value == found.now.value else ""
        met = "yes" if each.is_met else "no"
        if mark or (value, met) not in rows:  # of values that read the same, today's is the one to show
            rows[value, met] = [value, found.words(each), met, mark]
    screen.table([found.path, found.metric, "met", ""], list(rows.values()))
    screen.advice(others)


def _points(sweep: Sweep, shown: Sequence[int], screen: Screen) -> None:
    """Print the points that are *shown*, below the scenario as it is."""
    columns = [axis.path.removeprefix("recovery.stages.") for axis in sweep.grid.axes]
    for path in sweep.chosen:
        columns += [sweep.metrics[path].label, "against as it is"]
    intervals = ["Best interval", "Best range"] if sweep.retune else []
    as_it_is = [cell for path in sweep.chosen for cell in (sweep.words(path), "")] + [""] * len(intervals)
    axes = len(sweep.grid.axes)
    names = ["as it is", *[""] * (axes - 1)]
    rows = [[*names, *as_it_is, ""], *(_point(sweep, index) for index in shown)]
    screen.table([*columns, *intervals, ""], rows, left=axes, names=axes)


def _point(sweep: Sweep, index: int) -> list[str]:
    """Return the row of a point, marked where it is the best by the first metric, or as good."""
    path, best = sweep.chosen[0], sweep.found.best.get(sweep.chosen[0])
    cells = [value.text for value in sweep.grid.at(index).values()]
    for each in sweep.chosen:
        cells += [sweep.words(each, index), sweep.difference_words(each, index)]
    cells += sweep.interval_words(index) if sweep.retune else ()
    is_best = best is not None and best.point == index
    alike = "indistinguishable from it" if index in sweep.alike(path) and sweep.replications > 1 else ""
    return [*cells, "the best" if is_best else alike]


@show.register
def _sensitivity(study: SensitivityStudy, screen: Screen) -> None:
    """Print what to measure first, the indices, and what lies between the ends of each input."""
    first, *others = study.advice
    screen.title(f"{first}\n")
    screen.text(f"{points_of(study)}\n")
    screen.text("Share of the variance by inputs", "bold")
    screen.table(("", "5 % to 95 %", "by itself", "in all", "distinguishable from 0"), rows_of(study), left=2)
    screen.title("Between the ends of each input")
    screen.table(*tornado_rows(study))
    screen.advice(others)


@show.register
def _validation(validation: Validation, screen: Screen) -> None:
    """Print what came of it in a sentence, a table of each kind, and what it rests on if wanted."""
    screen.title(outcomes.conclusion(validation), "bold" if validation.passed else "bold yellow")
    ordered = sorted(validation.cases, key=lambda case: list(KINDS).index(case.counted_as))
    for kind, cases in groupby(ordered, key=lambda case: case.counted_as):
        screen.title(KINDS[kind])
        styles, rows = zip(*_claims(list(cases)), strict=True)
        screen.table(("", "stated", "accepted", "simulated", ""), rows, left=2, styles=styles)
    if console.manner.is_verbose:
        _sources(validation, screen)


def _claims(cases: Sequence[ClaimResult]) -> Iterator[tuple[str, Row]]:
    """Yield the row of each claim with its style, marked where it is not met, and those of what was tried."""
    for scenario, group in groupby(cases, key=lambda case: case.scenario):
        first, *others = group
        if others or first.name != scenario:
            yield "", [scenario]
        for case in (first, *others):
            mark, style = ("", "") if case.passed else ("! ", "yellow")
            name = f"{mark}{case.name if case.name == scenario else f'  {case.claim}'}"
            figures = outcomes.accepted_text(case), outcomes.simulated_text(case), outcomes.verdict_text(case)
            yield style, [name, case.says, *figures]
            for trial in case.tried:
                ettr = outcomes.interval_text(trial.simulated, case.unit, case.difference)
                yield "dim", ["", f"  {case.unknown} = {trial.value}", "", ettr, trial.verdict]


def _sources(validation: Validation, screen: Screen) -> None:
    """Print where the claims come from, how they are read, and what had to be assumed."""
    screen.title("What they rest on")
    for scenario, group in groupby(validation.cases, key=lambda case: case.scenario):
        first, *others = group
        screen.text(f"{scenario}: {first.source}")
        for assumption in first.assumes:
            screen.text(f"assumed: {assumption}", depth=2)
        for case in (first, *others):
            screen.text(f"{case.claim}: {'; '.join(_reading(case))}", depth=2)


def _reading(case: ClaimResult) -> Iterator[str]:
    """Yield what else there is to say about a claim."""
    yield f"{case.meaning}{f' ({case.of})' if case.of else ''}"
    if case.change:
        yield f"with {outcomes.changes_text(case.change)}"
    if case.minus is not None:
        with_what = f"with {outcomes.changes_text(case.minus)}" if case.minus else "of the scenario as it is"
        yield f"minus that {with_what}"
    if case.reads:
        yield case.reads
    if case.unknown:
        yield outcomes.compatible(case)


@records.register
def _values_of(meaning: Description) -> Iterator[Mapping[str, Any]]:
    """Yield the resolved values, with those that are defaults: a table of data leaves nothing out."""
    yield from ({"scenario": meaning.name, **value.to_dict()} for value in meaning.values)


@show.register
def _description(meaning: Description, screen: Screen) -> None:
    """Print values (those that are defaults only when more is wanted), failures by mode, first estimates."""
    screen.title(f"{meaning.name} is a valid scenario")
    screen.table(("value", "given", "source"), _without_repeats(_values(meaning)), left=3)
    screen.text("")
    if meaning.modes:
        heads = "mode", "what fails", "one fails every", "all of them, every"
        screen.table((*heads, "failures in the run", "mean restart", "nodes in repair"), _modes(meaning))
        screen.text("")
    screen.table(("", ""), _estimates(meaning))
    for beside in meaning.rates:
        screen.text(_beside_published(beside))
    for note in meaning.notes:
        screen.text(f"! {note}", "yellow")


def _values(meaning: Description) -> Iterator[Row]:
    """Yield a row per value, with its source; those that are defaults only when more is wanted."""
    for value in meaning.values:
        if console.manner.is_verbose or not value.default:
            kind, source = value.origin
            yield value.path, value.text, ": ".join(filter(None, (kind, source)))


def _without_repeats(rows: Iterator[Row]) -> Iterator[Row]:
    """Yield the rows of values with a source that many share written out once."""
    above = ""
    for path, text, source in rows:
        long = len(source) > len(ASSUMPTION)
        yield path, text, "as above" if long and source == above else source
        above = source


def _modes(meaning: Description) -> Iterator[Row]:
    for mode in meaning.modes:
        every = _given(mode.mtbf_s * mode.units), _given(mode.mtbf_s)
        restart, away = _given(mode.restart_s), _count(mode.nodes_in_repair)
        yield mode.name, counted(mode.units, mode.per), *every, _count(mode.events), restart, away


def _given(seconds: float | None) -> str:
    """Return a duration that nobody measured, with three digits, or that there is none."""
    return duration(seconds, 0.0)


def _count(value: float) -> str:
    return significant(value, 3) if value < 1000 else whole(value)


def _estimates(meaning: Description) -> Iterator[tuple[str, str]]:
    yield "nodes", f"{whole(meaning.nodes)}, and {whole(meaning.spare_nodes)} spare"
    if meaning.racks is not None:
        yield (
            "racks, pods",
            f"{whole(meaning.racks)}, {NOTHING if meaning.pods is None else whole(meaning.pods)}",
        )
    if meaning.replicas > 1:
        yield "replicas", f"{whole(meaning.replicas)} of {whole(meaning.nodes // meaning.replicas)} nodes"
    yield "something fails every", _given(meaning.mtbf_s)
    yield "failures in a run, about", _count(meaning.events)
    if meaning.nodes_away:
        yield "nodes away, on average", _count(meaning.nodes_away)
        yield "waiting for nodes", f"{percent(meaning.waiting_share)} of the time"
    if meaning.restart_s is not None:
        yield "mean restart, without waiting", _given(meaning.restart_s)
    for name, interval in meaning.intervals_s.items():
        several = len(meaning.intervals_s) > 1
        yield f"saves in {name} every" if several else "training between two saves", _given(interval)
    if meaning.target_s is not None:
        yield "ideal time to the target", _given(meaning.target_s)
        yield "time to the target, about", _time_to_target(meaning)
    yield "simulated time, at most", _given(meaning.end_s)
    yield "ETTR, first order", _ettr(meaning)
    yield "run time, about", duration(meaning.run_s)


def _beside_published(rate: RateBesidePublished) -> str:
    """Return a sentence: `failures that stop training: 8 per 1000 days of 8 cards, 2.1 times ...`."""
    times = [
        f"{significant(each.times, 2)} times {each.system}'s {significant(each.per_1000_node_days, 2)}"
        for each in rate.published
    ]
    own = significant(rate.per_1000_node_days, 2)
    return f"{rate.counts}: {own} per 1000 days of 8 cards, {' and '.join(times)}"


def _ettr(meaning: Description) -> str:
    if meaning.ettr is None:
        return f"withheld: {meaning.ettr_withheld}"
    return "below 0.001" if meaning.ettr < 0.001 else f"about {significant(meaning.ettr, 2)}"


def _time_to_target(meaning: Description) -> str:
    if meaning.ettr is None:
        return NOTHING
    return duration(meaning.lasts_s) if meaning.lasts_s < meaning.end_s else "not reached"
