"""Studies say no more than their figures: what is first, what ties, what is best, what pays."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from clustersim import levers, run, tune
from clustersim.estimate import paired
from clustersim.scenario.model import Scenario
from clustersim.studies.levers import Levers, RankedLever
from clustersim.studies.tune import Tuning
from tests.sentences.test_sentences import written

LEVERS, TUNINGS = range(0, 40, 2), range(1, 40, 3)
FEW = 6


def scenario(seed: int) -> Scenario | None:
    """A random scenario in which something fails and is saved, on a few replications."""
    spec: dict[str, Any] = written(seed)
    spec["simulation"]["replications"] = FEW
    if spec["failures"] == "none" or spec["checkpoint"] == "none":
        return None
    return Scenario.model_validate(spec)


def end(lever: RankedLever, sign: int) -> float:
    """An end of the interval by which a lever is ranked."""
    return lever.rank.mean + sign * (lever.rank.half_width or 0.0)


def wrong_of_levers(answer: Levers) -> Iterator[str]:
    """Yield what the sentences of an answer say and its figures do not."""
    said = " ".join(str(each) for each in answer.advice)
    single = [lever for lever in answer.levers if not lever.change.joins]
    first = re.search(r"First(?: of the single changes)?: (.+?)\. It ", said)
    if "No change gains anything distinguishable" in said and any(end(each, -1) > 0 for each in single):
        yield "one is distinguishable"
    if first is None:
        return
    named = answer.by_name[first[1]]
    if end(named, -1) <= 0 or named.rank.mean < max(each.rank.mean for each in single):
        yield f"{named.name} is not first"
    following = re.search(r"Then: (.+?)\. Each was tried by itself", said)
    if following:
        names = [part.split(", ")[0] for part in following[1].split("; ")]
        means = [answer.by_name[name].rank.mean for name in names]
        if means != sorted(means, reverse=True) or named.rank.mean < means[0]:
            yield f"{names} are not in order"


@pytest.mark.parametrize("seed", LEVERS)
def test_what_levers_say_holds(seed: int) -> None:
    """The first lever is first, and what it gains is what another run of the changed scenario gains."""
    given = scenario(seed)
    if given is None or given.target_s is not None:
        return
    answer = levers(given, workers=1)
    assert list(wrong_of_levers(answer)) == []
    if answer.first:
        lever = answer.first[0]
        then, now = (run(each, workers=1, replications=FEW) for each in (lever.change.of(given), given))
        gain = paired(then.values_of("ettr"), now.values_of("ettr"))
        assert lever.worth.ettr.mean == pytest.approx(gain.mean, abs=1e-9)


def wrong_of_tuning(answer: Tuning) -> Iterator[str]:
    """Yield what the sentences of a tuning say and its curve does not."""
    said = " ".join(str(each) for each in answer.advice)
    best = max(answer.curve, key=lambda each: each.ettr.mean)
    if answer.range_s is not None and "Anything from" in said:
        low, high = answer.range_s
        inside = [each for each in answer.curve if low <= each.interval_s <= high]
        if any(each.distinguishable for each in inside) or best not in inside:
            yield "the range holds what is distinguishable from the best, or not the best"
    now = [gain.worth.ettr for gain in answer.gains if gain.over == "now"]
    if "Over today's interval" in said and any((gain.low or 0.0) <= 0 for gain in now):
        yield "no gain over today's"


@pytest.mark.parametrize("seed", TUNINGS)
def test_what_a_tuning_says_holds(seed: int) -> None:
    given = scenario(seed)
    if given is None or given.mtbf is None:
        return
    assert list(wrong_of_tuning(tune(given, candidates=12, workers=1))) == []
