"""Run folders: what they hold, that they read back, and that nothing else is ever touched."""

import errno
import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from clustersim import folders
from clustersim.engine.replication import simulate
from clustersim.records import Records
from clustersim.results import Results, is_of_the_same
from clustersim.scenario.model import Scenario
from clustersim.store import ChoiceError, RunError
from clustersim.studies.compare import Comparison

COUNT = 3


def scenario(name: str = "small", gpus: int = 64, **changes: Any) -> Scenario:
    return Scenario.model_validate(
        {
            "name": name,
            "cluster": {"gpus": gpus, "spares": 1},
            "failures": {
                "node": {"per": "node", "mtbf": "6 d", "repair": "4 h"},
                "soft ware": {"per": "job", "mtbf": "1 d"},
            },
            "checkpoint": {"interval": "30 min", "blocks": "1 min", "load": "1 min"},
            "recovery": {"stages": {"detect": "1 min", "restart": "4 min", "load": "checkpoint"}},
            "simulation": {"horizon": "5 d", "replications": COUNT},
        }
        | changes
    )


def records(given: Scenario, count: int = COUNT) -> list[Records]:
    return [simulate(given, number) for number in range(count)]


def results(given: Scenario) -> Results:
    return Results.of(given, records(given), {"tool": folders.TOOL, "incidents": True})


@pytest.fixture(scope="module")
def made() -> Results:
    return results(scenario())


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    results(scenario()).save(folder)
    return folder


def test_a_run_reads_back_as_it_was(made: Results, saved: Path) -> None:
    back = Results.load(saved)
    assert back.summary == made.summary
    assert back.scenario == made.scenario
    assert back.scenario.hash == made.scenario.hash
    for table in ("replications", "incidents", "timeline", "strip"):
        here, there = getattr(made, table), getattr(back, table)
        assert here.equals(there), table
    assert np.array_equal(back.ettr_by_replication, made.ettr_by_replication)


def test_the_folder_holds_what_it_should_and_nothing_half_done(saved: Path) -> None:
    assert {path.name for path in saved.iterdir()} == {
        "scenario.yaml",
        "summary.json",
        "provenance.json",
        "replications.parquet",
        "incidents.parquet",
        "timeline.parquet",
        "strip.parquet",
    }
    assert [path.name for path in saved.parent.iterdir()] == ["run"]


def test_the_same_replications_give_the_same_bytes(saved: Path, tmp_path: Path) -> None:
    results(scenario()).save(tmp_path / "again")
    for name in ("summary.json", "scenario.yaml"):
        assert (tmp_path / "again" / name).read_bytes() == (saved / name).read_bytes()


def test_incidents_tell_which_mode_and_what_the_job_did(made: Results) -> None:
    incidents = made.incidents
    assert incidents is not None
    assert set(incidents["mode"]) <= {"node", "soft ware"}
    assert set(incidents["doing"]) <= {"training", "saving", "detection", "recovery", "waiting", "idle"}
    assert (incidents.groupby("replication").size() >= made.replications["incidents"]).all()
    stops = incidents[incidents["interruption"]].groupby("replication").size()
    assert stops.to_list() == made.replications["interruptions"].to_list()


def test_incidents_are_one_row_group_for_each_replication(saved: Path) -> None:
    import pyarrow.parquet as pq

    assert pq.ParquetFile(saved / "incidents.parquet").num_row_groups == COUNT


def test_a_stage_may_be_called_like_another_column() -> None:
    stages = {"detect": "1 min", "time": "2 min", "recovery": "3 min"}
    incidents = results(scenario(recovery={"stages": stages}, checkpoint="none")).incidents
    assert incidents is not None
    assert incidents["time_s"].is_monotonic_increasing or incidents["replication"].nunique() > 1
    assert incidents["stage_time_s"].max() == pytest.approx(120)
    assert (incidents["recovery_s"] >= incidents["stage_recovery_s"]).all()


