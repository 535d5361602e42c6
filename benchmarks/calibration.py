"""Does a 95 % interval hold the truth in 95 of 100 experiments?  Repeated experiments with known answers.

Each experiment has a seed of its own and goes through what a user calls: the summary of a run, `compare`,
`tune`, `levers`, a run for a given precision.  The truth is `known_answers.Plant`'s, exact for a finite run.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from known_answers import Plant

from clustersim.arrays import Floats
from clustersim.estimate import CONFIDENCE, Estimate, mean_of
from clustersim.experiment import Point, simulate_all
from clustersim.metrics.cells import number_at
from clustersim.results import Results
from clustersim.scenario.drawing import drawn, values_at
from clustersim.scenario.keys.uncertain import Uniform
from clustersim.scenario.loading import variant
from clustersim.scenario.model import Scenario
from clustersim.settings import Settings
from clustersim.store import ReplicationStore
from clustersim.studies.compare import Comparison
from clustersim.studies.indices import Function, sensitivity_of
from clustersim.studies.levers import levers
from clustersim.studies.tune import Tuning, tune

EXPERIMENTS = 1000
OF_INPUTS = 0.8475, 0.945
MOST_OF_INPUTS = 400
"""Experiments with uncertain inputs, each of which makes a scenario of every draw."""
DRAWS = 60
"""As many show whether it holds; a run has 200, which take a quarter of an hour of computing."""
CANDIDATES = 20
NOTHING = 1e-9
LOW, HIGH = 0.93, 0.97
ANY = 0.0, 1.0
CHANCE = 0.025
"""Share of gains that may be claimed where there are none: those above a 95 % interval."""
HERE = Settings(workers=1)

USUAL = Plant(horizon=10 * 3600.0)
RANDOM = replace(USUAL, random_restart=True, restart=900.0)
SHORT = replace(USUAL, horizon=3600.0)
RARE = Plant(horizon=360.0, interval=100.0, blocks=5.0)
HOPELESS = Plant(restart=3.5 * 3600.0, horizon=150 * 3600.0, interval=900.0, blocks=60.0)


@dataclass
class Row:
    """How often an interval of one kind held the truth: for each experiment its error and its half-width."""

    title: str
    band: tuple[float, float] = (LOW, HIGH)
    errors: list[float] = field(default_factory=list)
    widths: list[float] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)

    def add(self, mean: float, half_width: float | None, count: int, truth: float) -> None:
        """Count one experiment; one without an interval does not hold the truth."""
        self.errors.append(mean - truth)
        self.widths.append(half_width or 0.0)
        self.counts.append(count)

    def take(self, estimate: Estimate, truth: float) -> None:
        """Count the experiment that ended with this *estimate*."""
        self.add(estimate.mean, estimate.half_width, estimate.count, truth)

    @property
    def held(self) -> int:
        """In how many experiments the interval held the truth."""
        return sum(abs(error) <= width for error, width in zip(self.errors, self.widths, strict=True))

    @property
    def coverage(self) -> float:
        """In which share of them."""
        return self.held / len(self.errors)

    @property
    def sound(self) -> bool:
        """Whether that lies within the band that is wanted."""
        return not self.errors or self.band[0] <= self.coverage <= self.band[1]

    @property
    def p_value(self) -> float:
        """Probability of a coverage so far from 95 % by chance (two-sided binomial test)."""
        from scipy.stats import binomtest

        return float(binomtest(self.held, len(self.errors), CONFIDENCE).pvalue)

    @property
    def bias(self) -> tuple[float, float]:
        """Mean error and its standard error, in mean half-widths."""
        unit = float(np.mean(self.widths)) or math.nan
        error = float(np.std(self.errors, ddof=1)) / math.sqrt(len(self.errors))
        return float(np.mean(self.errors)) / unit, error / unit

    def __str__(self) -> str:
        if len(self.errors) < 2:
            return f"| {self.title} | | {len(self.errors)} | | | |"
        bias, error = self.bias
        mark = "" if self.sound else " *"
        return (
            f"| {self.title} | {_counts(self.counts)} | {len(self.errors)} | {self.coverage:.1%}{mark}"
            f" | {self.p_value:.2g} | {bias:+.2f} ± {error:.2f} |"
        )


@dataclass
class Share:
    """How often something was so, and the band in which this share should lie."""

    title: str
    count: int
    band: tuple[float, float] = ANY
    seen: list[bool] = field(default_factory=list)

    @property
    def share(self) -> float:
        """In which share of the experiments it was so."""
        return sum(self.seen) / len(self.seen)

    @property
    def sound(self) -> bool:
        """Whether that lies within the band that is wanted."""
        return self.band[0] <= self.share <= self.band[1]

    def __str__(self) -> str:
        mark = "" if self.sound else " *"
        return f"| {self.title} | {self.count} | {len(self.seen)} | {self.share:.1%}{mark} | | |"


HEADING = (
    "| what | replications | experiments | interval holds the truth | p | bias in half-widths |\n"
    "| --- | --- | --- | --- | --- | --- |"
)


def _counts(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low}" if low == high else f"{np.mean(counts):.0f} ({low} to {high})"


def scenario(plant: Plant, name: str, seed: int, **simulation: int | str) -> Scenario:
    return Scenario.model_validate(plant.document(seed, **simulation) | {"name": name})


def finished(made: Scenario, store: ReplicationStore) -> Results:
    """Return the results of *made* as a run ends, going on from what is in the *store*."""
    point = Point.of(made, store)
    simulate_all([point], HERE)
    return Results.of(made, point.records, {})


def means(
    title: str,
    plant: Plant,
    paths: Sequence[str],
    experiments: int,
    counts: Sequence[int] = (),
    precisions: Sequence[str] = (),
) -> Iterator[Row]:
    """Yield a row for each figure of a summary, by path, after so many replications; and where ETTR stops."""
    answers = plant.answers()
    kept = {count: {path: Row(f"{path}, {title}") for path in paths} for count in counts}
    stopped = {width: Row(f"ettr, {title}, precision {width}") for width in precisions}
    for seed in range(experiments):
        store = ReplicationStore()
        for count, rows in kept.items():
            summary = finished(scenario(plant, "plant", seed, replications=count), store).summary
            for path, row in rows.items():
                found = number_at(summary, path)
                if found is not None:
                    row.add(found, summary["margins"][path], count, answers[path])
        for width, row in stopped.items():
            results = finished(scenario(plant, "plant", seed, precision=width), store)
            row.take(mean_of(results.ettr_by_replication), plant.ettr)
    for rows in kept.values():
        yield from rows.values()
    yield from stopped.values()


def differences(plants: Mapping[str, Plant], experiments: int, **simulation: int | str) -> Iterator[Row]:
    """Yield a row for each difference that a comparison of the first of *plants* to the others reports."""
    (now, usual), *others = plants.items()
    stop = ", ".join(f"{name} {value}" for name, value in simulation.items() if name == "precision")
    rows = {name: Row(f"ETTR difference, {name}{', ' * bool(stop)}{stop}") for name, _ in others}
    truths = {name: plant.ettr - usual.ettr for name, plant in others}
    for seed in range(experiments):
        results = [
            finished(scenario(plant, name, seed, **simulation), ReplicationStore())
            for name, plant in plants.items()
        ]
        for difference in Comparison(results, now).differences:
            rows[difference.name].take(difference.ettr, truths[difference.name])
    yield from rows.values()


def tuned(title: str, plant: Plant, count: int, experiments: int) -> Iterator[Row | Share]:
    """Yield what `tune` reports of an interval *title* today, against the truth about what it recommends.

    Last what it would report of the replications that chose, were there no fresh ones.
    """
    optimum, truth = best_interval(plant), Truth(plant)
    gained, best = Row(f"gain over today's, {title}"), Row(f"ETTR at the best, {title}")
    claimed = Row(f"gain over today's where one is claimed, {title}", (LOW, 1.0))
    praised = Row(f"not reported: ETTR at the best on the replications that chose it, {title}", ANY)
    lucky = Row(f"not reported: gain on the replications that chose, {title}", ANY)
    within = Share(f"share of ranges that hold the true optimum, {title}", count, (CONFIDENCE, 1.0))
    none = truth(optimum) - plant.ettr < NOTHING
    told = Share(f"share of gains that are claimed, {title}", count, (0.0, CHANCE) if none else ANY)
    for seed in range(experiments):
        found = tune(scenario(plant, "plant", seed, replications=count), candidates=CANDIDATES, settings=HERE)
        (gain,) = (gain for gain in found.gains if gain.over == "now")
        worth = truth(found.recommended_s) - plant.ettr
        gained.take(gain.worth.ettr, worth)
        if gain.distinguishable:
            claimed.take(gain.worth.ettr, worth)
        best.take(found.ettr_at_best, truth(found.best_s))
        chosen, now = at(found, found.best_s), at(found, found.now_s)
        praised.take(chosen, truth(found.best_s))
        lucky.add(chosen.mean - now.mean, gain.worth.ettr.half_width, count, truth(found.best_s) - plant.ettr)
        within.seen.append(found.range_s[0] <= optimum <= found.range_s[1])
        told.seen.append(gain.distinguishable)
    yield from (gained, best, claimed, told, within, praised, lucky)


def at(found: Tuning, interval: float) -> Estimate:
    """Return the ETTR of a candidate on the replications that chose."""
    return next(one.ettr for one in found.curve if one.interval_s == interval)


class Truth:
    """The ETTR of a plant with other intervals."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._known: dict[float, float] = {}

    def __call__(self, interval: float) -> float:
        """Return it for an *interval* (s)."""
        if interval not in self._known:
            self._known[interval] = replace(self._plant, interval=interval).ettr
        return self._known[interval]


