"""What a terminal shows of studies and of a validation: whole tables of answers that are known."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from clustersim.cli import console
from clustersim.cli.show import method, records
from clustersim.estimate import ConfidenceInterval, Estimate
from clustersim.studies.crossing import Slack
from clustersim.studies.figures import ScenarioFigures
from clustersim.studies.grid import BestPoint, Grid, GridFigures, GridPlan
from clustersim.studies.solve import Evaluation, Solution
from clustersim.studies.sweep import Sweep
from clustersim.studies.tune import Candidate, Tuning
from clustersim.studies.values import TrialValue, Unit
from clustersim.validation import Trial
from tests.cli.pages import page
from tests.reports import findings, validations
from tests.unit.studies import test_sensitivity_sentences as inputs
from tests.unit.studies.clusters import job


def tuned(**changes: Any) -> Tuning:
    """Return a tuning of 17 intervals, each twice the one before: the eighth, 128 s, is the best."""
    alike = {5, 7, 8, 9}
    curve = [
        Candidate(2.0**n, Estimate(0.9 - 0.004 * (n - 7) ** 2, 0.01, 8), n not in alike) for n in range(17)
    ]
    known = {
        "best_s": 128.0,
        "recommended_s": 120.0,
        "range_s": (32.0, 512.0),
        "now_s": 3600.0,
        "curve": curve,
    }
    return findings.tuning(**known | changes)


def swept(retune: bool = False, **changes: Any) -> Sweep:
    """Return a sweep of six points in two directions, about ETTR and the price of a card-hour."""
    vary = {"recovery.stages.start": "1min,9min", "cluster.spares": "0,1,2"}
    planned = GridPlan.of(Grid.of([job(costs={"gpu_hour": "2 USD"})], vary), retune)
    paths = list(planned.metrics)
    ettr, price = paths.index("ettr"), paths.index("cost.per_effective_gpu_hour")
    figures, differences = np.full((2, 6, len(paths), 3), math.nan)
    baseline, told = np.full((len(paths), 3), math.nan), np.zeros((6, len(paths)), bool)
    baseline[[ettr, price]] = (0.8, 0.79, 0.81), (2.5, 2.4, 2.6)
    for point in range(6):
        gain = 0.1 - 0.02 * point
        figures[point, ettr] = 0.8 + gain + np.array([0.0, -0.01, 0.01])
        differences[point, ettr] = gain + np.array([0.0, -0.005, 0.005])
        told[point, ettr] = point != 5
    figures[1, price], differences[1, price] = (2.2, 2.1, 2.3), (-0.3, -0.4, -0.2)
    told[1, price] = True
    ranges = np.array([[60.0 * n, 600.0 * n] for n in range(1, 7)])
    ranges[2] = math.nan
    best = {"ettr": BestPoint(0, [0, 1])}
    found = GridFigures(baseline, figures, differences, told, np.full(6, 300.0), ranges, best)
    answer = Sweep.of(planned, found, ["ettr", "cost.per_effective_gpu_hour"])
    return replace(answer, **changes)


def solved() -> Solution:
    """Return where ETTR is at least 0.9: with saves of 10 s, as today, and of 20 s, but not of 30 s."""
    given = findings.spec()
    sizes = {9.999: 0.95, 10.0: 0.94, 20.0: 0.92, 20.001: 0.91, 30.0: 0.88}
    tried = [
        Evaluation(
            TrialValue(f"{size:g} s", size),
            {"ettr": ConfidenceInterval(mean, mean - 0.01, mean + 0.01)},
            Slack(mean - 0.9, mean - 0.91, mean - 0.89),
        )
        for size, mean in sizes.items()
    ]
    return Solution(
        *(given, given, 8),
        path="checkpoint.blocks",
        until="ettr >= 0.9",
        metric="ettr",
        shown=ScenarioFigures(given, ["ettr"]).figures["ettr"].metric,
        between=(1.0, 100.0),
        retune=False,
        reachable=True,
        unit=Unit("s", 1.0, name="s"),
        now=tried[1],
        value=TrialValue("25 s", 25.0),
        low=TrialValue("22 s", 22.0),
        high=TrialValue("28 s", 28.0),
        direction="at_most",
        at_solution=None,
        best=tried[0],
        evaluations=tried,
    )


TUNING = """
# Save about every 2 min: ETTR 0.900 ± 0.010. Anything from 32 s to 8.5 min is indistinguishable from
# the best at 95 %. Within 0.5 pp of the best: 60 s to 4.5 min.
#                Interval         Gain in ETTR  Effective        Money over
#                                                   cards           the run
  recommended       2 min
  Young          9.67 min  not distinguishable          —                 —
  Daly            9.5 min  not distinguishable          —                 —
  exact optimum  9.52 min  not distinguishable          —        30,000 USD
  today's             1 h       +16.0 ± 0.2 pp    164 ± 2  1.60 million USD
