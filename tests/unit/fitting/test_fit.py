"""From files to a fit: what is read, how large the fleet is made, and how often it is simulated."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from clustersim.experiment import Interrupted
from clustersim.fitting import fit as module
from clustersim.fitting.fit import fit, fit_history
from clustersim.logs.history import History
from clustersim.records import Records
from clustersim.scenario import Scenario
from clustersim.settings import Settings, Silent
from clustersim.store import ChoiceError, Measurements
from clustersim.units import DAY

ONCE = Settings(replications=1, workers=1)
LOG = "when,node,reason,back\n2026-05-02 00:00,a,x,2026-05-02 12:00\n2026-05-02 00:20,b,x,2026-05-03 00:00\n"
DAYS = {"begin": "2026-05-01", "end": "2026-05-11", "timezone": "UTC", "columns": {"time": "when"}}


def test_logs_are_read_as_they_are_said_to_be(tmp_path: Path) -> None:
    """Two files, of 20 nodes for ten days on the clock of training; rows within half an hour are one.

    Paths are of any kind, as the entries of a listing are.
    """
    (tmp_path / "My log.csv").write_text(LOG)
    (tmp_path / "more.csv").write_text("when,node,reason\n2026-05-05 00:00,a,x\n2026-05-05 00:25,a,x\n")
    (tmp_path / "fleet.csv").write_text("node\n" + "".join(f"{name}\n" for name in "abcdefghijklmnopqrst"))
    with os.scandir(tmp_path) as listed:
        entries = {each.name: each for each in listed}
    more = {"merge": 1800.0, "clock": "training", "format": "columns", "settings": ONCE}
    logs = [entries["My log.csv"], str(tmp_path / "more.csv")]
    found = fit(logs, tmp_path / "out", nodes=entries["fleet.csv"], **DAYS, **more)  # type: ignore[arg-type]
    log = found.history
    assert (log.nodes, log.window_s, log.clock) == (20, 10 * DAY, "training")
    assert (log.rows["total"], log.rows["used"], log.rows["merged"]) == (4, 3, 1)
    assert found.scenario.name == "my-log"
    assert "fitted by clustersim fit to My log.csv, more.csv: 3 failures" in found.text
    saved = json.loads((tmp_path / "out" / "fit.json").read_text("utf-8"))
    assert saved["causes"]["x"]["count"] == 3
    assert (tmp_path / "out" / "scenario.yaml").read_text("utf-8") == found.text
    named = fit(tmp_path / "My log.csv", nodes=9, name="other", replications=2, workers=1, **DAYS)  # type: ignore[arg-type]
    assert (named.scenario.name, named.history.nodes, named.replications) == ("other", 9, 2)
    assert named.scenario.cluster.nodes + named.scenario.cluster.spare_nodes == 9
    with pytest.raises(ChoiceError, match="give --nodes"):
        fit(tmp_path / "My log.csv", **DAYS)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seconds", "count"),
    [(0.01, 200), (0.3, 200), (0.5, 120), (1.0, 60), (1.5, 40), (3.0, 40), (15.0, 40), (15.1, 0)],
)
def test_a_fleet_is_simulated_for_a_minute_40_to_200_times_or_not_at_all(
    seconds: float, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond ten minutes for 40 histories it is not, unless somebody asks for it."""
    monkeypatch.setattr(module, "replication_s", lambda fleet: seconds)
    scenario: Any = object()
    assert module._histories(scenario) == count


def test_as_many_spares_as_nodes_were_away_at_most_but_not_more_than_half(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The check simulates all of them in the job, for as long as the log."""
    fleets: list[Scenario] = []
    measure = module.measure
    monkeypatch.setattr(module, "measure", lambda fleet: fleets.append(fleet) or measure(fleet))
    for away, spares in ((0, 0), (2, 2), (3, 3), (6, 3)):
        node, until = list(range(6)), [2 * DAY] * away + [float("nan")] * (6 - away)
        log = History.of([DAY] * 6, 7, 30 * DAY, node=node, end_s=until)
        found = fit_history(log, "few", "log.csv", settings=ONCE)
        assert found.scenario.cluster.spare_nodes == spares
        assert found.scenario.cluster.nodes == 7 - spares
        assert (fleets[-1].cluster.nodes, fleets[-1].cluster.spare_nodes) == (7, 0)
        assert fleets[-1].end_s == 30 * DAY
        assert not fleets[-1].uncertain
        assert found.scenario.uncertain
    of_job = fit_history(History.of([DAY], 7, 30 * DAY), "few", "log.csv", settings=ONCE)
    assert of_job.scenario.cluster.spare_nodes == 0


def test_a_fit_without_histories_has_no_check() -> None:
    log = History.of([DAY], 7, 30 * DAY, node=[0])
    found = fit_history(log, "few", "log.csv", settings=Settings(replications=0, workers=1))
    assert found.replications == 0
    assert found.checked[0] == ("failures", 1.0, None, None)


class Listener(Silent):
    def __init__(self) -> None:
        self.sentences: list[str] = []

    def say(self, message: str) -> None:
        self.sentences.append(message)


def test_a_fit_that_breaks_off_is_gone_on_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If it is of the same fleet: not of that of another log."""
    real = Measurements.put

    def put(self: Measurements, records: Records) -> None:
        real(self, records)
        if records.replication == 1:
            raise KeyboardInterrupt

    def fitted(days: float, **more: Any) -> list[str]:
        log, heard = History.of([days * DAY], 7, 30 * DAY, node=[0]), Listener()
        settings = Settings(replications=3, workers=1, progress=heard, **more)
        found = fit_history(log, "few", "log.csv", tmp_path / "out", settings)
        assert found.saved() == fit_history(log, "few", "log.csv", settings=settings).saved()
        return heard.sentences[:2]

    with monkeypatch.context() as patch:
        patch.setattr(Measurements, "put", put)
        with pytest.raises(Interrupted, match="2 finished replications are kept"):
            fitted(1.0)
    heard, others = fitted(1.0, seed=5, resume=True)
    assert heard == "Fitting failure"
    assert others.startswith("replications of another scenario or version are kept in")
    assert others.endswith("that fit goes on from them with --resume")
    assert fitted(1.0, resume=True)[1] == "going on from 2 finished replications"


def test_what_is_no_failure_is_told_with_the_first_problem(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("when,node\n2026-06-02,a\nsoon,a\n")
    with pytest.raises(
        ChoiceError, match="none of 2 rows is a failure within the window; the first problem:"
    ):
        fit(tmp_path / "log.csv", nodes=9, settings=ONCE, **DAYS)  # type: ignore[arg-type]
    with pytest.raises(ChoiceError, match="none of 0 rows is a failure within the window; correct the"):
        fit_history(History.of([], 8, 30 * DAY), "few", "log.csv", settings=ONCE)
    hundred = History.of(range(100), 8, 30 * DAY, cause=range(100), causes=[str(n) for n in range(100)])
    module._refuse_useless(hundred)