def test_the_timeline_adds_up_to_ettr(made: Results) -> None:
    timeline = made.timeline
    width = timeline["end_s"] - timeline["start_s"]
    assert len(timeline) == 400
    assert (timeline["mean"] * width).sum() / width.sum() == pytest.approx(made.summary["ettr"]["mean"])
    first = (timeline["replication_0"] * width).sum() / width.sum()
    assert first == pytest.approx(made.replications["ettr"][0])
    assert (timeline["p10"] <= timeline["p90"]).all()
    assert timeline[["mean", "p10", "p50", "p90"]].stack().between(0, 1).all()


def test_the_timeline_counts_only_replications_that_still_run() -> None:
    ended = scenario(
        workload={"productive": "3 d"},
        simulation={"replications": COUNT},
        failures={"f": {"per": "job", "mtbf": "6 h"}},
    )
    timeline = results(ended).timeline
    assert timeline["mean"].notna().all()
    assert timeline["mean"].iloc[-1] > 0.2
    assert timeline["replication_0"].isna().any() or results(ended).replications["wall_s"].idxmax() == 0


def test_incidents_can_be_left_out(tmp_path: Path) -> None:
    results(scenario()).save(tmp_path / "lean", incidents=False)
    assert not (tmp_path / "lean" / "incidents.parquet").exists()
    assert Results.load(tmp_path / "lean").incidents is None


def test_a_run_without_failures_has_empty_tables(tmp_path: Path) -> None:
    calm = results(scenario(failures="none"))
    assert calm.incidents is not None
    assert len(calm.incidents) == 0
    calm.save(tmp_path / "calm")
    again = Results.load(tmp_path / "calm").incidents
    assert again is not None
    assert len(again) == 0


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def with_studies(folder: Path) -> dict[str, bytes]:
    """Give the run in *folder* a report and studies, and return all that it holds."""
    (folder / "report.html").write_text("of the old run")
    for study in folders.STUDIES:
        (folder / study).mkdir()
        (folder / study / f"{study}.json").write_text('{"scenario_hash": "of the old run"}')
    (folder / ".tune.partial").mkdir()
    (folder / ".tune.partial" / "lock").write_text("")
    return contents(folder)


def test_another_run_is_kept_as_a_whole_under_its_own_name(saved: Path) -> None:
    before = with_studies(saved)
    unfinished = {".tune.partial/lock": before.pop(".tune.partial/lock")}
    kept = results(scenario("other")).save(saved)
    assert kept is not None
    assert kept == saved.with_name("run@unknown")
    assert contents(kept) == before
    assert json.loads((saved / "summary.json").read_text())["name"] == "other"
    assert contents(saved).items() >= unfinished.items()
    third = results(scenario("third"))
    third.provenance["finished"] = "2026-11-29T06:50:00+00:00"
    assert third.save(saved) == saved.with_name("run@unknown-2")
    assert results(scenario("fourth")).save(saved) == saved.with_name("run@2026-11-29T06-50-00")
    assert folders.runs_in(saved.parent) == [saved]


def test_the_same_run_takes_its_place_and_leaves_all_else(saved: Path) -> None:
    before = with_studies(saved)
    assert results(scenario()).save(saved) is None
    assert contents(saved) == before
    assert [path.name for path in saved.parent.iterdir()] == ["run"]
    results(scenario()).save(saved, incidents=False)
    assert contents(saved).keys() == before.keys() - {"incidents.parquet"}


@pytest.mark.parametrize("name", ["run", "other"])
def test_a_link_stays_a_link(saved: Path, name: str) -> None:
    real = saved.rename(saved.with_name("real"))
    before = with_studies(real)
    saved.symlink_to("real")
    kept = results(scenario(name)).save(saved)
    assert saved.is_symlink()
    assert Results.load(saved).name == name
    assert kept is not None
    assert contents(kept) == {name: data for name, data in before.items() if ".partial" not in name}
    dangling = saved.with_name("dangling")
    dangling.symlink_to("nowhere")
    results(scenario()).save(dangling)
    assert Results.load(saved.with_name("nowhere")).name == "small"
    assert folders.unfinished(saved) == real.with_name(".real.partial")


