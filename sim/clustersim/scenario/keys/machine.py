"""What there is: the cluster, and the work that it does."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from clustersim import units
from clustersim.scenario.keys.blocks import KEY, Block, Finding, Shorthand, fill, key
from clustersim.scenario.keys.quantities import (
    CARDS,
    Cards,
    Duration,
    Name,
    PositiveDuration,
    PositiveShare,
    Reads,
    Share,
    Tokens,
    around,
    plain,
    quantity,
    table,
    whole,
    words,
)

_SPARE_SHARE = quantity(units.SHARE)
_SPARE_COUNT = whole(0, 1_000_000_000)
MOST_POOLS, MOST_GROUPS, MOST_SPARE_RACKS = 100, 100, 100_000
_OF_ALL_SPARES = ("spares_within", "spare_kind", "spare_choice", "provision", "preempt")
Positive = Annotated[float, plain(0, 1e30, above=True)]
Domain = Literal["rack", "pod"]
SpareKind = Literal["hot", "cold", "lent"]
SpareChoice = Literal["any", "fewest_failures"]


def _spares(value: object) -> int | float:
    """Read `2 %` as the share 0.02 (a float), anything else as a count (an int)."""
    share = isinstance(value, str) and "%" in value
    return float(_SPARE_SHARE.parse(value)) if share else int(_SPARE_COUNT.parse(value))


Spares = Annotated[int | float, Reads(_spares, {"anyOf": [_SPARE_COUNT.schema, _SPARE_SHARE.schema]})]


def nodes_of(spares: int | float, nodes: int) -> int:
    """Return how many nodes a count is, or a share of the job's *nodes*, rounded up."""
    return math.ceil(round(spares * nodes, 6)) if isinstance(spares, float) else spares


@dataclass(frozen=True, slots=True)
class SparePoolSpec:
    """A pool of so many spare nodes; the nodes that a stop takes from it are ready `takes` seconds later."""

    name: str
    count: int
    kind: SpareKind
    takes: float


class SparePoolBlock(Block):
    """One of several pools of spares; a slot takes its node from the first that has one."""

    name: Name = key("what it is called, such as standby")
    count: Spares = key("its nodes: a count, or a share of the job's nodes", unit="nodes")
    kind: Annotated[SpareKind, words("hot", "cold", "lent")] | None = key(
        "hot nodes serve at once, cold ones when `takes` is over, lent ones go back to their owner;"
        " cold if it takes time, else hot",
        None,
    )
    takes: Duration = key("what taking nodes from this pool costs, once per stop", "0 s")

    def resolve_for(self, nodes: int) -> SparePoolSpec:
        """Return the pool of a job of so many *nodes*."""
        kind = self.kind or ("cold" if self.takes else "hot")
        return SparePoolSpec(self.name, nodes_of(self.count, nodes), kind, self.takes)

    def contradictions(self) -> Iterator[Finding]:
        """Refuse hot spares that take time, and others that do not say how long they take."""
        if self.kind == "hot" and self.takes:
            yield "takes", "hot spares serve at once; leave takes out or say kind: cold"
        if self.kind in ("cold", "lent") and "takes" not in self.model_fields_set:
            yield "kind", f'{self.kind} spares take time; give takes too, such as "3 min"'


@dataclass(frozen=True, slots=True)
class GroupSpec:
    """A group of so many nodes, of the job and the spares together."""

    name: str
    nodes: int


class GroupBlock(Block):
    """Nodes that differ from others by make or batch; which nodes these are is dealt at random."""

    nodes: Spares = key("its nodes: a count, or a share of all nodes, spares included", unit="nodes")


Pools = Annotated[tuple[SparePoolBlock, ...], Field(max_length=MOST_POOLS)]
SparesOrPools = Annotated[
    int | float | tuple[SparePoolBlock, ...],
    Shorthand(_spares, {"anyOf": [_SPARE_COUNT.schema, _SPARE_SHARE.schema]}, entries=Pools),
]


