"""Several scenarios on the same failures: differences to a baseline, and what each step in size returns."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from clustersim import folders
from clustersim.advice import Advice, advise, verdict
from clustersim.estimate import Apart, Estimate, grouped, paired
from clustersim.experiment import run_all
from clustersim.formatting import measured, plus_minus, points, whole
from clustersim.metrics.catalogue import BY_PATH
from clustersim.metrics.cells import IN_STEPS, at, worded
from clustersim.report_hook import notebook, write_page
from clustersim.results import Results
from clustersim.scenario.model import Scenario
from clustersim.settings import Output, ScenarioSource, Settings, merged
from clustersim.store import ChoiceError
from clustersim.studies.change import ValueChange, differing
from clustersim.studies.study import Answer, named, plain

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Difference:
    """How a scenario's ETTR differs from the baseline's, paired replication by replication.

    `ettr` and `effective_gpus` are means over draws and chance, where inputs are uncertain; `apart` has both
    parts of each, in this order.
    """

    name: str
    baseline: str
    ettr: Estimate
    effective_gpus: Estimate
    apart: tuple[Apart, Apart] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the difference as `compare --json` prints it."""
        ettr, cards = ({}, {}) if self.apart is None else (each.to_dict() for each in self.apart)
        return {
            "name": self.name,
            "baseline": self.baseline,
            "ettr_difference": plain(self.ettr) | ettr,
            "effective_gpus_difference": plain(self.effective_gpus) | cards,
            "distinguishable": self.ettr.distinguishable,
        }

    @property
    def advice(self) -> Advice:
        """The difference in a sentence, or that there is none that can be distinguished."""
        ettr, cards = self.ettr, self.effective_gpus
        gap = self.in_points
        text = f"{self.name} and {self.baseline} are not distinguishable (ETTR {gap})."
        if ettr.half_width is None or ettr.distinguishable:
            more = f"{'+' if cards.mean > 0 else ''}{plus_minus(cards.mean, cards.half_width)}"
            text = f"{self.name} against {self.baseline}: ETTR {gap}, {more} effective cards"
            unsure = ", in one replication, which does not tell how sure that is"
            text += "." if ettr.distinguishable else f"{unsure}."
        if self.is_open:
            text += " Which of them is better depends on what the inputs are."
        return Advice(text)

    @property
    def in_points(self) -> str:
        """The difference in ETTR with its interval; chance and uncertain inputs are kept apart."""
        if self.apart is None:
            return points(self.ettr.mean, self.ettr.half_width)
        chance, inputs = self.apart[0]
        mean, _, width = points(self.ettr.mean, chance.half_width).removesuffix(" pp").partition(" ± ")
        return f"{mean} pp{f', chance ± {width} pp' if width else ''}{_inputs_in_points(inputs)}"

    @property
    def is_open(self) -> bool:
        """Whether the inputs alone make one of the two better at their 5 % point, and the other at 95 %."""
        inputs = None if self.apart is None else self.apart[0].inputs
        return inputs is not None and inputs["p5"] < 0 < inputs["p95"]


def _inputs_in_points(inputs: Mapping[str, float] | None) -> str:
    if inputs is None:
        return ""
    digits = (inputs["p95"] - inputs["p5"]) / IN_STEPS
    low, high = (
        points(inputs[end], digits or None).partition(" ±")[0].removesuffix(" pp") for end in ("p5", "p95")
    )
    return f", inputs {low} to {high} pp (90 %)" if low != high else ", inputs make no difference"


@dataclass(frozen=True)
class SizeStep:
    """What the cards between two sizes return: extra effective cards, all together and per extra card."""

    smaller: str
    larger: str
    extra_gpus: int
    extra_effective_gpus: Estimate

    @property
    def marginal_return(self) -> Estimate:
        """Extra effective cards per extra card; below 0 where the extra cards cost effective ones."""
        return self.extra_effective_gpus.scaled(1 / self.extra_gpus)

    def to_dict(self) -> dict[str, Any]:
        """Return the step as `compare --json` prints it."""
        return named(self, "smaller", "larger", "extra_gpus", "extra_effective_gpus", "marginal_return")

    @property
    def advice(self) -> Advice:
        """What the extra cards return, in a sentence."""
        gain, each = self.extra_effective_gpus, self.marginal_return
        cards = plus_minus(abs(gain.mean), gain.half_width)
        costs = gain.mean < 0 and (gain.half_width is None or gain.distinguishable)
        if gain.half_width is not None and not gain.distinguishable:
            what = "make no distinguishable difference"
        elif costs:
            what = f"cost {cards} effective cards"
        else:
            what = f"add {cards} effective cards, {measured(each.mean, each.half_width)} each"
        text = f"From {self.smaller} to {self.larger} the extra {whole(self.extra_gpus)} cards {what}."
        return Advice(text, warning=costs)