def test_a_mount_point_holds_runs_like_any_folder(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, real = with_studies(saved), os.replace

    def mounted(source: Any, target: Any) -> None:
        if saved in (Path(source), Path(target)):
            raise OSError(errno.EBUSY, "Device or resource busy", str(source), None, str(target))
        real(source, target)

    monkeypatch.setattr(os, "replace", mounted)
    monkeypatch.setattr(os, "rename", mounted)
    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path) == saved)
    assert results(scenario("other")).save(saved) is None
    assert Results.load(saved).name == "other"
    assert contents(saved).keys() == before.keys()
    assert folders.unfinished(saved) == saved / ".run.partial"


@pytest.mark.parametrize("instant", range(9))
def test_a_kill_between_any_two_renames_loses_nothing(
    saved: Path, monkeypatch: pytest.MonkeyPatch, instant: int
) -> None:
    before, real, left = with_studies(saved), os.replace, [instant]

    def killed(source: Any, target: Any) -> None:
        if ".new" in Path(target).name or Path(target).parent.name == ".new":
            return real(source, target)
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return real(source, target)

    new = results(scenario(simulation={"horizon": "5 d", "replications": COUNT, "seed": 7}))
    old_seed = json.loads(before["summary.json"])["seed"]
    monkeypatch.setattr("clustersim.folders.os.replace", killed)
    interrupted = False
    try:
        with folders.replacing(saved) as folder:
            new._write(folder, True)
    except KeyboardInterrupt:
        interrupted = True
    monkeypatch.undo()
    assert interrupted == (instant < 8)
    found = Results.load(saved)
    found.check_files()
    assert found.summary["seed"] == (old_seed if instant == 0 else 7)
    assert contents(saved).keys() == before.keys()


def test_a_run_that_was_read_is_saved_elsewhere_as_it_was(saved: Path, made: Results) -> None:
    for incidents in (True, False):
        target = saved.with_name(f"copy-{incidents}")
        again = Results.load(saved)
        again.save(target, incidents=incidents)
        assert again.folder == target
        copied = Results.load(target)
        copied.check_files()
        assert copied.summary == made.summary
        assert copied.provenance["files"].keys() == contents(target).keys() - {"provenance.json"}
        assert ("incidents.parquet" in contents(target)) is incidents
        assert copied.timeline.equals(made.timeline)


@pytest.mark.parametrize("name", ["scenario_hash", "version", "source"])
def test_runs_by_another_program_or_of_another_scenario_are_others(name: str) -> None:
    one = {"scenario_hash": "a", "version": "1", "source": "b", "seed": 1}
    assert is_of_the_same(one, one | {"seed": 2})
    assert not is_of_the_same(one, one | {name: "another"})
    assert not is_of_the_same({key: value for key, value in one.items() if key != name}, one)


def test_a_folder_that_is_not_a_run_is_never_touched(tmp_path: Path, made: Results) -> None:
    precious = tmp_path / "thesis"
    precious.mkdir()
    (precious / "chapter.tex").write_text("years")
    with pytest.raises(RunError, match="left alone"):
        results(scenario()).save(precious)
    (precious / "summary.json").write_text("{}")
    with pytest.raises(RunError, match="left alone"):
        results(scenario()).save(precious)
    assert {path.name for path in precious.iterdir()} == {"chapter.tex", "summary.json"}
    with pytest.raises(RunError, match="is a file"):
        results(scenario()).save(precious / "chapter.tex")