@dataclass(frozen=True, slots=True)
class ClusterSpec:
    """The job's cards, how they sit in nodes, racks and pods, and the spare nodes beyond them.

    `racks` and `pods` are those over which the job's nodes spread, None where there are none; `rack_slots`
    are the job's nodes in one rack, which holds `rack_nodes` (0: no racks); `spare_racks` stand by whole.  A
    spare serves the domain that it is bound to, `spares_within` (None: everywhere): there are `spare_domains`
    of these, and spare i serves domain i modulo this number; it does so `delay` seconds after it was taken.
    Of the spares `own_spares` are ours, the others are lent.  With `pools`, whose nodes are all of the spares
    in this order, each serves everywhere.
    """

    gpus: int
    gpus_per_node: int
    nodes: int
    rack_slots: int | None
    rack_nodes: int
    spare_racks: int
    racks: int | None
    racks_per_pod: int | None
    pods: int | None
    spare_nodes: int
    own_spares: int
    pools: tuple[SparePoolSpec, ...]
    spares_within: Domain | None
    spare_domains: int
    spare_kind: SpareKind
    spare_choice: SpareChoice
    delay: float
    spare_failures: float
    groups: tuple[GroupSpec, ...]

    def units(self, part: str) -> int:
        """Return how many such parts the job has: cards, nodes, racks, pods, or 1."""
        return {"gpu": self.gpus, "node": self.nodes, "rack": self.racks, "pod": self.pods}.get(part) or 1