# ETTR by interval
# interval           ETTR
  1 s       0.704 ± 0.010
  4 s       0.800 ± 0.010
  16 s      0.864 ± 0.010
  32 s      0.884 ± 0.010  indistinguishable from it
  64 s      0.896 ± 0.010  within 0.5 pp of it
  2.1 min   0.900 ± 0.010  the best that was tried
  4.3 min   0.896 ± 0.010  indistinguishable from it
  8.5 min   0.884 ± 0.010  indistinguishable from it
  17 min    0.864 ± 0.010
  1.1 h     0.800 ± 0.010
  4.6 h     0.704 ± 0.010
  18 h      0.576 ± 0.010
  Over today's interval
  Young's (9.7 min),
  The optimum is
  17 intervals, scored on outages that were simulated once: 8 replications of 20 d to choose, 4 fresh
  ones to judge.
"""


def test_a_tuning_lists_a_few_intervals_the_best_and_the_ends_of_its_range() -> None:
    assert page(tuned()) == TUNING


def test_a_tuning_where_saves_are_free_is_compared_with_today_alone() -> None:
    today = tuned(gains=tuned().gains[-1:])
    assert [line.split()[0] for line in page(today).splitlines()[5:8]] == ["recommended", "today's", "#"]


def test_a_tuning_without_progress_gains_nothing_by_any_interval() -> None:
    """Within 0.5 pp of an ETTR of next to nothing are all of them, both ends too."""
    lines = page(findings.stuck()).splitlines()
    marks = [line.partition("0.00010")[2].strip() for line in lines[5:14]]
    assert marks == ["within 0.5 pp of it"] * 4 + ["the best that was tried"] + ["within 0.5 pp of it"] * 4
    assert lines[3:5] == ["# ETTR by interval", "# interval               ETTR"]
    assert lines[14] == "! Half of the"


def test_where_nothing_fails_a_tuning_has_no_table() -> None:
    text = "Nothing fails in this scenario: do not save more often than you need for other reasons."
    assert page(findings.calm()) == f"\n# {text}\n"


def test_a_tuning_says_how_it_was_found() -> None:
    found = method(tuned(replications=1, simulated="asked for"))
    assert found == (
        "17 intervals, each simulated in full (asked for): 1 replication of 20 d to choose,"
        " 4 fresh ones to judge."
    )


LEVERS = """
# First: faster start. It gains +3.0 ± 0.2 pp ETTR, 31 ± 2 effective cards, 300,000 USD over the run,
# 200,000 USD net of its price.
  ETTR as it is: 0.900 ± 0.010, 8 replications
#                        Gain in ETTR  Effective    Money over
#                                          cards       the run
  faster start          +3.0 ± 0.2 pp     31 ± 2   300,000 USD
~   what faster start changes
  a coin's toss   not distinguishable          —             —
~   what a coin's toss changes
  fewer hangs           +1.0 ± 0.2 pp     10 ± 2   100,000 USD
~   what fewer hangs changes
  slower network        −2.0 ± 0.2 pp    −20 ± 2  −200,000 USD
~   what slower network changes
  Then: fewer hangs,
  Money is what
  faster start, for
  A loss: slower
  Not distinguishable from
"""


def test_levers_are_listed_with_what_each_changes() -> None:
    assert page(findings.levers()) == LEVERS
    one = page(findings.levers([findings.lever("fewer hangs", 0.01)]))
    assert "\n  fewer hangs  +1.0 ± 0.2 pp     10 ± 2  100,000 USD\n" in one
    assert len(page(findings.levers([])).splitlines()) == 3


SWEEP = """
# start     cluster.spares           ETTR           against as   Cost per  against as
#                                                        it is  effective       it is
#                                                               card-hour
  as it is                  0.800 ± 0.010                        2.50 USD
  1min      0               0.900 ± 0.010       +10.0 ± 0.5 pp    unknown     unknown  the best
  1min      1               0.880 ± 0.010        +8.0 ± 0.5 pp   2.20 USD   −0.30 USD  alike
  1min      2               0.860 ± 0.010        +6.0 ± 0.5 pp    unknown     unknown
  9min      0               0.840 ± 0.010        +4.0 ± 0.5 pp    unknown     unknown
  9min      1               0.820 ± 0.010        +2.0 ± 0.5 pp    unknown     unknown
  9min      2               0.800 ± 0.010  not distinguishable    unknown     unknown
  Indistinguishable from it
  Cost per effective
