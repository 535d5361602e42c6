"""The scenario of a fitted fleet: its failures as they were estimated, with their counts, sources and doubts.

What a log says nothing of, the job's checkpoints and its recovery, is an assumption and said to be one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from clustersim import units
from clustersim.engine.ledger import RESERVED_CAUSES
from clustersim.estimate import ConfidenceInterval
from clustersim.fitting.causes import CauseFit
from clustersim.fitting.likelihood import EXPONENTIAL, RANGES, SHAPES
from clustersim.fitting.rates import exact_share
from clustersim.fitting.repairs import RepairLaw
from clustersim.formatting import counted, duration, percent, significant, whole
from clustersim.logs.history import TRAINING, History
from clustersim.scenario.traces import mode_names
from clustersim.scenario.writing import yaml
from clustersim.units import DAY, HOUR, format_duration, format_share

DIGITS = 4
TO_FIVE_PERCENT = 1.6449 / 1.96
"""From the ends of a 95 % interval to the 5 % and 95 % points that a range in `uncertain` means."""
ASSUMED = "assumption: the log says nothing of it"
FEWEST_SHARES = 10


def fleet_document(
    history: History, causes: Mapping[str, CauseFit], name: str, source: str, spares: int
) -> dict[str, Any]:
    """Return the scenario of a fleet as plain data, with so many of its nodes as *spares*."""
    names = dict(zip(causes, mode_names(list(causes), "failure", RESERVED_CAUSES), strict=True))
    modes = {names[each]: mode(fit, history.clock) for each, fit in causes.items()}
    of_modes = {f"failures.{names[each]}": _source(fit, source) for each, fit in causes.items()}
    doubts = {
        f"failures.{names[each]}.{path}": law
        for each, fit in causes.items()
        for path, law in uncertain(fit).items()
    }
    domain = next((fit.bursts.domain for fit in causes.values() if fit.burst and fit.bursts), None)
    spares -= spares % domain if domain else 0
    stages = {"detect": "1 min", "nodes": "wait", "restart": "5 min", "load": "checkpoint"}
    cluster = {"gpus": 8 * (history.nodes - spares), "nodes_per_rack": domain, "spares": spares or None}
    return {
        "name": name,
        "cluster": {key: value for key, value in cluster.items() if value is not None}
        | ({"spare_failures": "100 %"} if spares else {}),
        "failures": modes,
        "checkpoint": {"interval": "daly", "blocks": "10 s", "load": "1 min"},
        "recovery": {"stages": stages},
        "simulation": {"horizon": format_duration(history.window_s)},
        "sources": {
            "cluster.gpus": f"{whole(history.nodes)} nodes in {source}; 8 cards each are an assumption"
        }
        | ({"cluster.spares": "assumption: the most nodes that were away at once"} if spares else {})
        | of_modes
        | {"checkpoint": ASSUMED, "recovery.stages": ASSUMED, "simulation.horizon": "as long as the log"},
        "uncertain": doubts,
    }


def mode(fit: CauseFit, clock: str) -> dict[str, Any]:
    """Return a failure mode as a scenario says it."""
    model = fit.selection.best.model
    values = {name: _known(value) for name, value in fit.values.items()}
    said: dict[str, Any] = {"per": fit.per, "mtbf": _time(values["mtbf_s"])}
    if model.law != EXPONENTIAL:
        said["lifetime"] = {model.law: {SHAPES[model.law]: _number(values["shape"])}}
        said |= {"ages": "new"} if model.new else {}
    if clock == TRAINING or fit.per == "job":
        said["clock"] = clock
    if model.lemons:
        said["lemons"] = {"share": _share(values["share"]), "factor": _number(values["factor"])}
    if model.within is not None:
        within = format_duration(model.within)
        said["relapse"] = {"probability": _share(values["probability"]), "within": within}
    if model.until is not None:
        said["over_time"] = {"0 d": _number(values["early"]), format_duration(model.until): 1}
    if (burst := fit.burst) is not None:
        said["spreads"] = {"to": "rack", "probability": _share(_known(burst))}
    if fit.repair is not None:
        transient = fit.transient / fit.count
        said |= {"transient": _share(transient)} if transient and fit.of_nodes else {}
        said["repair"] = repair(fit.repair)
    return said


def repair(law: RepairLaw) -> Any:
    """Return a repair as a scenario says it."""
    values = {name: _known(value) for name, value in law.parameters.items()}
    if law.law == "constant":
        return _time(law.seen.median_s)
    if law.law == "empirical":
        return {"empirical": [_time(each) for each in law.listed]}
    if law.law == EXPONENTIAL:
        return {"exponential": {"mean": _time(values["mean_s"])}}
    bound = {} if law.at_most is None else {"at_most": _time(law.at_most)}
    return {"lognormal": {"median": _time(values["median_s"]), "sigma": _number(values["sigma"])} | bound}


def uncertain(fit: CauseFit) -> dict[str, Any]:
    """Return what the log leaves open about a cause, by path below its mode.

    The rate, share and factor of lemons are known together far better than each of them: only the rate is
    uncertain then, for that share and factor.
    """
    model, values = fit.selection.best.model, fit.values
    doubts: dict[str, Any] = {}
    if not fit.values.keys() - {"mtbf_s"}:
        part = "node-" if fit.of_nodes else ""
        doubts["mtbf"] = {"counted": f"{fit.spells.count} in {fit.spells.total / DAY:.6g} {part}days"}
    else:
        doubts["mtbf"] = _range("mtbf_s", fit.selection.best.interval("mtbf_s", "share", "factor"))
    if model.law != EXPONENTIAL:
        doubts[f"lifetime.{model.law}.{SHAPES[model.law]}"] = _range("shape", values["shape"])
    if model.within is not None:
        doubts["relapse.probability"] = _range("probability", values["probability"])
    if fit.burst is not None:
        doubts["spreads.probability"] = _range("probability", fit.burst)
    if fit.repair is not None:
        doubts |= _uncertain_repair(fit)
    return {path: doubt for path, doubt in doubts.items() if doubt is not None}


def _uncertain_repair(fit: CauseFit) -> Iterator[tuple[str, Any]]:
    """Yield what is open about the repairs of a cause."""
    assert fit.repair is not None
    if fit.of_nodes and min(fit.transient, fit.count - fit.transient) >= FEWEST_SHARES:
        yield "transient", _range("probability", exact_share(fit.transient, fit.count))
    for name, path in (("mean_s", "repair.exponential.mean"), ("median_s", "repair.lognormal.median")):
        if name in fit.repair.parameters:
            yield path, _range("mtbf_s", fit.repair.parameters[name])


def _range(name: str, estimate: ConfidenceInterval) -> str | None:
    """Return the 5 % and 95 % points of an estimate as a range; None where an end is not known."""
    bounds = RANGES[name]
    mean, low, high = bounds.known(estimate)
    if mean is None or low is None or high is None or not low < mean < high:
        return None
    inner = [bounds.inner(each) for each in (low, mean, high)]
    ends = [bounds.outer(inner[1] + TO_FIVE_PERCENT * (end - inner[1])) for end in (inner[0], inner[2])]
    write = _time if name.endswith("_s") else _share if bounds.share else _number
    texts = [str(write(end)) for end in ends]
    return f"{texts[0]} to {texts[1]}" if texts[0] != texts[1] else None


def _source(fit: CauseFit, source: str) -> str:
    per = "" if fit.of_nodes else " of the job" if fit.per == "job" else " of the site"
    return f"fitted by clustersim fit to {source}: {counted(fit.count, 'failure')}{per}"


def comments(history: History, causes: Mapping[str, CauseFit]) -> Iterator[str]:
    """Yield the lines that stand above the scenario: what was counted."""
    rows = history.rows
    yield f"{whole(history.nodes)} nodes for {_days(history.window_s)}: {whole(history.node_days)} node-days"
    became = ", ".join(f"{whole(count)} {name.replace('_', ' ')}" for name, count in rows.items() if count)
    yield f"rows of the log: {became}"
    for fit in causes.values():
        mean, low, high = (significant(end or 0.0, 3) for end in fit.rate)
        yield f"{fit.name}: {whole(fit.count)}, {mean} per 1000 node-days (95 %: {low} to {high})"
        if fit.repair is not None:
            seen = fit.repair.seen
            times = f"median {duration(seen.median_s)}, mean {duration(seen.mean_s)}"
            yield f"  {counted(seen.done, 'repair')}, {times}; {whole(seen.censored)} not over"
        if fit.relapse is not None:
            share, chance = percent(fit.relapse.share), percent(fit.relapse.expected, 0.001)
            yield f"  after {share} of the repairs the node failed again within a day ({chance} by chance)"
        if fit.bursts is not None and fit.bursts.p_value < fit.selection.level and not fit.burst:
            bursts = counted(fit.bursts.count, "burst")
            yield f"  {whole(fit.bursts.rows)} of them in {bursts}, which the fleet below does not have"


def text_of(history: History, causes: Mapping[str, CauseFit], document: Mapping[str, Any]) -> str:
    """Return the scenario as YAML, with what was counted above it."""
    above = "".join(f"# {units.visible(line)}\n" for line in comments(history, causes))
    return above + yaml({key: value for key, value in document.items() if value != {}})


def _days(seconds: float) -> str:
    return (
        f"{significant(seconds / DAY, DIGITS)} d" if seconds >= DAY else f"{significant(seconds / HOUR, 3)} h"
    )


def _known(estimate: ConfidenceInterval) -> float:
    assert estimate.mean is not None
    return estimate.mean


def _number(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def _share(value: float) -> str:
    return format_share(_number(value))


def _time(seconds: float) -> str:
    return format_duration(seconds, DIGITS)
