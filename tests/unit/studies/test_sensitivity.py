"""What to measure first: ranges, what comes of them, and the answer in sentences."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clustersim.experiment import run
from clustersim.scenario import Scenario, ScenarioError
from clustersim.scenario.loading import variant
from clustersim.store import ChoiceError, RunError
from clustersim.studies.inputs import TOGETHER
from clustersim.studies.sensitivity import SensitivityStudy, points_of, sensitivity

JOB: dict[str, Any] = {
    "name": "job",
    "cluster": {"gpus": 8},
    "failures": {"any": {"per": "job", "mtbf": "1 h", "clock": "calendar"}},
    "checkpoint": {"interval": "8 min", "blocks": "30 s"},
    "recovery": {"stages": {"detect": "0 s", "restart": "10 min"}},
    "costs": {"gpu_hour": "2 USD"},
    "simulation": {"horizon": "2 d", "replications": 8},
}
RANGES = {"recovery.stages.restart": "2 to 30 min", "checkpoint.blocks": "28 to 32 s"}


def job(**more: Any) -> Scenario:
    return Scenario.model_validate(JOB | more)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> SensitivityStudy:
    folder = tmp_path_factory.mktemp("study")
    found = sensitivity(job(uncertain=RANGES), folder, samples=32, workers=1)
    assert json.loads((folder / "sensitivity.json").read_text()) == found.saved()
    assert (folder / "sensitivity.csv").read_text().startswith("path,distinguishable,first.mean")
    return found


def test_what_decides_is_to_be_measured_first(study: SensitivityStudy) -> None:
    assert study.first == "recovery.stages.restart"
    assert study.sentence.startswith("Measure recovery.stages.restart before you measure anything else")
    assert [each.path for each in study.ranges] == list(RANGES)
    assert study.found.indices[0].total.mean > 0.8
    assert study.frame["path"].tolist() == [index.path for index in study.found.indices]


def test_the_tornado_is_that_of_runs_at_both_ends(study: SensitivityStudy) -> None:
    swing = study.tornado[0]
    assert swing.path == "recovery.stages.restart"
    assert swing.at_low.mean > swing.at_high.mean + 0.1
    assert study.replications == 8
    worth = swing.worth
    assert worth.effective_gpus.mean == pytest.approx(8 * (swing.at_high.mean - swing.at_low.mean))
    assert worth.money is not None
    assert worth.money.mean == pytest.approx(48 * 2 * worth.effective_gpus.mean)


def test_chance_is_told_from_inputs(study: SensitivityStudy) -> None:
    variance = study.found.variance
    assert variance.total == variance.inputs + variance.chance
    assert 0 < variance.chance < variance.inputs
    longer = sensitivity(job(uncertain=RANGES), samples=32, workers=1, horizon="8 d")
    assert longer.found.variance.chance < variance.chance / 2


def test_workers_and_resuming_change_no_byte(study: SensitivityStudy) -> None:
    assert sensitivity(job(uncertain=RANGES), samples=32, workers=2).saved() == study.saved()


def test_any_metric_may_be_asked_about_and_is_that_of_runs_at_both_ends() -> None:
    """Incidents follow the rate alone, whatever a restart takes."""
    ranges = {"failures.any.mtbf": "30 min to 2 h", **RANGES}
    found = sensitivity(job(uncertain=ranges), metric="incidents_per_day", samples=32, workers=1)
    assert found.first == "failures.any.mtbf"
    assert [index.path for index in found.found.indices if index.distinguishable] == ["failures.any.mtbf"]
    assert "variance that the inputs give incidents per day" in found.sentence
    swing = found.tornado[0]
    ends = [
        run(variant(job(), {"failures.any.mtbf": f"{each.input.value(end)}"}), workers=1).summary
        for each in found.ranges[:1]
        for end in (0.05, 0.95)
    ]
    at_ends = [swing.at_low.mean, swing.at_high.mean]
    assert at_ends == pytest.approx([each["incidents_per_day"] for each in ends])
    assert swing.difference.mean == pytest.approx(at_ends[1] - at_ends[0])
    assert found.to_dict()["metric"] == "incidents_per_day"
    assert "ETTR" not in " ".join(map(str, found.advice))


def test_a_quantile_is_taken_of_several_runs_together() -> None:
    found = sensitivity(job(uncertain=RANGES), metric="ettr.p10", samples=4, workers=1)
    assert found.together == TOGETHER
    assert points_of(found).endswith("32 replications in 2 groups at each, the same ones at all.")
    restart = found.tornado[0]
    for at, end in ((restart.at_low, 0.05), (restart.at_high, 0.95)):
        (input_,) = (each.input for each in found.ranges if each.path == restart.path)
        summary = run(variant(job(), {restart.path: f"{input_.value(end)}"}), workers=1).summary
        assert at.mean == pytest.approx(summary["ettr"]["p10"])
    assert restart.difference.high is not None
    assert restart.difference.high < 0


def test_days_to_a_target_are_those_of_runs_until_it_is_reached() -> None:
    work = {"workload": {"productive": "20 h"}, "simulation": {"replications": 4}}
    found = sensitivity(job(**work, uncertain=RANGES), metric="days_to_target", samples=4, workers=1)
    slow, fast = found.tornado[0].at_high.mean, found.tornado[0].at_low.mean
    assert slow is not None
    assert fast is not None
    assert 20 / 24 < fast < slow
    assert not any("instead of until the target" in str(each) for each in found.advice)
    by_ettr = sensitivity(job(**work, uncertain=RANGES), samples=4, workers=1)
    assert any("instead of until the target" in str(each) for each in by_ettr.advice)


def test_what_is_not_known_at_a_point_is_said_with_the_point() -> None:
    rare = {"failures.any.mtbf": "1 h to 1000 d"}
    with pytest.raises(RunError, match=r"mtti_s is not known with failures.any.mtbf = .*; give a longer"):
        sensitivity(job(uncertain=rare), metric="mtti_s", samples=4, workers=1)


def test_without_ranges_they_are_assumed_and_that_is_said() -> None:
    found = sensitivity(job(), samples=4, workers=1)
    varied = {"failures.any.mtbf", "checkpoint.blocks", "recovery.stages.restart"}
    assert {each.path for each in found.ranges} == varied
    assert all(each.input.assumed for each in found.ranges)
    said = [str(each) for each in found.advice]
    assert any("ranges of 3 inputs are assumed: within 30 % of what is stated" in each for each in said)
    (rate,) = (each for each in found.ranges if each.path == "failures.any.mtbf")
    assert rate.text == "42 min to 1 h 18 min"
    wider = sensitivity(job(uncertain=RANGES), range_="50 %", samples=4, workers=1)
    assert {each.path: each.input.assumed for each in wider.ranges} == {
        "recovery.stages.restart": False,
        "checkpoint.blocks": False,
        "failures.any.mtbf": True,
    }


def test_what_makes_no_difference_is_left_out() -> None:
    idle = {"cluster.spares": "2 to 9", **RANGES}
    found = sensitivity(job(uncertain=idle), samples=8, workers=1)
    (effect,) = (each for each in found.found.screening if each.path == "cluster.spares")
    assert (effect.mu_star, effect.kept) == (0.0, False)
    assert any("left out after screening: cluster.spares" in str(each) for each in found.advice)


def test_too_few_samples_do_not_say_that_nothing_matters() -> None:
    found = sensitivity("chen-10k", range_="30 %", samples=8, horizon="2 d", workers=1)
    assert not any(index.distinguishable for index in found.found.indices)
    assert found.tornado[0].worth.ettr.distinguishable
    assert found.sentence.startswith("Too few samples to say what to measure first")
    assert str(found.advice[1]).startswith("failures.any.mtbf from ")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"samples": 100}, "a power of 2 as samples"),
        ({"per_point": 1}, "give 2 replications per point or more"),
        ({"range_": "much"}, "--range: "),
        ({"range_": "0 %"}, "job: nothing is uncertain; give uncertain, or --range 30%"),
        ({"precision": "1 pp"}, "give replications, and no precision"),
        ({"metric": "ettrr"}, 'did you mean "ettr"'),
        ({"metric": "days_to_target"}, "days_to_target needs"),
    ],
)
def test_what_cannot_be_asked_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ChoiceError, match=message):
        sensitivity(job(), workers=1, **given)


def test_a_point_that_makes_no_scenario_is_named(tmp_path: Path) -> None:
    nothing = {"checkpoint.blocks": {"normal": {"mean": "1 ms", "sd": "25 ms"}}}
    with pytest.raises(ScenarioError, match=r"<a point of job: checkpoint\.blocks=0\.000"):
        sensitivity(job(uncertain=nothing), tmp_path / "x", samples=256, workers=1)


def test_inputs_beyond_the_most_that_are_kept_do_make_a_difference() -> None:
    modes = {f"m{number}": {"per": "job", "mtbf": "9 h"} for number in range(9)}
    ranges = {f"failures.{name}.mtbf": "3 to 27 h" for name in modes}
    idle = {"cluster.spares": "2 to 9"}
    found = sensitivity(job(failures=modes, uncertain=ranges | idle), samples=2, workers=1)
    (left,) = (each.path for each in found.found.screening if not each.kept and each.mu_star > 0)
    said = [str(each) for each in found.advice]
    assert any(each.endswith(f"they do make a difference: {left}.") for each in said)
    assert "Hardly a difference, and left out after screening: cluster.spares." in said


def test_a_path_that_only_begins_alike_is_another_input() -> None:
    stages = {"detect": "0 s", "restart": "10 min", "restarted": "10 min"}
    found = sensitivity(
        job(recovery={"stages": stages}, uncertain={"recovery.stages.restart": "2 to 30 min"}),
        range_="30 %",
        samples=2,
        workers=1,
    )
    assert "recovery.stages.restarted" in {each.path for each in found.ranges}
