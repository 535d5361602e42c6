"""The sentences: they say what the numbers say, and nothing where there is nothing to say."""

import re
from typing import Any

import pytest

from clustersim.advice import Advice, advise, verdict
from clustersim.engine.replication import simulate
from clustersim.expectations import expectations
from clustersim.experiment import run
from clustersim.results import Results, summarise
from clustersim.scenario.model import Scenario
from clustersim.studies.compare import compare


def scenario(**changes: Any) -> Scenario:
    return Scenario.model_validate(
        {
            "name": "sample",
            "cluster": {"gpus": 800},
            "failures": {"job": {"per": "job", "mtbf": "5 h"}},
            "checkpoint": {"interval": "20 min", "blocks": "20 s"},
            "recovery": {"stages": {"detect": "1 min", "restart": "20 min"}},
            "simulation": {"horizon": "10 d", "replications": 8},
        }
        | changes
    )


def done(**changes: Any) -> Results:
    return run(scenario(**changes), workers=1)


def told(results: Results, *words: str) -> list[Advice]:
    """What is said about a run, of that what has one of these words in it."""
    every = advise(results.scenario, results.summary)
    return [advice for advice in every if not words or any(word in str(advice) for word in words)]


def test_the_verdict_names_cards_ettr_and_the_largest_loss() -> None:
    results = done()
    found = verdict(results.summary)
    assert str(found).startswith("Of 800 cards 7")
    assert "the largest part of the rest goes into recovery" in str(found)
    assert told(results) == []


def test_the_verdict_tells_what_cards_are_worth_at_their_scaling_efficiency() -> None:
    found = verdict(done(workload={"scaling_efficiency": {800: 0.5}}).summary)
    assert "at a scaling efficiency of 0.5" in str(found)


def test_nothing_is_lost_where_nothing_happens() -> None:
    assert str(verdict(done(failures="none", checkpoint="none").summary)).endswith("; nothing is lost.")


def test_no_progress_names_the_entry_and_what_would_matter() -> None:
    results = done(failures={"job": {"per": "job", "mtbf": "2 min"}})
    assert "makes no progress" in str(verdict(results.summary))
    (found,) = told(results, "What would matter most")
    assert found.warning
    assert "recover faster than failures come" in str(found)
    assert "a restart takes 21 min where something fails every 2 min" in str(found)


def test_an_interval_far_from_the_best() -> None:
    results = done(checkpoint={"interval": "4 h", "blocks": "20 s"})
    (found,) = told(results, "Saving every 4 h")
    assert found.warning
    assert "every 14 min or so would gain" in str(found)  # sqrt(2 x 20 s x 5 h)


def test_another_interval_gains_no_more_than_saves_and_lost_work_take() -> None:
    """One node that waits for its repair for nine days in ten: 46 % of what is left are 5 % of all."""
    mode = {"per": "node", "mtbf": "1 d", "clock": "training", "repair": "9 d"}
    changes = {
        "cluster": {"gpus": 8},
        "failures": {"n": mode},
        "recovery": {"stages": {"nodes": "wait"}},
        "simulation": {"horizon": "1 y", "replications": 32},
    }
    results = done(checkpoint={"interval": "1 min", "blocks": "1 min"}, **changes)
    (found,) = told(results, "Saving every 60 s")
    gained = re.search(r"every 53 min or so would gain about ([\d.]+) % of all card-time", str(found))
    better = done(checkpoint={"interval": "53 min", "blocks": "1 min"}, **changes)
    assert gained is not None
    assert float(gained[1]) <= 100 * (
        results.summary["ledger"]["checkpoint"] + results.summary["ledger"]["lost"]
    )
    gain = 100 * (better.summary["ettr"]["mean"] - results.summary["ettr"]["mean"])
    assert float(gained[1]) == pytest.approx(gain, abs=0.6)


def test_spares_that_suffice_are_a_lower_bound_where_nothing_fails_while_the_job_waits() -> None:
    mode = {"per": "node", "mtbf": "4286 h", "clock": "training", "repair": {"exponential": {"mean": "48 h"}}}
    changes = {
        "failures": {"hardware": mode},
        "expect": {"spares.sufficient_p99": "<= 1"},
        "simulation": {"horizon": "28 d", "replications": 32},
    }
    for spares in (0, 1):
        results = done(cluster={"gpus": 1024, "spares": spares}, **changes)
        (found,) = told(results, "spare")
        assert f"It takes at least {spares + 1} for 99 % of the time" in str(found)
        assert "would have sufficed" not in str(found)
        (broken,) = expectations(results.scenario, results.summary)
        assert f"is unknown (it takes at least {spares + 1}" in str(broken)
    enough = done(cluster={"gpus": 1024, "spares": 8}, **changes).summary
    assert enough["spares"]["sufficient_p99"] in {4, 5}


def test_spares_that_ran_out() -> None:
    failures = {"node": {"per": "node", "mtbf": "50 d", "repair": "6 h"}}
    without = str(*told(done(failures=failures), "spare"))
    assert "would have sufficed for 99 % of the time (cluster.spares)" in without
    few = str(*told(done(failures=failures, cluster={"gpus": 800, "spares": 1}), "spare"))
    assert "The 1 spare node is too few" in few
    assert not told(done(failures=failures, cluster={"gpus": 800, "spares": 60}), "spare")


def test_few_replications_and_a_target_that_was_not_reached() -> None:
    target = {"workload": {"productive": "9 d"}, "simulation": {"horizon": "9 d", "replications": 2}}
    results = done(**target)
    assert told(results, "never reached within 9 d")
    assert any("Only 2 replications" in str(one) for one in advise(results.scenario, results.summary))
    one = done(simulation={"horizon": "2 d", "replications": 1})
    assert told(one, "One replication")