def best_interval(plant: Plant) -> float:
    """Return the interval with the highest expected ETTR over the plant's own run (s)."""
    from scipy.optimize import minimize_scalar

    from clustersim import theory

    near, truth = theory.optimal(plant.mtbf, plant.blocks), Truth(plant)
    found = minimize_scalar(lambda one: -truth(float(one)), bounds=(near / 1.5, near * 1.5), method="bounded")
    return float(found.x)


def ranked(modes: int, count: int, experiments: int) -> Iterator[Row]:
    """Yield the gain of the first of `levers`, and of any one, where *modes* of them are equally good."""
    fixed = Row("gain of one lever, wherever it comes")
    first = Row(f"gain of the first of {modes} equal levers")
    truth = replace(USUAL, mtbf=USUAL.mtbf * modes / (modes - 0.5)).ettr - USUAL.ettr
    each = {
        f"mode {number}": {"per": "job", "mtbf": f"{modes} h", "clock": "calendar"} for number in range(modes)
    }
    names = [f"halve {name} failures" for name in each]
    for seed in range(experiments):
        made = Scenario.model_validate(USUAL.document(seed, replications=count) | {"failures": each})
        found = levers(made, settings=HERE).by_name
        fixed.take(found[names[0]].worth.ettr, truth)
        first.take(next(one for name, one in found.items() if name in names).worth.ettr, truth)
    yield from (fixed, first)