"""


def test_a_sweep_lists_its_points_below_the_scenario_as_it_is() -> None:
    """The best is marked, and what is as good by the first metric."""
    text = page(swept(), 140).replace("indistinguishable from it", "alike")
    assert text.partition("\n  6 points, 8 replications each")[2] == SWEEP


@pytest.mark.parametrize("replications", [2, 1])
def test_a_sweep_shows_the_best_interval_of_each_point(replications: int) -> None:
    """Of one replication nothing is said to be as good as the best."""
    text = page(swept(retune=True, chosen=["ettr"], replications=replications), 140)
    alike = "  alike" if replications > 1 else ""
    assert text.replace("indistinguishable from it", "alike").splitlines()[3:11] == [
        "# start     cluster.spares           ETTR           against as      Best       Best range",
        "#                                                        it is  interval",
        "  as it is                  0.800 ± 0.010",
        "  1min      0               0.900 ± 0.010       +10.0 ± 0.5 pp     5 min   60 s to 10 min  the best",
        f"  1min      1               0.880 ± 0.010        +8.0 ± 0.5 pp     5 min  2 min to 20 min{alike}",
        "  1min      2               0.860 ± 0.010        +6.0 ± 0.5 pp         —    nothing fails",
        "  9min      0               0.840 ± 0.010        +4.0 ± 0.5 pp     5 min  4 min to 40 min",
        "  9min      1               0.820 ± 0.010        +2.0 ± 0.5 pp     5 min  5 min to 50 min",
    ]


def test_on_a_narrow_screen_each_part_of_a_sweep_names_its_points_by_all_axes() -> None:
    lines = page(swept(retune=True, chosen=["ettr"]), 70).splitlines()
    named = [line.split()[1] for line in lines if line.startswith("  9min")]
    assert named == ["0", "1", "2"] * (len(named) // 3)
    assert len(named) > 3


def test_of_a_large_sweep_only_the_best_points_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clustersim.cli.show.POINTS", 2)
    lines = page(swept(), 140).splitlines()
    assert [line[2:18].split() for line in lines[7:9]] == [["1min", "0"], ["1min", "1"]]
    assert lines[9] == "  The best 2 of 6 points; sweep.csv holds all."


def test_a_tuning_shows_the_sweeps_of_other_values() -> None:
    text = page(tuned(sweeps=[swept(retune=True, chosen=["ettr"])]), 140)
    table = page(swept(retune=True, chosen=["ettr"]), 140).partition(" each\n")[2].partition("  Indis")[0]
    assert f"\n# What recovery.stages.start changes, each with its best interval\n{table}" in text


SOLUTION = """
# ettr >= 0.9 holds with checkpoint.blocks of at most 25 s (95 %: 22 to 28 s). It is 10 s now, with
# 0.940 ± 0.010.
  8 replications of each value
# checkpoint.blocks           ettr  met
  10 s               0.940 ± 0.010  yes  today's
  20 s               0.920 ± 0.010  yes
  30 s               0.880 ± 0.010   no
  It holds as
"""


def test_a_solution_lists_the_values_that_were_tried() -> None:
    """Of two that read the same and have the same answer, today's is shown."""
    assert page(solved()) == SOLUTION
    assert "today's" not in page(replace(solved(), now=None))


INDICES = """
# Measure recovery.stages.start before you measure anything else: it has a part in 70 % (60 % to 80 %)
# of the variance that the inputs give ETTR.
  128 points, 2 replications at each, the same ones at all.
# Share of the variance by inputs
#                        5 % to 95 %                by itself               in all  distinguishable
#                                                                                            from 0
  recovery.stages.start  2 min to 30 min  35 % (30 % to 40 %)  70 % (60 % to 80 %)              yes
  checkpoint.blocks      20 s to 40 s      10 % (5 % to 15 %)  20 % (10 % to 30 %)               no
# Between the ends of each input
#                          ETTR at 5 %        at 95 %         Gain in ETTR  Effective
#                                                                               cards
  recovery.stages.start  0.800 ± 0.010  0.600 ± 0.010       −20.0 ± 1.0 pp  −200 ± 10
  checkpoint.blocks      0.800 ± 0.010  0.795 ± 0.010  not distinguishable          —
  recovery.stages.start from 2
"""


def test_a_sensitivity_study_has_the_indices_and_what_lies_between_the_ends() -> None:
    assert page(inputs.study()) == INDICES


