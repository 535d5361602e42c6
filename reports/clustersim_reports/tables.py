"""The tables of the report: measures side by side, where the time goes, what fails, and what went in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from clustersim.digits import NOTHING, duration, measured, money, percent, plus_minus, points, whole
from clustersim.records import PEER
from clustersim.units import DAY
from clustersim_reports import theme
from clustersim_reports.figures.causes import cause_label, recorded

if TYPE_CHECKING:
    from clustersim.estimate import Estimate
    from clustersim.results import Comparison, Results, Step

Summary = Mapping[str, Any]

EFFECTS = {
    "hang": "hangs until a timeout",
    "slow": "slows the job down until it is noticed",
    "corrupt": "corrupts the state, and is noticed later",
    "flap": "stalls the job for a moment",
    "storage": "no save becomes durable and nothing loads",
}


class Cell(NamedTuple):
    """What a table says in one place, and in small letters below it; a dash comes with its reason."""

    text: str
    small: str = ""


class Tile(NamedTuple):
    """One number with what it is and what it means."""

    label: str
    number: str
    detail: str


class Row(NamedTuple):
    """One measure of all scenarios: its name, what it means, and a cell for each.

    `entry` is the ledger entry of which the row tells, `part` whether it is a part of the row above.
    """

    label: str
    meaning: str
    cells: tuple[Cell, ...]
    entry: str = ""
    part: bool = False


class Measure(NamedTuple):
    """A measure as the tables print it: `show` returns its cell for one scenario's summary."""

    label: str
    meaning: str
    show: Callable[[Summary], Cell]


def at(summary: Summary, path: str) -> Any:
    """Return the value at a dotted *path* of a summary, None where the summary has none."""
    value: Any = summary
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def margin(summary: Summary, path: str) -> float | None:
    """Return half the 95 % interval of the figure at *path*, None where it is unknown."""
    width = summary["margins"].get(path)
    return None if width is None else float(width)


def missing(summary: Summary, path: str, otherwise: str) -> Cell:
    """Return a dash with the reason for which the figure at *path* is null."""
    return Cell(NOTHING, summary["reasons"].get(path, otherwise))


def _figure(path: str, show: Callable[[float, float | None], str], absent: str) -> Callable[[Summary], Cell]:
    """Return what shows the figure at *path* with its interval, or a dash and why."""

    def cell(summary: Summary) -> Cell:
        value = at(summary, path)
        if value is None:
            return missing(summary, path, absent)
        return Cell(show(float(value), margin(summary, path)))

    return cell


def _ettr(summary: Summary) -> Cell:
    ettr, width = summary["ettr"], margin(summary, "ettr")
    if summary["no_progress"]:
        return Cell(small_ettr(summary), "no progress")
    return Cell(plus_minus(ettr["mean"], width), "" if width is not None else "one replication: no interval")


def small_ettr(summary: Summary) -> str:
    """Return the ETTR of a job without progress, of which only the size matters."""
    mean, width = summary["ettr"]["mean"], margin(summary, "ettr")
    return "0" if mean == 0 else "below 0.001" if mean < 0.001 else plus_minus(mean, width)


def _spread(summary: Summary) -> Cell:
    ettr = summary["ettr"]
    if summary["replications"] < 2:
        return Cell(NOTHING, "one replication")
    if summary["no_progress"] and ettr["p90"] < 0.001:
        return Cell("below 0.001")
    width = (ettr["p90"] - ettr["p10"]) / 4
    return Cell(" – ".join(measured(ettr[name], width) for name in ("p10", "p90")))


def _effective(summary: Summary) -> Cell:
    width = margin(summary, "effective_gpus")
    small = f"at scaling efficiency {summary['scaling_efficiency']:.3g}"
    return Cell(
        plus_minus(summary["effective_gpus"], width), small if summary["scaling_efficiency"] != 1 else ""
    )


