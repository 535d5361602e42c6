"""What went in: every value of a scenario with its unit and its source, for the report and for `check`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from clustersim.distributions import Distribution
from clustersim.scenario.keys.blocks import Block
from clustersim.scenario.keys.logs import Recorded, Rows
from clustersim.scenario.keys.recovery import NODES, RecoveryBlock
from clustersim.scenario.keys.repair import RepairPlan
from clustersim.scenario.keys.tiers import Tier, TierKeys
from clustersim.scenario.model import Scenario
from clustersim.scenario.rates import mean_of
from clustersim.scenario.text.document import Path, dotted
from clustersim.scenario.text.layers import alternatives
from clustersim.scenario.trials import REMARKS
from clustersim.units import (
    BANDWIDTH,
    DURATION,
    SHARE,
    SIZE,
    TOKENS,
    Money,
    Rate,
    format_duration,
    format_share,
)

_NAMED = (("failures",), ("recovery", "stages"), ("checkpoint", "tiers"))
ASSUMPTION, DEFAULT, SETTING = "assumption", "default", "setting"
_CHOSEN = re.compile(
    r"(simulation|maintenance|recovery\.retire)(\.|$)"
    r"|cluster\.(?!provision|preempt|spare_failures)"
    r"|workload\.(target|productive)"
    r"|checkpoint\.(tiers\.[^.]+\.)?(interval|keep|survives)$"
    r"|failures\.[^.]+\.(per|clock|takes_down|replay)$"
    r"|recovery\.(replicas|minimum|during_recovery|at_start|stages\.nodes)$"
)
"""Paths of what one decides; all else is a property of the cluster or the work, known or assumed."""
_UNITS = {DURATION: "s", SHARE: "share", SIZE: "bytes", BANDWIDTH: "bytes/s", TOKENS: "tokens"}
_NOT_VALUES = (*REMARKS, "name", "title", "about", "uncertain", "uncertainty")


class ScenarioValue(NamedTuple):
    """One value: its dotted path, how it reads, where it comes from (None: nothing says), whether a default.

    `value` is what it comes to, as a number in `unit` (s, 1/s, share, cards, ...; of a law the mean), true or
    false, a word, or plain data as they are written.
    """

    path: str
    text: str
    source: str | None
    default: bool
    value: Any = None
    unit: str = ""

    @property
    def origin(self) -> tuple[str, str]:
        """What kind of value it is and its source: an assumption, a default, a setting, or none of these.

        A source may say itself that it is an assumption.  A setting is what one decides: the size of the
        cluster, how often to save, what is simulated; no measurement could tell.
        """
        source = self.source or ""
        if assumed := re.match(r"assum\w*\s*[:;,]?\s*", source, re.IGNORECASE):
            return ASSUMPTION, source[assumed.end() :]
        if self.default or source:
            return DEFAULT if self.default else "", source
        return SETTING if _CHOSEN.match(self.path) else ASSUMPTION, ""

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        kind, source = self.origin
        return {
            "path": self.path,
            "value": self.value,
            "unit": self.unit,
            "given": self.text,
            "kind": kind or "sourced",
            "source": source or None,
        }


def values(scenario: Scenario) -> Iterator[ScenarioValue]:
    """Yield every value that the simulation depends on, in the order of the language."""
    for path, text, default, value, unit in _block(scenario.written, scenario.document, ()):
        resolved = _resolved(scenario, path, text) + _doubt(scenario, dotted(path))
        where = None if default else source(scenario.sources, path)
        yield ScenarioValue(
            dotted(path), resolved, where, default, *(_comes_to(scenario, path) or (value, unit))
        )


def _doubt(scenario: Scenario, path: str) -> str:
    """Return how uncertain the value at *path* is, or values within it are, or a rate that stands for it."""
    names = (path, *alternatives(path))
    doubts = [
        each.written if name in names else f"{name.removeprefix(f'{path}.')} {each.written}"
        for name, each in scenario.uncertain.items()
        if name in names or name.startswith(f"{path}.")
    ]
    return f"; uncertain: {', '.join(doubts)}" if doubts else ""


def source(sources: Mapping[str, str], path: Path) -> str | None:
    """Return the source of the value at *path*, of the values inside it, or of the block around it."""
    around = (dotted(path[:end]) for end in range(len(path), 0, -1))
    inside = [text for name, text in sources.items() if name.startswith(f"{dotted(path)}.")]
    if inside and dotted(path) not in sources:
        return "; ".join(dict.fromkeys(inside))
    return next((sources[name] for name in around if name in sources), None)


_Found = tuple[Path, str, bool, Any, str]
"""Path and text of a value, whether it is a default, and what it is with its unit."""


def _block(block: Block, data: Mapping[Any, Any], path: Path) -> Iterator[_Found]:
    for key, field in type(block).model_fields.items():
        here, value = (*path, key), getattr(block, key)
        if not path and key in _NOT_VALUES:
            continue
        extra = field.json_schema_extra
        extra = extra if isinstance(extra, dict) else {}
        quiet = "x-quiet" in extra or "replay" in data
        default = block.default(key)
        used = default not in (None, {}) and not quiet
        if key in data or used or isinstance(value, RecoveryBlock):
            stated = data.get(key, default)
            yield from _value(value, stated, here, str(extra.get("x-unit", "")), key not in data)


def _is_open(value: object) -> bool:
    """Whether it is a block whose values are shown one by one."""
    return isinstance(value, Block) and not value.one_value


def _value(value: Any, stated: Any, path: Path, unit: str, default: bool) -> Iterator[_Found]:
    """Yield a block's values one by one, a mode's and a stage's too; anything else as one value."""
    if _is_open(value):
        yield from _block(value, stated, path)
    elif path in _NAMED and isinstance(stated, Mapping):
        for name, inner in value.items():
            yield from _value(inner, stated[name], (*path, name), "", default)
    else:
        yield path, printed(stated, unit), default, *_typed(value, stated, unit)