@dataclass(frozen=True)
class Changed:
    """What differs in a scenario from the baseline, in the order of the files."""

    name: str
    baseline: str
    values: tuple[ValueChange, ...]


class Criterion(NamedTuple):
    """A metric by which runs are compared: what the best is called, and how another one differs."""

    path: str
    best: str
    than: str


PAIRED = "ettr", "effective_gpus"
"""The metrics of a difference."""
TO_TARGET = (
    Criterion("days_to_target.mean", "First to the target", "sooner than"),
    Criterion("cost.to_target", "Cheapest to the target", "less than"),
)
"""What is compared where all runs have one target."""
BY_HOUR = (
    Criterion("effective_gpus", "Most effective cards", "more than"),
    Criterion("cost.per_effective_gpu_hour", "Cheapest effective card-hour", "less than"),
)
"""What is compared where they have none in common."""


@dataclass(frozen=True)
class BestRun:
    """The best run by a metric, those not distinguishable from it, and by how much it is better than another.

    The other one is the baseline, or else the next best; None where no run is distinguishably worse.
    """

    criterion: Criterion
    name: str
    figure: str
    alike: tuple[str, ...]
    other: str | None
    difference: Estimate | None
    gap: str

    def to_dict(self) -> dict[str, Any]:
        """Return it as `compare --json` prints it."""
        return {"metric": self.criterion.path, **named(self, "name", "alike", "other", "difference")}

    @property
    def sentence(self) -> str:
        """Who is best, by how much, and who is not distinguishable from it."""
        alike = f"; not distinguishable from it: {', '.join(self.alike)}" if self.alike else ""
        return f"{self.criterion.best}: {self.name}, {self.by_how_much}{alike}."

    @property
    def sure(self) -> bool:
        """Whether it is better than all others, at 95 %."""
        return not self.alike and self.difference is not None and self.difference.half_width is not None

    @property
    def by_how_much(self) -> str:
        """The figure, and the difference to the other run."""
        if self.other is None or self.difference is None:
            return self.figure
        text = f"{self.figure}, {self.gap} {self.criterion.than} {self.other}"
        sure = self.difference.half_width is not None
        return text if sure else f"{text}, in one replication, which does not tell how sure that is"


