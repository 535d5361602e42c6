"""Running a validation: what is simulated, once each; what comes out; and what an interruption leaves."""

import json
from pathlib import Path
from typing import Any

import pytest

import clustersim
from clustersim.estimate import ConfidenceInterval, paired
from clustersim.experiment import Interrupted
from clustersim.scenario import ScenarioError
from clustersim.settings import Settings, Silent
from clustersim.store import ChoiceError, RunError
from clustersim.validation import ClaimResult, Validation
from clustersim.validation.cases import find, of_scenario, shipped_names
from clustersim.validation.validate import Plan, _common_seed, sides, validated
from tests.unit.test_points import Timed
from tests.unit.validation.published import TEXT, random

HERE = Settings(workers=1)


@pytest.fixture(scope="module")
def validation() -> Validation:
    return validated([of_scenario(random())], HERE)


@pytest.fixture(scope="module")
def by_claim(validation: Validation) -> dict[str, ClaimResult]:
    return {case.claim: case for case in validation.cases}


def test_each_claim_has_an_outcome_in_order(validation: Validation) -> None:
    assert [case.name for case in validation.cases] == [
        f"random/{claim}" for claim in ("time", "count", "wrong", "cheaper", "saves")
    ]
    assert validation.passed
    assert validation.scenarios["random"].published is not None
    first = validation.cases[0]
    assert (first.title, first.source, first.assumes) == (
        "64 cards",
        "a paper, section 1",
        ("nothing else fails",),
    )


def test_figures_are_those_of_a_run(by_claim: dict[str, ClaimResult]) -> None:
    summary = clustersim.run(random(), workers=1).summary
    assert by_claim["time"].simulated.mean == pytest.approx(summary["ettr"]["mean"])
    assert by_claim["time"].simulated.low == pytest.approx(summary["ettr"]["low"])
    assert by_claim["count"].simulated.mean == pytest.approx(2 * summary["incidents_per_day"])


def test_a_difference_is_paired(by_claim: dict[str, ClaimResult]) -> None:
    free, dear = (clustersim.run(random(checkpoint__blocks=blocks), workers=1) for blocks in ("0 s", "30 s"))
    expected = paired(free.ettr_by_replication, dear.ettr_by_replication)
    case = by_claim["cheaper"]
    assert case.difference
    assert (case.change, case.minus) == ({"checkpoint.blocks": "0 s"}, {"checkpoint.blocks": "30 s"})
    assert (by_claim["time"].change, by_claim["time"].minus) == ({}, None)
    assert (by_claim["wrong"].reads, by_claim["time"].reads) == ("nobody believes it", "")
    assert (case.simulated.mean, case.simulated.low) == (
        pytest.approx(expected.mean),
        pytest.approx(expected.low),
    )


def test_a_control_passes_because_it_differs(by_claim: dict[str, ClaimResult]) -> None:
    case = by_claim["wrong"]
    assert (case.verdict, case.passed) == ("differs", True)


def test_of_a_missing_input_every_value_is_tried_and_one_that_agrees_is_enough(
    by_claim: dict[str, ClaimResult],
) -> None:
    case = by_claim["saves"]
    assert case.unknown == "checkpoint.blocks"
    assert [(one.value, one.verdict) for one in case.tried] == [("10 min", "differs"), ("10 s", "agrees")]
    assert case.simulated == ConfidenceInterval()
    assert case.passed
    assert by_claim["time"].tried == ()


def test_a_missing_input_of_which_no_value_agrees_does_not_pass() -> None:
    one = "published.claims.saves.unknown"
    scenario = random(**{one: {"checkpoint.blocks": ["8 min", "10 min"]}})
    case = validated([of_scenario(scenario)], HERE).cases[-1]
    assert (case.verdict, case.passed) == ("differs", False)


def test_variants_that_claims_share_are_simulated_once() -> None:
    case = of_scenario(random())
    plan = Plan({})
    for claim in case.published.claims.values():
        plan.add(case, claim)
    assert repr(plan) == "Plan(4 variants)"  # as it is and minus it, saves that are free, two that are tried


def test_the_unknown_is_the_same_on_both_sides_of_a_difference() -> None:
    unknown = {"recovery.stages.restart": ["1 min", "9 min"]}
    claim = random(**{"published.claims.cheaper.unknown": unknown}).published.claims["cheaper"]  # type: ignore[union-attr]
    found = sides(claim)
    assert [side.tried for side in found] == ["1 min", "9 min"]
    for side in found:
        assert side.change == {"checkpoint.blocks": "0 s", "recovery.stages.restart": side.tried}
        assert side.minus == {"checkpoint.blocks": "30 s", "recovery.stages.restart": side.tried}


