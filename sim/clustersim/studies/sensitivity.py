"""What to measure first: which of the inputs that are not known well a metric depends on most."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from clustersim import folders
from clustersim.advice import Advice
from clustersim.estimate import ConfidenceInterval, Estimate
from clustersim.formatting import counted, percent
from clustersim.metrics.cells import MetricCell
from clustersim.metrics.metric import Metric
from clustersim.scenario.keys.uncertain import HIGH, LOW, UncertainInput, Uniform, around
from clustersim.scenario.loading import variant
from clustersim.scenario.model import Scenario
from clustersim.scenario.text.document import at, dotted, paths
from clustersim.scenario.trials import CHANGEABLE, CHOSEN, Trials, is_same
from clustersim.settings import Output, ScenarioSource, Settings, merged
from clustersim.store import ChoiceError
from clustersim.studies.change import ended_by_the_clock, on_a_number
from clustersim.studies.figures import ScenarioFigures, gap_words, within_a_sentence, words
from clustersim.studies.indices import SMALLEST, Indices, sensitivity_of
from clustersim.studies.inputs import InputModel, Swing, replications_of
from clustersim.studies.study import ALIKE, Study, named, on_a_fixed_number, simulations
from clustersim.units import SHARE

SAMPLES = 128
"""Base points of the indices: intervals of a tenth or so, where chance does not prevail."""
TRAJECTORIES = 10
"""Of elementary effects: enough to tell what does next to nothing (Campolongo and others, 2007)."""
MOST_KEPT = 8
"""Inputs beyond which indices are not estimated: each costs as many points as there are samples."""
PER_POINT = 2
"""Replications at each point: two tell chance from inputs; more points then say more than more of them."""
AT_THE_ENDS = 16
"""Replications at both ends of each input, which are compared one by one, unless the scenario has others."""
EFFORT = {"trajectories": TRAJECTORIES, "most": MOST_KEPT}
EVEN = Uniform(0.0, 1.0)
"""The law of the quantiles of every input."""
USUAL_RANGE = "30 %"
NOT_GUESSED = ("cluster.", "costs.", "recovery.retire.after", "recovery.retire.within", *CHOSEN)
DECIDED = ("interval", "every", "minimum", "keep", "crews", "merge_within")
"""Where no range is assumed, and last keys of such paths: what is decided, not unknown, and prices, on which
no ETTR depends.  Spares are decided too, but some of them may be out of order."""
FOLLOWS = ".interval.adaptive."
"""In the path of how an interval follows the failures, which is decided as a fixed one is."""
NOTABLE_CHANCE = 0.05
"""Share of the variance of a run from which on chance is worth a sentence."""
NOTHING_TELLS = "Nothing that was varied makes a distinguishable difference to {}."
TOO_FEW = (
    "Too few samples to say what to measure first: no input's share of the variance is distinguishable"
    " from 0."
)


@dataclass(frozen=True, slots=True)
class InputRange:
    """What is not known of an input: its 5 % and 95 % points, and whether that was assumed."""

    path: str
    input: UncertainInput

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        low, high = (
            {"text": str(self.input.value(end)), "si": self.input.quantile(end)} for end in (LOW, HIGH)
        )
        law, assumed = self.input.name, self.input.assumed
        return {"path": self.path, "low": low, "high": high, "law": law, "assumed": assumed}

    @property
    def text(self) -> str:
        """Both ends as they are written."""
        return f"{self.input.value(LOW)} to {self.input.value(HIGH)}"


@dataclass(frozen=True)
class SensitivityStudy(Study):
    """Which inputs a metric depends on: the ranges, the effects that screened them, indices, and a tornado.

    `metric` is its path, and `shown` how it is shown.  `frame` has a row for each input that was left, the
    one that matters most first.
    """

    file = "sensitivity.json"
    points = "indices"
    _draws = False
    ranges: Sequence[InputRange]
    found: Indices
    tornado: Sequence[Swing]
    per_point: int
    metric: str
    shown: Metric

    @property
    def label(self) -> str:
        """What the metric is called within a sentence."""
        return within_a_sentence(self.shown)

    @property
    def together(self) -> int:
        """Of how many replications a value of the metric is taken: one, or several where it is no mean."""
        return replications_of(self.shown)

    def words(self, estimate: ConfidenceInterval) -> str:
        """Return the metric with its interval, in its unit."""
        return words(self.shown, estimate, self.currency)

    def gap(self, swing: Swing, unit: str = "effective cards") -> str:
        """Return what lies between the ends of an input: of ETTR in cards, called *unit*, and in money."""
        if self.metric == "ettr":
            return swing.worth.in_cards(unit)
        return gap_words(self.shown, swing.difference, self.currency)

    @property
    def first(self) -> str | None:
        """The input to measure first, where it is distinguishable from all others, and matters at all."""
        indices, ahead = self.found.indices, self.found.ahead
        if not indices or not indices[0].distinguishable:
            return None
        stands_out = ahead is None or (ahead.distinguishable and ahead.mean > 0)
        return indices[0].path if stands_out else None

    @property
    def sentence(self) -> str:
        """The answer in one sentence."""
        telling = [index for index in self.found.indices if index.distinguishable]
        if not telling:
            moving = any(swing.distinguishable for swing in self.tornado)
            return TOO_FEW if moving else NOTHING_TELLS.format(self.label)
        share = in_share(telling[0].total)
        if self.first is not None:
            return (
                f"Measure {self.first} before you measure anything else: it has a part in {share} of the"
                f" variance that the inputs give {self.label}."
            )
        names = " or ".join(index.path for index in telling[:2])
        if len(telling) == 1:
            return f"Measure {names} first; how far it is ahead of the others is not distinguishable."
        return f"Measure {names} first: which of the two matters more is not distinguishable."

    @property
    def advice(self) -> list[Advice]:
        """What to measure first, what that is worth, and what the ranges rest on."""
        return list(_advice(self))

    def body(self) -> Mapping[str, Any]:
        """Return the numbers as plain data; what is unknown is null."""
        return {
            **named(self, "metric", "ranges"),
            **named(self.found, "screening", "indices", "variance"),
            **named(self, "tornado", "per_point"),
            "evaluations": self.found.evaluations,
            "sentence": self.sentence,
        }

    def save(self, folder: str | PathLike[str]) -> Path:
        """Write the answer to *folder*: `sensitivity.json`, and its indices as `sensitivity.csv`."""
        path = super().save(folder)
        with folders.replacing_file(path.with_suffix(".csv")) as new:
            self.frame.to_csv(new, index=False, lineterminator="\n")
        return path


def in_share(estimate: Estimate) -> str:
    """Return an index in per cent with its interval, held between 0 and 100 %."""
    share = estimate.share
    mean = min(max(estimate.mean, 0.0), 1.0)
    ends = f" ({percent(share.low)} to {percent(share.high)})" if share.low is not None else ""
    return f"{percent(mean)}{ends}"


def sensitivity(
    scenario: ScenarioSource,
    output: Output = None,
    *,
    range_: str | None = None,
    samples: int = SAMPLES,
    per_point: int = PER_POINT,
    metric: str = "ettr",
    settings: Settings | None = None,
    **keywords: Any,
) -> SensitivityStudy:
    """Find out which uncertain inputs a metric depends on most, and how much of what is open is chance.

    The ranges are those of `uncertain`; where there is no such block, all values with a number are taken to
    lie within *range_* of what is stated (30 %) in 90 % of the cases.  Elementary effects screen the inputs,
    then *samples* base points, a power of two, give Sobol indices of what is left, with *per_point*
    replications at each.  Both ends of each input are compared over 16 replications, unless the scenario or
    the settings say how many.  With *output*, `sensitivity.json` and `.csv` are written to that folder.

    The *metric* is ETTR over a fixed time, a target left out; or any that `expect` knows, of runs that end as
    the scenario says.  One that is no mean, such as a quantile, is taken of 16 replications together, so that
    each point has *per_point* times 16.  Keywords are fields of `Settings`.  Raises ScenarioError for a
    faulty scenario, also where a point makes it so, ChoiceError for a metric that it does not have, and
    RunError where the metric is not known at a point, or the run cannot go on.
    """
    how = merged(settings, keywords)
    _refuse(samples, per_point)
    loaded = on_a_fixed_number(how).load(scenario)
    metric = metric.removesuffix(".mean")
    fixed, shown = _asked(_certain(loaded), metric)
    inputs = _inputs(loaded, fixed, range_)
    count = fixed.simulation.replications
    asked = {"range": str(range_), "samples": str(samples), "per_point": str(per_point), "metric": metric}
    with simulations(how.without_changes, output, "sensitivity", loaded, question=asked) as running:
        model, laws = InputModel(fixed, inputs, running, per_point, metric), dict.fromkeys(inputs, EVEN)
        found = sensitivity_of(model, laws, samples=samples, **EFFORT, seed=fixed.simulation.seed)
        tornado = model.swings([index.path for index in found.indices], count)
        ranges = [InputRange(path, each) for path, each in inputs.items()]
        answer = SensitivityStudy(loaded, fixed, count, ranges, found, tornado, per_point, metric, shown)
        return running.finished(answer, output)


def _refuse(samples: int, per_point: int) -> None:
    if per_point < PER_POINT or samples < PER_POINT or samples & (samples - 1):
        raise ChoiceError("give 2 replications per point or more, and a power of 2 as samples, such as 128")


def _asked(scenario: Scenario, metric: str) -> tuple[Scenario, Metric]:
    """Return the scenario as it is simulated for a *metric*, and how that is shown.

    Raises ChoiceError where the scenario has no such metric.
    """
    prepared = ended_by_the_clock if metric == "ettr" else on_a_number
    fixed = prepared(scenario, AT_THE_ENDS)
    figures = ScenarioFigures(fixed)
    if metric not in figures.figures:
        raise ChoiceError(f"{scenario.name}: {figures.why_not(metric)}")
    return fixed, figures.figures[metric].metric


def _certain(scenario: Scenario) -> Scenario:
    """Return *scenario* with nothing uncertain: each input is set by itself."""
    blocks = [name for name in ("uncertain", "uncertainty") if name in scenario.document]
    return variant(scenario, dict.fromkeys(blocks)) if blocks else scenario


def _inputs(scenario: Scenario, fixed: Scenario, range_: str | None) -> dict[str, UncertainInput]:
    """Return what is uncertain, by path; raises ChoiceError where nothing is."""
    inputs = dict(_ranges(scenario, fixed, range_))
    if not inputs:
        raise ChoiceError(f"{scenario.name}: nothing is uncertain; give uncertain, or --range 30%")
    return inputs


def _ranges(scenario: Scenario, fixed: Scenario, range_: str | None) -> Iterator[tuple[str, UncertainInput]]:
    """Yield what is uncertain, by path: what the scenario says, and what is assumed where it says nothing."""
    yield from scenario.uncertain.items()
    if scenario.uncertain and range_ is None:
        return
    try:
        share = SHARE.parse(range_ or USUAL_RANGE)
    except ValueError as error:
        raise ChoiceError(f"--range: {error}") from None
    trials = Trials(fixed.document, "an uncertain input", CHANGEABLE)
    for keys in paths(fixed.document):
        path, value = dotted(keys), at(fixed.document, keys)
        near = path in scenario.uncertain or any(is_same(path, other) for other in scenario.uncertain)
        if near or keys[0] not in CHANGEABLE or _is_chosen(path) or (each := around(value, share)) is None:
            continue
        ends = (trials.findings(each.changes(path, end), ()) for end in (LOW, HIGH))
        if not any(list(findings) for findings in ends):
            yield path, each


def _is_chosen(path: str) -> bool:
    decided = path.startswith(NOT_GUESSED) or path.rpartition(".")[2] in DECIDED or FOLLOWS in path
    return decided and path != "cluster.spares"


def _advice(study: SensitivityStudy) -> Iterator[Advice]:
    found, swings = study.found, {swing.path: swing for swing in study.tornado}
    yield Advice(study.sentence)
    telling = [index.path for index in found.indices if index.distinguishable]
    widest = [swing.path for swing in study.tornado[:1] if swing.distinguishable]
    for path in telling[:2] or widest:
        yield Advice(_swing(study, swings[path], next(each for each in study.ranges if each.path == path)))
    variance = found.variance
    if variance.total > 0 and variance.chance >= NOTABLE_CHANCE * variance.total:
        share = percent(variance.chance / variance.total)
        what = "one run of this length" if study.together == 1 else f"{study.label} of {study.together} runs"
        yield Advice(f"Chance makes up {share} of the variance of {what}; no better data reduce it.")
    least = SMALLEST * max((effect.mu_star for effect in found.screening), default=0.0)
    left_out = [effect for effect in found.screening if not effect.kept]
    if beyond := [effect.path for effect in left_out if effect.mu_star > least]:
        yield Advice(
            f"Left out after screening, as no more than {MOST_KEPT} inputs are kept; they do make a"
            f" difference: {_listed(beyond)}"
        )
    if hardly := [effect.path for effect in left_out if effect.mu_star <= least]:
        yield Advice(f"Hardly a difference, and left out after screening: {_listed(hardly)}")
    if assumed := [each for each in study.ranges if each.input.assumed]:
        share = assumed[0].input.written.rpartition("± ")[2]
        many = "The range of 1 input is" if len(assumed) == 1 else f"The ranges of {len(assumed)} inputs are"
        yield Advice(
            f"{many} assumed: within {share} of what is stated, in 90 % of the cases. Say under uncertain"
            " what is really known of them; the order depends on it.",
            warning=True,
        )
    yield from study.caveats()


def _listed(paths: Sequence[str]) -> str:
    return ", ".join(paths[:MOST_KEPT]) + (", ..." if len(paths) > MOST_KEPT else ".")


def _swing(study: SensitivityStudy, swing: Swing, range_: InputRange) -> str:
    """Return what lies between the ends of an input, in a sentence."""
    ends = f"{study.label} {study.words(swing.at_low)} to {study.words(swing.at_high)}"
    return f"{swing.path} from {range_.text}: {ends}, {study.gap(swing)}, the other inputs as stated."


def points_of(study: SensitivityStudy) -> str:
    """Return in one sentence how the answer was found."""
    many = counted(study.found.evaluations, "point")
    each = counted(study.per_point * study.together, "replication")
    groups = "" if study.together == 1 else f" in {study.per_point} groups"
    return f"{many}, {each}{groups} at each, the same ones at all."


def rows_of(study: SensitivityStudy) -> list[list[str]]:
    """Return the indices in words: path, range, first-order and total index, whether the latter is not 0."""
    ranges = {each.path: each.text for each in study.ranges}
    return [
        [
            *(index.path, ranges[index.path], in_share(index.first), in_share(index.total)),
            "yes" if index.distinguishable else "no",
        ]
        for index in study.found.indices
    ]


def tornado_rows(study: SensitivityStudy) -> tuple[list[str], list[list[str]]]:
    """Return the headings and the rows of what lies between the ends of each input."""
    gains = {swing.path: swing.worth.row(swing.distinguishable) for swing in study.tornado}
    if study.metric != "ettr":
        gaps = {swing.path: study.gap(swing) if swing.distinguishable else ALIKE for swing in study.tornado}
        gains = {path: {"Difference": MetricCell(gap)} for path, gap in gaps.items()}
    headings = ["", f"{study.shown.label} at 5 %", "at 95 %", *next(iter(gains.values()), ())]
    rows = [
        [
            *(swing.path, study.words(swing.at_low), study.words(swing.at_high)),
            *(cell.text for cell in gains[swing.path].values()),
        ]
        for swing in study.tornado
    ]
    return headings, rows
