"""Racks of which the job uses a part, with whole racks beside them, against binomials of binomials.

Trays fail and are repaired each by itself, idle or not.  A rack can serve with 16 of its 18; the job trains
while as many racks can serve as it has places for.
"""

from __future__ import annotations

import pytest
from scipy import stats

from clustersim.scenario.first_order import first_order
from clustersim.scenario.model import Scenario
from tests.theory.runs import Spec, replications, share, spec
from tests.theory.z import assert_z, mean_se

HOUR = 3600.0
NODES, USED, MTBF, REPAIR = 18, 16, 200.0, 10.0
CASES = [(1, 0), (1, 1), (2, 1), (2, 2)]


def document(places: int, spare_racks: int) -> Spec:
    tray = {
        "per": "node",
        "mtbf": f"{MTBF} h",
        "repair": {"exponential": {"mean": f"{REPAIR} h"}},
    }
    return spec(
        4 * USED * places,
        {"tray": tray},
        6000 * HOUR,
        3,
        cluster={
            "gpus_per_node": 4,
            "nodes_per_rack": NODES,
            "used_per_rack": USED,
            "spare_racks": spare_racks,
            "spare_failures": "100 %",
        },
        simulation={"warm_up": f"{100 * HOUR} s"},
    )


def waiting(places: int, spare_racks: int) -> float:
    """Share of the time in which fewer racks can serve than there are places."""
    serves = stats.binom(NODES, MTBF / (MTBF + REPAIR)).sf(USED - 1)
    return float(stats.binom(places + spare_racks, serves).cdf(places - 1))


@pytest.mark.parametrize(("places", "spare_racks"), CASES)
def test_the_job_waits_while_too_few_racks_have_16_of_their_18_trays(places: int, spare_racks: int) -> None:
    runs = replications(document(places, spare_racks), 20)
    found, se = mean_se(share(records, "waiting") for records in runs)
    assert se < 0.006
    assert_z(found, waiting(places, spare_racks), se, len(CASES))


@pytest.mark.parametrize(("places", "spare_racks"), [*CASES, (18, 4)])
def test_check_says_for_how_long_it_waits(places: int, spare_racks: int) -> None:
    found = first_order(Scenario.model_validate(document(places, spare_racks)))
    assert found.waiting == pytest.approx(waiting(places, spare_racks), rel=0.03)
    assert found.away == pytest.approx(NODES * (places + spare_racks) * REPAIR / (MTBF + REPAIR), rel=0.01)