def test_the_number_of_workers_changes_nothing_but_time(validation: Validation) -> None:
    settings = Settings(workers=2)
    other = validated([of_scenario(random())], settings)
    assert without_times(other) == without_times(validation)


def without_times(validation: Validation) -> list[dict[str, Any]]:
    return [{**case, "wall_s": None} for case in validation.to_dict()["cases"]]


def test_the_time_of_shared_replications_is_shared() -> None:
    """Each of 4 variants takes 2 s; the scenario as it is serves 3 claims, and one side of a difference."""
    found = validated([of_scenario(random())], Settings(executor=Timed(), workers=1))
    times = {case.claim: case.wall_s for case in found.cases}
    assert times == {"time": 0.5, "count": 0.5, "wrong": 0.5, "cheaper": 2.0 + 0.5, "saves": 2.0 + 2.0}


def test_a_difference_is_that_of_the_replications_which_both_sides_have() -> None:
    cheaper = "published.claims.cheaper"
    few = {"checkpoint.blocks": "0 s", "simulation.replications": 3}
    scenario = random(**{f"{cheaper}.change": few, f"{cheaper}.between": ["0.1 pp", "0.2 pp"]})
    case = validated([of_scenario(scenario)], HERE).cases[3]
    free, dear = (clustersim.run(random(checkpoint__blocks=blocks), workers=1) for blocks in ("0 s", "30 s"))
    expected = paired(free.ettr_by_replication[:3], dear.ettr_by_replication[:3])
    assert (case.replications, case.verdict) == (3, "differs")
    assert case.simulated.low == pytest.approx(expected.low)


def test_overrides_of_the_simulation_hold_whatever_a_claim_changes() -> None:
    longer = {"published.claims.time.change": {"simulation.replications": 50, "simulation.horizon": "9 d"}}
    few = {"simulation.replications": 3, "simulation.horizon": "6 h"}
    settings = Settings(workers=1, overrides=few)
    found = validated([of_scenario(random(**longer, **few))], settings)
    assert {case.replications for case in found.cases} == {3}
    assert found.made["seed"] == 1


def test_a_precision_is_replicated_for() -> None:
    rule = {"simulation.replications": None, "simulation.precision": "3 pp"}
    found = validated([of_scenario(random(**rule))], HERE)
    case = next(case for case in found.cases if case.claim == "time")
    assert case.replications >= 8
    assert case.simulated.half_width is not None
    assert case.simulated.half_width <= 0.03


def test_the_seed_of_a_validation_is_that_of_most_cases() -> None:
    cases = [of_scenario(random(simulation__seed=seed)) for seed in (9, 7, 7, 7, 9)]
    assert [_common_seed(cases), _common_seed(cases[:1])] == [7, 9]


def test_two_cases_of_one_name_are_refused() -> None:
    case = of_scenario(random())
    with pytest.raises(ChoiceError, match='two cases are called "random"'):
        validated([case, case], HERE)


def test_shipped_cases_are_found_by_name_and_all_without_one() -> None:
    names = shipped_names()
    assert [case.name for case in find(names[:1])] == names[:1]
    assert find([f"published/{names[0]}.yaml"])[0].name == names[0]


def test_a_file_of_ones_own_is_a_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(TEXT.replace("name: random", "name: mine"))
    assert [case.name for case in find(["mine.yaml"])] == ["mine"]


def test_a_file_of_ones_own_goes_before_a_shipped_case_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "no-failures.yaml").write_text(TEXT.replace("name: random", "name: mine"))
    assert find(["no-failures.yaml"])[0].name == "mine"
    assert find(["no-failures"])[0].name == "no-failures"
    assert find(["renewals.yaml"])[0].name == "renewals"


def test_changes_hold_for_scenarios_files_and_shipped_cases(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(TEXT)
    sources = [random(), tmp_path / "mine.yaml", "no-failures", "published/no-failures.yaml"]
    assert [case.scenario.simulation.seed for case in find(sources, {"simulation.seed": 9})] == [9] * 4
    assert find([random()])[0].scenario == random()


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("no-such-thing.yaml", ScenarioError, "no-such-thing.yaml: no such file"),
        ("no-such-thing.yml", ScenarioError, "no-such-thing.yml: no such file"),
        ("no-failure", ChoiceError, '"no-failure"; did you mean no-failures? The shipped ones are '),
        ("xyzzy", ChoiceError, '"xyzzy"; the shipped ones are '),
        ("stepfun-400", ChoiceError, "stepfun-400: there is no `published` block in it; say what was and wh"),
    ],
)
def test_what_is_no_case_is_said_with_what_is(name: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error) as caught:
        find([name])
    assert words in str(caught.value)
    if error is ChoiceError:
        assert str(caught.value).endswith(", ".join(shipped_names()))