def test_an_empty_folder_may_be_filled(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    results(scenario()).save(tmp_path / "new")
    assert folders.is_run_folder(tmp_path / "new")


@pytest.mark.parametrize("name", ["run", "me@home"])
def test_a_write_that_fails_leaves_the_old_run(
    saved: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    saved = saved.rename(saved.with_name(name))
    before = (saved / "summary.json").read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("clustersim.tables.write", full)
    with pytest.raises(OSError, match="No space"):
        results(scenario("other")).save(saved)
    assert (saved / "summary.json").read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == [name]


def test_pages_are_asked_of_who_writes_them(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    pages = SimpleNamespace(
        write_report=lambda *given: asked.append(given),
        notebook_runs=lambda shown: f"first screen of {shown[0].name}",
    )
    registered = [SimpleNamespace(load=lambda: pages)]
    monkeypatch.setattr("clustersim.report_hook.entry_points", lambda group: registered)
    run, usual, other = Results.load(saved), saved / "report.html", saved.with_name("other.html")
    assert (run.report(), run.report(other, "clustersim run")) == (usual, other)
    assert asked == [([run], usual, None, None), ([run], other, None, "clustersim run")]
    assert run._repr_html_() == "first screen of small"


@pytest.mark.parametrize("name", ["summary.json", "provenance.json", "scenario.yaml"])
def test_a_folder_that_lacks_a_file_is_no_run(saved: Path, name: str) -> None:
    (saved / name).unlink()
    with pytest.raises(RunError, match="not the folder of a finished run"):
        Results.load(saved)


def test_what_cannot_be_read_is_said(saved: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no such run folder"):
        Results.load(tmp_path / "nowhere")
    (saved / "timeline.parquet").write_bytes(b"noise")
    with pytest.raises(RunError, match="has changed since it was written"):
        _ = Results.load(saved).timeline
    forget_checksums(saved)
    with pytest.raises(RunError, match="cannot be read"):
        _ = Results.load(saved).timeline


def forget_checksums(folder: Path) -> None:
    """Let the run be like one of before there were checksums, or of somebody who makes his own."""
    path = folder / "provenance.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"files": None}))


HOSTILE: list[tuple[Any, str]] = [
    ("{", "not valid JSON"),
    ("[" * 100_000, "nested too deep"),
    ('{"schema_version": ' * 50_000, "nested too deep"),
    ("[]", "not a JSON object"),
    ('{"schema_version": 99}', "another version"),
    ({"ledger": None}, r"has no ledger\.productive"),
    ({"ledger": {"productive": 1.0}}, r"has no ledger\."),
    ({"ettr": {"mean": 5}}, r"ettr\.mean is 5, which is out of its range"),
    ({"ettr": {"mean": "0.5"}}, r"ettr\.mean is no number"),
    ({"ettr": {"mean": True}}, r"ettr\.mean is no number"),
    ({"ettr": {"mean": None}}, r"ettr\.mean is unknown"),
    ({"interruptions_per_day": -1}, "out of its range"),
    ({"gpus": 65}, "gpus is not that of the scenario"),
    ({"name": "other"}, "name is not that of the scenario"),
    ({"waste": []}, "waste is not what it should be"),
    ({"margins": None}, "has no margins"),
    ('{"schema_version": NaN}', "NaN is no number"),
]


@pytest.mark.parametrize(("change", "why"), HOSTILE, ids=[why for _, why in HOSTILE])
def test_a_summary_that_cannot_be_one_is_one_sentence(saved: Path, change: Any, why: str) -> None:
    path = saved / "summary.json"
    text = change if isinstance(change, str) else json.dumps(json.loads(path.read_text()) | change)
    path.write_text(text)
    with pytest.raises(RunError, match="has changed since it was written"):
        Results.load(saved)
    forget_checksums(saved)
    with pytest.raises(RunError, match=why) as caught:
        Results.load(saved)
    assert len(str(caught.value)) < 500


def test_a_changed_scenario_or_table_is_noticed(saved: Path) -> None:
    for name in ("scenario.yaml", "incidents.parquet"):
        before = (saved / name).read_bytes()
        (saved / name).write_bytes(before + b"\n")
        with pytest.raises(RunError, match=f"{name}: has changed"):
            Results.load(saved).check_files()
        (saved / name).unlink()
        with pytest.raises(RunError, match=f"{name}: is missing|not the folder"):
            Results.load(saved).check_files()
        (saved / name).write_bytes(before)
    Results.load(saved).check_files()


def test_a_table_is_refused_by_what_it_says_of_itself(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    forget_checksums(saved)
    monkeypatch.setattr("clustersim.tables.MOST_ROWS", {"incidents": 10, "timeline": 400, "strip": 1000})
    with monkeypatch.context() as patch:
        patch.setattr(pq.ParquetFile, "read", lambda *_: pytest.fail("its rows were read"))
        with pytest.raises(RunError, match=r"incidents.parquet: \d+ rows, where at most 10 can be read"):
            _ = Results.load(saved).incidents
    path = saved / "replications.parquet"
    table = pq.read_table(path)
    wrong = {
        "3 rows|6 rows, where": pa.concat_tables([table, table]),
        "are too few": table.slice(1),
        "has no column wall_s": table.drop_columns(["wall_s"]),
        "its column wall_s holds string": table.set_column(1, "wall_s", pa.array(["\x1b"] * COUNT)),
        "a share in column ettr": table.set_column(2, "ettr", pa.array([5.0] * COUNT)),
    }
    for why, made in wrong.items():
        pq.write_table(made, path)
        with pytest.raises(RunError, match=why):
            _ = Results.load(saved).replications


@pytest.mark.parametrize(
    ("name", "expected"),
    [("chen-100k", "chen-100k"), ("My Cluster_2", "my-cluster-2"), ("...", "scenario"), ("a" * 99, "a" * 60)],
)
def test_slugs_are_safe_folder_names(name: str, expected: str) -> None:
    assert folders.slug(name) == expected


def test_two_scenarios_cannot_share_a_folder() -> None:
    with pytest.raises(ChoiceError, match="share a folder"):
        folders.one_folder_each(["My Cluster", "my-cluster"], Path())


@pytest.fixture(scope="module")
def compared() -> Comparison:
    sizes = [
        scenario("large", 256),
        scenario("small", 64),
        scenario("slow", 64, checkpoint={"interval": "5 min", "blocks": "2 min"}),
    ]
    return Comparison([results(one) for one in sizes], "small")


def test_differences_are_paired_and_to_the_baseline(compared: Comparison) -> None:
    assert [one.name for one in compared.differences] == ["large", "slow"]
    large, small = (one.ettr_by_replication for one in compared.results[:2])
    difference = compared.differences[0]
    assert difference.ettr.mean == pytest.approx(float((large - small).mean()))
    assert compared.differences[1].ettr.distinguishable
    assert compared.differences[1].ettr.mean < 0


def test_steps_go_from_each_size_to_the_next(compared: Comparison) -> None:
    (step,) = compared.steps
    assert (step.smaller, step.larger, step.extra_gpus) == ("small", "large", 192)
    expected = compared.results[0].summary["effective_gpus"] - compared.results[1].summary["effective_gpus"]
    assert step.extra_effective_gpus.mean == pytest.approx(expected)
    assert step.marginal_return.mean == pytest.approx(expected / 192)


def test_a_comparison_as_plain_data(compared: Comparison, tmp_path: Path) -> None:
    plain = compared.to_dict()
    assert [one["name"] for one in plain["scenarios"]] == ["large", "small", "slow"]
    assert set(plain["differences"][0]) >= {"name", "baseline", "ettr_difference", "distinguishable"}
    compared.save(tmp_path)
    assert json.loads((tmp_path / "comparison.json").read_text())["differences"] == plain["differences"]


def test_the_baseline_must_be_one_of_them(compared: Comparison) -> None:
    with pytest.raises(ChoiceError, match="large, small, slow"):
        Comparison(compared.results, "nobody")


def test_figures_are_the_metrics_of_the_summary_typed(made: Results) -> None:
    ettr = made.figures["ettr.mean"]
    assert ettr.value == made.summary["ettr"]["mean"]
    assert (ettr.low, ettr.high) == pytest.approx((made.summary["ettr"]["low"], made.summary["ettr"]["high"]))
    assert (ettr.unit, ettr.label) == ("share", "ETTR")
    assert made.figures["gpus"].low is None
    assert made.figures["incidents_by_mode.node"].value == made.summary["incidents_by_mode"]["node"]
    assert "cost.total" not in made.figures
    unknown = results(scenario(failures="none")).figures["mtti_s"]
    assert (unknown.value, unknown.low) == (None, None)
    paths = [path for path in made.summary["margins"] if path != "ettr"]
    assert all(made.figures[path].high is not None for path in paths)
