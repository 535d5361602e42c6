"""`fit` on the command line: what it prints, writes and returns, of logs that tests write."""

import csv
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import clustersim as cs
from clustersim.engine.replication import simulate
from clustersim.fitting.histories import history_of
from clustersim.logs.history import ROWS
from clustersim.scenario import load, loads
from clustersim.settings import ChoiceError, Silent
from tests.cli.conftest import Clustersim, printed

ROOT = Path(__file__).resolve().parents[2]
WATCHED = ("--nodes", "60", "--from", "0 d", "--to", "300 d")
FLEET = """
name: fleet
cluster: {gpus: 480}
failures:
  gpu: {per: node, mtbf: 60 d, relapse: {probability: 40 %, within: 1 d}, repair: {exponential: {mean: 1 d}}}
  软件: {per: job, mtbf: 20 d, clock: calendar}
checkpoint: none
recovery: {stages: {nodes: wait}}
simulation: {horizon: 300 d}
"""


@pytest.fixture
def log(here: Path) -> Path:
    """A log of 60 nodes for 300 days, with one row that cannot be read."""
    scenario = loads(FLEET)
    history = history_of(scenario, simulate(scenario, 0))
    path = here / "incidents.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["time_h", "node", "cause", "repair_h"])
        for time, end, node, cause in zip(
            history.time_s, history.end_s, history.node, history.cause, strict=True
        ):
            away = f"{(end - time) / 3600:.5f}" if end > 0 else ""
            away = "9999" if away == "inf" else away
            writer.writerow(
                [f"{time / 3600:.5f}", f"gpu-{node:03d}" if node >= 0 else "", history.causes[cause], away]
            )
        writer.writerow(["soon", "gpu-001", "gpu", "3"])
    return path


def test_fit_prints_one_json_object_and_writes_a_scenario(
    clustersim: Clustersim, here: Path, log: Path
) -> None:
    found = printed(
        clustersim("fit", "incidents.csv", *WATCHED, "--replications", "50", "--workers", "1", "--json")
    )
    rows = found["rows"]
    assert rows["total"] == sum(rows[name] for name in ROWS) > 300
    assert found["problems"][0]["line"] == rows["total"] + 1
    assert set(found["causes"]) == {"gpu", "软件"}
    gpu, software = found["causes"]["gpu"], found["causes"]["软件"]
    assert (gpu["per"], software["per"]) == ("node", "job")
    assert gpu["relapse"]["probability"]["low"] < 0.4 < gpu["relapse"]["probability"]["high"]
    assert (
        gpu["lifetime"]["parameters"]["mtbf_s"]["low"]
        < 60 * 86_400
        < gpu["lifetime"]["parameters"]["mtbf_s"]["high"]
    )
    assert gpu["lemons"] is gpu["bursts"] is software["repair"] is software["relapse"] is None
    assert gpu["repair"]["law"] == "exponential"
    assert all(each["inside"] in (True, None) for each in found["check"])
    folder = here / "runs/incidents/fit"
    saved = json.loads((folder / "fit.json").read_text("utf-8"))
    assert saved == {name: value for name, value in found.items() if name != "wall_s"}
    scenario = load(folder / "scenario.yaml")
    assert (folder / "scenario.yaml").read_text("utf-8") == found["scenario"]
    assert set(scenario.uncertain) >= {
        "failures.gpu.mtbf",
        "failures.gpu.relapse.probability",
        "failures.软件.mtbf",
    }
    assert clustersim("check", str(folder / "scenario.yaml")).exit_code == 0
    by_python = cs.fit("incidents.csv", nodes=60, begin="0 d", end="300 d", replications=50, workers=2)
    assert by_python.saved() == saved
    assert list(by_python.frame["cause"]) == ["gpu", "软件"]


