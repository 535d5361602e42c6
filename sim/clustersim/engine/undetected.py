"""Failures that nobody has noticed yet, and at what pace the job trains because of them.

A straggler strikes node 3 at 1,000 s.  It is undetected from then on, and the job trains at its pace.  If
node 3 leaves at 1,200 s because of another failure, the job is quick again; when the straggler is noticed at
1,600 s, its node is no longer there, and nothing happens.
"""

from __future__ import annotations

from clustersim.engine.cluster import Cluster
from clustersim.engine.work.history import Pace
from clustersim.failure import Failure


class UndetectedFailure:
    """A failure that is not noticed yet; it knows which of the nodes that it struck have not left since.

    Until then the job makes only *factor* of its progress.
    """

    def __init__(
        self, failure: Failure, line: int, cluster: Cluster, factor: float, others: list[UndetectedFailure]
    ) -> None:
        self.failure = failure
        self.line = line
        self.factor = factor
        self._others = others
        self._slot_of = {cluster.node(slot): slot for slot in failure.slots}
        self._cluster = cluster

    def __repr__(self) -> str:
        return f"UndetectedFailure({self.failure}, nodes {list(self._slot_of)})"

    @property
    def is_present(self) -> bool:
        """Whether any of its nodes has not left, failed or not; always where it struck no nodes."""
        return bool(self._slot_of) or not self.failure.slots

    def leaves(self, node: int) -> bool:
        """Forget *node*, which leaves; return whether it was one of those that the failure struck."""
        return self._slot_of.pop(node, None) is not None

    def detect(self) -> None:
        """Remove the failure from the undetected ones: it is noticed."""
        self._others.remove(self)

    def slots(self) -> tuple[int, ...]:
        """Return the slots in which its nodes still are at work."""
        return tuple(slot for slot in self._slot_of.values() if self._cluster.is_at_work(slot))


class UndetectedFailures:
    """All failures that are not noticed yet: the job trains at the pace of the slowest.

    Those are `open`.  A node that leaves for another reason is repaired: it slows nothing when it comes back.
    """

    def __init__(self, cluster: Cluster) -> None:
        self.open: list[UndetectedFailure] = []
        self._cluster = cluster

    def add(self, failure: Failure, line: int, factor: float = 1.0) -> UndetectedFailure:
        """Note *failure*, whose nodes are in their slots now and which leaves *factor* of the pace."""
        undetected = UndetectedFailure(failure, line, self._cluster, factor, self.open)
        self.open.append(undetected)
        return undetected

    def pace(self) -> Pace | None:
        """Return the pace that the slowest sets, the first of equals, or nothing where there is none."""
        slow = [failure for failure in self.open if failure.factor < 1 and failure.is_present]
        if not slow:
            return None
        slowest = min(slow, key=lambda failure: failure.factor)
        return Pace(0.0, slowest.factor, slowest.failure.mode, slowest.line)

    def leaves(self, node: int) -> bool:
        """Forget *node*, which leaves; return whether any of the failures struck it."""
        left = [failure.leaves(node) for failure in self.open]
        return any(left)