def _typed(value: Any, stated: Any, unit: str) -> tuple[Any, str]:
    """Return a value that was read from what is *stated*, as plain data, with its unit."""
    if isinstance(value, bool | str):
        return value, ""
    if isinstance(value, int | float):
        kinds = (name for kind, name in _UNITS.items() if re.fullmatch(kind.pattern, str(stated)))
        return value, unit or next(kinds, "")
    if isinstance(value, Rate):
        return 1 / value.mtbf, "1/s"
    if isinstance(value, Money):
        return value.amount, value.currency
    if isinstance(value, Rows):
        return sum(not row.planned for row in value), "failures"
    law = value.whole if isinstance(value, RepairPlan) else value
    return (mean_of(law), "s") if isinstance(law, Distribution) else (stated, "")


def _comes_to(scenario: Scenario, path: Path) -> tuple[Any, str] | None:
    """Return what a value comes to in this scenario, with its unit, where that is not what is stated."""
    if path == ("cluster", "spares"):
        return scenario.cluster.spare_nodes, "nodes"
    if path[0] == "checkpoint" and path[-1] == "interval":
        return next(tier.interval for tier in scenario.tiers if tier.keys == path[:-1]), "s"
    if path[:2] == ("recovery", "stages") and len(path) == 3 and path[2] != NODES:
        return next(mean_of(each.duration) for each in scenario.recovery.stages if each.name == path[2]), "s"
    return None


