"""What there is: the cluster, and the work that it does."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from clustersim import units
from clustersim.scenario.keys.blocks import Block, Finding, key
from clustersim.scenario.keys.quantities import (
    Cards,
    Duration,
    PositiveDuration,
    PositiveShare,
    Reads,
    Share,
    Tokens,
    plain,
    quantity,
    whole,
    words,
)
from clustersim.scenario.keys.tables import CARDS, around, table

_SPARE_SHARE = quantity(units.SHARE)
_SPARE_COUNT = whole(0, 1_000_000_000)
Rate = Annotated[float, plain(0, 1e30, above=True)]
Choice = Literal["any", "fewest_failures"]


def _spares(value: object) -> int | float:
    """Read `2 %` as the share 0.02 (a float), anything else as a count (an int)."""
    share = isinstance(value, str) and "%" in value
    return float(_SPARE_SHARE.parse(value)) if share else int(_SPARE_COUNT.parse(value))


Spares = Annotated[int | float, Reads(_spares, {"anyOf": [_SPARE_COUNT.schema, _SPARE_SHARE.schema]})]


class ClusterSpec(Block):
    """The job's cards, how they sit in nodes, racks and pods, and the spare nodes beyond them."""

    gpus: Cards = key("cards that the job trains on, such as 100_000", unit="cards")
    gpus_per_node: Annotated[int, whole(1, 10_000)] = key("cards that one server holds", 8, unit="cards")
    nodes_per_rack: Cards | None = key(
        "nodes that share a rack; needed for modes per rack", None, unit="nodes"
    )
    used_per_rack: Cards | None = key(
        "nodes of each rack that the job uses; the others are that rack's own spares", None, unit="nodes"
    )
    racks_per_pod: Cards | None = key("racks that share a pod; needed for modes per pod", None, unit="racks")
    spares: Spares = key("nodes beyond the job's: a count, or a share of the job's nodes", 0, unit="nodes")
    stated_spares_within: Annotated[Literal["rack", "pod"], words("rack", "pod")] | None = key(
        "a spare serves only its own rack or pod; every one if left out", None, name="spares_within"
    )
    spare_kind: Annotated[Literal["hot", "cold", "lent"], words("hot", "cold", "lent")] = key(
        "hot spares serve at once, cold ones take `provision`, lent ones do other work and take `preempt`",
        "hot",
    )
    spare_choice: Annotated[Choice, words("any", "fewest_failures")] = key(
        "which idle spare is taken: any (the longest idle), or the one with the fewest_failures",
        "any",
        quiet=True,
    )
    provision: Duration = key("what a cold spare takes until it serves", "0 s")
    preempt: Duration = key("what a lent spare takes until its other work is gone", "0 s", quiet=True)
    spare_failures: Share = key("failures of idle spares, of the rate of a node at work", "0 %")

    @property
    def nodes(self) -> int:
        """Nodes of the job."""
        return self.gpus // self.gpus_per_node

    @property
    def racks(self) -> int | None:
        """Racks over which the job's nodes spread; None where racks are not told."""
        return None if self.rack_slots is None else math.ceil(self.nodes / self.rack_slots)

    @property
    def rack_slots(self) -> int | None:
        """Slots of the job in one rack: its nodes, or those of them that the job uses."""
        return self.nodes_per_rack if self.used_per_rack is None else self.used_per_rack

    @property
    def pods(self) -> int | None:
        """Pods over which the job's racks spread; None where pods are not told."""
        if self.racks is None or self.racks_per_pod is None:
            return None
        return math.ceil(self.racks / self.racks_per_pod)

    @property
    def spare_nodes(self) -> int:
        """Spare nodes; a share of the job's nodes is rounded up."""
        if self.used_per_rack is not None and self.nodes_per_rack is not None:
            return (self.racks or 0) * (self.nodes_per_rack - self.used_per_rack)
        if isinstance(self.spares, float):
            return math.ceil(round(self.spares * self.nodes, 6))
        return self.spares

    @property
    def spares_within(self) -> Literal["rack", "pod"] | None:
        """The domain that a spare is bound to; None: it serves everywhere."""
        return "rack" if self.used_per_rack is not None else self.stated_spares_within

    @property
    def spare_domains(self) -> int:
        """How many domains have spares of their own: spare i serves domain i modulo this number."""
        domains = {"rack": self.racks, "pod": self.pods}.get(self.spares_within or "")
        return domains or 1

    @property
    def delay(self) -> float:
        """Seconds from taking a spare until it serves."""
        return {"cold": self.provision, "lent": self.preempt}.get(self.spare_kind, 0.0)

    def contradictions(self) -> Iterator[Finding]:
        """Refuse cards that fill no whole node, domains without racks, and half-described spares."""
        if rest := self.gpus % self.gpus_per_node:
            below, above = self.gpus - rest, self.gpus - rest + self.gpus_per_node
            near = " or ".join(f"{cards:_}" for cards in (below, above) if cards)
            size = self.gpus_per_node
            yield ("gpus",), f"{self.gpus:_} cards do not fill whole nodes of {size}; take {near}"
        if self.racks_per_pod is not None and self.nodes_per_rack is None:
            yield ("racks_per_pod",), "pods are made of racks; give nodes_per_rack too"
        yield from self._about_delays()
        yield from self._about_domains()

    def _about_delays(self) -> Iterator[Finding]:
        """Refuse spares that take time without saying how long, and times that no spare takes."""
        if self.spare_kind == "cold" and not self.provision:
            yield ("spare_kind",), 'cold spares take time; give provision too, such as "15 min"'
        if self.spare_kind == "lent" and not self.preempt:
            yield ("spare_kind",), 'lent spares are at work elsewhere; give preempt too, such as "5 min"'
        if self.spare_kind != "cold" and self.provision:
            serve = "serve at once" if self.spare_kind == "hot" else "are there already"
            yield (
                ("provision",),
                f"{self.spare_kind} spares {serve}; leave provision out or say spare_kind: cold",
            )
        if self.spare_kind != "lent" and self.preempt:
            yield (
                ("preempt",),
                f"{self.spare_kind} spares do no other work; leave preempt out or say spare_kind: lent",
            )

    def _about_domains(self) -> Iterator[Finding]:
        """Refuse spares bound to domains that there are not, and racks used beyond what they hold."""
        within = self.stated_spares_within
        if within == "rack" and self.nodes_per_rack is None:
            yield ("spares_within",), "spares of a rack need racks; give nodes_per_rack"
        if within == "pod" and (self.nodes_per_rack is None or self.racks_per_pod is None):
            yield ("spares_within",), "spares of a pod need pods; give nodes_per_rack and racks_per_pod"
        if self.used_per_rack is None:
            return
        if self.nodes_per_rack is None:
            yield ("used_per_rack",), "a part of a rack needs racks; give nodes_per_rack"
        elif self.used_per_rack >= self.nodes_per_rack:
            why = f"a rack holds {self.nodes_per_rack} nodes, so no spare is left; use fewer"
            yield ("used_per_rack",), f"{why}, or leave it out"
        if "spares" in self.model_fields_set:
            yield ("spares",), "used_per_rack gives the spares: what is left of each rack; leave spares out"
        if within == "pod":
            yield ("spares_within",), "what used_per_rack leaves serves its own rack; leave spares_within out"


