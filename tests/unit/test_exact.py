"""What is not random is exact: seen from the streams, with one replication or many."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from clustersim import run
from clustersim.advice import advise, verdict
from clustersim.engine.replication import simulate
from clustersim.scenario.model import Scenario
from clustersim.streams import Draws, Streams, happens, uniform
from clustersim.studies.compare import Comparison

LOG = [{"time": "30 h", "node": 3}, {"time": "50 h", "node": 9}, {"time": "90 h", "node": 3}]


def replayed(replications: int = 1, **more: Any) -> Scenario:
    """Return a log of 18,687 cards in which nothing is random."""
    return Scenario.model_validate(
        {
            "name": "replayed",
            "cluster": {"gpus": 18_687, "gpus_per_node": 1},
            "failures": {"log": {"replay": LOG}},
            "checkpoint": {"interval": "30 min", "blocks": "20 s"},
            "recovery": {"stages": {"detect": "1 min", "restart": "4 h"}},
            "simulation": {"horizon": "10 d", "replications": replications},
        }
        | more
    )


def test_a_stream_knows_whether_a_number_was_drawn() -> None:
    streams = Streams(1, 0)
    assert not streams.drawn
    draws = Draws(streams, "constant", lambda rng, size: np.zeros(size))
    assert [draws[0], draws[99], streams.drawn] == [0.0, 0.0, False]
    assert [happens(draws, 0, share) for share in (0.0, 1.0)] == [False, True]
    streams["handed out, and not used"]
    assert not streams.drawn
    assert happens(Draws(streams, "uniform", uniform), 5, 0.5) in (True, False)
    assert streams.drawn


@pytest.mark.parametrize("replications", [1, 2, 3])
def test_a_replay_without_chance_shows_all_its_digits_and_no_warning(replications: int) -> None:
    results = run(replayed(replications), workers=1)
    summary = results.summary
    assert summary["random"] is False
    assert verdict(summary).text.startswith("Of 18,687 cards 17,510 train (ETTR 0.9370);")
    assert advise(results.scenario, summary) == []
    ettr = summary["ettr"]
    assert ettr["low"] == ettr["mean"] == ettr["high"]
    assert summary["half_width"] == 0
    assert set(summary["margins"].values()) == {0.0}
    assert not any(path.startswith("ettr") for path in summary["reasons"])


def test_a_precision_is_met_at_the_first_look_where_nothing_is_random() -> None:
    precise = run(replayed(), precision="0.001 pp", workers=1).summary
    assert precise["replications"] == 32
    assert precise["precision"] == {"asked": 1e-5, "reached": 0.0, "met": True, "unstruck": []}


def test_one_replication_of_what_is_random_still_tells_nothing_about_chance() -> None:
    random = replayed(failures={"any": {"per": "node", "mtbf": "100 y"}})
    summary = run(random, workers=1).summary
    assert summary["random"] is True
    assert summary["ettr"]["low"] is None
    assert "One replication tells nothing about chance" in str(advise(random, summary)[0])


def test_differences_of_what_is_exact_are_exact() -> None:
    log = run(replayed(), workers=1)
    slower = replayed(name="slower", recovery={"stages": {"detect": "1 min", "restart": "5 h"}})
    difference = Comparison([log, run(slower, workers=1)]).differences[0]
    assert difference.ettr.half_width == 0
    assert difference.ettr.distinguishable
    assert "ETTR −1.245 pp, −232.7 effective cards." in difference.advice.text
    random = replayed(4, name="random", failures={"any": {"per": "node", "mtbf": "100 y"}})
    mixed = Comparison([log, run(random, workers=1)]).differences[0]
    assert mixed.ettr.count == 4
    assert mixed.ettr.half_width is not None
    assert mixed.ettr.half_width > 0


NODE = {"per": "node", "mtbf": "200 h", "lifetime": "constant", "ages": "new"}
RACKS = {"gpus": 64, "nodes_per_rack": 4, "spares": 2}
CERTAIN = {
    "nothing fails": {"failures": "none"},
    "constant lives": {"cluster": RACKS, "failures": {"node": NODE | {"repair": "3 h"}}},
    "a share of all or none": {
        "cluster": RACKS,
        "failures": {
            "node": NODE
            | {
                "repair": {"automatic": "1 h", "escalates": "100 %", "manual": "2 h"},
                "spreads": {"to": "rack", "probability": "100 %"},
                "transient": "0 %",
            },
            "transient": NODE | {"mtbf": "90 h", "repair": "3 h", "transient": "100 %"},
        },
    },
    "recorded repairs": {
        "cluster": RACKS,
        "failures": {"log": {"replay": [{"time": "5 h", "node": 3, "repair": "40 h"}]}},
    },
    "replicas": {"cluster": RACKS, "recovery": {"replicas": 2, "stages": {"restart": "1 h"}}},
    "planned stops": {"maintenance": [{"every": "1 d", "takes": "20 min"}, {"at": {"3 d": "6 h"}}]},
}
CHANCE = {
    "exponential lives": {"failures": {"any": {"per": "node", "mtbf": "100 y"}}},
    "ages in the steady state": {"cluster": RACKS, "failures": {"node": NODE | {"ages": "steady"}}},
    "a stage with a law": {"recovery": {"stages": {"restart": {"exponential": {"mean": "1 h"}}}}},
    "a stage that may fail": {"recovery": {"stages": {"restart": {"constant": "1 h", "fails": "5 %"}}}},
    "a repair with a law": {
        "cluster": RACKS,
        "failures": {"node": NODE | {"repair": {"exponential": {"mean": "3 h"}}}},
    },
    "a share": {"cluster": RACKS, "failures": {"node": NODE | {"repair": "3 h", "transient": "50 %"}}},
}


@pytest.mark.parametrize("more", CERTAIN.values(), ids=list(CERTAIN))
def test_without_chance_nothing_is_drawn_and_every_replication_is_the_same(more: dict[str, Any]) -> None:
    scenario = replayed(**more)
    first, second = simulate(scenario, 0), simulate(scenario, 1)
    assert not first.drawn
    assert not second.drawn
    assert first.ledger == second.ledger


@pytest.mark.parametrize("more", CHANCE.values(), ids=list(CHANCE))
def test_with_chance_something_is_drawn(more: dict[str, Any]) -> None:
    assert simulate(replayed(**more), 0).drawn
