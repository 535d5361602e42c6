"""Spares, tiers and replicas: figures worked out by hand, from made-up replications."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from clustersim.engine.ledger import Entry
from clustersim.estimate import Estimate
from clustersim.metrics.catalogue import figures_of
from clustersim.metrics.replications import Replications, ScenarioFacts
from clustersim.records import FleetUse

GIVEN = {"spare_nodes": 3, "spares_within": None, "warm_up_s": 100.0, "replicas.count": 12}


def replications(records: Any = (), tiers: Any = (), within: str | None = None, **columns: Any) -> Any:
    facts = ScenarioFacts({"tier": tiers, "entry": (), "cause": (), "mode": (), "stage": ()}, frozenset(), {})
    given = GIVEN | {"spares_within": within, "spares.known_to": -1 if within else 400}
    columns |= {"replication": np.arange(len(records) or len(next(iter(columns.values()))))}
    return Replications(facts._replace(given=given), columns, records)


def estimate(replications: Replications, path: str) -> Estimate | None:
    figure = figures_of(replications.facts)[path]
    return figure.measure.estimate(figure.rows(replications))


def value(replications: Replications, path: str) -> float | None:
    found = estimate(replications, path)
    return None if found is None else found.mean


def fleets(*uses: FleetUse, within: str | None = None) -> Replications:
    """Return replications of 1000 s with these nodes away, in which 1, 2, ... spares were left."""
    columns = {
        "wall_s": np.full(len(uses), 1000.0),
        "spares_left": np.arange(len(uses)) + 1,
        "nodes_away": np.array([use.away for use in uses]),
        "most_nodes_away": np.array([use.most_away for use in uses]),
        "node_wait_s": np.array([use.waiting_s for use in uses]),
    }
    return replications([SimpleNamespace(fleet=use) for use in uses], within=within, **columns)


def fleet(*away_s: float, waiting_s: float = 0.0) -> FleetUse:
    return FleetUse(np.array(away_s), waiting_s, np.zeros(401), np.zeros(401))


def test_nodes_away_are_weighted_by_time_over_all_replications() -> None:
    made = fleets(fleet(400.0, 300.0, 300.0, waiting_s=50.0), fleet(980.0, 0.0, 0.0, 0.0, 20.0))
    paths = ("mean", "p50", "p99", "max")
    away = [value(made, f"spares.away.{name}") for name in paths]
    assert away == [pytest.approx((0.9 + 0.08) / 2), 0, 2, 4]
    assert value(made, "spares.away") == away[0]
    assert value(made, "spares.sufficient_p99") == 2
    assert value(made, "spares.short") == pytest.approx((0.0 + 0.02) / 2)
    assert value(made, "spares.fewest_idle") == value(made, "fewest_spares") == 1
    waiting = estimate(made, "spares.waiting")
    assert waiting is not None
    assert waiting.mean == pytest.approx(0.025)
    assert waiting.half_width == pytest.approx(12.7062 * 0.025, rel=1e-4)


def test_spares_that_serve_one_domain_each_do_not_add_up_to_one_pool() -> None:
    made = fleets(fleet(1.0, 1.0), within="rack")
    assert value(made, "spares.sufficient_p99") is None
    assert value(made, "spares.away.p99") == 1
    unknown = figures_of(made.facts)["spares.sufficient_p99"].metric.unknown
    assert not isinstance(unknown, str)
    assert "one rack" in unknown(made)


def with_loads(*tiers: int) -> Any:
    """Return a replication of which each incident, the first within the warm-up, loaded one of *tiers*."""
    times = np.array([50.0, *np.linspace(100.0, 900.0, len(tiers) - 1)])  # the second as it ends
    return SimpleNamespace(incidents={"time_s": times, "tier": np.array(tiers)})


def test_loads_are_shared_out_over_the_tiers() -> None:
    made = replications([with_loads(1, 0, 0, -1), with_loads(1, 0, 1, -1)], ["peer", "storage"])
    peer = estimate(made, "tiers.peer.loads")
    assert peer is not None
    assert peer.mean == pytest.approx(0.75)
    assert peer.half_width is not None
    assert value(made, "tiers.storage.loads") == pytest.approx(0.25)


def test_tiers_that_nothing_loaded_are_unknown() -> None:
    made = replications([with_loads(-1, -1)], ["peer", "storage"])
    assert value(made, "tiers.peer.loads") is None


@pytest.mark.parametrize(
    ("tiers", "loads", "shares"),
    [
        (["peer", "storage"], (1, 2, 2, 2, 0), {"replicas.peer_loads": 0.75, "tiers.peer.loads": 0.25}),
        (["checkpoint"], (0, 1, 0), {"replicas.peer_loads": 0.5}),
    ],
)
def test_loads_from_another_replica_count_among_all(
    tiers: list[str], loads: tuple[int, ...], shares: dict[str, float]
) -> None:
    made = replications([with_loads(*loads)], tiers)
    assert {path: value(made, path) for path in shares} == shares


def test_replicas_that_are_down_on_average() -> None:
    shares = {entry.label: np.zeros(2) for entry in Entry}
    shares |= {"productive": np.array([0.7, 0.7]), "stall": np.array([0.1, 0.1])}
    shares |= {
        "detection": np.array([0.05, 0.0]),
        "recovery": np.array([0.1, 0.2]),
        "waiting": np.array([0.05, 0.0]),
    }
    assert value(replications(**shares), "replicas.down") == pytest.approx(2.4)
