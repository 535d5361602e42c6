"""The tables of a run by hand: what is in a bin, how columns become Arrow's, and what cannot be a table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clustersim import tables
from clustersim.records import (
    INCIDENT_COLUMNS,
    REPLICATION_COLUMNS,
    STRIP_COLUMNS,
    TIMELINE_COLUMNS,
    FleetUse,
    Phase,
    Records,
    StripRow,
)
from clustersim.scenario.model import Scenario
from clustersim.store import RunError
from tests.unit.test_summary import GOOD, books

SECONDS = 40_000.0


def scenario() -> Scenario:
    return Scenario.model_validate(
        {
            "name": "tables",
            "cluster": {"gpus": 64, "spares": 1},
            "failures": {"node": {"per": "node", "mtbf": "6 d"}, "äußerst": {"per": "job", "mtbf": "6 d"}},
            "checkpoint": {
                "tiers": {
                    "peer": {"interval": "2 min", "blocks": "1 s", "load": "10 s", "survives": ["job"]},
                    "storage": {"interval": "1 h", "blocks": "20 s", "load": "2 min"},
                }
            },
            "recovery": {"stages": {"detect": "1 min", "load": "checkpoint"}},
            "simulation": {"horizon": "10 h"},
        }
    )


def lasting(end_s: float, curve: list[float], number: int = 0, fleet: FleetUse | None = None) -> Records:
    """Return a replication of *end_s* seconds with this productive time (s) by equally spaced instants."""
    return replace(books(GOOD, number=number), end_s=end_s, curve=np.array(curve), fleet=fleet)


def test_the_productive_share_of_a_bin_is_what_was_kept_in_it() -> None:
    one = lasting(40.0, [0.0, 10.0, 10.0, 15.0, 25.0])  # 1, 0, 0.5 and 1 in quarters of 10 s
    edges = np.array([0.0, 5.0, 10.0, 20.0, 35.0, 45.0, 60.0])
    shares = tables.productive_share(one, edges)
    # In 20 to 35 s: 5 of 10 s, and 5 of 5 s. In 35 to 45 s: 5 of the 5 s that the replication still runs.
    assert shares[:5] == pytest.approx([1.0, 1.0, 0.0, 10 / 15, 1.0])
    assert np.isnan(shares[5:]).all()
    # Less than a billionth of the run is what rounding leaves of its end, not time that it covers.
    assert np.isnan(tables.productive_share(one, np.array([0.0, 40.0 - 1e-8, 50.0]))).tolist() == [
        False,
        True,
    ]
    falls = lasting(40.0, [0.0, 20.0, 10.0, 10.0, 10.0])  # more than the time, and less than nothing
    assert tables.productive_share(falls, np.array([0.0, 10.0, 20.0])).tolist() == [1.0, 0.0]


def test_a_count_is_that_at_the_instant_before() -> None:
    curve = np.array([0, 1, 2, 3, 9])
    found = tables._counted(curve, 40.0, np.array([0.0, 9.9, 10.0, 29.9, 30.0, 39.9, 40.0, 50.0]))
    assert found[:6].tolist() == [0, 0, 1, 2, 3, 3]
    assert np.isnan(found[6:]).all()
    assert tables._counted(curve, 40.0, np.array([39.9999999])).tolist() == [9]  # but for rounding


def test_quantiles_are_those_of_the_rows_that_are_known() -> None:
    rng = np.random.default_rng(3)
    values = rng.random((9, 30))
    values[rng.random(values.shape) < 0.1] = np.nan
    assert 0 < np.isnan(values).any(axis=0).sum() < 30
    for chances in ((0.1, 0.5, 0.9), (0.25,)):
        np.testing.assert_allclose(
            tables._quantiles(values, chances), np.nanquantile(values, chances, axis=0), rtol=1e-12
        )


def test_the_timeline_goes_over_the_longest_replication_and_is_of_those_that_still_run() -> None:
    away, idle = np.repeat([0.0, 2.0], 201)[:402], np.repeat([1.0, 0.0], 201)[:402]
    fleet = FleetUse(np.array([1.0]), 0.0, away, idle)
    whole = lasting(SECONDS, [0.0, SECONDS], 0, fleet)
    half = lasting(SECONDS / 2, [0.0, SECONDS / 4], 1, replace(fleet, away_curve=away + 1))
    found = tables.frame(scenario(), [whole, half], "timeline")
    assert list(found) == [column.name for column in TIMELINE_COLUMNS]
    assert len(found) == 400
    assert found["start_s"].tolist() == pytest.approx([100.0 * each for each in range(400)])
    assert found["end_s"].tolist() == pytest.approx([100.0 * (each + 1) for each in range(400)])
    early, late = found.iloc[:200], found.iloc[200:]
    for name, both, alone in (
        ("mean", 0.75, 1.0),
        ("p10", 0.55, 1.0),
        ("p50", 0.75, 1.0),
        ("p90", 0.95, 1.0),
        ("replication_0", 1.0, 1.0),
    ):
        assert early[name].tolist() == pytest.approx([both] * 200), name
        assert late[name].tolist() == pytest.approx([alone] * 200), name
    # The first has 0, then 2 away, the second, in half the time, 1 and then 3.
    row = found.iloc[50]
    assert row[["away_mean", "away_p10", "away_p90", "away_0", "idle_mean"]].tolist() == pytest.approx(
        [0.5, 0.1, 0.9, 0.0, 1.0]
    )
    row = found.iloc[150]
    assert row[["away_mean", "away_p10", "away_p90", "away_0", "idle_mean"]].tolist() == pytest.approx(
        [1.5, 0.3, 2.7, 0.0, 0.5]
    )
    assert late[["away_mean", "away_p10", "away_p90", "away_0"]].iloc[60].tolist() == [2.0] * 4
    assert found.iloc[300]["idle_mean"] == 0.0


def incidents(**columns: Any) -> Records:
    given = {
        "time_s": np.array([60.0, 120.0]),
        "mode": np.array([1, 0]),
        "doing": np.array([Phase.IDLE, Phase.TRAINING]),
        "tier": np.array([-1, 2]),
        "replica": np.array([3, -1]),
        "interruption": np.array([False, True]),
        "back_s": np.array([np.nan, 300.0]),
        "lost_s": np.array([0.0, 7.0]),
        "stage_load_s": np.array([0.0, 10.0]),
    }
    return replace(books(GOOD), incidents=given | columns)


def test_incidents_have_words_for_numbers_and_what_is_missing() -> None:
    found = tables.frame(scenario(), [incidents(), incidents()], "incidents")
    names = [column.name for column in INCIDENT_COLUMNS if "<" not in column.name]
    assert sorted(found) == sorted([*names, "stage_load_s"])
    assert list(found)[: len(names) - 1] == [name for name in names if name != "tier"]
    assert len(found) == 4
    first = found.iloc[:2]
    assert first["mode"].tolist() == ["äußerst", "node"]
    assert first["doing"].tolist() == ["idle", "training"]
    assert first["tier"].tolist() == ["", "another replica"]
    assert (first["replica"].tolist(), first["lost_s"].tolist()) == ([3, -1], [0.0, 7.0])
    assert (pd.isna(first["back_s"].iloc[0]), first["back_s"].iloc[1]) == (True, 300.0)
    assert first["interruption"].tolist() == [False, True]
    assert first["stall_s"].tolist() == [0.0, 0.0]
    assert tables.incidents(scenario(), incidents())["back_s"].null_count == 1
    plain = {name: columns for name, columns in incidents().incidents.items() if name in ("time_s", "mode")}
    simple = replace(books(GOOD), incidents={**plain, "doing": np.array([0, 1])})
    found = tables.frame(scenario(), [simple], "incidents")
    assert found["back_s"].isna().all()
    assert (found["replica"].tolist(), found["tier"].tolist()) == ([-1, -1], ["", ""])


def test_one_file_holds_replications_with_and_without_replicas_and_tiers(tmp_path: Path) -> None:
    full = incidents(replica=np.array([3, -1], np.int32))
    simple = {name: column for name, column in full.incidents.items() if name not in ("replica", "tier")}
    tables.write(scenario(), [full, replace(full, incidents=simple)], tmp_path, True)
    assert tables.read(tmp_path, "incidents", 2)["replica"].tolist() == [3, -1, -1, -1]
    tables.write(scenario(), [full], tmp_path, True)
    assert len(tables.read(tmp_path, "incidents", 1)) == 2


def test_the_strip_is_that_of_replication_0() -> None:
    rows = (StripRow(0.0, 1.5, "productive", ""), StripRow(1.5, 9.0, "waiting", "äußerst", 3))
    found = tables.frame(scenario(), [replace(books(GOOD), strip=rows), books(GOOD)], "strip")
    assert list(found) == [column.name for column in STRIP_COLUMNS]
    assert found.to_dict("list") == {
        "start_s": [0.0, 1.5],
        "end_s": [1.5, 9.0],
        "activity": ["productive", "waiting"],
        "detail": ["", "äußerst"],
        "lane": [-1, 3],
    }
    for other in ((), (StripRow(0, 9, "waiting", ""),)):  # whatever is in it, it has the same types
        strip = tables.strip(scenario(), [replace(books(GOOD), strip=other)])
        assert strip.schema.types == [pa.float64(), pa.float64(), pa.string(), pa.string(), pa.int32()]


def test_columns_become_arrows_own() -> None:
    for values in (np.array([1.5, np.nan, -2.0]), np.array([np.nan] * 9), np.zeros(0)):
        column = tables._numbers(values)
        assert column.null_count == int(np.isnan(values).sum())
        np.testing.assert_array_equal(column.to_numpy(zero_copy_only=False), values)
    truth = np.array([True, False, False, True, True, False, True, False, True, True])
    assert tables._numbers(truth).to_pylist() == truth.tolist()
    assert tables._numbers(np.arange(6, dtype=np.int32)[::2]).to_pylist() == [0, 2, 4]
    texts = ["", "äußerst", "日本", "x"]
    assert tables._words(texts).to_pylist() == texts
    assert tables._chosen(np.array([3, 0, 1, 1]), texts).to_pylist() == ["x", "", "äußerst", "äußerst"]


def table(**columns: Any) -> pa.Table:
    """Return two rows of a table of replications, with other *columns*."""
    names = [column.name for column in REPLICATION_COLUMNS if "<" not in column.name]
    return pa.table({name: pa.array([0.5, 0.25]) for name in names} | columns)


def read(folder: Path, written: pa.Table, name: str = "replications", replications: int = 2) -> Any:
    pq.write_table(written, folder / f"{name}.parquet")
    return tables.read(folder, name, replications)


def test_what_is_a_table_is_read(tmp_path: Path) -> None:
    extra = {"productive": pa.array([0.0, 1.0]), "flag": pa.array([True, False]), "n": pa.array([1, None])}
    words = pa.array(["a", None]).dictionary_encode()
    assert len(read(tmp_path, table(**extra))) == 2
    edges = {
        "ettr": pa.array([-5e-7, 1 + 5e-7]),
        "mode": words,
        "tier": pa.array(["", "x"], pa.large_string()),
    }
    assert len(read(tmp_path, table(**edges))) == 2
    assert read(tmp_path, table(ettr=pa.array([None, 0.5], pa.float64())))["ettr"].isna().tolist() == [
        True,
        False,
    ]
    assert len(read(tmp_path, table(ettr=pa.array([True, None])))) == 2  # odd, but within its range
    strip = {
        "start_s": [0.0] * 5,
        "end_s": [1.0] * 5,
        "activity": ["x"] * 5,
        "detail": [""] * 5,
        "lane": [-1] * 5,
    }
    assert len(read(tmp_path, pa.table(strip), "strip")) == 5  # of which there are as many as there are


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({"ettr": [0.5, -2e-6]}, "a share in column ettr is out of its range"),
        ({"ettr": [0.5, 1 + 2e-6]}, "a share in column ettr is out of its range"),
        ({"detection": [0.5, float("inf")]}, "a share in column detection is out of its range"),
        *(
            ({name: [-1.0, 0.5]}, f"a share in column {name} is out of its range")
            for name in ("mean", "p10", "p50", "p90")
        ),
        ({"extra\x1b": ["a", "b"]}, r"its column extra\\x1b holds string"),
        ({"mode": [1, 2]}, "its column mode holds int64"),
        ({"extra": [[1], [2]]}, "its column extra holds list"),
    ],
)
def test_what_cannot_be_in_a_table_is_said(tmp_path: Path, columns: dict[str, Any], why: str) -> None:
    with pytest.raises(RunError, match=f"replications.parquet: {why}.*; run the scenario again"):
        read(tmp_path, table(**{name: pa.array(values) for name, values in columns.items()}))


def test_a_table_has_as_many_rows_as_it_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    strip = pa.table(
        {"start_s": [0.0] * 5, "end_s": [1.0] * 5, "activity": [""] * 5, "detail": [""] * 5, "lane": [-1] * 5}
    )
    monkeypatch.setitem(tables.MOST_ROWS, "strip", 5)
    assert len(read(tmp_path, strip, "strip", 9)) == 5
    monkeypatch.setitem(tables.MOST_ROWS, "strip", 4)
    with pytest.raises(
        RunError, match="5 rows, where at most 4 can be read; run the scenario again with --force"
    ):
        read(tmp_path, strip, "strip", 9)
    with pytest.raises(RunError, match="2 rows are too few; run"):
        read(tmp_path, table(), replications=3)


def test_what_is_no_parquet_is_said(tmp_path: Path) -> None:
    (tmp_path / "strip.parquet").write_bytes(b"noise")
    for name in ("strip", "timeline"):
        with pytest.raises(RunError, match=f"{name}.parquet: cannot be read; run the scenario again"):
            tables.read(tmp_path, name, 2)


def test_tables_are_copied_with_incidents_or_without(tmp_path: Path) -> None:
    source = tmp_path / "from"
    source.mkdir()
    for name in ("replications", "incidents", "strip"):
        (source / f"{name}.parquet").write_text(name)
    for number, (with_incidents, expected) in enumerate(
        ((True, {"replications", "incidents", "strip"}), (False, {"replications", "strip"}))
    ):
        target = tmp_path / f"to-{number}"
        target.mkdir()
        tables.copy(source, target, with_incidents)
        assert {path.stem: path.read_text() for path in target.iterdir()} == {name: name for name in expected}
