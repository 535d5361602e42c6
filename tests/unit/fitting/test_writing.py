"""The scenario of a fitted fleet: what it says of failures, of their counts, and of what is open."""

from __future__ import annotations

import math

import numpy as np
import pytest

from clustersim.engine.replication import simulate
from clustersim.estimate import ConfidenceInterval
from clustersim.fitting.answer import away_in_words, in_ends
from clustersim.fitting.causes import CauseFit, fit_causes
from clustersim.fitting.fit import fit_history
from clustersim.fitting.histories import history_of
from clustersim.fitting.writing import fleet_document, mode, text_of, uncertain
from clustersim.formatting import NOTHING
from clustersim.logs.history import History
from clustersim.scenario import Scenario, loads
from clustersim.settings import Settings
from clustersim.store import ChoiceError
from clustersim.units import DAY, HOUR


def fleet(failures: str, cluster: str = "gpus: 1600", days: int = 300) -> Scenario:
    head = f"name: fleet\ncluster: {{{cluster}}}\nfailures: {{{failures}}}\n"
    rest = "checkpoint: none\nrecovery: {stages: {nodes: wait}}\n"
    return loads(f"{head}{rest}simulation: {{horizon: {days} d}}\n")


def fitted(failures: str, cluster: str = "gpus: 1600") -> tuple[History, dict[str, CauseFit]]:
    scenario = fleet(failures, cluster)
    log = history_of(scenario, simulate(scenario, 3))
    return log, fit_causes(log)


def written(failures: str, cluster: str = "gpus: 1600") -> Scenario:
    """Return the scenario that the log of a fleet with these *failures* makes."""
    log, causes = fitted(failures, cluster)
    return loads(text_of(log, causes, fleet_document(log, causes, "fitted", "log.csv", 4)))


def test_a_plain_cause_is_an_observed_count() -> None:
    log, causes = fitted("a: {per: node, mtbf: 60 d, repair: {exponential: {mean: 2 d}}}")
    said, open_ = mode(causes["a"], log.clock), uncertain(causes["a"])
    assert set(said) == {"per", "mtbf", "repair"}
    count, _, exposure = open_["mtbf"]["counted"].partition(" in ")
    assert int(count) == causes["a"].count
    in_service = log.node_days - np.sum(np.minimum(log.end_s, log.window_s) - log.time_s) / DAY
    assert float(exposure.removesuffix(" node-days")) == pytest.approx(in_service, rel=1e-5)
    assert set(open_) == {"mtbf", "repair.exponential.mean"}


FLEETS = {
    "lemons": ("a: {per: node, mtbf: 60 d, lemons: {share: 10 %, factor: 8}, repair: 1 d}", "lemons"),
    "relapse": (
        "a: {per: node, mtbf: 60 d, relapse: {probability: 30 %, within: 1 d}, repair: 1 d}",
        "relapse",
    ),
    "burn-in": ("a: {per: node, mtbf: 60 d, over_time: {0 d: 5, 30 d: 1}, repair: 1 d}", "over_time"),
    "wear-out": ("a: {per: node, mtbf: 40 d, lifetime: {weibull: {shape: 3}}, repair: 1 d}", "lifetime"),
}


@pytest.mark.parametrize("name", FLEETS)
def test_what_is_found_is_written_and_nothing_else(name: str) -> None:
    failures, key = FLEETS[name]
    log, causes = fitted(failures)
    said = mode(causes["a"], log.clock)
    assert set(said) == {"per", "mtbf", "repair", key}
    found = written(failures).failures["a"]
    assert getattr(found, key) if key != "lifetime" else found.lifetime.mean == found.mtbf


def test_racks_that_fail_as_a_whole() -> None:
    failures = "a: {per: node, mtbf: 60 d, repair: 1 d, spreads: {to: rack, probability: 20 %}}"
    found = written(failures, "gpus: 1600, nodes_per_rack: 4")
    assert found.cluster.rack_nodes == 4
    assert found.failures["a"].spreads is not None
    assert found.failures["a"].spreads.probability == pytest.approx(0.2, abs=0.05)


def test_causes_of_a_job_a_site_and_nodes_are_told_apart() -> None:
    times, nodes = [DAY, 2 * DAY, 3 * DAY, 4 * DAY], [-1, -1, 5, 6]
    log = History.of(times, 10, 30 * DAY, node=nodes, end_s=[math.nan, 2.5 * DAY, math.nan, 5 * DAY])
    causes = fit_causes(log)
    assert {name: fit.per for name, fit in causes.items()} == {
        "failure": "node",
        "failure of the job": "job",
        "failure of the site": "cluster",
    }
    said = mode(causes["failure"], log.clock)
    assert said["transient"] == "50 %"
    assert mode(causes["failure of the site"], log.clock)["repair"] == {"exponential": {"mean": "12 h"}}
    loads(text_of(log, causes, fleet_document(log, causes, "mixed", "log.csv", 0)))


@pytest.mark.parametrize(
    "cause", ["checkpoint", "maintenance", "显卡掉线", "a: b # c", "\x1b[31m", "x" * 500, "0"]
)
def test_names_of_causes_may_be_anything(cause: str) -> None:
    log = History.of([DAY, 2 * DAY], 8, 30 * DAY, node=[1, 2], cause=[0, 0], causes=[cause])
    causes = fit_causes(log)
    found = loads(text_of(log, causes, fleet_document(log, causes, "names", "log.csv", 0)))
    assert len(found.failures) == 1


