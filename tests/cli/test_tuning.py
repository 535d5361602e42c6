"""`tune` and `levers` on the command line: what they print, write and return."""

import json
from pathlib import Path

import clustersim as cs
from clustersim import load
from tests.cli.conftest import Clustersim, printed

FEW = ("--replications", "3", "--horizon", "2d")
TUNE = ("tune", "small.yaml", "--candidates", "12", *FEW)
KEYS = {
    "best_s", "range_s", "ettr_at_best", "curve", "young_s", "daly_s", "exact_s", "ettr_now", "recommended_s",
    "boundary", "method", "method_reason", "replications", "fresh_replications", "horizon_s", "no_failures",
    "no_progress", "gains", "what_ifs", "advice", "wall_s",
}  # fmt: skip


def test_tune_prints_one_json_object(clustersim: Clustersim, here: Path) -> None:
    found = printed(clustersim(*TUNE, "--json"))
    assert set(found) >= KEYS
    low, high = found["range_s"]
    assert low <= found["best_s"] <= high
    assert low <= found["recommended_s"] <= high
    assert set(found["ettr_at_best"]) == {"mean", "low", "high"}
    assert len(found["curve"]) == 12
    assert {"interval_s", "ettr", "low", "high"} <= set(found["curve"][0])
    assert [gain["over"] for gain in found["gains"]] == ["young", "daly", "exact", "now"]
    assert set(found["gains"][0]["money_per_year"]) == {"mean", "low", "high"}
    assert (found["method"], found["method_reason"]) == ("scored", None)
    assert (found["replications"], found["fresh_replications"], found["horizon_s"]) == (3, 3, 172800.0)
    saved = json.loads((here / "runs/small/tune/tune.json").read_text())
    assert saved == {name: value for name, value in found.items() if name != "wall_s"}


def test_tune_says_how_often_to_save(clustersim: Clustersim, here: Path) -> None:
    result = clustersim(*TUNE, "--blocks", "10s,1min", "--over", "cluster.gpus=64,1k")
    assert result.exit_code == 0, result.output
    assert "Save about every" in result.stdout
    more = "checkpoint.blocks changes", "Best range", "1000", "scored on outages"
    for part in ("recommended", "Young", "Daly", "today's", *more):
        assert part in result.stdout, part
    assert result.stderr == "Results: runs/small/tune/tune.json\n"


def test_tune_simulates_when_asked(clustersim: Clustersim, here: Path) -> None:
    found = printed(clustersim("tune", "small.yaml", "--candidates", "6", "--simulate", *FEW, "--json"))
    assert (found["method"], found["method_reason"]) == ("simulated", "asked for")


def test_tune_writes_a_copy_that_is_as_it_was_but_for_the_interval(
    clustersim: Clustersim, here: Path
) -> None:
    found = printed(clustersim(*TUNE, "--write", "tuned.yaml", "--json"))
    before, after = ((here / name).read_text().splitlines() for name in ("small.yaml", "tuned.yaml"))
    assert sum(one != other for one, other in zip(before, after, strict=True)) == 1
    assert load(here / "tuned.yaml").checkpoint.interval == found["recommended_s"]  # type: ignore[union-attr]
    again = clustersim(*TUNE, "--write", "tuned.yaml")
    assert again.exit_code == 2
    assert "--force" in again.stderr
    assert clustersim(*TUNE, "--write", "tuned.yaml", "--force").exit_code == 0


def test_nothing_is_written_where_no_interval_is_better(clustersim: Clustersim, here: Path) -> None:
    result = clustersim(*TUNE, "--set", "failures=none", "--write", "tuned.yaml", "--json")
    found = printed(result)
    assert (found["best_s"], found["recommended_s"], found["range_s"], found["curve"]) == (
        None,
        None,
        None,
        [],
    )
    assert "not written" in result.stderr
    assert not (here / "tuned.yaml").exists()


def test_levers_prints_one_json_object(clustersim: Clustersim, here: Path) -> None:
    own = "levers.quick={recovery.stages.restart: 1 min, price: 500 USD}"
    found = printed(clustersim("levers", "small.yaml", *FEW, "--set", own, "--json"))
    names = {lever["name"]: lever for lever in found["levers"]}
    assert {"halve node failures", "halve restart time", "double the spares", "quick"} <= set(names)
    keys = {
        "name",
        "change",
        "ettr_gain",
        "effective_gpus_gain",
        "money_per_year",
        "distinguishable",
        "price",
    }
    assert set(names["quick"]) >= keys
    assert names["quick"]["price"] == {"amount": 500.0, "currency": "USD"}
    assert set(found) >= {"ettr", "replications", "horizon_s", "advice", "wall_s"}
    assert json.loads((here / "runs/small/levers/levers.json").read_text())["levers"] == found["levers"]


def test_levers_says_what_to_do_first(clustersim: Clustersim, here: Path) -> None:
    result = clustersim("levers", "small.yaml", *FEW, "-o", "elsewhere")
    assert result.exit_code == 0, result.output
    assert "halve job failures" in result.stdout
    assert (here / "elsewhere/levers.json").is_file()


def test_a_run_and_its_tuning_share_a_folder(clustersim: Clustersim, here: Path) -> None:
    assert clustersim(*TUNE).exit_code == 0
    assert clustersim("run", "small.yaml", *FEW).exit_code == 0
    assert clustersim("run", "small.yaml", *FEW, "--force").exit_code == 0
    assert (here / "runs/small/tune/tune.json").is_file()
    assert (here / "runs/small/summary.json").is_file()


def test_python_gives_the_same_as_the_command(clustersim: Clustersim, here: Path) -> None:
    found = cs.tune("small.yaml", candidates=12, replications=3, horizon="2d", workers=1)
    told = printed(clustersim(*TUNE, "--json"))
    assert {**found.to_dict(), "wall_s": None} == {**told, "wall_s": None}
    ranked = cs.levers("small.yaml", replications=3, horizon="2d", workers=1)
    told = printed(clustersim("levers", "small.yaml", *FEW, "--json"))
    assert {**ranked.to_dict(), "wall_s": None} == {**told, "wall_s": None}


TIERS = """\
name: tiers
cluster: {gpus: 64}
failures: {node: {per: node, mtbf: 8 d, repair: 1 h}}
checkpoint:
  tiers:
    peer: {interval: 10 min, blocks: 5 s, survives: [job]}
    storage: {interval: 3 h, blocks: 1 min}   # the last one
simulation: {horizon: 2 d, replications: 2}
"""


def test_tune_takes_one_tier_of_several(clustersim: Clustersim, here: Path) -> None:
    (here / "tiers.yaml").write_text(TIERS)
    command = ("tune", "tiers.yaml", "--candidates", "5")
    result = clustersim(*command, "--write", "tuned.yaml")
    assert result.exit_code == 0, result.output
    assert "Save to storage about every" in result.stdout
    assert "each simulated in full (with tiers, replicas or such effects" in " ".join(result.stdout.split())
    old, new = load(here / "tiers.yaml"), load(here / "tuned.yaml")
    assert new.tiers[0] == old.tiers[0]
    assert new.tiers[1].interval != old.tiers[1].interval
    wrong = clustersim(*command, "--tier", "stor")
    assert wrong.exit_code == 2
    assert "no tier 'stor'; did you mean \"storage\"?" in wrong.stderr