class Comparison(Answer):
    """Several runs side by side: what differs, which is best, and what each step in size returns."""

    file = folders.COMPARISON

    def __init__(self, results: Sequence[Results], baseline: str | None = None) -> None:
        self.results = tuple(results)
        names = [results.name for results in self.results]
        self.baseline = names[0] if baseline is None else baseline
        _refuse_unknown(self.baseline, names)

    def __repr__(self) -> str:
        names = ", ".join(results.name for results in self.results)
        return f"<Comparison of {names} to {self.baseline}>"

    def _repr_html_(self) -> str | None:
        """Return all runs side by side, which a notebook shows."""
        return notebook("notebook_runs", self.results, self)

    @property
    def frame(self) -> pd.DataFrame:
        """The runs as a pandas frame, a row each: their summaries, and their differences to the baseline.

        A column has the path of its metric (`ettr.mean`); both ends of an interval are columns of their own,
        and those of a difference begin with `ettr_difference` or `effective_gpus_difference`.
        """
        import pandas as pd

        apart = {difference.name: difference.to_dict() for difference in self.differences}
        return pd.json_normalize([result.summary | apart.get(result.name, {}) for result in self.results])

    @cached_property
    def differences(self) -> tuple[Difference, ...]:
        """The paired differences of all others to the baseline, in the order given."""
        return tuple(_difference(other, self._base) for other in self._others)

    @cached_property
    def changed(self) -> tuple[Changed, ...]:
        """The values in which each other scenario differs from the baseline, from -> to."""
        base = self._base.scenario.document
        return tuple(
            Changed(other.name, self.baseline, tuple(differing(base, other.scenario.document)))
            for other in self._others
        )

    @cached_property
    def best(self) -> tuple[BestRun, ...]:
        """The best run by time and cost to the target, or by effective cards and their price."""
        goals = {_goal(run.scenario) for run in self.results}
        criteria = BY_HOUR if len(goals) > 1 or None in goals else TO_TARGET
        found = (_best(self.results, self.baseline, each) for each in criteria)
        return tuple(each for each in found if each is not None)

    @property
    def _base(self) -> Results:
        return next(results for results in self.results if results.name == self.baseline)

    @property
    def _others(self) -> Iterator[Results]:
        return (results for results in self.results if results.name != self.baseline)

    @cached_property
    def steps(self) -> tuple[SizeStep, ...]:
        """The steps from each size to the next larger one; of several runs of one size the first counts."""
        sizes: dict[int, Results] = {}
        for results in self.results:
            sizes.setdefault(results.scenario.cluster.gpus, results)
        ordered = [sizes[size] for size in sorted(sizes)]
        return tuple(_step(smaller, larger) for smaller, larger in pairwise(ordered))

    @property
    def advice(self) -> list[Advice]:
        """Which is best and by how much; what each step in size returns, or each difference of one size."""
        sizes = {results.scenario.cluster.gpus for results in self.results}
        gaps: Sequence[SizeStep | Difference] = self.steps if len(sizes) > 1 else self.differences
        return [*self._verdict(), *(each.advice for each in gaps)]

    def _verdict(self) -> Iterator[Advice]:
        unfinished = [run.name for run in self.results if run.summary.get("target_reached", 1.0) < 1]
        best = {each.name: each for each in self.best}
        if len(best) == 1 and all(each.sure for each in self.best):
            to_target = all(each.criterion in TO_TARGET for each in self.best)
            among = " of those that reach the target" if unfinished and to_target else ""
            details = (f"{each.criterion.best}: {each.by_how_much}." for each in self.best)
            yield Advice(f"Best{among}: {', '.join(best)}. {' '.join(details)}")
        else:
            yield from (Advice(each.sentence) for each in self.best)
        if unfinished:
            text = f"Target not reached in every replication: {', '.join(unfinished)}"
            yield Advice(f"{text}. There is neither a time to it nor a cost of the run.", warning=True)

    @property
    def warnings(self) -> list[Advice]:
        """What `run` warns of in any of the scenarios, said once, with the scenarios of which it holds."""
        names: dict[str, list[str]] = {}
        for run in self.results:
            said = [verdict(run.summary), *advise(run.scenario, run.summary)]
            for sentence in (each for each in said if each.warning):
                names.setdefault(sentence.text.removeprefix(f"{run.name} "), []).append(run.name)
        return [Advice(f"{', '.join(of)}: {text}", warning=True) for text, of in names.items()]

    def to_dict(self) -> dict[str, Any]:
        """Return what `compare --json` prints."""
        return {
            "scenarios": [results.summary for results in self.results],
            "baseline": self.baseline,
            "changed": plain(self.changed),
            "best": plain(self.best),
            "differences": plain(self.differences),
            "steps": plain(self.steps),
            "advice": [str(advice) for advice in (*self.advice, *self.warnings)],
        }

    def saved(self) -> dict[str, Any]:
        """Return the same with the names of the run folders, which stand beside the file."""
        runs = [results.folder.name if results.folder else None for results in self.results]
        return {"runs": runs} | self.to_dict()

    def report(self, path: str | PathLike[str], command: str | None = None) -> Path:
        """Write one HTML report of all runs to *path*, and return it."""
        return write_page("write_report", self.results, Path(path), self, command)


def _refuse_unknown(baseline: str, names: Sequence[str]) -> None:
    if baseline not in names:
        raise ChoiceError(f'no scenario is named "{baseline}"; the baseline is one of {", ".join(names)}')


def _paired(metric: str, other: Results, base: Results) -> Estimate:
    """Return how much more of a *metric* one run has than its base, over the replications that both have.

    Where nothing is random one replication stands for any number; where nothing is in either run, two that
    are alike show that there is no doubt.
    """
    runs = [(run.is_random, run.values_of(metric)) for run in (other, base)]
    count = min((len(values) for random, values in runs if random), default=2)
    size = math.lcm(_per_draw(other), _per_draw(base))
    return paired(
        *(grouped(values[:count] if random else np.full(count, values[0]), size) for random, values in runs)
    )