ByCards = Annotated[
    Mapping[int, float], table(CARDS, plain(0, 10, above=True), "{10_000: 1.0, 100_000: 0.85}")
]


class Workload(Block):
    """The training job: its step, its speed per card, how that scales, and when it is done."""

    step_time: PositiveDuration | None = key("granularity: saves and losses fall on whole steps", None)
    stated_speed: Rate | None = key(
        "speed of one card at scaling efficiency 1, a plain number",
        None,
        name="tokens_per_gpu_second",
        unit="tokens/s",
    )
    model_flops_per_token: Rate | None = key(
        "FLOP that one token takes; with the next two it gives the speed", None, unit="FLOP"
    )
    peak_flops_per_gpu: Rate | None = key("peak FLOP/s of one card, such as 989e12", None, unit="FLOP/s")
    mfu: PositiveShare | None = key("model FLOP/s utilisation, such as 40 %", None)
    scaling_efficiency: ByCards | None = key(
        "speed per card by number of cards; interpolated over log(cards), flat outside", None
    )
    target: Tokens | None = key("the run ends when so many tokens are trained: 10 T tokens", None)
    productive: PositiveDuration | None = key("the run ends after so much productive time: 60 d", None)

    @property
    def tokens_per_gpu_second(self) -> float | None:
        """Tokens per second and card at scaling efficiency 1."""
        if self.stated_speed is not None:
            return self.stated_speed
        if self.model_flops_per_token is None or self.peak_flops_per_gpu is None or self.mfu is None:
            return None
        return self.peak_flops_per_gpu * self.mfu / self.model_flops_per_token

    def efficiency(self, gpus: int) -> float:
        """Return the speed of one of *gpus* cards, relative to 1 in the table; linear in log(cards)."""
        below, above, way = around(self.scaling_efficiency or {1: 1.0}, gpus)
        return below + (above - below) * way

    def contradictions(self) -> Iterator[Finding]:
        """Refuse two speeds, half a speed, two targets, and a target in tokens without a speed."""
        flops = ("model_flops_per_token", "peak_flops_per_gpu", "mfu")
        missing = [key for key in flops if getattr(self, key) is None]
        if len(missing) < 3 and self.stated_speed is not None:
            yield ("tokens_per_gpu_second",), f"the speed is given twice; leave it or {', '.join(flops)} out"
        elif 0 < len(missing) < 3:
            yield (), f"the speed is not complete; give {' and '.join(missing)} too"
        if self.target is not None and self.productive is not None:
            yield ("productive",), "target and productive both end the run; leave one out"
        if self.target is not None and self.tokens_per_gpu_second is None:
            yield ("target",), "a target in tokens needs a speed; give tokens_per_gpu_second"
