"""Several scenarios on the same failures: differences to a baseline, and what each step in size returns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from clustersim import folders
from clustersim.advice import Advice
from clustersim.estimate import Estimate, grouped, paired
from clustersim.experiment import run_all
from clustersim.formatting import measured, plus_minus, points, whole
from clustersim.report_hook import write_page
from clustersim.results import Results
from clustersim.settings import Output, ScenarioSource, Settings, merged
from clustersim.store import ChoiceError
from clustersim.studies.study import Answer, named, plain


@dataclass(frozen=True)
class Difference:
    """How a scenario's ETTR differs from the baseline's, paired replication by replication."""

    name: str
    baseline: str
    ettr: Estimate
    effective_gpus: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Return the difference as `compare --json` prints it."""
        return {
            "name": self.name,
            "baseline": self.baseline,
            "ettr_difference": plain(self.ettr),
            "effective_gpus_difference": plain(self.effective_gpus),
            "distinguishable": self.ettr.distinguishable,
        }

    @property
    def advice(self) -> Advice:
        """The difference in a sentence, or that there is none that can be distinguished."""
        ettr, cards = self.ettr, self.effective_gpus
        gap = points(ettr.mean, ettr.half_width)
        text = f"{self.name} and {self.baseline} are not distinguishable (ETTR {gap})."
        if ettr.half_width is None or ettr.distinguishable:
            more = f"{'+' if cards.mean > 0 else ''}{plus_minus(cards.mean, cards.half_width)}"
            text = f"{self.name} against {self.baseline}: ETTR {gap}, {more} effective cards"
            unsure = ", in one replication, which does not tell how sure that is"
            text += "." if ettr.distinguishable else f"{unsure}."
        return Advice(text)


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


class Comparison(Answer):
    """Several runs side by side: differences to a baseline, and what each step in size returns."""

    file = folders.COMPARISON

    def __init__(self, results: Sequence[Results], baseline: str | None = None) -> None:
        self.results = tuple(results)
        names = [results.name for results in self.results]
        self.baseline = names[0] if baseline is None else baseline
        _refuse_unknown(self.baseline, names)

    def __repr__(self) -> str:
        names = ", ".join(results.name for results in self.results)
        return f"<Comparison of {names} to {self.baseline}>"

    @cached_property
    def differences(self) -> tuple[Difference, ...]:
        """The paired differences of all others to the baseline, in the order given."""
        base = next(results for results in self.results if results.name == self.baseline)
        return tuple(_difference(other, base) for other in self.results if other is not base)

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
        """What each step in size returns, or each difference where all have the same size."""
        sizes = {results.scenario.cluster.gpus for results in self.results}
        gaps: Sequence[SizeStep | Difference] = self.steps if len(sizes) > 1 else self.differences
        return [each.advice for each in gaps]

    def to_dict(self) -> dict[str, Any]:
        """Return what `compare --json` prints."""
        return {
            "scenarios": [results.summary for results in self.results],
            "baseline": self.baseline,
            "differences": [difference.to_dict() for difference in self.differences],
            "steps": [step.to_dict() for step in self.steps],
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
    ettr, cards = (_paired(metric, other, base) for metric in ("ettr", "effective_gpus"))
    return Difference(other.name, base.name, ettr, cards)


def _step(smaller: Results, larger: Results) -> SizeStep:
    extra = larger.scenario.cluster.gpus - smaller.scenario.cluster.gpus
    return SizeStep(smaller.name, larger.name, extra, _paired("effective_gpus", larger, smaller))


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