def printed(value: Any, unit: str = "") -> str:
    """Return a value as it reads in a table: `100,000 cards`, `lognormal (median 20 h, sigma 2.5)`."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value:,} {unit}".strip() if isinstance(value, int) else f"{value:,.12g} {unit}".strip()
    if isinstance(value, list):
        between = "; " if any(isinstance(inner, Mapping) for inner in value) else ", "
        shown = between.join(printed(inner) for inner in value[:5])
        return shown if len(value) <= 5 else f"{shown}, ... ({len(value)} values)"
    if isinstance(value, Mapping):
        return ", ".join(_entry(name, inner) for name, inner in value.items())
    return " ".join(str(value).split())


def _entry(name: Any, value: Any) -> str:
    head = printed(name).replace("_", " ")
    if isinstance(value, Mapping):
        return f"{head} ({printed(value)})"
    return f"{head} {printed(value)}" if isinstance(name, str) else f"{head}: {printed(value)}"


def _resolved(scenario: Scenario, path: Path, text: str) -> str:
    """Return *text* with what it comes to in this scenario, where that is not plain from the text."""
    written, spares = scenario.written, f"{scenario.cluster.spare_nodes:,} nodes"
    tier = next((tier for tier in scenario.tiers if tier.keys == path[:-1]), None)
    if tier and written.checkpoint and (time := _of_tier(written.checkpoint.each()[tier.name], tier, path)):
        return f"{text} = {time}"
    if path[0] == "failures" and path[2:] == ("replay",):
        mode = scenario.written.failures[str(path[1])]
        return " and ".join(filter(None, (_rows(mode.rows() or ()), _recorded_stops(mode.planned()))))
    if path == ("cluster", "spares") and written.cluster.used_per_rack is not None:
        return (
            f"{spares}, what is left of the racks{' and the spare racks' * bool(written.cluster.spare_racks)}"
        )
    if path == ("cluster", "spares") and isinstance(written.cluster.spares, float):
        return f"{text} = {spares}"
    if path[:2] == ("recovery", "stages") and (text == "checkpoint" or "over gpus" in text):
        return f"{text} = {_of_stage(scenario, str(path[2]))}"
    if path == ("workload", "scaling_efficiency"):
        gpus = scenario.cluster.gpus
        return f"{text}; {scenario.workload.efficiency(gpus):.3g} at {gpus:,}"
    return text


def _of_stage(scenario: Scenario, name: str) -> str:
    """Return what a stage comes to: its time, by tier where there are several, and how often it fails."""
    stage = next(stage for stage in scenario.recovery.stages if stage.name == name)
    time = _about(stage.duration.mean)
    if stage.of_copy and len(scenario.tiers) > 1:
        time = ", ".join(f"{_about(tier.load)} from {tier.name}" for tier in scenario.tiers)
    tables = len(scenario.written.recovery.stages[name].fails) > 1
    return f"{time}, fails {format_share(stage.fails, 3)}" if tables else time


def _of_tier(keys: TierKeys, tier: Tier, path: Path) -> str | None:
    """Return what the interval or a bandwidth of a tier comes to; None where its text says it all."""
    if path[-1] == "interval" and keys.interval and not keys.interval.says_all:
        return f"{_about(tier.interval)}{' at the start' if tier.adapts else ''}"
    if path[-1] == "read":
        return f"{_about(tier.load)} to load"
    if path[-1] == "write" and keys.blocks is None:
        return f"{_about(tier.blocks)} to save"
    if path[-1] == "write":
        return f"{_about(tier.durable_after)} until durable"
    return None


def _rows(rows: tuple[Recorded, ...]) -> str:
    """Return recorded failures as they read in a table of values."""
    if not rows:
        return ""
    first, last = (format_duration(row.time_s, 3) for row in (rows[0], rows[-1]))
    nodes = len({row.node for row in rows if row.node >= 0})
    where = f" on {nodes:,} node{'s' * (nodes > 1)}" if nodes else ""
    if len(rows) == 1:
        return f"1 recorded failure{where}, after {first}"
    return f"{len(rows):,} recorded failures{where}, {first} to {last}"


def _recorded_stops(rows: tuple[Recorded, ...]) -> str:
    return f"{len(rows):,} planned stop{'s' * (len(rows) > 1)}" if rows else ""


def _about(seconds: float) -> str:
    """Return a duration exactly where that is short, else with three digits."""
    exact = format_duration(seconds)
    return exact if len(exact) <= 12 else format_duration(seconds, 3)
