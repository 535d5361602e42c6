"""The names under which random numbers that belong to a failure are drawn.

Every failure is known by its origin (the process that caused it) and its ordinal there.  All that is random
about it (its repair time, whether it is transient, ...) is one draw from a stream named after the origin and
the quantity, at the ordinal's place.  So the third GPU failure has the same repair time in every scenario
that shares the mode, however long the repairs of others take: that is what makes scenarios comparable.

For a mode `gpu` the repair time of its failure number 2 is the draw number 2 of the stream `gpu/repair`; that
of the first relapse after one of its repairs is draw number 0 of `gpu/relapse/repair`.
"""

from __future__ import annotations

from clustersim.engine.ledger import START_CAUSE
from clustersim.failure import Failure
from clustersim.scenario.model import Scenario
from clustersim.streams import Draws, Sampler, Streams, uniform

SPARE, LEMON, LEMON_SPARE, LEMON_REPLACEMENT = "spare", "lemon", "lemon/spare", "lemon/replacement"
RELAPSE, RECURRENCE = "relapse", "recurrence"
GROUP, GROUP_SPARE = "group", "group/spare"
PROCESSES = (SPARE, LEMON, LEMON_SPARE, LEMON_REPLACEMENT, RELAPSE, RECURRENCE, GROUP, GROUP_SPARE)
"""A mode's other processes beside its own, in the order of their failures at one instant."""


class Origins:
    """The processes that cause failures, by number: each mode's own in file order, then the job's start.

    After these come the other `PROCESSES` of the modes that take nodes.  `names` are the names of their
    *streams*, `modes` the number of the mode of each.
    """

    def __init__(self, scenario: Scenario, streams: Streams) -> None:
        self.streams = streams
        names, modes = [*scenario.failures, START_CAUSE], [*range(len(scenario.failures) + 1)]
        self._numbers: dict[tuple[int, str], int] = {}
        for mode, (name, spec) in enumerate(scenario.failures.items()):
            for process in PROCESSES if spec.takes_nodes else ():
                self._numbers[mode, process] = len(names)
                names.append(f"{name}/{process}")
                modes.append(mode)
        self.names, self.modes = tuple(names), tuple(modes)

    def __repr__(self) -> str:
        return f"Origins{self.names}"

    def of(self, mode: int, process: str) -> int:
        """Return the number of one of the other *processes* of *mode*."""
        return self._numbers[mode, process]


class FailureDraws:
    """The draws of one *quantity*: one for each failure, at its ordinal in the stream of its origin."""

    def __init__(self, origins: Origins, quantity: str, sampler: Sampler = uniform) -> None:
        self._origins = origins
        self._quantity = quantity
        self._sampler = sampler
        self._draws: dict[int, Draws] = {}

    def __repr__(self) -> str:
        return f"FailureDraws({self._quantity!r})"

    def __getitem__(self, failure: Failure) -> float:
        draws = self._draws.get(failure.origin) or self.of(failure.origin)
        value: float = draws[failure.ordinal]
        return value

    def of(self, origin: int) -> Draws:
        """Return the draws of all failures of one *origin*, by their number there."""
        draws = self._draws.get(origin)
        if draws is None:
            name = f"{self._origins.names[origin]}/{self._quantity}"
            draws = self._draws[origin] = Draws(self._origins.streams, name, self._sampler)
        return draws
