"""The table of metrics: every measure of a run that the page shows, scenario beside scenario or as tiles."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from clustersim.digits import NOTHING, duration, measured, money, percent, plus_minus, points, whole
from clustersim.records import PEER
from clustersim_reports.blocks import Cell, Fact, Facts, Row, Table
from clustersim_reports.run import Run, Runs, estimate_text

if TYPE_CHECKING:
    from clustersim.results import Comparison

LEAST = 0.001
"""An ETTR so small that nobody wants to see its digits."""
ETTR, MTTI = "ETTR", "MTTI"
PER_HOUR, PER_DAY = "cost.per_effective_gpu_hour", "interruptions_per_day"


def _value(path: str, show: Callable[[float, float | None], str], absent: str) -> Callable[[Run], Cell]:
    """Return what shows the metric at *path* with its interval, or a dash and why."""
    return lambda run: run.missing(path, absent) if run.at(path) is None else Cell(run.say(path, show))


def ettr(run: Run) -> str:
    """Return the ETTR in words; of a job without progress only the size matters."""
    mean = run.at("ettr.mean")
    if run.at("no_progress") and mean < LEAST:
        return f"below {LEAST:g}" if mean else "0"
    return plus_minus(mean, run.margin("ettr"))


def _ettr(run: Run) -> Cell:
    unknown = "one replication: no interval" if run.margin("ettr") is None else ""
    return Cell(ettr(run), "no progress" if run.at("no_progress") else unknown)


def _spread(run: Run) -> Cell:
    p10, p90 = run.at("ettr.p10"), run.at("ettr.p90")
    if run.at("replications") < 2:
        return Cell(NOTHING, "one replication")
    if run.at("no_progress") and p90 < LEAST:
        return Cell(f"below {LEAST:g}")
    return Cell(" – ".join(measured(end, (p90 - p10) / 4) for end in (p10, p90)))


def _effective(run: Run) -> Cell:
    scaling = run.at("scaling_efficiency")
    return Cell(run.say("effective_gpus"), "" if scaling == 1 else f"at scaling efficiency {scaling:.3g}")


def _tokens(value: float, width: float | None) -> str:
    scales = ((1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k"), (0.0, ""))
    size, letter = next((size or 1.0, letter) for size, letter in scales if value >= size)
    return f"{measured(value / size, None if width is None else width / size)}{letter}"


def _days(run: Run) -> Cell:
    path, days = "days_to_target.mean", run.at("days_to_target")
    if days is None or days["mean"] is None:
        return run.missing(path, "the target was not reached") if days else Cell(NOTHING, "no target")
    least = None if run.margin(path) is None else max(run.margin(path) or 0.0, 0.5)
    ends = f"P50 {measured(days['p50'], least)} d, P90 {measured(days['p90'], least)} d"
    return Cell(f"{run.say(path)} d", ends if run.at("replications") > 1 else "")


def _price(path: str) -> Callable[[Run], Cell]:
    def cell(run: Run) -> Cell:
        if run.at(path) is None:
            return run.missing(path, "no target" if "cost" in run.summary else "no price given")
        if path == PER_HOUR and run.at("no_progress"):
            return Cell(NOTHING, "no progress")
        return Cell(money(run.at(path), run.at("currency"), run.margin(path)))

    return cell


def _interval(run: Run) -> Cell:
    tiers, interval = run.at("tiers") or {}, run.at("checkpoint_interval_s")
    if interval is None and not tiers:
        return Cell(NOTHING, "no checkpoints")
    each = [f"{name} {duration(tier['interval_s'], 0.0)}" for name, tier in tiers.items()]
    return Cell(", ".join(each) or duration(interval, 0.0))


def _away(run: Run) -> Cell:
    away = run.at("spares.away")
    if away is None or not away["max"]:
        return Cell(NOTHING, "not recorded" if away is None else "no node was ever away")
    return Cell(run.say("spares.away.mean"), f"{whole(away['p99'])} or fewer for 99 % of the time")


def _waiting(run: Run) -> Cell:
    share = run.at("spares.waiting")
    none = Cell(NOTHING, "not recorded" if share is None else "never waited")
    return Cell(run.say("spares.waiting", percent)) if share else none


def _replicas(run: Run) -> Cell:
    count = run.at("replicas.count")
    none = Cell(NOTHING, "the job restarts as a whole")
    return Cell(whole(count), f"{run.say('replicas.down')} down on average") if count else none


def _loads(run: Run) -> Cell:
    paths = {name: f"tiers.{name}.loads" for name in run.at("tiers") or ()}
    paths |= {PEER: "replicas.peer_loads"} if "replicas" in run.summary else {}
    shares = [f"{name} {run.say(path, percent)}" for name, path in paths.items() if run.at(path)]
    none = Cell(NOTHING, "none was loaded" if paths else "only one tier")
    return Cell(", ".join(shares)) if shares else none


def _cards(run: Run) -> Cell:
    spares = run.at("spare_nodes")
    nodes = f"{whole(run.at('nodes'))} nodes, {whole(spares) if spares else 'no'} spares"
    return Cell(whole(run.at("gpus")), nodes)


def _simulated(run: Run) -> Cell:
    most = "at most " if "target_s" in run.summary else ""
    return Cell(f"{run.at('replications')} × {most}{duration(run.at('horizon_s'), 0.0)}")


def _exact(seconds: float, _: float | None) -> str:
    return duration(seconds, 0.0)


MEASURES: tuple[tuple[str, str, Callable[[Run], Cell]], ...] = (
    ("Cards", "that the job trains on", _cards),
    (ETTR, "productive share of all card-time, with its 95 % interval", _ettr),
    ("ETTR, P10 to P90", "80 % of replications lie between", _spread),
    ("Effective cards", "cards × ETTR × scaling efficiency", _effective),
    ("Throughput", "productive tokens per second", _value("throughput.tokens_per_s", _tokens, "not given")),
    ("Time to the target", "wall-clock days", _days),
    ("Cost per effective card-hour", "total cost / effective card-hours", _price(PER_HOUR)),
    ("Cost of the run", "mean over replications", _price("cost.total")),
    ("MTBF", "mean time between failures of all modes", _value("mtbf_s", _exact, "no failures")),
    (MTTI, "mean time between interruptions of training", _value("mtti_s", duration, "no interruption")),
    ("Interruptions per day", "failures that stop training", _value(PER_DAY, plus_minus, "none")),
    (
        "Availability",
        "share of the time in training; with replicas, of all card-time",
        _value("availability", percent, ""),
    ),
    ("Replicas", "groups that recover on their own", _replicas),
    ("Nodes away", "in repair, or retired and not yet replaced", _away),
    ("Waiting for a node", "share of the time", _waiting),
    ("Checkpoint interval", "training between two saves", _interval),
    ("Copies loaded", "after failures, by tier", _loads),
    ("Simulated", "replications × length", _simulated),
)
"""The name of each measure, what it means, and what returns its cell for one run."""


def rows(runs: Runs) -> list[Row]:
    """Return the measures of all runs, and their differences to the baseline below their ETTR.

    Measures that no run has are left out, but for the MTTI, whose absence has a reason.
    """
    table = []
    for label, meaning, show in MEASURES:
        cells = [show(run) for run in runs.runs]
        if label == MTTI or any(cell.text != NOTHING for cell in cells):
            table.append(Row(Cell(label, meaning), cells))
        if label == ETTR and runs.comparison and not runs.single:
            table.append(_differences(runs, runs.comparison))
    return table


def _differences(runs: Runs, comparison: Comparison) -> Row:
    """Return the ETTR's paired differences to the baseline."""
    cells = {name: Cell(NOTHING, "the baseline") for name in runs.names}
    for name, ettr in ((difference.name, difference.ettr) for difference in comparison.differences):
        gap = estimate_text(ettr, points)
        cells[name] = Cell(gap) if ettr.distinguishable else Cell("not distinguishable", gap)
        if ettr.half_width is None:
            cells[name] = Cell(gap, "one pair: no interval")
    head = Cell(f"ETTR against {comparison.baseline}", "paired difference, percentage points")
    return Row(head, [cells[name] for name in runs.names])


def block(runs: Runs) -> Table | Facts:
    """Return the measures as a table, or of a single run as tiles."""
    if not runs.single:
        return Table("Measures of each scenario", runs.names, rows(runs), "Measure", "measures")
    return Facts([Fact(head.text, cell.text, cell.small or head.small) for head, [cell], *_ in rows(runs)])