def test_a_person_reads_rows_causes_and_the_check(clustersim: Clustersim, log: Path) -> None:
    result = clustersim("fit", "incidents.csv", *WATCHED, "--replications", "40", "--workers", "1")
    assert result.exit_code == 0, result.output
    text = " ".join(result.stdout.split())
    assert "per 1000 node-days (95 %:" in text
    assert "not understood 1 cannot be read" in text
    assert re.search(r"per 1000 node-days \(95 %: [0-9. to]+\)\. Without 1 of \d+ rows, which", text)
    assert re.search(r"gpu: [34]\d % \(.* to .*\) of the repairs do not last 1 d", text)
    assert "simulated histories of the fitted fleet" in text
    assert "incidents.csv:" in text
    assert "Scenario: runs/incidents/fit/scenario.yaml" in result.stderr


def test_the_scenario_runs_into_the_folder_that_holds_its_fit(clustersim: Clustersim, log: Path) -> None:
    clustersim("fit", "incidents.csv", *WATCHED, "--replications", "1", "--workers", "1", "-q")
    scenario = Path("runs/incidents/fit/scenario.yaml")
    draws = "--set", "uncertainty.draws=2", "--horizon", "1d", "--workers", "1"
    for _ in range(2):
        result = clustersim("run", str(scenario), *draws, "-q")
        assert result.exit_code == 0, result.output
        assert scenario.is_file()
    assert Path("runs/incidents/summary.json").is_file()


def test_tables_as_csv(clustersim: Clustersim, log: Path) -> None:
    done = clustersim("fit", "incidents.csv", *WATCHED, "--replications", "40", "--format", "csv", "-q")
    first, *others = done.stdout.splitlines()
    assert first.startswith("cause,per,count,rate_per_1000_node_days.mean")
    assert [line.partition(",")[0] for line in others] == ["gpu", "软件"]


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (("--nodes", "60"), "give --from, --to"),
        (WATCHED[2:], "give --nodes"),
        (("--nodes", "2", *WATCHED[2:]), "correct the number of nodes"),
        (("--nodes", "60", "--from", "5000 d", "--to", "6000 d"), "correct the window"),
        ((*WATCHED, "--column", "time"), "write it like time=Start"),
        ((*WATCHED, "--column", "time=when"), "when"),
        ((*WATCHED, "--merge", "soon"), "--merge"),
    ],
)
def test_what_cannot_be_fitted_is_a_sentence(
    clustersim: Clustersim, log: Path, arguments: tuple[str, ...], remedy: str
) -> None:
    result = clustersim("fit", "incidents.csv", *arguments)
    assert result.exit_code == 2, result.output
    assert remedy in " ".join(result.stderr.split())
    assert not Path("runs").exists()


def keys(value: Any) -> Iterator[str]:
    """Yield the keys of plain data that are no names of causes."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield key
            yield from keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys(inner)


def test_progress_tells_how_much_of_the_logs_is_read(log: Path) -> None:
    told: list[tuple[int, int]] = []

    class Heard(Silent):
        def advance(self, done: int, wanted: int) -> None:
            told.append((done, wanted))

    with pytest.raises(ChoiceError, match="is a failure within the window"):
        cs.fit(str(log), nodes=60, begin="900 d", end="901 d", settings=cs.Settings(progress=Heard()))
    assert told[-1] == (100, 100)


def test_every_key_is_explained(clustersim: Clustersim, log: Path) -> None:
    found = printed(clustersim("fit", "incidents.csv", *WATCHED, "--replications", "40", "--json"))
    pages = "".join((ROOT / "docs/reference" / name).read_text("utf-8") for name in ("fit.md", "tuning.md"))
    causes = [key for cause in found.pop("causes").values() for key in keys(cause)]
    rows = set(found.pop("rows")) - {"total"}
    assert rows == set(ROWS)
    explained = set(re.findall(r"`([a-z_0-9]+)`", pages)) | set(re.findall(r"\w+", "mean low high"))
    assert {*causes, *keys(found)} <= explained