def _per_draw(run: Results) -> int:
    """Return how many replications are alike in their inputs, so that only their mean is one of several."""
    return run.scenario.uncertainty.per_draw if run.scenario.uncertain else 1


def _difference(other: Results, base: Results) -> Difference:
    ettr, cards = (_paired(metric, other, base) for metric in PAIRED)
    return Difference(other.name, base.name, ettr, cards, _apart(other, base))


def _apart(other: Results, base: Results) -> tuple[Apart, Apart] | None:
    """Return chance and inputs of each difference; None where nothing is uncertain, or draws are unlike.

    Both have the same quantile of an input in each draw, and the same value where it has the same law.
    """
    sizes = {_per_draw(run) for run in (other, base) if run.scenario.uncertain}
    if len(sizes) != 1:
        return None
    first, second = (_apart_of(metric, other, base, *sizes) for metric in PAIRED)
    return first, second


def _apart_of(metric: str, other: Results, base: Results, per_draw: int) -> Apart:
    values, others = (run.values_of(metric) for run in (other, base))
    count = min(len(values), len(others))
    return Apart.of(values[:count] - others[:count], per_draw)


def _step(smaller: Results, larger: Results) -> SizeStep:
    extra = larger.scenario.cluster.gpus - smaller.scenario.cluster.gpus
    return SizeStep(smaller.name, larger.name, extra, _paired("effective_gpus", larger, smaller))


def _goal(scenario: Scenario) -> tuple[Any, ...] | None:
    """Return what the target is, as it is written: so much work, or so much time of so many cards."""
    workload = scenario.document.get("workload") or {}
    if scenario.target_s is None:
        return None
    return (workload["target"],) if "target" in workload else (workload["productive"], scenario.cluster.gpus)


def _best(runs: Sequence[Results], baseline: str, criterion: Criterion) -> BestRun | None:
    """Return the best of the *runs* by a criterion; None where fewer than two have such a figure.

    Prices in several currencies are none that could be compared.
    """
    metric = BY_PATH[criterion.path]
    sign = 1 if metric.better == "low" else -1
    having = {run.name: run for run in runs if at(run.summary, criterion.path) is not None}
    money = metric.unit == "money"
    if len(having) < 2 or (money and len({run.summary["currency"] for run in having.values()}) > 1):
        return None
    order = sorted(having, key=lambda name: sign * float(at(having[name].summary, criterion.path)))
    gaps = {name: _paired(criterion.path, having[name], having[order[0]]).scaled(sign) for name in order[1:]}
    alike = [name for name, gap in gaps.items() if gap.half_width is not None and not gap.distinguishable]
    worse = [name for name in gaps if name not in alike]
    other = baseline if baseline in worse else next(iter(worse), None)
    first = having[order[0]].summary
    difference = None if other is None else gaps[other]
    gap = ""
    if difference is not None:
        gap = worded(difference.mean, difference.half_width, metric.unit, first.get("currency", ""))
    return BestRun(criterion, order[0], metric.cell(first).text, tuple(alike), other, difference, gap)


def compare(
    scenarios: Sequence[ScenarioSource],
    output: Output = None,
    *,
    baseline: str | None = None,
    settings: Settings | None = None,
    **keywords: Any,
) -> Comparison:
    """Simulate several scenarios, paired, and return them side by side.

    *baseline* names the one that the others are compared to (the first).  With *output*, that folder holds a
    run folder each and `comparison.json`.  Keywords are fields of `Settings`, for all scenarios.  Raises
    ScenarioError for a faulty scenario and RunError where the run cannot go on.
    """
    how = merged(settings, keywords)
    loaded = [how.load(scenario) for scenario in scenarios]
    names = [scenario.name for scenario in loaded]
    places: list[Path] = folders.one_folder_each(names, Path(output or ""))
    _refuse_unknown(names[0] if baseline is None else baseline, names)
    if output is None:
        return Comparison(run_all(loaded, [None] * len(loaded), how), baseline)
    folders.refuse_run_folder(Path(output))
    comparison = Comparison(run_all(loaded, places, how), baseline)
    comparison.save(output)
    return comparison
