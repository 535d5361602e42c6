"""The scenario of a fitted fleet: what it says of failures, of their counts, and of what is open."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from clustersim.engine.replication import simulate
from clustersim.estimate import ConfidenceInterval
from clustersim.fitting.answer import away_in_words, in_ends
from clustersim.fitting.causes import CauseFit, Relapsing, fit_causes
from clustersim.fitting.fit import fit_history
from clustersim.fitting.histories import history_of
from clustersim.fitting.likelihood import RANGES, Maximum, Model
from clustersim.fitting.repairs import RepairLaw, RepairsSeen
from clustersim.fitting.selection import Selection
from clustersim.fitting.spells import Bursts
from clustersim.fitting.writing import _range, comments, fleet_document, mode, repair, text_of, uncertain
from clustersim.formatting import NOTHING
from clustersim.logs.history import History
from clustersim.scenario import Scenario, loads
from clustersim.settings import Settings
from clustersim.store import ChoiceError
from clustersim.units import DAY, HOUR
from tests.unit.fitting.made import Peak, cause


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
    ("cause", "name"),
    [
        ("checkpoint", "failure checkpoint"),
        ("maintenance", "failure maintenance"),
        ("显卡掉线", "显卡掉线"),
        ("a: b # c", "a b c"),
        ("\x1b[31m", "31m"),
        ("x" * 500, "x" * 40),
        ("0", "0"),
        ("?", "failure"),
    ],
)
def test_names_of_causes_may_be_anything(cause: str, name: str) -> None:
    log = History.of([DAY, 2 * DAY], 8, 30 * DAY, node=[1, 2], cause=[0, 0], causes=[cause])
    causes = fit_causes(log)
    found = loads(text_of(log, causes, fleet_document(log, causes, "names", "log.csv", 0)))
    assert list(found.failures) == [name]


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
        ((4, 3, 2, 1), "a 40 %, b 30 %, c 20 %"),
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


ALL = Model("gamma", new=True, lemons=True, within=3 * DAY, until=30 * DAY)
SEEN = RepairsSeen(HOUR, 2 * HOUR, 30, 3)


def estimated(**values: float) -> dict[str, ConfidenceInterval]:
    return {name: ConfidenceInterval(value, value / 2, 2 * value) for name, value in values.items()}


def test_a_mode_says_all_that_was_found() -> None:
    law = RepairLaw("lognormal", SEEN, estimated(median_s=3 * HOUR, sigma=1.5), 48 * HOUR)
    found = cause(ALL, transient=10, bursts=Bursts(6, 24, 0.5, 1e-9, 4), repair=law)
    assert mode(found, "training") == {
        "per": "node",
        "mtbf": "20 d",
        "lifetime": {"gamma": {"shape": 0.7}},
        "ages": "new",
        "clock": "training",
        "lemons": {"share": "10 %", "factor": 8.0},
        "relapse": {"probability": "30 %", "within": "3 d"},
        "over_time": {"0 d": 5.0, "30 d": 1},
        "spreads": {"to": "rack", "probability": "15 %"},
        "transient": "25 %",
        "repair": {"lognormal": {"median": "3 h", "sigma": 1.5, "at_most": "2 d"}},
    }
    sigma = mode(cause(Model("lognormal")), "calendar")
    assert sigma == {"per": "node", "mtbf": "20 d", "lifetime": {"lognormal": {"sigma": 0.7}}}


@pytest.mark.parametrize(
    ("law", "said"),
    [
        (RepairLaw("constant", SEEN), "1 h"),
        (RepairLaw("empirical", SEEN, listed=(60.0, 7200.0)), {"empirical": ["60 s", "2 h"]}),
        (RepairLaw("exponential", SEEN, estimated(mean_s=HOUR)), {"exponential": {"mean": "1 h"}}),
        (
            RepairLaw("lognormal", SEEN, estimated(median_s=HOUR, sigma=1.0)),
            {"lognormal": {"median": "1 h", "sigma": 1.0}},
        ),
    ],
)
def test_a_repair_is_said_by_its_law(law: RepairLaw, said: object) -> None:
    assert repair(law) == said


def test_a_mode_of_the_job_has_a_clock_and_no_share_that_is_transient() -> None:
    law = RepairLaw("constant", SEEN)
    said = mode(cause(per="job", transient=10, repair=law), "calendar")
    assert said == {"per": "job", "mtbf": "20 d", "clock": "calendar", "repair": "1 h"}
    assert "transient" not in mode(cause(repair=law), "calendar")
    assert "transient" not in mode(cause(transient=10), "calendar")


def test_what_is_open_is_from_the_5_percent_to_the_95_percent_point() -> None:
    """1.6449 standard deviations of 0.1, of a share by its logit; of a count in its exposure the count."""
    law = RepairLaw("exponential", SEEN, {"mean_s": ConfidenceInterval(DAY, DAY / math.e, DAY * math.e)})
    found = cause(ALL, transient=10, bursts=Bursts(6, 24, 0.5, 1e-9, 4), repair=law)
    open_ = uncertain(found)
    # 20 d times e to the power of -0.16449 and 0.16449, and so on.
    assert open_.pop("mtbf") == "16.97 d to 23.58 d"
    assert open_.pop("lifetime.gamma.shape") == "0.5938 to 0.8252"
    assert open_.pop("relapse.probability") == "26.66 % to 33.56 %"
    # A day times e to the power of -1.6449 / 1.96 and 1.6449 / 1.96.
    assert open_.pop("repair.exponential.mean") == "10.37 h to 2.315 d"
    assert open_.keys() == {"spreads.probability", "transient"}
    law = RepairLaw(
        "lognormal", SEEN, {"median_s": law.parameters["mean_s"], "sigma": ConfidenceInterval(1, 0.5, 2)}
    )
    assert uncertain(cause(repair=law)).keys() == {"mtbf", "repair.lognormal.median"}
    assert uncertain(cause()) == {"mtbf": {"counted": "40 in 800 node-days"}}
    assert uncertain(cause(per="job")) == {"mtbf": {"counted": "40 in 800 days"}}


@pytest.mark.parametrize(("transient", "count"), [(9, 40), (31, 40)])
def test_a_share_of_fewer_than_ten_is_not_open(transient: int, count: int) -> None:
    law = RepairLaw("constant", SEEN)
    assert "transient" not in uncertain(cause(transient=transient, count=count, repair=law))
    assert "transient" in uncertain(cause(transient=10, count=20, repair=law))
    assert "transient" not in uncertain(cause(transient=10, count=20, repair=law, per="job"))


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        ((4.0, 4.0, 9.0), None),
        ((4.0, 2.0, 4.0), None),
        ((4.0, None, 9.0), None),
        ((4.0, 1.01, 9.0), None),
        ((4.0, 2.0, 1000.0), None),
        ((4.0, 3.99999, 4.00001), None),
        ((4.0, 2.0, 8.0), "2.236 to 7.156"),
    ],
)
def test_a_range_needs_both_ends(estimate: tuple[float, float | None, float], text: str | None) -> None:
    """4 times 2 to the power of -1.6449 / 1.96 and 1.6449 / 1.96; what ends with the search is not known."""
    assert _range("factor", ConfidenceInterval(*estimate)) == text


def test_the_rate_of_a_cause_with_lemons_is_open_for_that_share_and_factor() -> None:
    """Rate, share and factor are known together far better than each: only the rest of the rate is open."""
    at = {"mtbf_s": 20 * DAY, "share": 0.1, "factor": 8.0}

    class Ridge(Peak):
        def __call__(self, values: Mapping[str, float]) -> float:
            inner = {name: RANGES[name].inner for name in at}
            x, y, z = ((inner[name](values[name]) - inner[name](at[name])) / 0.1 for name in at)
            return -(x * x - 1.2 * x * (y + z) + y * y + z * z) / (2 * 0.36)

    best = Maximum(Ridge(at), at, 0.0, Model(lemons=True))
    found = cause(selection=Selection(best, best, {}, 0.01))
    # 20 d times e to the power of -0.6 * 0.16449 and 0.6 * 0.16449.
    assert uncertain(found) == {"mtbf": "18.12 d to 22.07 d"}


def log_of(**changes: Any) -> History:
    return replace(History.of([DAY, 2 * DAY], 21, 30 * DAY, node=[0, 1]), **changes)


def test_a_fleet_has_spares_of_whole_racks_beside_its_cards() -> None:
    burst = Bursts(6, 24, 0.5, 1e-9, 4)
    causes = {"a": cause(), "b": cause(name="b", bursts=burst)}
    said = fleet_document(log_of(), causes, "fleet", "log.csv", 7)
    assert said["cluster"] == {
        "gpus": 8 * (21 - 4), "nodes_per_rack": 4, "spares": 4, "spare_failures": "100 %"
    }  # fmt: skip
    assert said["name"] == "fleet"
    assert said["simulation"] == {"horizon": "30 d"}
    assert set(said["failures"]) == {"a", "b"}
    assert set(said["uncertain"]) == {"failures.a.mtbf", "failures.b.mtbf", "failures.b.spreads.probability"}
    assert said["sources"].keys() >= {"cluster.gpus", "cluster.spares", "failures.a", "failures.b"}
    assert "21 nodes in log.csv" in said["sources"]["cluster.gpus"]
    none = fleet_document(log_of(), {"a": cause()}, "fleet", "log.csv", 0)
    assert none["cluster"] == {"gpus": 8 * 21}
    stages = {"detect": "1 min", "nodes": "wait", "restart": "5 min", "load": "checkpoint"}
    assert none["recovery"] == {"stages": stages}
    assert "cluster.spares" not in none["sources"]
    chance = {"a": cause(bursts=replace(burst, p_value=0.01))}
    assert fleet_document(log_of(), chance, "fleet", "log.csv", 7)["cluster"]["spares"] == 7


@pytest.mark.parametrize(
    ("per", "words"), [("node", ""), ("job", " of the job"), ("cluster", " of the site")]
)
def test_each_cause_has_its_source(per: str, words: str) -> None:
    said = fleet_document(log_of(), {"a": cause(per=per)}, "fleet", "log.csv", 0)["sources"]["failures.a"]
    assert said == f"fitted by clustersim fit to log.csv: 40 failures{words}"


def test_what_was_counted_stands_above_the_scenario() -> None:
    rows = {"total": 1234, "used": 1200, "inside_absence": 34, "open": 0}
    bursts = Bursts(6, 24, 0.5, 1e-9, 0)
    repaired = RepairLaw("constant", SEEN)
    full = cause(repair=repaired, relapse=Relapsing(9, 36, 0.0123), bursts=bursts)
    assert list(comments(log_of(rows=rows), {"a": full, "b": cause(name="b")})) == [
        "21 nodes for 30.00 d: 630 node-days",
        "rows of the log: 1,234 total, 1,200 used, 34 inside absence",
        "a: 40, 40.0 per 1000 node-days (95 %: 28.6 to 54.5)",
        "  30 repairs, median 1 h, mean 2 h; 3 not over",
        "  after 25 % of the repairs the node failed again within a day (1.2 % by chance)",
        "  24 of them in 6 bursts, which the fleet below does not have",
        "b: 40, 40.0 per 1000 node-days (95 %: 28.6 to 54.5)",
    ]
    for told in (replace(bursts, domain=4), replace(bursts, p_value=0.01)):
        lines = list(comments(log_of(), {"a": cause(bursts=told)}))
        assert len(lines) == 3
    assert next(comments(log_of(window_s=DAY), {})).startswith("21 nodes for 1.000 d:")
    assert next(comments(log_of(window_s=DAY - 60), {})).startswith("21 nodes for 24.0 h:")