def test_failures_all_at_once_and_absences_of_no_length_do_no_harm() -> None:
    log = History.of([5 * DAY] * 30, 30, 30 * DAY, node=np.arange(30), end_s=np.full(30, 5 * DAY + HOUR))
    found = fit_history(log, "once", "log.csv")
    assert found.causes["failure"].repair is not None
    assert found.causes["failure"].repair.law == "constant"


def test_a_log_without_failures_or_with_too_many_causes_is_refused() -> None:
    with pytest.raises(ChoiceError, match="none of 0 rows is a failure"):
        fit_history(History.of([], 8, 30 * DAY), "none", "log.csv")
    many = History.of(np.arange(101.0), 8, 30 * DAY, cause=np.arange(101), causes=list(map(str, range(101))))
    with pytest.raises(ChoiceError, match="101 causes, 100 are possible"):
        fit_history(many, "many", "log.csv")


def test_how_many_histories_is_no_matter_of_the_scenario() -> None:
    log = History.of([DAY, 2 * DAY], 8, 30 * DAY, node=[1, 2])
    found = fit_history(log, "few", "log.csv", settings=Settings(replications=3, seed=7, workers=1))
    assert (found.replications, found.scenario.simulation.seed) == (3, 7)
    assert all(each.inside is None for each in found.checked)


@pytest.mark.parametrize(
    ("counts", "most"),
    [
        ((1, 1), ""),
        ((3, 1), "a 75 %, b 25 %"),
        ((4, 2, 2, 2), "a 40 %"),
        ((2, 2, 1, 1), "a 33 %, b 33 %"),
        ((2, 2, 2, 2), ""),
        ((3,), ""),
    ],
)
def test_the_most_frequent_causes_are_those_that_others_are_not_as_frequent_as(
    counts: tuple[int, ...], most: str
) -> None:
    cause, times = np.repeat(np.arange(len(counts)), counts), np.arange(sum(counts)) * DAY
    log = History.of(times, 8, 30 * DAY, cause=cause, causes=list("abcd"[: len(counts)]))
    found = fit_history(log, "few", "log.csv", settings=Settings(replications=1, workers=1))
    assert str(found.advice[0]).partition(" The most frequent: ")[2] == (most and f"{most}.")


def test_the_number_of_failures_alone_does_not_say_that_a_fleet_is_like_the_log() -> None:
    log = History.of([DAY, 2 * DAY], 8, 30 * DAY)
    found = fit_history(log, "few", "log.csv", settings=Settings(replications=40, workers=1))
    assert [each.figure for each in found.checked if each.inside is not None] == ["failures"]
    assert "only the number of failures can be compared" in str(found.advice[1])


def test_a_repair_that_is_not_over_and_features_of_rarer_causes_are_told() -> None:
    """Of six causes the last is a burn-in alone, and its nodes are never back."""
    rng = np.random.default_rng(3)
    counts = [40, 40, 40, 40, 40, 20]
    times = np.concatenate([rng.uniform(0, 300 * DAY, 200), rng.uniform(0, 7 * DAY, 20)])
    ends = np.concatenate([times[:200] + HOUR, np.full(20, math.inf)])
    node = np.concatenate([rng.integers(0, 380, 200), np.arange(380, 400)])
    cause = np.repeat(np.arange(6), counts)
    log = History.of(
        times, 400, 300 * DAY, end_s=ends, node=node, cause=cause, causes=("a", "b", "c", "d", "e", "f")
    )
    found = fit_history(log, "fleet", "log.csv", settings=Settings(replications=1, workers=1))
    assert found.causes["f"].repair is None
    said = [str(each) for each in found.advice]
    assert "Rarer causes have more than a constant rate too, which scenario.yaml says: f." in said
    assert [each for each in said if each.startswith("f: no repair was over when the log ended")]
    assert away_in_words(found.causes["f"]) == (NOTHING, NOTHING, "20")


def test_what_lies_on_a_bound_of_the_search_is_no_estimate() -> None:
    """Nothing fails in the first 60 days: how much more rarely than later, the log does not say."""
    rng = np.random.default_rng(3)
    times = rng.uniform(60 * DAY, 300 * DAY, 60)
    log = History.of(times, 400, 300 * DAY, end_s=times + HOUR, node=rng.permutation(400)[:60])
    found = fit_history(log, "late", "log.csv", settings=Settings(replications=1, workers=1))
    mean, low, high = found.causes["failure"].known["early"]
    assert (mean, low) == (None, None)
    assert high is not None
    assert found.body()["causes"]["failure"]["trend"]["factor"] == {"mean": None, "low": None, "high": high}
    (said,) = [str(each) for each in found.advice if "in the first" in str(each)]
    assert f"failures came at most {high:.2g} times as often as later." in said
    assert found.scenario.failures["failure"].over_time


@pytest.mark.parametrize(
    ("estimate", "words"),
    [
        ((2.0, 1.0, 3.0), "2 (1 to 3)"),
        ((47.0, 18.0, None), "47 (at least 18)"),
        ((0.4, None, 1.6), "0.4 (at most 1.6)"),
        ((None, 18.0, None), "at least 18"),
        ((None, None, 0.08), "at most 0.08"),
        ((2.0, None, None), "2 (unknown)"),
    ],
)
def test_ends_that_are_not_known_are_not_told(
    estimate: tuple[float | None, float | None, float | None], words: str
) -> None:
    assert in_ends(ConfidenceInterval(*estimate), "{:g}".format) == words
