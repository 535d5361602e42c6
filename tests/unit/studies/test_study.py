"""What every study keeps to: its JSON, its frame, its files, its settings.  A new study joins the list."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from clustersim import workers
from clustersim.advice import Advice
from clustersim.engine.replication import simulate
from clustersim.experiment import Interrupted
from clustersim.records import Records
from clustersim.settings import Settings, Silent
from clustersim.store import ChoiceError, Measurements, RunError
from clustersim.studies.levers import levers
from clustersim.studies.sensitivity import sensitivity
from clustersim.studies.solve import solve
from clustersim.studies.study import Answer, Simulations, Study
from clustersim.studies.sweep import sweep
from clustersim.studies.tune import tune
from clustersim.validation.validate import validate
from tests.unit.studies.clusters import HERE, job

DOCS = Path(__file__).resolve().parents[3] / "docs/reference"
ESTIMATE = {"mean", "low", "high"}
Asked = Callable[..., Any]


def few(*given: Any, **keywords: Any) -> Study:
    """A tuning of few candidates."""
    return tune(*given, candidates=8, **keywords)


def in_full(*given: Any, **keywords: Any) -> Study:
    """A tuning of even fewer, each simulated in full."""
    return tune(*given, candidates=5, simulate=True, **keywords)


def of_others(*given: Any, **keywords: Any) -> Study:
    """A tuning with a sweep of another value in each of two places."""
    over = {"checkpoint.blocks": "10s,40s", "recovery.stages.start": "1min"}
    return tune(*given, candidates=8, over=over, **keywords)


def swept(*given: Any, **keywords: Any) -> Study:
    """A sweep of two places."""
    vary = {"checkpoint.blocks": "10s..40s:2", "recovery.stages.start": "1min,5min"}
    return sweep(*given, vary=vary, metrics=["ettr", "mtti_s"], **keywords)


def solved(*given: Any, **keywords: Any) -> Study:
    """A place that is found."""
    return solve(*given, path="recovery.stages.start", until="ettr >= 0.7", **keywords)


def unknowns(*given: Any, **keywords: Any) -> Study:
    """What to measure first, by few points."""
    return sensitivity(*given, samples=4, **keywords)


studies = pytest.mark.parametrize("ask", [few, in_full, of_others, levers, swept, solved, unknowns])
answers = pytest.mark.parametrize("ask", [few, in_full, of_others, levers, swept, solved, unknowns, validate])
CLAIMS = {
    "gain": {"figure": "ettr", "at_least": "1 pp", "minus": {}, "change": {"checkpoint.blocks": "1 s"}},
    "time": {"figure": "ettr", "at_least": "10 %", "unknown": {"checkpoint.blocks": ["2 s", "30 s"]}},
}


def scenario() -> Any:
    """One that is priced, has a lever of its own, and a best interval that can be told from its own."""
    claims = {name: {"says": name, "kind": "band", **claim} for name, claim in CLAIMS.items()}
    more = {
        "costs": {"gpu_hour": "2 USD"},
        "levers": {"x": {"checkpoint.blocks": "3 s", "price": "5 USD"}},
        "published": {"source": "nobody", "claims": claims},
    }
    return job(interval="1 h", lives=20, replications=4, **more)


OF_THE_SCENARIO = {path for claim in CLAIMS.values() for path in claim.get("change", {})}  # type: ignore[attr-defined]


def keys(value: Any) -> set[str]:
    """Every key anywhere in a JSON value."""
    if isinstance(value, dict):
        return set(value).union(*map(keys, value.values()))
    return set().union(*map(keys, value)) if isinstance(value, list) else set()


@answers
def test_every_key_is_explained(ask: Asked) -> None:
    pages = [(DOCS / f"{name}.md").read_text("utf-8") for name in ("tuning", "validation")]
    explained = {key for page in pages for key in re.findall(r"`([\w.]+)`", page)} | ESTIMATE
    found = ask(scenario(), workers=1).to_dict()
    metrics = {*found.get("metrics", ()), *(axis["path"] for axis in found.get("axes", ()))}
    assert keys(found) - explained - OF_THE_SCENARIO - metrics == set()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["wall_s"] > 0


@answers
def test_the_same_bytes_are_saved_whoever_works(
    ask: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = ask(scenario(), tmp_path / "here", workers=1)
    monkeypatch.setattr(workers, "WORTH_A_POOL", 0.0)
    ask(scenario(), tmp_path / "there", settings=Settings(workers=2))
    one, other = ((tmp_path / name / here.file).read_bytes() for name in ("here", "there"))
    assert one == other
    assert json.loads(one) == here.saved()
    assert "wall_s" not in keys(here.saved())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here", "there"]


class Listener(Silent):
    def __init__(self) -> None:
        self.sentences: list[str] = []

    def say(self, message: str) -> None:
        self.sentences.append(message)


@answers
def test_without_an_output_nothing_is_said_to_be_kept(ask: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    real, simulated = Measurements.put, list[int]()

    def put(self: Measurements, records: Records) -> None:
        real(self, records)
        simulated.append(records.replication)
        if len(simulated) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(Measurements, "put", put)
    with pytest.raises(Interrupted) as stop:
        ask(scenario(), workers=1)
    assert str(stop.value) == "interrupted"
    assert stop.value.kept == 0


@answers
@pytest.mark.parametrize("error", [KeyboardInterrupt(), RunError("a worker process died")])
def test_a_study_that_breaks_off_is_gone_on_from(
    ask: Asked, error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer, simulated = ask(scenario(), workers=1), list[int]()
    whole, here, real = answer.saved(), answer.file, Measurements.put

    def put(self: Measurements, records: Records) -> None:
        real(self, records)
        simulated.append(records.replication)
        if len(simulated) == 3:
            raise error

    def breaks_off() -> None:
        simulated.clear()
        with pytest.raises((Interrupted, RunError), match=r"3 finished replications are kept|worker"):
            ask(scenario(), tmp_path / "study", workers=1)

    monkeypatch.setattr(Measurements, "put", put)
    breaks_off()
    kept = next(tmp_path.glob(".study.partial/*.npy"))
    with kept.open("ab") as file:
        file.write(kept.read_bytes()[:100])  # killed while it wrote
    listener = Listener()
    found = ask(scenario(), tmp_path / "study", workers=1, resume=True, progress=listener)
    assert listener.sentences == ["going on from 3 finished replications"]
    assert found.saved() == whole
    assert [path.name for path in tmp_path.iterdir()] == ["study"]
    breaks_off()
    ask(scenario(), tmp_path / "study", workers=1, progress=listener)
    assert f"3 replications of an unfinished {here.partition('.')[0]};" in listener.sentences[-1]
    if ask is not validate:  # whose file holds any number of scenarios
        breaks_off()
        ask(scenario(), tmp_path / "study", workers=1, seed=4, resume=True, progress=listener)
        assert "replications of another scenario or version are kept in" in listener.sentences[2]


@studies
def test_a_frame_has_a_row_for_each_point(ask: Asked) -> None:
    found = ask(scenario(), workers=1)
    points = found.body()[found.points]
    assert len(found.frame) == len(points) > 0
    assert next(iter(points[0])) in found.frame
    assert any(column.rpartition(".")[2] == "low" for column in found.frame)


@studies
def test_settings_and_keywords_are_the_same(ask: Asked) -> None:
    by_keyword = ask(scenario(), workers=1, seed=3, replications=2, horizon="9 h", overrides={"costs": None})
    settings = Settings(workers=1, seed=3, replications=2, horizon="9 h", overrides={"costs": None})
    assert {
        **ask(scenario(), settings=settings).to_dict(),
        "wall_s": by_keyword.wall_s,
    } == by_keyword.to_dict()
    with pytest.raises(
        TypeError, match='"replicatons" is not one of the settings; did you mean "replications"'
    ):
        ask(scenario(), replicatons=2)
    with pytest.raises(ChoiceError, match="fixed number of replications"):
        ask(scenario(), precision="1 pp")


@studies
def test_a_report_is_written_by_reports(ask: Asked, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    called = []
    found = ask(scenario(), workers=1)
    monkeypatch.setattr("clustersim_reports.write_study", lambda *given: called.append(given), raising=False)
    path = tmp_path / "below" / "report.html"
    assert found.report(path, "as typed") == path
    assert called == [(found, path, "as typed")]
    assert path.parent.is_dir()


def test_shares_stay_between_nothing_and_all() -> None:
    found = few(job(mtbf=60, restart=600, replications=2, lives=60), workers=1).to_dict()
    ends = [end for one in found["curve"] for end in (one["low"], one["high"])]
    assert all(0 <= end <= 1 for end in ends)


def test_another_answer_is_kept_with_its_report_and_the_same_one_is_not(tmp_path: Path) -> None:
    first = levers(scenario(), tmp_path / "study", workers=1)
    (tmp_path / "study" / "report.html").write_text("of the first")
    levers(scenario(), tmp_path / "study", workers=1)
    assert {path.name for path in (tmp_path / "study").iterdir()} == {"levers.json", "report.html"}
    levers(scenario(), tmp_path / "study", workers=1, seed=4)
    (kept,) = (tmp_path / "study").glob("levers@*.json")
    (report,) = (tmp_path / "study").glob("report@*.html")
    assert json.loads(kept.read_text("utf-8")) == json.loads(json.dumps(first.saved()))
    assert report.read_text() == "of the first"


class Small(Answer):
    """An answer with times inside."""

    file = "small.json"
    advice: ClassVar[list[Advice]] = []

    def to_dict(self) -> dict[str, Any]:
        return {"wall_s": 1.0, "points": [{"wall_s": 2.0, "ettr": 0.5}, 3]}

    def report(self, path: Any, command: str | None = None) -> Path:
        raise NotImplementedError


def test_a_file_has_no_times_and_its_folders_are_made(tmp_path: Path) -> None:
    path = Small().save(tmp_path / "new" / "answer")
    assert path == tmp_path / "new" / "answer" / "small.json"
    assert json.loads(path.read_text("utf-8")) == {"points": [{"ettr": 0.5}, 3]}


def test_the_longest_is_simulated_first_by_the_hands_and_seconds_add_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two replications of 100,000 lives take longer than nine of 10."""
    asked, hands = list[Any](), SimpleNamespace(processes=3)
    monkeypatch.setattr("clustersim.studies.study.simulate_all", lambda *given: asked.append(given) or 2.5)
    running = Simulations(HERE, hands)  # type: ignore[arg-type]
    points = [running.point(job(lives=lives), {}, range(n)) for lives, n in ((10, 4), (1e5, 2), (10, 9))]
    running.run(points)
    running.run(points[:1])
    assert [[point.wanted for point in given] for given, _, _ in asked] == [[2, 9, 4], [4]]
    assert all(by is hands for _, _, by in asked)
    assert (running.wall_s, running.processes) == (5.0, 3)


def test_any_replications_are_simulated_or_the_first_ones() -> None:
    running, small = Simulations(HERE), job(lives=2, replications=2)
    expected = [simulate(small, number).ettr for number in range(5)]
    assert running.ettr([small], range(2, 5))[0] == pytest.approx(expected[2:])
    point = running.point(small, {})
    running.run([point])
    assert point.store.ettr(2) == pytest.approx(expected[:2])


@studies
def test_what_was_simulated_is_kept_until_the_answer_is_saved(
    ask: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(answer: Study, folder: object) -> Path:
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        for kind in {Study, *Study.__subclasses__()}:
            patch.setattr(kind, "save", full)
        with pytest.raises(OSError, match="no space"):
            ask(scenario(), tmp_path / "study", workers=1)
    assert [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    ask(scenario(), tmp_path / "study", workers=1, resume=True)
    assert [path.name for path in tmp_path.iterdir()] == ["study"]