def test_all_faulty_files_are_told_at_once(tmp_path: Path) -> None:
    for name, wrong in (("one", "gpuss"), ("two", "gppus")):
        (tmp_path / f"{name}.yaml").write_text(TEXT.replace("gpus", wrong))
    with pytest.raises(ScenarioError, match=r"(?s)gpuss.*gppus"):
        find([tmp_path / "one.yaml", tmp_path / "two.yaml"])


def test_without_a_case_all_shipped_ones_are_validated_beside_the_estimator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(
        "clustersim.validation.validate.validated",
        lambda cases, settings, output=None, *, estimator=False: asked.append(
            (cases, settings, output, estimator)
        ),
    )
    clustersim.validate((), tmp_path / "new", settings=Settings(seed=5), replications=3)
    clustersim.validate("no-failures")
    (cases, settings, output, estimator), (one, _, nowhere, without) = asked
    assert [case.name for case in cases] == shipped_names()
    given = {(case.scenario.simulation.seed, case.scenario.simulation.replications) for case in cases}
    assert given == {(5, 3)}
    assert (settings.seed, settings.replications, output, estimator) == (5, 3, tmp_path / "new", True)
    assert ([case.name for case in one], nowhere, without) == (["no-failures"], None, False)
    (tmp_path / "taken").write_text("")
    with pytest.raises(RunError, match="is a file, not a folder"):
        clustersim.validate("no-failures", tmp_path / "taken")
    assert len(asked) == 2


def test_what_is_finished_is_kept_beside_the_output(tmp_path: Path) -> None:
    said: list[str] = []

    class Stops(Silent):
        def advance(self, done: int, wanted: int) -> None:
            if done:
                raise KeyboardInterrupt

        def say(self, message: str) -> None:
            said.append(message)

    for _ in range(2):
        with pytest.raises(Interrupted) as caught:
            validated([of_scenario(random())], Settings(workers=1, progress=Stops()), tmp_path / "new")
        assert caught.value.kept == 1
    thrown = "throwing away 1 replication of an unfinished validation; --resume would have gone on from there"
    assert said == [thrown]


def test_the_only_claim_of_a_case_goes_by_its_name() -> None:
    one = {f"published.claims.{name}": None for name in ("count", "wrong", "cheaper", "saves")}
    found = clustersim.validate(random(**one), workers=1)
    assert [case.name for case in found.cases] == ["random"]
    two = of_scenario(random(**dict.fromkeys(list(one)[1:])))
    assert two.name_of("count") == "random/count"


def test_python_takes_scenarios_files_and_names(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(TEXT.replace("name: random", "name: mine"))
    found = clustersim.validate([random(), tmp_path / "mine.yaml"], workers=1, replications=2, horizon="1d")
    assert {case.scenario for case in found.cases} == {"random", "mine"}
    assert found.curves == ()
    assert "of 10 cases passed" in repr(found)
    with pytest.raises(RunError, match="nothing about what was published"):
        clustersim.validate(random(published=None))


def test_saving_replaces_the_validation_that_was_there(
    validation: Validation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "clustersim_reports.write_validation", lambda found, path, command: path.write_text("page")
    )
    place = tmp_path / "validation"
    for _ in range(2):
        validation.save(place)
        assert sorted(path.name for path in place.iterdir()) == ["report.html", "validation.json"]
    saved = json.loads((place / "validation.json").read_text())
    assert saved["cases"][0]["name"] == "random/time"
    assert "wall_s" not in saved["cases"][0]
    assert validation.report(tmp_path / "new" / "page.html").read_text() == "page"


def test_a_folder_of_something_else_is_left_alone(validation: Validation, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("dear")
    with pytest.raises(RunError, match="holds something else than a validation"):
        validation.save(tmp_path)
    with pytest.raises(RunError, match="is a file, not a folder"):
        validation.save(tmp_path / "thesis.tex")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_the_estimator_is_simulated_with_the_cases_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("SIZES", (1_000, 4_000)), ("FAILURES", 20), ("REPLICATIONS", 2), ("STEPS", 3)):
        monkeypatch.setattr(f"clustersim.validation.estimator.{name}", value)
    few = {"simulation.replications": 2, "simulation.horizon": "6 h"}
    settings = Settings(workers=1, overrides=few)
    found = validated([of_scenario(random(**few))], settings, estimator=True)
    rows = found.to_dict()["estimator"]
    assert [row["gpus"] for row in rows] == [1_000, 4_000] * 4
    assert all(row["simulated"]["low"] is not None for row in rows)
    assert len(found.cases) == 5