def test_the_precision_that_was_asked_for() -> None:
    results = done(simulation={"horizon": "2 d", "precision": "5 pp"})
    (found,) = told(results, "The precision of ±5 pp is met")
    assert not found.warning


def test_a_precision_waits_for_a_mode_that_could_move_the_mean() -> None:
    """A failure that strikes in 4 % of the histories and then stops the job: here in none of the first 32."""
    soft, bad = {"per": "cluster", "mtbf": "2 d"}, {"per": "node", "mtbf": "5000 d", "repair": "60 d"}
    changes = {
        "cluster": {"gpus": 80},
        "failures": {"soft": soft, "bad": bad},
        "recovery": {"stages": {"detect": "0 s", "nodes": "wait", "restart": "10 min"}},
        "simulation": {"horizon": "20 d", "precision": "2 pp", "seed": 4},
    }
    asked = scenario(**changes)
    early = summarise(asked, [simulate(asked, number) for number in range(32)])
    assert early["half_width"] < 0.02
    assert early["precision"] | {"reached": 0} == {
        "asked": 0.02,
        "reached": 0,
        "met": False,
        "unstruck": ["bad"],
    }
    (found,) = (each for each in advise(asked, early) if "precision" in str(each))
    assert found.warning
    assert "is not met: " in str(found)
    assert "but bad has not struck yet" in str(found)
    later = run(asked, workers=1).summary
    assert later["replications"] > 32
    assert later["precision"]["unstruck"] == []
    spared = scenario(**changes | {"cluster": {"gpus": 80, "spares": 3}})
    assert run(spared, workers=1).summary["replications"] == 32


def test_few_interruptions_are_warned_of_and_none_says_what_may_still_happen() -> None:
    rare = {"simulation": {"horizon": "4 h", "replications": 8}}
    (few,) = told(done(**rare))
    assert few.warning
    assert re.match(r"Only \d+ interruptions in all replications", str(few))
    never = done(failures={"job": {"per": "job", "mtbf": "9000 d"}}, **rare)
    assert told(never, "something still may, in up to 31 % of them")
    assert told(done(failures="none", **rare)) == []


def test_a_job_that_nothing_can_interrupt_is_not_warned_of_interruptions() -> None:
    outage = {
        "per": "cluster",
        "mtbf": "9000 d",
        "repair": "1 h",
        "effect": {"storage": {"tiers": ["storage"]}},
    }
    tiers = {"tiers": {"storage": {"interval": "1 h", "blocks": "9 s"}}}
    assert not told(done(failures={"filesystem": outage}, checkpoint=tiers), "interruption")


def test_few_incidents_that_decide_about_the_interval_are_named() -> None:
    often = {"per": "job", "mtbf": "5 h", "clock": "training"}
    fire = {"per": "cluster", "mtbf": "30 d", "detect": "3 d"}
    (found,) = told(done(failures={"often": often, "fire": fire}), "interval of ETTR")
    assert found.warning
    assert re.search(r"ETTR is: fire \(\d\)\.", str(found))
    blink = {"per": "cluster", "mtbf": "30 d", "detect": "1 s"}
    assert not told(done(failures={"often": often, "blink": blink}), "interval of ETTR")


def test_what_never_struck_is_in_no_figure() -> None:
    often, never = {"per": "job", "mtbf": "5 h"}, {"per": "cluster", "mtbf": "9000 d", "detect": "3 d"}
    (found,) = told(done(failures={"often": often, "flood": never}), "never struck")
    assert str(found).startswith(
        "flood never struck the job in any replication: what that costs is in no figure."
    )


def test_a_precision_is_not_met_because_nothing_happened_yet() -> None:
    never = {"failures": {"job": {"per": "job", "mtbf": "9000 d"}}}
    asked = {"simulation": {"horizon": "4 h", "precision": "5 pp"}}
    assert done(**never, **asked).summary["replications"] == 64
    assert done(failures="none", **asked).summary["replications"] == 32


def test_comparisons_of_one_size_tell_differences() -> None:
    faster = scenario(name="faster", recovery={"stages": {"detect": "1 min", "restart": "5 min"}})
    same = scenario(name="same", title="the same again")
    comparison = compare([scenario(), faster, same], workers=1)
    best, better, equal = comparison.advice
    assert str(best).startswith("Best: faster. Most effective cards: ")
    assert str(better).startswith("faster against sample: ETTR +")
    assert "not distinguishable" in str(equal)


def test_one_replication_each_tells_a_difference_but_not_how_sure_it_is() -> None:
    once = {"simulation": {"horizon": "10 d", "replications": 1}}
    faster = scenario(name="faster", recovery={"stages": {"detect": "1 min", "restart": "5 min"}}, **once)
    best, only = compare([scenario(**once), faster], workers=1).advice
    assert str(best).startswith("Most effective cards: faster, ")
    assert str(only).startswith("faster against sample: ETTR +")
    assert "in one replication" in str(only)


def test_comparisons_of_sizes_tell_what_the_extra_cards_return() -> None:
    each = {"node": {"per": "node", "mtbf": "60 d"}}
    sizes = [
        scenario(name=f"at-{gpus}", cluster={"gpus": gpus}, failures=each) for gpus in (800, 8_000, 160_000)
    ]
    best, first, second = compare(sizes, workers=1).advice
    assert str(best).startswith("Best: at-8000. Most effective cards: ")
    assert "the extra 7,200 cards add" in str(first)
    assert "the extra 152,000 cards cost" in str(second)
    assert second.warning
