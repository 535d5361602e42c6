"""Outages of the whole site against the availability of a unit that is repaired."""

from __future__ import annotations

import pytest

from clustersim.scenario.first_order import first_order
from clustersim.scenario.model import Scenario
from tests.theory.runs import replications, share, spec
from tests.theory.z import assert_z, mean_se

HOUR = 3600.0
MTBF, REPAIR = 100.0, 10.0
REPAIRS = ["10 h", {"exponential": {"mean": "10 h"}}, {"lognormal": {"mean": "10 h", "sigma": 1}}]


@pytest.mark.parametrize("repair", REPAIRS, ids=["constant", "exponential", "lognormal"])
def test_the_site_is_up_for_mtbf_over_mtbf_and_mttr(repair: object) -> None:
    document = spec(
        64,
        {"site": {"per": "cluster", "mtbf": f"{MTBF} h", "repair": repair}},
        20_000 * HOUR,
        2,
        checkpoint={"interval": "1 s", "blocks": "0 s"},
        simulation={"warm_up": f"{200 * HOUR} s"},
    )
    found, se = mean_se(share(records, "waiting") for records in replications(document, 40))
    assert_z(found, REPAIR / (MTBF + REPAIR), se, len(REPAIRS))


def test_the_first_order_knows_outages_random_and_recorded() -> None:
    random = {"per": "cluster", "mtbf": f"{MTBF} h", "repair": f"{REPAIR} h"}
    row = {"time": "5 h", "repair": "20 h"}
    saves = {"interval": "1 s", "blocks": "0 s"}
    for failures, up in (
        ({"site": random}, MTBF / (MTBF + REPAIR)),
        ({"log": {"replay": [row, {"time": "200 h", "repair": "1 h"}]}}, 1 - 20 / 200),
    ):
        scenario = Scenario.model_validate(spec(64, failures, 200 * HOUR, checkpoint=saves))
        assert first_order(scenario).ettr == pytest.approx(up, rel=1e-4)
