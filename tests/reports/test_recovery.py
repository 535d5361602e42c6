"""What there was to recover with: spares, tiers and replicas, in words, in their figure, and on the page."""

from __future__ import annotations

import base64
import gzip
import json
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clustersim.results import Results
from clustersim.scenario import Scenario, loads
from clustersim.scenario.keys.effects import EFFECTS
from clustersim_reports import recovery, tables
from clustersim_reports.exhibits import causes
from clustersim_reports.figures.causes import cause_label, causes_data
from clustersim_reports.figures.spares import spares_data, spares_figure, spares_table
from clustersim_reports.inputs import inputs
from clustersim_reports.page import render
from clustersim_reports.sheet import SHOWN_LETTERS, SHOWN_LINES
from tests.reports.cases import fake, run
from tests.reports.fleets import EVERYTHING, everything


def timeline(**curves: Any) -> pd.DataFrame:
    edges = np.linspace(0, 86_400.0 * 10, 401)
    usual = {f"away_{name}": np.full(400, 2.0) for name in ("mean", "p10", "p90", "0")}
    given = {name: np.asarray(values, dtype=float) for name, values in curves.items()}
    return pd.DataFrame({"start_s": edges[:-1], "end_s": edges[1:], "idle_mean": 1.0} | usual | given)


def spares(**changes: Any) -> dict[str, Any]:
    block = {"sufficient_p99": 7, "short": 0.0, "waiting": 0.0, "fewest_idle": 2}
    away = {"mean": 2.0, "p50": 2, "p99": 7, "max": 9}
    margins = {"spares.away.mean": 0.12, "spares.short": 0.001, "spares.waiting": 0.003}
    summary = {
        "spares": block | {"away": away} | changes,
        "margins": margins,
        "replications": 4,
        "spare_nodes": 8,
    }
    return summary | {"nodes": 100}


def told(**changes: Any) -> dict[str, tuple[str, str]]:
    more = {name: changes.pop(name) for name in ("spare_nodes", "replicas", "reasons") if name in changes}
    found = recovery.means(fake(summary=spares(**changes) | more, incidents=None))
    return {tile.label: (tile.number, tile.detail) for tile in found.tiles} if found else {}


def test_spares_are_told_with_numbers_first() -> None:
    found = told()
    assert found["Nodes away"] == ("2.00 ± 0.12", "on average; 7 or fewer for 99 % of the time, 9 at most")
    assert found["Spares that suffice"][0] == "7"
    assert found["Spares there are"] == ("8", "2 of them idle at any time, in every replication")
    assert found["Waiting for a node"] == ("never", "the job always got one at once")


def test_too_few_spares_are_said_to_be_too_few() -> None:
    found = told(short=0.31, waiting=0.12, spare_nodes=3)
    assert found["Spares there are"] == ("3", "fewer than nodes away for 31.0 % of the time")
    assert found["Waiting for a node"][0] == "12 %"
    assert told(short=0.31, spare_nodes=0)["Spares there are"][1].startswith("nodes away and no spare")
    assert told(fewest_idle=0)["Spares there are"][1].startswith("enough at any time")


def test_spares_of_one_domain_each_have_no_sum_that_suffices() -> None:
    found = told(sufficient_p99=None, reasons={"spares.sufficient_p99": "each spare serves one rack"})
    assert found["Spares that suffice"] == ("—", "each spare serves one rack")


def test_where_no_node_leaves_and_none_is_spare_nothing_is_told() -> None:
    calm = {"mean": 0.0, "p50": 0, "p99": 0, "max": 0}
    assert told(away=calm, spare_nodes=0) == {}
    assert told(away=calm) == {"Spares there are": ("8", "and no node ever left the job")}


def test_tiers_are_told_with_what_they_survive_and_what_was_lost() -> None:
    result = everything()
    means = recovery.means(result)
    assert means is not None
    peer, storage, replica = means.tiers
    assert (peer.name, peer.every, peer.survives) == ("peer", "60 s", "job, gpu, node")
    assert (storage.name, storage.every, storage.survives) == ("storage", "30 min", "all failures")
    assert result.incidents is not None
    loaded = result.incidents[result.incidents["tier"] == "peer"]
    assert recovery.lost_by_tier(result)["peer"] == pytest.approx(
        (loaded["lost_s"] + loaded["corrupted_s"]).mean()
    )
    shares = [float(tier.loads.removesuffix(" %")) for tier in means.tiers]
    assert sum(shares) == pytest.approx(100, abs=2)
    assert (replica.name, replica.every) == ("another replica", "—")


def test_the_only_tier_is_told_beside_the_other_replicas() -> None:
    only = Scenario.model_validate(EVERYTHING | {"checkpoint": {"interval": "30 min", "blocks": "5 s"}})
    block = {"count": 8, "minimum": 6, "down": 0.5, "peer_loads": 0.9}
    numbers = {"replicas": block, "nodes": 512, "margins": {"replicas.peer_loads": 0.01}}
    found = recovery.means(fake(summary=numbers, incidents=None, scenario=only))
    assert found is not None
    assert [(tier.name, tier.loads) for tier in found.tiers] == [
        ("checkpoint", "10 %"),
        ("another replica", "90 %"),
    ]


