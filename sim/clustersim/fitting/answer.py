"""The answer of `fit`: each cause as it was fitted, in sentences and as plain data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from clustersim import folders
from clustersim.advice import Advice
from clustersim.estimate import ConfidenceInterval
from clustersim.fitting.causes import CauseFit, Relapsing
from clustersim.fitting.checking import LABELS, Checked
from clustersim.fitting.likelihood import EXPONENTIAL, RANGES, SHAPES
from clustersim.fitting.rates import exact_rate
from clustersim.fitting.repairs import RepairLaw
from clustersim.fitting.selection import LEMONS, LIFETIME, RELAPSE, STEEPEST, TREND
from clustersim.fitting.spells import Bursts
from clustersim.formatting import NOTHING, counted, duration, percent, significant, whole
from clustersim.logs.history import History
from clustersim.studies.study import Study, plain
from clustersim.units import DAY, format_duration

if TYPE_CHECKING:
    import pandas as pd

MOST_NAMED = 5
"""Causes of which the features are told in sentences."""


@dataclass(frozen=True)
class Fit(Study):
    """What logs say: each cause as it was fitted, and the scenario that this makes.

    `history` is the log as it was read, `text` the YAML of the scenario, `checked` the figures of the log
    among those of simulated histories, of which `replications` is the number.
    """

    file: ClassVar[str] = "fit.json"
    scenario_file: ClassVar[str] = "scenario.yaml"
    points: ClassVar[str] = "check"
    history: History
    causes: Mapping[str, CauseFit]
    text: str
    checked: tuple[Checked, ...]

    @property
    def outside(self) -> list[Checked]:
        """The figures in which the fitted fleet is not like the log."""
        return [each for each in self.checked if each.inside is False]

    @property
    def rate(self) -> ConfidenceInterval:
        """Failures of all causes per 1000 node-days, with the exact interval of a Poisson count."""
        return exact_rate(len(self.history.time_s), self.history.node_days / 1000)

    def body(self) -> dict[str, Any]:
        """Return the numbers as plain data; what is unknown is null."""
        history = self.history
        window = {
            "from": history.start.isoformat() if history.start else None,
            "to": history.end.isoformat() if history.end else None,
            "timezone": str(history.start.tzinfo) if history.start else None,
            "seconds": history.window_s,
        }
        exposure = {"nodes": history.nodes, "node_days": history.node_days, "clock": history.clock}
        return {
            "window": window,
            "exposure": exposure,
            "rows": dict(history.rows),
            "problems": [problem._asdict() for problem in history.problems],
            "causes": {name: _cause(fit) for name, fit in self.causes.items()},
            "check": [{**each._asdict(), "inside": each.inside} for each in self.checked],
            "scenario": self.text,
        }

    @property
    def frame(self) -> pd.DataFrame:
        """The causes as a pandas frame, a row each; both ends of an interval are columns of their own."""
        import pandas as pd

        return pd.json_normalize([dict(record) for record in self.records()])

    def records(self) -> Iterator[Mapping[str, Any]]:
        """Yield a record for each cause."""
        yield from ({"cause": name, **_cause(fit)} for name, fit in self.causes.items())

    def save(self, folder: str | PathLike[str]) -> Path:
        """Write the answer and the scenario to files in *folder*, and return the path of the answer."""
        path = super().save(folder)
        folders.write_text(path.with_name(self.scenario_file), self.text)
        return path

    @property
    def advice(self) -> list[Advice]:
        """The answer in sentences, the most important one first."""
        history = self.history
        failures = len(history.time_s)
        fleet = f"{counted(failures, 'failure')} in {counted(history.nodes, 'node')}"
        window = describe_window(history)
        most = ", ".join(f"{fit.name} {percent(fit.count / failures)}" for fit in self._most_frequent())
        of = f" The most frequent: {most}." if most else ""
        lost, of_all = history.rows["not_understood"], counted(history.rows["total"], "row")
        without = f" Without {whole(lost)} of {of_all}, which could not be read." if lost else ""
        sentences = [Advice(f"{fleet}, {window}: {_rate_in_words(self.rate)}.{without}{of}")]
        named, others = list(self.causes.values())[:MOST_NAMED], list(self.causes.values())[MOST_NAMED:]
        sentences += [Advice(sentence) for fit in named for sentence in _features(fit)]
        if more := ", ".join(fit.name for fit in others if any(_features(fit))):
            told = f"which {self.scenario_file} says: {more}."
            sentences.append(Advice(f"Rarer causes have more than a constant rate too, {told}"))
        return [*sentences, *self._about_repairs(), *self._about_check(), *self._about_rows()]

    def _most_frequent(self) -> list[CauseFit]:
        """Return up to three causes that strike more often than all others."""
        counts = [fit.count for fit in self.causes.values()]
        most_of_others = counts[3] if len(counts) > 3 else counts[0] if counts[0] == counts[-1] else 0
        return [fit for fit in self.causes.values() if fit.count > most_of_others]

    def _about_repairs(self) -> Iterator[Advice]:
        for fit in self.causes.values():
            if fit.repair is None and fit.away_s.size:
                yield Advice(
                    f"{fit.name}: no repair was over when the log ended, so that nothing says how long one"
                    " takes. The scenario has none, as if a restart were enough: give it one.",
                    True,
                )

    def _about_check(self) -> Iterator[Advice]:
        judged = [each for each in self.checked if each.inside is not None]
        if not self.replications:
            yield Advice(
                "The fitted fleet was not simulated, which would take long: --replications 40 compares"
                " the log with it.",
                True,
            )
        if [each.figure for each in judged] == ["failures"] and not self.outside:
            yield Advice(
                "Whether the fitted fleet is like the log cannot be seen: only the number of failures can be"
                " compared, to which it was fitted."
            )
        elif judged and not self.outside:
            yield Advice(
                f"In none of {counted(len(judged), 'figure')} is the log outside 95 % of"
                f" {whole(self.replications)} simulated histories of the fitted fleet."
            )
        for each in self.outside:
            yield Advice(
                f"Not as in the fitted fleet: {LABELS[each.figure]}, {in_words(each)} in 95 % of"
                f" {whole(self.replications)} simulated histories.",
                True,
            )

    def _about_rows(self) -> Iterator[Advice]:
        rows, problems = self.history.rows, self.history.problems
        lost = rows["not_understood"]
        first = f" (all in {self.file}), the first" if len(problems) > 1 else ""
        if lost:
            yield Advice(
                f"{counted(lost, 'row')} of {whole(rows['total'])} could not be read{first}:"
                f" {problems[0].file}:{problems[0].line}: {problems[0].reason}",
                True,
            )
        yield from (Advice(note) for note in self.history.notes)


def in_words(checked: Checked) -> str:
    """Return a figure of the log beside both ends of the simulated ones."""
    observed, low, high = (
        written(checked.figure, end) for end in (checked.observed, checked.low, checked.high)
    )
    return f"{observed} in the log, {low} to {high}"


def written(figure: str, value: float | None) -> str:
    """Return a figure of the check as text."""
    if figure.endswith("_s"):
        return format_duration(value or 0.0, 3)
    if figure in ("failures", "nodes_away_most"):
        return whole(value or 0.0)
    if figure == "nodes_away_mean":
        return significant(value or 0.0, 3)
    return _small(value or 0.0)


def _rate_in_words(rate: ConfidenceInterval) -> str:
    mean, low, high = (significant(end or 0.0, 3) for end in rate)
    return f"{mean} per 1000 node-days (95 %: {low} to {high})"


def _features(fit: CauseFit) -> Iterator[str]:
    """Yield a sentence for each feature of a cause beyond a constant rate."""
    values, found = fit.known, fit.selection
    model = found.best.model
    if found.has(LIFETIME):
        age = ", counted from when the nodes are first seen" if model.new else ""
        shape = f"{SHAPES[model.law]} {in_ends(values['shape'])}"
        yield f"{fit.name}: lifetimes are {model.law}, {shape}{age}."
    if found.has(LEMONS):
        share, factor = in_ends(values["share"], percent), in_ends(values["factor"])
        some = f"{share.capitalize()} of them"
        yield f"{fit.name}: nodes differ. {some} fail {factor} times as often as the others."
    if found.has(RELAPSE) and model.within is not None and fit.relapse is not None:
        within, share = format_duration(model.within), in_ends(values["probability"], percent)
        seen = (
            f"within a day {percent(fit.relapse.share)} fail again, {_small(fit.relapse.expected)} by chance"
        )
        yield f"{fit.name}: {share} of the repairs do not last {within}; {seen}."
    if found.has(TREND) and model.until is not None:
        until, early = format_duration(model.until), in_ends(values["early"])
        yield f"{fit.name}: in the first {until} failures came {early} times as often as later."
    bursts = fit.bursts
    if bursts is not None and bursts.p_value < found.level:
        burst = f"{whole(bursts.rows)} of {whole(fit.count)} rows in {counted(bursts.count, 'burst')}"
        how = (
            f"; {in_ends(fit.burst, percent)} of the failures take their block of {bursts.domain} nodes along"
            if fit.burst
            else " on nodes without a common block, which the fitted fleet does not have"
        )
        yield f"{fit.name}: several nodes fail at once, {burst}{how}."


def in_ends(
    estimate: ConfidenceInterval, write: Callable[[float], str] = lambda value: significant(value, 2)
) -> str:
    """Return an estimate with the ends of its interval, as far as they are known."""
    mean, low, high = (None if end is None else write(end) for end in estimate)
    if low and high:
        ends = f"{low} to {high}"
    else:
        ends = f"at most {high}" if high else f"at least {low}" if low else "unknown"
    return f"{mean} ({ends})" if mean else ends


def away_in_words(fit: CauseFit) -> tuple[str, str, str]:
    """Return median and mean of how long nodes were away, and how many are not back."""
    if not fit.away_s.size:
        return NOTHING, NOTHING, NOTHING
    seen = fit.repair.seen if fit.repair else None
    times = (duration(seen.median_s), duration(seen.mean_s)) if seen else (NOTHING, NOTHING)
    return *times, whole(int((~fit.done).sum()))


def _small(share: float) -> str:
    return percent(share, 0.001)


def _cause(fit: CauseFit) -> dict[str, Any]:
    """Return a cause as plain data."""
    values, model = fit.known, fit.selection.best.model
    lemons = {"share": plain(values["share"]), "factor": plain(values["factor"])} if model.lemons else None
    trend = {
        "p_value": fit.selection.p_values.get(TREND),
        "until_s": model.until,
        "factor": None if model.until is None else plain(values["early"]),
    }
    return {
        "per": fit.per,
        "count": fit.count,
        "rate_per_1000_node_days": plain(fit.rate),
        "lifetime": _lifetime(fit),
        "repair": None if fit.repair is None else _repair(fit.repair),
        "transient": fit.transient,
        "relapse": None if fit.relapse is None else _relapse(fit, fit.relapse),
        "lemons": lemons,
        "trend": trend,
        "bursts": None if fit.bursts is None else _bursts(fit.bursts, fit.selection.level),
    }


def _lifetime(fit: CauseFit) -> dict[str, Any]:
    values, model = fit.known, fit.selection.best.model
    named = {"mtbf_s": "mtbf_s"} | ({} if model.law == EXPONENTIAL else {"shape": SHAPES[model.law]})
    return {
        "law": model.law,
        "parameters": {name: plain(values[key]) for key, name in named.items()},
        "ages": "new" if model.new else "steady",
        "p_value": fit.selection.p_values.get(LIFETIME),
        "chosen_because": _why(fit),
        "first_failures_shape": plain(RANGES["shape"].known(fit.first_shape)) if fit.first_shape else None,
    }


def _repair(law: RepairLaw) -> dict[str, Any]:
    parameters = {
        name: plain(RANGES[name].known(value) if name in RANGES else value)
        for name, value in law.parameters.items()
    }
    return {"law": law.law, "parameters": parameters, "at_most_s": law.at_most, **law.seen._asdict()}


def _relapse(fit: CauseFit, relapse: Relapsing) -> dict[str, Any]:
    found = fit.selection
    return {
        "probability": plain(fit.known["probability"]) if found.has(RELAPSE) else None,
        "within_s": found.best.model.within,
        "seen_within_a_day": relapse.share,
        "by_chance": relapse.expected,
        "p_value": found.p_values.get(RELAPSE),
    }


def _bursts(bursts: Bursts, level: float) -> dict[str, Any] | None:
    """Return bursts that are no chance."""
    if bursts.p_value >= level:
        return None
    counts = {"count": bursts.count, "rows": bursts.rows, "p_value": bursts.p_value}
    return {"scope": bursts.scope, **counts}


def _why(fit: CauseFit) -> str:
    """Return why the law of the lifetimes was chosen."""
    found = fit.selection
    p_value, level = found.p_values.get(LIFETIME), f"{found.level:.2g}"
    if found.has(LIFETIME):
        return f"better than exponential beyond chance (p {p_value:.1g}, level {level}), least AIC"
    if found.refused is not None:
        model, values = found.refused.model, found.refused.values
        refused = f"{model.law} with a {SHAPES[model.law]} of {significant(values['shape'], 2)}"
        looks = (
            "repairs that fail" if values["shape"] < STEEPEST else "an event that many nodes had in common"
        )
        return f"{refused} is likelier, but no lifetime: it looks like {looks}"
    if p_value is None:
        return f"{counted(fit.spells.count, 'failure')}: too few for another law than {EXPONENTIAL}"
    return f"no law better than {EXPONENTIAL} beyond chance (p {p_value:.2g}, level {level})"


def describe_window(history: History) -> str:
    """Return from when to when the nodes were watched."""
    if history.start is None:
        return format_duration(history.window_s, 3)
    form = "%Y-%m-%d" if history.window_s > 2 * DAY else "%Y-%m-%d %H:%M"
    return f"{history.start:{form}} to {history.end:{form}} ({format_duration(history.window_s, 3)})"