class ClusterSpecBlock(Block):
    """The job's cards, how they sit in nodes, racks and pods, and the spare nodes beyond them."""

    gpus: Cards = key("cards that the job trains on, such as 100_000", unit="cards")
    gpus_per_node: Annotated[int, whole(1, 10_000)] = key("cards that one server holds", 8, unit="cards")
    nodes_per_rack: Cards | None = key(
        "nodes that share a rack; needed for modes per rack", None, unit="nodes"
    )
    used_per_rack: Cards | None = key(
        "nodes of each rack that the job uses; the others are that rack's own spares", None, unit="nodes"
    )
    spare_racks: Annotated[int, whole(0, MOST_SPARE_RACKS)] = key(
        "racks beyond the job's; one takes the place of a rack that cannot give used_per_rack nodes",
        0,
        unit="racks",
        quiet=True,
    )
    racks_per_pod: Cards | None = key("racks that share a pod; needed for modes per pod", None, unit="racks")
    spares: SparesOrPools = key(
        "nodes beyond the job's: a count, a share of the job's nodes, or a list of pools", 0, unit="nodes"
    )
    spares_within: Annotated[Domain, words("rack", "pod")] | None = key(
        "a spare serves only its own rack or pod; every one if left out", None
    )
    spare_kind: Annotated[SpareKind, words("hot", "cold", "lent")] = key(
        "hot spares serve at once, cold ones take `provision`, lent ones do other work and take `preempt`",
        "hot",
    )
    spare_choice: Annotated[SpareChoice, words("any", "fewest_failures")] = key(
        "which idle spare is taken: any (the longest idle), or the one with the fewest_failures",
        "any",
        quiet=True,
    )
    provision: Duration = key("what a cold spare takes until it serves", "0 s")
    preempt: Duration = key("what a lent spare takes until its other work is gone", "0 s", quiet=True)
    spare_failures: Share = key("failures of idle spares, of the rate of a node at work", "0 %")
    groups: Annotated[Mapping[Name, GroupBlock], Field(max_length=MOST_GROUPS)] = key(
        "nodes that differ by make or batch, by name, such as {old_firmware: {nodes: 32}}", {}, quiet=True
    )

    def resolve(self) -> ClusterSpec:
        """Return the cluster that it says."""
        nodes, used = self.gpus // self.gpus_per_node, self.used_per_rack
        rack_slots = self.nodes_per_rack if used is None else used
        racks = None if rack_slots is None else math.ceil(nodes / rack_slots)
        pods = None if racks is None or self.racks_per_pod is None else math.ceil(racks / self.racks_per_pod)
        within = self.spares_within if used is None else "rack"
        pools = tuple(pool.resolve_for(nodes) for pool in self.pools)
        spares = self._spare_nodes(nodes, racks or 0)
        lent = (
            spares if self.spare_kind == "lent" else sum(each.count for each in pools if each.kind == "lent")
        )
        return fill(
            ClusterSpec,
            self,
            nodes=nodes,
            rack_slots=rack_slots,
            rack_nodes=self.nodes_per_rack or 0,
            racks=racks,
            pods=pods,
            spare_nodes=spares,
            own_spares=spares - lent,
            pools=pools,
            spares_within=within,
            spare_domains={"rack": racks, "pod": pods}.get(within or "") or 1,
            groups=tuple(self._groups(nodes + spares)),
            delay={"cold": self.provision, "lent": self.preempt}.get(self.spare_kind, 0.0),
        )

    def _groups(self, nodes: int) -> Iterator[GroupSpec]:
        """Yield the groups of so many *nodes*; shares are rounded so that those of all make up the whole."""
        until = 0.0
        for name, group in self.groups.items():
            before = until
            until += group.nodes * nodes if isinstance(group.nodes, float) else group.nodes
            yield GroupSpec(name, round(until) - round(before))

    @property
    def pools(self) -> tuple[SparePoolBlock, ...]:
        """The pools of spares as they are written; none where there is a number or a share."""
        return self.spares if isinstance(self.spares, tuple) else ()

    def _spare_nodes(self, nodes: int, racks: int) -> int:
        """Return how many spare nodes there are; a share of the job's nodes is rounded up."""
        if isinstance(self.spares, tuple):
            return sum(nodes_of(pool.count, nodes) for pool in self.spares)
        if self.used_per_rack is not None and self.nodes_per_rack is not None:
            return racks * (self.nodes_per_rack - self.used_per_rack) + self.spare_racks * self.nodes_per_rack
        return nodes_of(self.spares, nodes)

    def contradictions(self) -> Iterator[Finding]:
        """Refuse cards that fill no whole node, domains without racks, and half-described spares."""
        if rest := self.gpus % self.gpus_per_node:
            below, above = self.gpus - rest, self.gpus - rest + self.gpus_per_node
            near = " or ".join(f"{cards:_}" for cards in (below, above) if cards)
            yield "gpus", f"{self.gpus:_} cards do not fill whole nodes of {self.gpus_per_node}; take {near}"
        if self.racks_per_pod is not None and self.nodes_per_rack is None:
            yield "racks_per_pod", "pods are made of racks; give nodes_per_rack too"
        yield from self._about_delays()
        yield from self._about_domains()
        yield from self._about_pools()
        if self.used_per_rack is not None:
            yield from self._about_racks_in_part(self.used_per_rack)
        elif self.spare_racks:
            why = "a rack is replaced that cannot give what the job uses of it; give used_per_rack too"
            yield "spare_racks", why

    def _about_delays(self) -> Iterator[Finding]:
        """Refuse spares that take time without saying how long, and times that no spare takes."""
        if self.spare_kind == "cold" and not self.provision:
            yield "spare_kind", 'cold spares take time; give provision too, such as "15 min"'
        if self.spare_kind == "lent" and not self.preempt:
            yield "spare_kind", 'lent spares are at work elsewhere; give preempt too, such as "5 min"'
        if self.spare_kind != "cold" and self.provision:
            serve = "serve at once" if self.spare_kind == "hot" else "are there already"
            why = f"{self.spare_kind} spares {serve}; leave provision out or say spare_kind: cold"
            yield "provision", why
        if self.spare_kind != "lent" and self.preempt:
            why = f"{self.spare_kind} spares do no other work; leave preempt out or say spare_kind: lent"
            yield "preempt", why

    def _about_pools(self) -> Iterator[Finding]:
        """Refuse pools of one name, only of lent nodes, and what says of all spares what each pool says."""
        names = [pool.name for pool in self.pools]
        for number, name in enumerate(names):
            if name in names[:number]:
                yield ("spares", number, "name"), f'a pool before it is called "{name}" too; rename one'
        if self.pools and all(pool.kind == "lent" for pool in self.pools):
            why = "all nodes are lent, and repaired ones of the job need a place to stand by"
            yield "spares", f"{why}; give a pool of its own, of count 0 if need be"
        for name in _OF_ALL_SPARES if self.pools else ():
            if name in self.model_fields_set:
                yield (name, KEY), f"{name} is about spares of one kind, and these are pools; leave it out"

    def _about_domains(self) -> Iterator[Finding]:
        """Refuse spares bound to domains that there are not."""
        within, racks = self.spares_within, self.nodes_per_rack is not None
        if within == "rack" and not racks:
            yield "spares_within", "spares of a rack need racks; give nodes_per_rack"
        if within == "pod" and not (racks and self.racks_per_pod):
            yield "spares_within", "spares of a pod need pods; give nodes_per_rack and racks_per_pod"

    def _about_racks_in_part(self, used: int) -> Iterator[Finding]:
        """Refuse racks used beyond what they hold, and spares beside what is left of them."""
        if self.nodes_per_rack is None:
            yield "used_per_rack", "a part of a rack needs racks; give nodes_per_rack"
        elif used > self.nodes_per_rack or (used == self.nodes_per_rack and not self.spare_racks):
            why = f"a rack holds {self.nodes_per_rack} nodes, so no spare is left; use fewer"
            yield "used_per_rack", f"{why}, or leave it out"
        if "spares" in self.model_fields_set:
            yield "spares", "used_per_rack gives the spares: what is left of each rack; leave spares out"
        if self.spares_within == "pod":
            why = "what used_per_rack leaves serves its own rack; leave spares_within out"
            yield "spares_within", why
        if self.spare_racks and self.spare_choice != "any":
            why = "a rack's own spares are taken as they have been idle; leave spare_choice out"
            yield "spare_choice", why


