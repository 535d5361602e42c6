"""The figures of runs by value."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from clustersim.advice import ENTRY_WORDS
from clustersim.engine.ledger import Entry
from clustersim.engine.replication import simulate
from clustersim.results import Results
from clustersim.scenario import Scenario
from clustersim_reports.blocks import Figure, Table
from clustersim_reports.run import Run, Runs
from clustersim_reports.sections import failures, ledger, recovery, size, spread, throughput
from tests.reports.cases import PLAIN, incidents, made, one, run, several
from tests.reports.fleets import EVERYTHING, everything
from tests.reports.pages import figures


def test_the_ledger_keeps_its_order_and_every_bar_adds_up() -> None:
    shares = {"recovery": 0.25, "productive": 0.7, "lost": 0.05, "waiting": 0.0}
    both = Runs([one(summary={"ledger": shares}), one(summary={"name": "two", "ledger": {"waiting": 1.0}})])
    figure = ledger.figure(both)
    assert list(dict.fromkeys(figure.data["entry"])) == ["productive", "lost", "recovery", "waiting"]
    bars = figure.drawing["data"]
    assert [sum(bar["x"][row] for bar in bars) for row in (0, 1)] == pytest.approx([100, 100])
    assert [bar["text"][0] for bar in bars] == ["70 %", "5 %", "25 %", ""]


def test_the_stages_of_recovery_stand_below_it() -> None:
    found = list(ledger.rows(several("plain")))
    assert [row.head.text for row in found][-3:] == ["recovery", "restart", "load"]
    assert [row.look for row in found[-3:]] == ["", "part", "part"]
    assert set(ledger.MEANINGS) == {entry.label for entry in Entry}
    assert ENTRY_WORDS["waiting"] == f"waiting {ledger.MEANINGS['waiting']}"


def wasteful(count: int) -> Run:
    """Return a run with so many causes, each a little smaller than the one before."""
    waste = {f"m{number:02}": 0.03 - number / 1000 for number in range(count)}
    parts = {cause: {"lost": 0.75 * share, "recovery": 0.25 * share} for cause, share in waste.items()}
    rates = {"m01": 3.0, "quiet": 0.0}
    return one(
        summary={
            "waste_by_cause": waste | {"quiet": 0.0},
            "waste": parts,
            "incidents_by_mode": rates,
            "ledger": {"productive": 1 - sum(waste.values()), "lost": sum(waste.values())},
        },
        incidents=None,
    )


def test_causes_are_ranked_and_add_up() -> None:
    found = failures.causes_of(wasteful(3))
    assert found == ["m00", "m01", "m02"]
    data = failures.waste(wasteful(3), found).data
    assert data["cumulative_share"] == pytest.approx([0.03, 0.059, 0.087])
    assert data["incidents_per_day"] == [None, 3.0, None]
    assert data.columns[5:] == ["lost", "recovery"]


def test_beyond_twelve_causes_the_rest_is_one_bar_and_the_data_hold_all() -> None:
    figure = failures.waste(wasteful(15), failures.causes_of(wasteful(15)))
    assert [len(bar["x"]) for bar in figure.drawing["data"]] == [12, 12]
    assert "4 other causes" in str(figure.drawing["layout"]["annotations"][-1])
    assert len(figure.data.rows) == 15


def test_causes_in_the_table_add_up_to_what_is_wasted_and_say_what_they_do() -> None:
    hostile = Run("hostile", run("hostile"))
    table = list(failures.rows(hostile, failures.causes_of(hostile)))
    losses = [entry for entry in hostile.at("ledger") if entry != "productive"]
    assert table[-1].cells[-1].text == hostile.shares().text(*losses)
    assert {"checkpoint (saves)", "maintenance (planned)"} <= {row.head.text for row in table}
    assert {row.head.text: row.head.small for row in table if row.head.small} == {
        "hang": "hangs until a timeout"
    }


def test_causes_from_a_log_are_marked_or_said_once_where_all_are() -> None:
    mixed = Run("everything", everything())
    assert failures.label(mixed, "log") == "log (recorded)"
    assert failures.label(mixed, "overhead").startswith("overhead (")
    only = Scenario.model_validate(EVERYTHING | {"failures": {"log": EVERYTHING["failures"]["log"]}})
    waste = {
        "waste_by_cause": {"log": 0.1},
        "waste": {"log": {"lost": 0.1}},
        "ledger": {"productive": 0.9, "lost": 0.1},
        "incidents_by_mode": {"log": 1.0},
    }
    alone = one(scenario=only, summary=waste)
    assert failures.label(alone, "log") == "log"
    assert "log" in failures.waste(alone, ["log"]).caption


def test_an_outage_is_a_chain_from_one_interruption_to_the_next() -> None:
    table = [
        {"time_s": 100.0, "down_s": 60.0},
        {"time_s": 130.0, "doing": "recovery", "interruption": False, "down_s": 300.0},
        {"time_s": 150.0, "doing": "idle", "interruption": False, "down_s": 1e6, "waiting_s": 1e6},
        {"time_s": 900.0, "down_s": 60.0},
        {"time_s": 50.0, "replication": 1, "down_s": 630.0},
    ]
    chains = one(incidents=incidents(table))
    assert sorted(failures.lengths_of(chains)) == [60.0, 360.0, 630.0]
    data = made(failures.outages(chains)).data
    assert sum(data["outages"]) == 3
    assert data["from_s"][0] < 60
    assert data["to_s"][-1] > 630


def test_a_replica_is_down_until_its_own_next_interruption() -> None:
    table = [
        {"time_s": 100.0, "replica": 3, "down_s": 300.0},
        {"time_s": 200.0, "replica": 5, "down_s": 400.0},
        {"time_s": 250.0, "replica": 3, "doing": "recovery", "interruption": False, "down_s": 900.0},
    ]
    assert sorted(failures.lengths_of(one(incidents=incidents(table)))) == [400.0, 1200.0]


def outages(*down_s: float) -> Any:
    return failures.outages(one(incidents=incidents([{"time_s": 1.0, "down_s": each} for each in down_s])))


def test_outages_that_are_alike_are_no_distribution_and_similar_ones_have_a_wide_enough_axis() -> None:
    assert outages(*[300.0] * 5).words.startswith("Outages: 5 in all replications; each lasts 5 min,")
    data = outages(300.0, 310.0).data
    assert data["to_s"][-1] / data["from_s"][0] > 2
    assert "eight in ten last 5 min, the longest 20 min" in outages(*[300.0] * 19, 1200.0).caption
    for table in (None, incidents([{"time_s": 1.0}]).iloc[:0]):
        assert failures.outages(one(incidents=table)) is None


def test_few_incidents_are_marked_where_they_strike() -> None:
    table = [{"time_s": 5.0}, {"time_s": 7.0, "mode": "hang"}, {"time_s": 6.0}]
    table += [{"time_s": 1.0, "doing": "idle"}, {"time_s": 2.0, "replication": 1}]
    marks, left_out = throughput.incident_marks(incidents(table), 10.0)
    assert [(mark.cause, mark.times) for mark in marks] == [("gpu", [5.0, 6.0]), ("hang", [7.0])]
    assert left_out == 0


def test_many_incidents_are_gathered_and_rare_causes_counted() -> None:
    marks, _ = throughput.incident_marks(incidents([{"time_s": n / 100} for n in range(1000)]), 10.0)
    assert len(marks[0].times) <= throughput.MOST_MARKS
    assert sum(marks[0].counts) == 1000
    rare = incidents([{"time_s": float(n), "mode": f"m{n}"} for n in range(11)])
    marks, left_out = throughput.incident_marks(rare, 20.0)
    assert (len(marks), left_out) == (8, 3)


def test_throughput_is_the_timeline_averaged_to_what_can_be_drawn() -> None:
    plain = Run("plain", run("plain"))
    data = made(throughput.figure(plain)).data
    pairs = plain.result.timeline["mean"].to_numpy().reshape(-1, 2)
    assert data["mean"] == pytest.approx(list(pairs.mean(axis=1)), rel=1e-4)
    assert data["time_days"][0] == pytest.approx(20 / 400)
    assert throughput.thinned(range(600))[:2] == [1.0, 4.0]
    assert len(throughput.thinned(range(601))) == 151
    assert throughput.thinned([0.5, float("nan")]) == [0.5, None]
    assert throughput.figure(one(timeline=None)) is None


def test_means_over_time_end_with_the_first_replication_that_is_done() -> None:
    target = Run("target", run("target"))
    first, table = target.first_finish_s, target.timeline
    ends = run("target").replications["wall_s"]
    assert first == ends.min() < ends.max()
    assert table is not None
    assert table["end_s"][table["mean"].notna()].max() <= first
    assert table["end_s"][table["replication_0"].notna()].max() >= ends[0] - 1
    figure = made(throughput.figure(target))
    last = max(time for time, mean in zip(figure.data["time_days"], figure.data["mean"], strict=True) if mean)
    assert last < first / 86_400 <= figure.drawing["layout"]["shapes"][0]["x0"] * 1.001
    assert "first of 4 replications done" in str(figure.drawing["layout"]["annotations"])
    assert Run("plain", run("plain")).first_finish_s is None


def test_a_zoom_its_axis_and_its_hovers_have_one_unit() -> None:
    figure = figures("plain")["strip-plain"]
    unit = figure.drawing["layout"]["xaxis"]["title"]["text"].split()[0]
    assert f" {unit} of replication 0" in figure.caption
    hovers = [text for bar in figure.drawing["data"] for text in bar["hovertext"]]
    assert hovers
    assert all(f" {unit} (" in text for text in hovers)


def test_what_hovers_over_the_bars_of_a_cause_adds_up_to_its_label() -> None:
    for name in ("hostile", "many causes", "everything"):
        figure = next(one for key, one in figures(name).items() if key.startswith("causes-"))
        labels = [note["text"] for note in figure.drawing["layout"]["annotations"]]
        for row, label in enumerate(labels):
            parts = [bar["hovertext"][row].rpartition(": ")[2] for bar in figure.drawing["data"]]
            total = sum(float(part.removesuffix(" %")) for part in parts if part[0].isdigit() and part != "0")
            said = label.partition("<b>")[2].removesuffix(" %</b>")
            assert total == pytest.approx(0.0 if "&lt;" in said else float(said), abs=1e-9), (label, parts)


STRIP = [
    (0.0, 100.0, "productive", "", -1),
    (100.0, 105.0, "checkpoint", "", -1),
    (105.0, 160.0, "lost", "gpu", -1),
    (160.0, 190.0, "detection", "gpu", -1),
    (190.0, 430.0, "recovery", "restart", -1),
    (430.0, 460.0, "recovery", "load", -1),
    (460.0, 500.0, "productive", "", -1),
]


def strip_of(table: list[tuple[float, float, str, str, int]]) -> throughput.Strip:
    return throughput.strip_of(
        pd.DataFrame(table, columns=["start_s", "end_s", "activity", "detail", "lane"])
    )


def test_the_strip_has_a_lane_per_activity_and_per_stage() -> None:
    found = strip_of(STRIP)
    names = [name for _, name in found.lanes]
    assert names == ["productive", "lost", "checkpoint", "detection", "restart", "load"]
    assert found.failures == [160.0]
    assert [found.lanes.index(span.lane) for span in found.spans] == [0, 2, 1, 3, 4, 5, 0]
    assert (found.start, found.end, found.cut) == (0.0, 500.0, False)
    assert throughput.closer(one(strip=pd.DataFrame())) is None


def test_replicas_that_are_down_have_a_lane_each_and_failures_of_their_own() -> None:
    found = strip_of(
        [
            (0.0, 100.0, "productive", "", -1),
            (0.0, 40.0, "recovery", "restart", 7),
            (100.0, 130.0, "stall", "gpu", -1),
            (100.0, 110.0, "detection", "gpu", 3),
            (110.0, 200.0, "recovery", "restart", 3),
            (130.0, 300.0, "productive", "", -1),
            (260.0, 300.0, "detection", "rack", 3),
        ]
    )
    assert [name for _, name in found.lanes] == ["productive", "stall", "replica 3", "replica 7"]
    assert found.failures == [100.0, 260.0]
    assert [found.lanes.index(span.lane) for span in found.spans if span.replica == 3] == [2, 2, 2]


def test_of_many_replicas_those_that_are_down_longest_are_shown() -> None:
    found = strip_of([(float(n), n + 1.0 + n / 100, "recovery", "restart", n) for n in range(1, 15)])
    assert [number for number, _ in found.lanes] == list(range(5, 15))
    assert (found.left_out, len(found.failures)) == (4, 13)


def test_a_long_strip_is_cut_with_what_goes_on_there() -> None:
    most = throughput.MOST_SPANS
    table = [(float(n), n + 1.0, "productive" if n % 2 else "checkpoint", "", -1) for n in range(most + 10)]
    found = strip_of(table)
    assert (len(found.spans), found.cut, found.end) == (most, True, float(most))
    found = strip_of([*table, (5.0, 1e6, "waiting", "", 2)])
    assert found.end == max(span.end for span in found.spans) == most - 1.0


def test_every_replication_is_one_dot_and_many_are_bars_that_count_all() -> None:
    ettr = {"mean": 0.53, "low": 0.45, "high": 0.61}
    few = one(
        summary={"ettr": ettr, "margins": {"ettr": 0.08}},
        replications=pd.DataFrame({"ettr": [0.5, 0.5, 0.52, 0.6]}),
    )
    dots, interval, mean = spread.figure(few).drawing["data"]
    assert dots["y"][1] == dots["y"][0] + 1
    assert (interval["x"], mean["x"]) == ([0.45, 0.61], [0.53])
    many = one(
        summary={"ettr": ettr, "margins": {"ettr": 0.08}},
        replications=pd.DataFrame({"ettr": np.linspace(0, 0.4, 400)}),
    )
    assert sum(spread.figure(many).drawing["data"][0]["y"]) == 400


def sizes(*names: str) -> Figure:
    found = [block for block in size.section(several(*names)).blocks if isinstance(block, Figure)]
    return found[0]


def test_sizes_are_ordered_with_what_each_step_adds() -> None:
    figure = sizes("stuck", "large", "plain")
    plain, large = run("plain").summary, run("large").summary
    assert figure.data["cards"] == [1024, 8192, 65536]
    assert figure.data["effective_cards"] == [plain["effective_gpus"], large["effective_gpus"], None]
    assert figure.data["low"][0] == pytest.approx(1024 * plain["ettr"]["low"])
    extra = large["effective_gpus"] - plain["effective_gpus"]
    assert figure.data["marginal_return"][:2] == [None, pytest.approx(extra / 7168)]
    words = [note["text"] for note in figure.drawing["layout"]["annotations"]]
    assert any(text.startswith("7.17k more cards<br>each adds 0.") for text in words)
    assert any("more cards<br>cost" in text for text in words)
    assert size.section(several("plain", "calm")).blocks == []


def test_a_job_that_is_stuck_is_a_cross_near_the_floor() -> None:
    figure = sizes("plain", "stuck")
    cross = next(
        trace for trace in figure.drawing["data"] if trace.get("marker", {}).get("symbol") == "x-thin"
    )
    assert cross["y"][0] is None
    floor = 10 ** figure.drawing["layout"]["yaxis"]["range"][0]
    assert floor < cross["y"][1] < run("plain").summary["effective_gpus"]


def test_prices_are_drawn_where_there_are_any() -> None:
    assert "yaxis2" not in figures("compared")["size"].drawing["layout"]
    assert "USD" in str(figures("priced")["size"].drawing["layout"]["annotations"])


def spares(cluster: dict[str, Any] | None = None, **changes: Any) -> Run:
    timeline = pd.DataFrame({f"away_{name}": np.full(400, 2.0) for name in ("mean", "p10", "p90", "0")})
    edges = np.linspace(0, 86_400.0 * 10, 401)
    block = {"sufficient_p99": 7, "short": 0.0, "waiting": 0.0, "fewest_idle": 2}
    away = {"mean": 2.0, "p50": 2, "p99": 7, "max": 9}
    summary = {
        "replications": 4,
        "spare_nodes": 8,
        "nodes": 100,
        "reasons": {"spares.sufficient_p99": "racks"},
    }
    summary["margins"] = {"spares.away.mean": 0.12, "spares.short": 0.001, "spares.waiting": 0.003}
    summary |= {name: changes.pop(name) for name in ("spare_nodes", "replications") if name in changes}
    summary["spares"] = block | {"away": away} | changes
    timeline = timeline.assign(start_s=edges[:-1], end_s=edges[1:], idle_mean=1.0)
    where = {"cluster": EVERYTHING["cluster"] | (cluster or {})}
    return one(summary=summary, timeline=timeline, scenario=Scenario.model_validate(EVERYTHING | where))


def facts(run: Run) -> dict[str, tuple[str, str]]:
    return {fact.label: (fact.number, fact.detail) for fact in recovery.spare_facts(run)}


def test_spares_come_with_numbers_first() -> None:
    found = facts(spares())
    assert found["Nodes away"] == ("2.00 ± 0.12", "on average; 7 or fewer for 99 % of the time, 9 at most")
    assert (found["Sufficient spares"][0], found["Spare nodes"][0]) == ("7", "8")
    assert found["Waiting for a node"][0] == "never"
    short = facts(spares(short=0.31, waiting=0.12, spare_nodes=3))
    assert "31.0 % of the time" in short["Spare nodes"][1]
    assert short["Waiting for a node"][0] == "12 %"
    assert facts(spares(sufficient_p99=None))["Sufficient spares"] == ("—", "racks")
    calm = {"mean": 0.0, "p50": 0, "p99": 0, "max": 0}
    assert facts(spares(away=calm, spare_nodes=0)) == {}
    assert list(facts(spares(away=calm))) == ["Spare nodes"]


def test_a_node_that_takes_time_is_not_got_immediately() -> None:
    def got(**cluster: Any) -> str:
        return facts(spares(cluster))["Waiting for a node"][1]

    assert got() == "the job always got one immediately"
    cold = got(spare_kind="cold", provision="15 min")
    assert cold == "the job always got one, ready after 15 min, which counts as recovery"
    pools = [{"name": "ours", "count": 2}, {"name": "cloud", "count": 4, "takes": "20 min"}]
    within = "the job always got one, ready within 20 min, which counts as recovery"
    assert got(spares=pools) == within
    pools[0]["takes"] = "3 min"
    assert got(spares=pools) == within
    pools[0]["takes"] = "20 min"
    assert got(spares=pools) == cold.replace("15", "20")


def test_which_copy_was_loaded_is_a_column_only_where_a_stage_loads() -> None:
    near = {"interval": "1 min", "blocks": "1 s", "survives": ["job"]}
    tiers = {"near": near, "far": {"interval": "1 h", "blocks": "5 s"}}

    def columns(stages: dict[str, str]) -> tuple[list[str], set[int]]:
        changes = {"recovery": {"stages": stages}, "checkpoint": {"tiers": tiers}}
        spec = Scenario.model_validate(PLAIN | changes)
        table = recovery.blocks(Run("plain", Results.of(spec, [simulate(spec, 0)], {})))[-1]
        assert isinstance(table, Table)
        return list(table.columns), {len(row.cells) for row in table.rows}

    copies = ["Saved every", "Survives"]
    loaded = [*copies, "Loaded after failures", "Training lost each time"]
    assert columns({"restart": "4 min", "load": "checkpoint"}) == (loaded, {4})
    assert columns({"restart": "4 min", "load": "2 min"}) == (loaded, {4})
    assert columns({"restart": "4 min"}) == (copies, {2})


def test_the_figure_of_spares_marks_those_there_are_and_those_that_suffice() -> None:
    figure = made(recovery.figure(spares()))
    assert [shape["y0"] for shape in figure.drawing["layout"]["shapes"]] == [8, 7]
    assert {shape["line"]["dash"] for shape in figure.drawing["layout"]["shapes"]} == {"solid", "dash"}
    assert [*figure.data.rows[200].values()][1:] == [5.0, 2.0, 2.0, 2.0, 2.0, 1.0]
    alone = made(recovery.figure(spares(replications=1)))
    assert alone.data["away_p10"][0] is alone.data["away_p90"][0] is None
    assert recovery.figure(one(timeline=spares().result.timeline)) is None


def test_tiers_come_with_what_they_survive_how_often_they_are_loaded_and_what_was_lost() -> None:
    all_of_it = Run("everything", everything())
    peer, storage, replica = recovery.tiers(all_of_it)
    assert [cell.text for cell in peer.cells[:2]] == ["60 s", "job, gpu, node failures"]
    assert [cell.text for cell in storage.cells[:2]] == ["30 min", "all failures"]
    shares = [float(row.cells[2].text.removesuffix(" %")) for row in (peer, storage, replica)]
    assert sum(shares) == pytest.approx(100, abs=2)
    assert all_of_it.result.incidents is not None
    loaded = all_of_it.result.incidents[all_of_it.result.incidents["tier"] == "peer"]
    lost = (loaded["lost_s"] + loaded["corrupted_s"]).mean()
    assert recovery.lost_by_tier(all_of_it)["peer"] == pytest.approx(lost)
    only = Scenario.model_validate(EVERYTHING | {"checkpoint": {"interval": "30 min", "blocks": "5 s"}})
    block = {"count": 8, "minimum": 6, "down": 0.5, "peer_loads": 0.9}
    numbers = {"replicas": block, "nodes": 512, "margins": {"replicas.peer_loads": 0.01}}
    found = list(recovery.tiers(one(summary=numbers, incidents=None, scenario=only)))
    assert [row.cells[2].text for row in found] == ["10 %", "90 %"]