def test_replicas_are_told_with_how_many_are_down() -> None:
    means = recovery.means(everything())
    assert means is not None
    found = {tile.label: (tile.number, tile.detail) for tile in means.tiles}
    assert found["Replicas"] == ("8", "of 64 nodes each; at least 6 must be alive")
    assert found["Replicas down"][0] == "0.50 ± 0.03"
    assert found["Waiting for a node"][1] == "of the time a replica waits for one"


def test_the_measures_side_by_side_tell_it_in_short() -> None:
    rows = {row.label: row.cells for row in tables.side_by_side([everything(), run("plain")])}
    assert rows["Replicas"][0].text == "8"
    assert rows["Interval between saves"] == (tables.Cell("peer 60 s, storage 30 min"), tables.Cell("10 min"))
    assert rows["Copies loaded"][0].text.startswith("peer ")
    assert rows["Nodes away"][0].small.endswith("or fewer for 99 % of the time")
    assert rows["Waiting for a node"][0] == tables.Cell("6.0 %")
    assert all(row[1].small for name, row in rows.items() if row[1].text == "—")


def test_the_figure_shows_the_band_and_what_would_suffice() -> None:
    data = spares_data(fake(summary=spares(), timeline=timeline(away_p90=np.arange(400) / 40)))
    assert data is not None
    assert (data.spares, data.held, data.unit.name) == (8, 7, "days")
    figure = spares_figure(data)
    assert [shape.y0 for shape in figure.layout.shapes] == [8, 7]
    assert {shape.line.dash for shape in figure.layout.shapes} == {"solid", "dash"}
    assert figure.layout.yaxis.range[1] > max(data.p90 or ())
    texts = [note.text for note in figure.layout.annotations]
    assert texts == ["nodes away", "8 spares", "99 % of the time 7 or fewer"]
    table = spares_table(data)
    assert table.columns[1] == "time_days"
    assert table.rows[200][1:] == (5.0, 2.0, 2.0, 5.0, 2.0, 1.0)


def test_one_replication_has_no_band() -> None:
    data = spares_data(fake(summary=spares() | {"replications": 1}, timeline=timeline()))
    assert data is not None
    assert len(spares_figure(data).data) == 1
    assert spares_table(data).rows[0][3:5] == (None, None)


def test_there_is_no_figure_of_nodes_that_nobody_counted() -> None:
    assert spares_data(fake(timeline=timeline())) is None
    assert spares_data(fake(summary=spares(), timeline=timeline(away_mean=np.full(400, np.nan)))) is None


def test_causes_from_a_log_and_reserved_ones_are_named_as_such() -> None:
    assert cause_label("xid", {"xid"}) == "xid (recorded)"
    assert cause_label("overhead") == "overhead (the protocol)"
    data = causes_data(everything())
    assert data is not None
    assert set(data.entries) >= {"stall", "idle", "slow", "corrupted"}
    shown = {row.cause: row.effect for row in tables.cause_rows(everything())}
    assert shown["log (recorded)"] == ""
    assert shown["straggler"].startswith("slows the job down")
    assert {*tables.EFFECTS, "crash"} == set(EFFECTS)


def test_where_all_failures_come_from_a_log_it_is_said_once() -> None:
    only = Scenario.model_validate(EVERYTHING | {"failures": {"log": EVERYTHING["failures"]["log"]}})
    waste = {
        "waste_by_cause": {"log": 0.1},
        "waste": {"log": {"lost": 0.1}},
        "incidents_by_mode": {"log": 1.0},
    }
    result = fake(scenario=only, summary=waste)
    data = causes_data(result)
    assert data is not None
    assert (data.all_recorded, data.rows[0].label) == (True, "log")
    shown = causes(result)
    assert shown is not None
    assert shown.caption.startswith("All failures are recorded ones.")


def test_the_page_has_a_section_on_recovery_where_there_is_something_to_tell() -> None:
    html = render([everything(), run("plain")])
    assert 'href="#recovery"' in html
    assert 'id="recovery-everything"' in html
    assert 'id="recovery-plain"' not in html
    assert 'data-figure="spares-everything"' in html
    assert "log (recorded)" in html
    assert 'href="#recovery"' not in render([run("plain")])


def test_of_a_mode_from_a_log_only_what_is_given_is_listed() -> None:
    paths = [one.path for one in inputs(everything().scenario)]
    assert [path for path in paths if "failures.log" in path] == ["failures.log.replay"]


def test_a_long_log_is_not_shown_as_a_whole_but_can_be_copied() -> None:
    rows = [{"time": f"{number} min", "node": number % 512} for number in range(5000)]
    failures = EVERYTHING["failures"] | {"log": {"replay": rows}}
    scenario = Scenario.model_validate(EVERYTHING | {"failures": failures})
    made = everything()
    html = render([Results(scenario, made.summary, {}, records=made._records)])
    assert len(html) < 2_400_000
    assert re.search(r"[\d,]+ more letters are not shown", html)
    code = re.search(r'<code id="yaml-everything">(.*?)</code>', html, re.DOTALL)
    assert code
    assert code[1].count("\n") <= SHOWN_LINES
    assert 1000 < len(code[1]) < 1.1 * SHOWN_LETTERS
    packed = re.search(r'id="payload">([^<]*)<', html)
    assert packed
    texts = json.loads(gzip.decompress(base64.b64decode(packed[1])))["texts"]
    assert loads(texts["yaml-everything"]).document == scenario.document