def _tokens(value: float, width: float | None) -> str:
    for size, word in ((1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{measured(value / size, None if width is None else width / size)}{word}"
    return measured(value, width)


def _days(summary: Summary) -> Cell:
    days = at(summary, "days_to_target")
    if days is None:
        return Cell(NOTHING, "no target")
    if days["mean"] is None:
        return missing(summary, "days_to_target.mean", "the target was not reached")
    width = margin(summary, "days_to_target.mean")
    between = f"half by {_day(days['p50'], width)}, nine in ten by {_day(days['p90'], width)}"
    return Cell(f"{plus_minus(days['mean'], width)} d", between if summary["replications"] > 1 else "")


def _day(days: float | None, width: float | None) -> str:
    return f"day {measured(days, None if width is None else max(width, 0.5))}"


def _price(path: str) -> Callable[[Summary], Cell]:
    def cell(summary: Summary) -> Cell:
        value = at(summary, path)
        if value is None:
            return missing(summary, path, "no price given" if "cost" not in summary else "no target")
        if path == "cost.per_effective_gpu_hour" and summary["no_progress"]:
            return Cell(NOTHING, "no progress: next to nothing to price")
        return Cell(money(value, summary["currency"], margin(summary, path)))

    return cell


def _interval(summary: Summary) -> Cell:
    if tiers := summary.get("tiers"):
        return Cell(", ".join(f"{name} {duration(tier['interval_s'], 0.0)}" for name, tier in tiers.items()))
    interval = summary["checkpoint_interval_s"]
    return Cell(NOTHING, "no checkpoints") if interval is None else Cell(duration(interval, 0.0))


def _away(summary: Summary) -> Cell:
    away = at(summary, "spares.away")
    if away is None or not away["max"]:
        return Cell(NOTHING, "not counted" if away is None else "no node ever left")
    mean = plus_minus(away["mean"], margin(summary, "spares.away.mean"))
    return Cell(mean, f"{whole(away['p99'])} or fewer for 99 % of the time")


def _waiting(summary: Summary) -> Cell:
    share = at(summary, "spares.waiting")
    if not share:
        return Cell(NOTHING, "not counted" if share is None else "nobody waited")
    return Cell(percent(share, margin(summary, "spares.waiting")))


def _replicas(summary: Summary) -> Cell:
    block = summary.get("replicas")
    if block is None:
        return Cell(NOTHING, "the job recovers as a whole")
    down = plus_minus(block["down"], margin(summary, "replicas.down"))
    return Cell(whole(block["count"]), f"{down} of them down on average")


def _loads(summary: Summary) -> Cell:
    paths = {name: f"tiers.{name}.loads" for name in summary.get("tiers", {})}
    paths |= {PEER: "replicas.peer_loads"} if "replicas" in summary else {}
    if not paths:
        return Cell(NOTHING, "no choice of copies")
    found = {name: at(summary, path) for name, path in paths.items()}
    shares = [
        f"{name} {percent(share, margin(summary, paths[name]))}" for name, share in found.items() if share
    ]
    return Cell(", ".join(shares)) if shares else Cell(NOTHING, "nothing was loaded")


def _cards(summary: Summary) -> Cell:
    spares = summary["spare_nodes"]
    return Cell(
        whole(summary["gpus"]), f"{whole(summary['nodes'])} nodes, {whole(spares) if spares else 'no'} spares"
    )


def _mtbf(summary: Summary) -> Cell:
    value = summary["mtbf_s"]
    return missing(summary, "mtbf_s", "nothing fails") if value is None else Cell(duration(value, 0.0))


def _availability(summary: Summary) -> Cell:
    shown = percent(summary["availability"], margin(summary, "availability"))
    return Cell(shown, "of all card-time" if "replicas" in summary else "")


def _simulated(summary: Summary) -> Cell:
    most = "at most " if "target_s" in summary else ""
    return Cell(f"{summary['replications']} × {most}{duration(summary['horizon_s'], 0.0)}")


MEASURES = (
    Measure("Cards", "that the job trains on", _cards),
    Measure("ETTR", "productive share of all card-time, with its 95 % interval", _ettr),
    Measure("ETTR, p10 to p90", "eight in ten replications lie between", _spread),
    Measure("Effective cards", "cards × ETTR × scaling efficiency", _effective),
    Measure(
        "Throughput",
        "tokens per second that count",
        _figure("throughput.tokens_per_s", _tokens, "not asked for"),
    ),
    Measure("Time to the target", "wall-clock days", _days),
    Measure(
        "Cost per effective card-hour",
        "all that is paid, over what trains",
        _price("cost.per_effective_gpu_hour"),
    ),
    Measure("Cost of the run", "mean over replications", _price("cost.total")),
    Measure("MTBF", "mean time between failures of all modes", _mtbf),
    Measure(
        "MTTI",
        "mean time between interruptions of training",
        _figure("mtti_s", duration, "no interruption"),
    ),
    Measure(
        "Interruptions per day",
        "failures that stop training",
        _figure("interruptions_per_day", plus_minus, "none"),
    ),
    Measure("Availability", "share of time in which the job trains at all", _availability),
    Measure("Replicas", "that recover on their own", _replicas),
    Measure("Nodes away", "in repair, or not yet replaced", _away),
    Measure("Waiting for a node", "share of the time", _waiting),
    Measure("Interval between saves", "of training", _interval),
    Measure("Copies loaded", "after failures, of which tier", _loads),
    Measure("Simulated", "replications × length", _simulated),
)


def side_by_side(results: Sequence[Results], comparison: Comparison | None = None) -> list[Row]:
    """Return the measures of all scenarios, and their differences to the baseline below their ETTR.

    Measures that none of them has are left out.
    """
    rows = [
        Row(one.label, one.meaning, tuple(one.show(result.summary) for result in results)) for one in MEASURES
    ]
    if comparison and len(results) > 1:
        rows.insert(1 + [row.label for row in rows].index("ETTR"), difference_row(results, comparison))
    return [row for row in rows if any(cell.text != NOTHING for cell in row.cells) or row.label == "MTTI"]


def tiles(rows: Sequence[Row]) -> list[Tile]:
    """Return the measures of the first scenario in *rows* as tiles."""
    return [Tile(row.label, row.cells[0].text, row.cells[0].small or row.meaning) for row in rows]


def difference_row(results: Sequence[Results], comparison: Comparison) -> Row:
    """Return the ETTR's paired differences to the baseline of *comparison*."""
    found = {one.name: one.ettr for one in comparison.differences}
    cells = tuple(_difference(found.get(result.name)) for result in results)
    return Row(f"ETTR against {comparison.baseline}", "paired difference, percentage points", cells)


def _difference(estimate: Estimate | None) -> Cell:
    if estimate is None:
        return Cell(NOTHING, "the baseline")
    shown = points(estimate.mean, estimate.half_width)
    if estimate.half_width is None:
        return Cell(shown, "one pair: no interval")
    return Cell(shown) if estimate.distinguishable else Cell("not distinguishable", shown)


class StepCells(NamedTuple):
    """One step in size in words: its ends, the extra cards, what they add, and what each of them adds."""

    words: str
    cards: str
    effective: str
    marginal: str


def step_rows(steps: Sequence[Step]) -> list[StepCells]:
    """Return what each step in size returns."""
    return [
        StepCells(
            f"{step.smaller} → {step.larger}",
            whole(step.extra_gpus),
            plus_minus(step.extra_effective_gpus.mean, step.extra_effective_gpus.half_width),
            plus_minus(step.marginal_return.mean, step.marginal_return.half_width),
        )
        for step in steps
    ]


def ledger_rows(results: Sequence[Results]) -> list[Row]:
    """Return where the time goes: one row per entry in use, recovery followed by its stages."""
    rows = []
    for entry, style in theme.STYLES.items():
        if any(result.summary["ledger"].get(entry) for result in results):
            cells = tuple(_share(result.summary, f"ledger.{entry}") for result in results)
            rows.append(Row(entry, style.meaning, cells, entry))
            rows += _stages(results) if entry == "recovery" else []
    return rows


def _stages(results: Sequence[Results]) -> list[Row]:
    names = dict.fromkeys(name for result in results for name in result.summary["recovery_stages"])
    rows = [
        Row(
            name, "", tuple(_share(result.summary, f"recovery_stages.{name}") for result in results), "", True
        )
        for name in names
        if any(result.summary["recovery_stages"].get(name) for result in results)
    ]
    return rows if len(rows) > 1 else []


def _share(summary: Summary, path: str) -> Cell:
    block, _, name = path.partition(".")
    share = summary[block].get(name)
    return Cell(percent(share, margin(summary, path)) if share else "0")


class CauseCells(NamedTuple):
    """One cause of waste in words: how often it strikes, its share of all card-hours, and the sum so far.

    `effect` says what its failures do where they do not simply stop training.
    """

    cause: str
    effect: str
    per_day: str
    between: str
    share: str
    cumulative: str


def cause_rows(result: Results) -> list[CauseCells]:
    """Return the causes of waste and all failure modes that struck, the most expensive first."""
    summary, modes, from_log = result.summary, result.scenario.failures, recorded(result.scenario)
    waste, rates = summary["waste_by_cause"], summary["incidents_by_mode"]
    total, rows = 0.0, []
    for cause in sorted(waste, key=lambda cause: (-waste[cause], cause)):
        if not waste[cause] and not rates.get(cause):
            continue
        total += waste[cause]
        rate, width = rates.get(cause), margin(summary, f"incidents_by_mode.{cause}")
        rows.append(
            CauseCells(
                cause_label(cause, from_log),
                EFFECTS.get(modes[cause].effect, "") if cause in modes else "",
                NOTHING if rate is None else plus_minus(rate, width),
                _between(rate, width),
                percent(waste[cause], margin(summary, f"waste_by_cause.{cause}")),
                percent(total, margin(summary, "ettr")),
            )
        )
    return rows


def _between(rate: float | None, width: float | None) -> str:
    if not rate:
        return NOTHING
    return duration(DAY / rate, None if width is None else min(width / rate, 0.5) * DAY / rate)