ByCards = Annotated[
    Mapping[int, float], table(CARDS, plain(0, 10, above=True), "{10_000: 1.0, 100_000: 0.85}")
]


class Workload(Block):
    """The training job: its step, its speed per card, how that scales, and when it is done."""

    step_time: PositiveDuration | None = key("granularity: saves and losses fall on whole steps", None)
    tokens_per_gpu_second: Positive | None = key(
        "speed of one card at scaling efficiency 1, a plain number", None, unit="tokens/s"
    )
    model_flops_per_token: Positive | None = key(
        "FLOP that one token takes; with the next two it gives the speed", None, unit="FLOP"
    )
    peak_flops_per_gpu: Positive | None = key("peak FLOP/s of one card, such as 989e12", None, unit="FLOP/s")
    mfu: PositiveShare | None = key("model FLOP/s utilisation, such as 40 %", None)
    scaling_efficiency: ByCards | None = key(
        "speed per card by number of cards; interpolated over log(cards), flat outside", None
    )
    target: Tokens | None = key("the run ends when so many tokens are trained: 10 T tokens", None)
    productive: PositiveDuration | None = key("the run ends after so much productive time: 60 d", None)

    def resolve(self) -> Workload:
        """Return the job with its speed, whichever way that is stated."""
        if self.model_flops_per_token and self.peak_flops_per_gpu and self.mfu:
            speed = self.peak_flops_per_gpu * self.mfu / self.model_flops_per_token
            return self.model_copy(update={"tokens_per_gpu_second": speed})
        return self

    def efficiency(self, gpus: int) -> float:
        """Return the speed of one of *gpus* cards, relative to 1 in the table; linear in log(cards)."""
        below, above, way = around(self.scaling_efficiency or {1: 1.0}, gpus)
        return below + (above - below) * way

    def target_s(self, gpus: int) -> float | None:
        """Return the productive seconds after which *gpus* cards are done; None where nothing says when."""
        if self.target is None or self.tokens_per_gpu_second is None:
            return self.productive
        tokens_per_s = gpus * self.tokens_per_gpu_second * self.efficiency(gpus)
        return self.target / tokens_per_s if tokens_per_s else math.inf

    def contradictions(self) -> Iterator[Finding]:
        """Refuse two speeds, half a speed, two targets, and a target in tokens without a speed."""
        flops = ("model_flops_per_token", "peak_flops_per_gpu", "mfu")
        given = self.given(*flops)
        if given and self.tokens_per_gpu_second is not None:
            yield "tokens_per_gpu_second", f"the speed is given twice; leave it or {', '.join(flops)} out"
        elif 0 < len(given) < 3:
            missing = " and ".join(name for name in flops if name not in given)
            yield (), f"the speed is not complete; give {missing} too"
        if self.target is not None and self.productive is not None:
            yield "productive", "target and productive both end the run; leave one out"
        if self.target is not None and self.resolve().tokens_per_gpu_second is None:
            yield "target", "a target in tokens needs a speed; give tokens_per_gpu_second"