INPUTS = {"failures.any.mtbf": {"counted": "10 in 10 job-hours"}, "recovery.stages.restart": "3 to 9 min"}
"""What is not known well of the usual plant: failures that were counted, and a guess."""


def uncertain(plant: Plant, draws: int, experiments: int) -> Iterator[Row | Share]:
    """Yield how often uncertain inputs, and chance, hold the truth.

    For the inputs that is the ETTR of other inputs, drawn from the same laws; for chance the mean of the
    draws that were made, each of which has a known ETTR.
    """
    chance = Row(f"chance part of the mean, {draws} draws of the inputs")
    title = f"share of 90 % ranges of the inputs that hold the truth, {draws} draws"
    held = Share(title, 2 * draws, OF_INPUTS)
    for seed in range(experiments):
        made = Scenario.model_validate(
            plant.document(seed) | {"uncertain": INPUTS, "uncertainty": {"draws": draws}}
        )
        summary = finished(made, ReplicationStore()).summary
        spread = [known(plant, one).ettr for one in drawn(made, range(draws))]
        chance.add(summary["ettr"]["mean"], summary["half_width"], draws, float(np.mean(spread)))
        shares = dict(zip(INPUTS, np.random.default_rng(seed).random(len(INPUTS)).tolist(), strict=True))
        truth = known(plant, variant(made, values_at(made, shares))).ettr
        inputs = summary["ettr"]["inputs"]
        held.seen.append(inputs["p5"] <= truth <= inputs["p95"])
    yield from (chance, held)


def known(plant: Plant, made: Scenario) -> Plant:
    """Return the *plant* with the inputs of a scenario that was drawn."""
    restart = made.recovery.stages[-1].duration.mean
    return replace(plant, mtbf=made.failures["any"].mtbf, restart=restart)


