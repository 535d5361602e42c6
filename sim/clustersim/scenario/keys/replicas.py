"""What the keys of the recovery must hold about replicas and about diagnosis."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from clustersim.scenario.keys.blocks import Finding

if TYPE_CHECKING:
    from clustersim.scenario.keys.recovery import Recovery


def about_replicas(recovery: Recovery) -> Iterator[Finding]:
    """Yield the keys of *recovery* that need replicas where there are none, and what they cannot be."""
    if recovery.replicas == 1:
        used = {
            "stall": recovery.stall > 0,
            "rejoin_stall": recovery.rejoin_stall > 0,
            "minimum": recovery.minimum > 1,
            "peer_load": recovery.peer_load is not None,
        }
        for name in (name for name, stated in used.items() if stated):
            yield (name,), "the whole job restarts, so it has no meaning; give replicas, or leave it out"
    elif recovery.minimum > recovery.replicas:
        yield ("minimum",), f"more than there are replicas; give {recovery.replicas} or less"
    if recovery.overhead == 1:
        yield ("overhead",), "nothing is left of a step; give less than 100 %"


def about_diagnosis(recovery: Recovery) -> Iterator[Finding]:
    """Yield diagnoses that never find the culprit."""
    if recovery.misdiagnosis + recovery.missed >= 1:
        yield ("misdiagnosis",), "with missed, the culprit is never found; give less than 100 % together"


def near_divisors(nodes: int, count: int) -> list[int]:
    """Return the numbers nearest to *count*, below and above, that divide so many nodes."""
    small = [one for one in range(1, int(nodes**0.5) + 1) if nodes % one == 0]
    divisors = sorted({*small, *(nodes // one for one in small)})
    below = [one for one in divisors if one < count][-1:]
    return below + [one for one in divisors if one > count][:1]