OF_ALL_KINDS = validations.validation(
    *(validations.FAILED, validations.UNDECIDED, validations.outcome("alone")),
    *(validations.outcome("third/only"), validations.outcome("fourth", kind="formula")),
    validations.outcome("fourth/b", kind="formula", verdict="differs"),
    validations.outcome(
        "fifth",
        fitted="a rate",
        assumes=("one", "two"),
        minus={},
        unknown="checkpoint.blocks",
        tried=(Trial("9 s", ConfidenceInterval(0.441, 0.439, 0.443), "agrees"),),
    ),
)


CLAIMS = """
? 3 of 11 checks do not pass: second/missed, second/straddles, fourth/b.
# Figures that the inputs suffice for
#                stated                accepted        simulated
  first
    whole        0.44 of the time   0.44 ± 0.01    0.441 ± 0.002  agrees
  second
    mttf         MTTF 1.8 h        1.8 ± 0.05 h  1.803 ± 0.013 h  agrees
! !   missed     0.44 of the time   0.44 ± 0.01  0.9000 ± 0.0010  differs
! !   straddles  0.44 of the time   0.44 ± 0.01    0.450 ± 0.010  undecided
  alone          0.44 of the time   0.44 ± 0.01    0.441 ± 0.002  agrees
  third
    only         0.44 of the time   0.44 ± 0.01    0.441 ± 0.002  agrees
# Ranges and inequalities
#         stated                           accepted      simulated
  first
    time  over 90 %                    at least 0.9   0.88 to 0.94  agrees with 1 of 3
~           checkpoint.blocks = 5 s                  0.944 ± 0.002  agrees
~           checkpoint.blocks = 30 s                 0.901 ± 0.003  undecided
~           checkpoint.blocks = 60 s                 0.876 ± 0.002  differs
    gain  4 to 10 points              4 pp to 10 pp  +7.0 ± 0.4 pp  agrees
# Controls, which must differ
#          stated                  accepted     simulated
  second
    small  MTTF 7.9 h measured  7.9 ± 0.8 h  28.8 ± 0.7 h  differs, as it must
# Formulas: answers that theory or arithmetic gives
#         stated               accepted      simulated
  fourth
  fourth  0.44 of the time  0.44 ± 0.01  0.441 ± 0.002  agrees
! !   b   0.44 of the time  0.44 ± 0.01  0.441 ± 0.002  differs
# Plumbing: figures that went in, and have to come out
#          stated          accepted  simulated
  second
    count  419 in 54 days  419 ± 41    420 ± 5  agrees
# Fitted: claims that rest on an input which was chosen so that figures agree
#        stated                      accepted       simulated
  fifth  0.44 of the time           44 ± 1 pp          +44 pp  agrees with 1 of 1
~          checkpoint.blocks = 9 s             +44.1 ± 0.2 pp  agrees
"""


def test_a_validation_has_a_table_of_each_kind_of_claim() -> None:
    """A claim that goes by the name of its scenario stands for itself, others below their scenario."""
    assert page(OF_ALL_KINDS) == CLAIMS
    assert page(validations.few()).startswith("\n# All 2 checks pass")


SOURCES = """
  first: Paper of first, section 2
    whole: productive card-time / all card-time; with cluster.gpus = 2048; eight of eighteen minutes
    time: productive card-time / all card-time; checkpoint.blocks was not published: with 5 s it
    agrees; with 30 s it is undecided; with 60 s it differs.
    gain: productive card-time / all card-time; minus that with checkpoint.blocks = 1 min
  second: Paper of second, section 2
    mttf: productive card-time / all card-time
    small: productive card-time / all card-time
    count: productive card-time / all card-time (gpu)
    missed: productive card-time / all card-time
    straddles: productive card-time / all card-time
  alone: Paper of alone, section 2
    a: productive card-time / all card-time
  third: Paper of third, section 2
    only: productive card-time / all card-time
  fourth: Paper of fourth, section 2
    a: productive card-time / all card-time
    b: productive card-time / all card-time
  fifth: Paper of fifth, section 2
    assumed: one
    assumed: two
    a: productive card-time / all card-time; minus that of the scenario as it is; checkpoint.blocks
    was not published: with 9 s it agrees.
"""


def test_a_validation_says_what_it_rests_on_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console.manner, "is_verbose", True)
    assert page(OF_ALL_KINDS).partition("\n# What they rest on")[2] == SOURCES


def test_records_are_the_points_of_a_study_and_the_cases_of_a_validation() -> None:
    assert [each["interval_s"] for each in records(tuned())] == [2.0**n for n in range(17)]
    assert [each["name"] for each in records(validations.few())] == ["first/whole", "first/time"]