def noisy(rng: np.random.Generator, sd: float, weights: Sequence[float]) -> Function:
    """Return a linear function with two values for each point, each with normal noise of its own."""

    def function(values: Floats) -> Floats:
        return np.asarray((values @ np.asarray(weights))[:, None] + rng.normal(0, sd, (len(values), 2)))

    return function


def idle_found(experiments: int) -> int:
    """Return in how many experiments an input that does nothing is told from 0, beside two that do something.

    Half of the variance and more is noise.
    """
    rng, laws, told = np.random.default_rng(7), {name: Uniform(0.0, 1.0) for name in ("a", "b", "idle")}, 0
    for seed in range(experiments):
        found = sensitivity_of(noisy(rng, 1.0, [1.0, 1.0, 0.0]), laws, samples=64, seed=seed)
        told += any(index.path == "idle" and index.distinguishable for index in found.indices)
    return told


PATHS = (
    "ettr",
    "availability",
    "ledger.lost",
    "ledger.checkpoint",
    "ledger.recovery",
    "interruptions_per_day",
    "mtti_s",
    "incidents_per_day",
    "cost.per_effective_gpu_hour",
)
FEW = ("ettr", "interruptions_per_day")
Section = Callable[[int], Iterator[Row | Share]]


def of_means(experiments: int) -> Iterator[Row | Share]:
    """Means and ratios, of a fixed number of replications and of as many as a precision asks for."""
    yield from means("10 failures each", USUAL, PATHS, experiments, (8, 32), ("1.4 pp",))
    yield from means("restarts at random", RANDOM, FEW, experiments, (8, 16))
    yield from means("1 failure each", SHORT, FEW, experiments, (8, 32), ("4 pp",))
    yield from means("ETTR 0.03", HOPELESS, FEW, experiments, (8, 32), ("0.6 pp",))


def of_differences(experiments: int) -> Iterator[Row | Share]:
    """Paired differences, as `compare` reports them."""
    others = {
        "interval twice as long": replace(USUAL, interval=2 * USUAL.interval),
        "restart half as long": replace(USUAL, restart=USUAL.restart / 2),
        "4 times the failures": replace(USUAL, mtbf=USUAL.mtbf / 4),
    }
    yield from differences({"now": USUAL} | others, experiments, replications=8)
    other = "4 times the failures"
    yield from differences({"now": USUAL, other: others[other]}, experiments, precision="1.4 pp")


def of_tuning(experiments: int) -> Iterator[Row | Share]:
    """What `tune` says is gained."""
    best = best_interval(USUAL)
    for title, interval in (("twice the best", 2 * best), ("the best", best)):
        yield from tuned(title, replace(USUAL, interval=interval), 12, experiments)


def of_limits(experiments: int) -> Iterator[Row | Share]:
    """Where an interval promises too much: a run in which little happens, the best of several."""
    yield from means("1 failure in 10 replications", RARE, FEW[:1], experiments, (8, 16, 32, 64))
    yield from means("1 failure in 10 replications", RARE, (), experiments // 4, (), ("2 pp",))
    yield from ranked(6, 8, experiments // 4)


def of_inputs(experiments: int, draws: int = DRAWS) -> Iterator[Row | Share]:
    """Chance and uncertain inputs, kept apart."""
    yield from uncertain(USUAL, draws, min(experiments, MOST_OF_INPUTS))
    idle = Share("an idle input told from 0 by its index, under noise", 2, (0.0, 0.105))
    count = min(experiments, 200)
    told = idle_found(count)
    idle.seen += [True] * told + [False] * (count - told)
    yield idle


SECTIONS: dict[str, Section] = {
    "means": of_means,
    "differences": of_differences,
    "tuning": of_tuning,
    "inputs": of_inputs,
    "limits": of_limits,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("section", nargs="?", choices=SECTIONS, help="all, unless one is named")
    parser.add_argument("--experiments", type=int, default=EXPERIMENTS)
    parser.add_argument("--draws", type=int, default=DRAWS, help="of uncertain inputs")
    asked = parser.parse_args()
    sections = SECTIONS | {"inputs": partial(of_inputs, draws=asked.draws)}
    print(HEADING)
    for name in [asked.section] if asked.section else SECTIONS:
        for row in sections[name](asked.experiments):
            print(row, flush=True)


if __name__ == "__main__":
    main()
