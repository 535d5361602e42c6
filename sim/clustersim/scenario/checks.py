"""What must hold between the blocks of a scenario."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from clustersim.distributions import Exponential
from clustersim.engine.ledger import RESERVED_CAUSES
from clustersim.metrics.catalogue import figures_of
from clustersim.scenario.keys.blocks import KEY, Finding, strangers, under
from clustersim.scenario.keys.plan import Maintenance
from clustersim.scenario.keys.quantities import LONGEST_DURATION, SHORTEST_DURATION, Threshold
from clustersim.scenario.keys.recovery import CHECKPOINT, DETECT, LOAD
from clustersim.scenario.keys.scenario import ScenarioBlock
from clustersim.scenario.rates import again, events, most_again, most_at_once, spare_events
from clustersim.scenario.resolve import resolve, with_intervals
from clustersim.scenario.system import System
from clustersim.scenario.text.document import Path, dotted, find, paths
from clustersim.units import format_duration, shown

MOST_FAILURES = 100_000_000
"""At 8 us each, compiled, they take a quarter of an hour, and 350 bytes of journal each."""
MOST_AGES = 20_000_000
"""So many units that age take 450 MB from the beginning of a replication on (measured)."""
MOST_STOPS = 1_000_000
"""At 10 us each they take 10 s in a replication (measured)."""
MOST_ATTEMPTS = 1_000
"""A restart that needs more attempts on average never ends for any practical purpose."""
MOST_SAVES = 1e12
"""So many instants of saves, as floats, are still thousands of their steps apart."""
MOST_REPLICATIONS = 100_000
"""As many as may be asked for without draws."""
MOST_AT_ONCE = 1_000_000
"""Nodes that one failure takes down: each is then an object of its own, some 150 bytes and a microsecond."""
NEEDS = {"rack": "cluster.nodes_per_rack", "pod": "cluster.nodes_per_rack and cluster.racks_per_pod"}


def examine(written: ScenarioBlock, document: Mapping[str, Any]) -> tuple[System, list[Finding]]:
    """Return the system that is *written* in *document*, and all that does not fit together in it."""
    system = resolve(written)
    parts = [*_about_parts(written, system), *_about_replicas(system)]
    ends = list(_about_the_end(system))
    findings = [*parts, *ends, *_about_blocks(written, system, document)]
    if not parts:
        system, why = with_intervals(written, system)
        findings += why or ([] if ends else _about_numbers(system))
    return system, findings


def _about_blocks(written: ScenarioBlock, system: System, document: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what does not fit where all parts are there."""
    if not written.failures and document.get("failures") != "none":
        yield "failures", "no mode is given; give at least one, or say failures: none"
    for name in written.failures:
        yield from under(("failures", name), _about_mode(written, system, name))
    yield from _about_copies(written, system)
    yield from under(("recovery",), _about_recovery(written, system))
    yield from _about_stops(written, system)
    yield from under(("cluster", "groups"), _about_groups(system))
    yield from _about_draws(written, system)
    yield from _about_metrics(written, system)
    yield from _about_sources(written, document)
    costs = written.costs
    if system.cluster.spare_kind == "lent" and costs and "idle_spares" in costs.model_fields_set:
        yield ("costs", "idle_spares"), "lent spares are at work for others, who pay; leave it out"


def _about_parts(written: ScenarioBlock, system: System) -> Iterator[Finding]:
    """Yield failures of, or over, parts that the cluster or the recovery does not have."""
    there = {"rack": system.cluster.racks, "pod": system.cluster.pods}
    missing = {part: needs for part, needs in NEEDS.items() if there[part] is None}
    for name, mode in system.failures.items():
        here, spread = ("failures", name), mode.spreads.to if mode.spreads else ""
        if mode.per in missing:
            yield (*here, "per"), f"a mode per {mode.per} needs {mode.per}s; give {missing[mode.per]}"
        down = mode.takes_down if mode.takes_down_stated else ""
        for path, domain in ((("takes_down",), down), (("spreads", "to"), spread)):
            if domain in missing:
                yield (*here, *path), f"there are no {domain}s; give {missing[domain]}"
        if spread and mode.takes_down == "replica" and _is_within_a_replica(system, spread):
            why = f"a {spread} is no more than the replica that goes down anyway; leave it out"
            yield (*here, "spreads", "to"), why
        if down == "replica" and system.recovery.replicas == 1:
            why = "the whole job is one replica; give recovery.replicas, or say takes_down: job"
            yield (*here, "takes_down"), why


def _is_within_a_replica(system: System, domain: str) -> bool:
    """Whether a replica is as large as the domain; not where replicas do not divide the nodes anyway."""
    divides = system.cluster.nodes % system.recovery.replicas == 0
    return divides and system.slots_per(domain) <= system.slots_per("replica")


def _about_replicas(system: System) -> Iterator[Finding]:
    nodes, replicas = system.cluster.nodes, system.recovery.replicas
    path = ("recovery", "replicas")
    if replicas > nodes:
        yield path, f"more replicas than nodes ({nodes:_}); a replica has at least one node, so give fewer"
    elif nodes % replicas:
        near = " or ".join(f"{number:_}" for number in near_divisors(nodes, replicas))
        yield path, f"{replicas:_} replicas do not divide {nodes:_} nodes evenly; take {near}"
    elif (
        replicas > 1 and system.cluster.spare_racks and system.slots_per("replica") % system.slots_per("rack")
    ):
        racks = f"a replica of {system.slots_per('replica'):_} nodes does not fill racks of"
        why = f"racks are replaced whole, and {racks} {system.slots_per('rack'):_}"
        yield path, f"{why}; give another number, or leave cluster.spare_racks out"


def near_divisors(nodes: int, count: int) -> list[int]:
    """Return the numbers nearest to *count*, below and above, that divide so many nodes."""
    small = [number for number in range(1, math.isqrt(nodes) + 1) if nodes % number == 0]
    divisors = sorted({*small, *(nodes // number for number in small)})
    below = [number for number in divisors if number < count][-1:]
    return below + [number for number in divisors if number > count][:1]


def _about_mode(written: ScenarioBlock, system: System, name: str) -> Iterator[Finding]:
    """Yield what of a mode does not fit the rest."""
    mode, retire = system.failures[name], system.recovery.retire
    if name in RESERVED_CAUSES:
        yield KEY, f'the results use the name "{name}" themselves; choose another'
    undetected = mode.effect.without_detection
    if undetected and mode.detect is None and DETECT not in written.recovery.stages:
        yield "effect", undetected
    yield from under(("effect",), mode.effect.about_tiers([tier.name for tier in system.tiers]))
    replaced = retire is not None and retire.replacement is not None
    if mode.lemons and mode.lemons.in_replacements is not None and not replaced:
        why = "no node is replaced; leave it out, or give recovery.retire with a replacement"
        yield ("lemons", "in_replacements"), why
    known = [group.name for group in system.cluster.groups]
    foreign = [group for group in written.failures[name].groups if group not in known]
    for group, why in strangers(foreign, known, "no such group in cluster.groups"):
        yield ("groups", group, KEY), why
    yield from _about_rows(written, system, name)


def _about_rows(written: ScenarioBlock, system: System, name: str) -> Iterator[Finding]:
    """Yield the first row of a log whose node the cluster does not have."""
    nodes, spares = system.cluster.nodes, system.cluster.spare_nodes
    rows = written.failures[name].replay or ()
    beyond = [number for number, row in enumerate(rows) if row.node >= nodes + spares]
    if beyond:
        row, more = rows[beyond[0]], f" (and {len(beyond) - 1:,} more)" if beyond[1:] else ""
        there = f"the nodes are 0 to {nodes + spares - 1:_}, {nodes:_} of the job and {spares:_} spares"
        why = f"node {row.node:_} at {format_duration(row.time_s, 3)}{more} does not exist; {there}"
        yield ("replay", beyond[0]), why


def _about_the_end(system: System) -> Iterator[Finding]:
    target_s = system.target_s
    if system.simulation.horizon is None and target_s is None:
        yield "simulation", "nothing ends the run; give a horizon, such as 30 d, or a workload.target"
    if target_s is not None and not SHORTEST_DURATION <= target_s <= LONGEST_DURATION:
        end = "1e9 years or longer" if target_s > LONGEST_DURATION else "less than 1 ms"
        why = f"at this speed it takes {end}; check the speed of a card, or the target"
        yield ("workload", "target"), why
    if target_s is not None and system.simulation.warm_up:
        yield ("simulation", "warm_up"), "a run to a target counts from its beginning; leave warm_up out"


def _about_copies(written: ScenarioBlock, system: System) -> Iterator[Finding]:
    """Yield copies that nothing loads, and loads and saves without copies."""
    stages = written.recovery.stages
    each = written.checkpoint.each().values() if written.checkpoint else ()
    for tier, keys in zip(system.tiers, each, strict=True):
        if tier.unusable and LOAD not in stages:
            why = "no stage loads the copy and finds out; add load: checkpoint to recovery.stages"
            yield (*tier.keys, "unusable"), why
        if tier.load and LOAD not in stages:
            why = "no stage loads the copy; add load: checkpoint to recovery.stages"
            yield (*tier.keys, "read" if keys.load is None else "load"), why
    if system.tiers:
        return
    if "stages" in written.recovery.model_fields_set:
        for name in (name for name, time in stages.items() if time.word == CHECKPOINT):
            yield ("recovery", "stages", name), "there is no checkpoint to load; leave the stage out"


def _about_recovery(written: ScenarioBlock, system: System) -> Iterator[Finding]:
    """Yield what of diagnosis and replicas has no meaning here."""
    recovery = system.recovery
    repaired = [
        mode.repair_plan for mode in system.failures.values() if mode.takes_nodes and mode.repair_plan
    ]
    for name in ("misdiagnosis", "missed", "retire"):
        if getattr(recovery, name) and not repaired:
            yield name, "no failure costs a node here; give a mode a repair, or leave it out"
    stays = recovery.misdiagnosis or recovery.missed or any(plan.in_vain for plan in repaired)
    if written.recovery.recurs_after and not stays:
        why = "no fault stays; give misdiagnosis, missed or a repair's false_fix, or leave it out"
        yield "recurs_after", why
    if recovery.peer_load is not None and LOAD not in written.recovery.stages:
        yield "peer_load", "no stage loads; add load: checkpoint to recovery.stages"


def planned_stops(written: ScenarioBlock) -> Iterator[tuple[Path, Maintenance]]:
    """Yield the planned stops that are written, each with its place."""
    several = isinstance(written.maintenance, tuple)
    for number, block in enumerate(written.stops):
        yield (("maintenance", number) if several else ("maintenance",)), block.resolve()


def _about_stops(written: ScenarioBlock, system: System) -> Iterator[Finding]:
    """Yield planned stops that are to be saved before where nothing can be, and rolling ones that cannot."""
    replicas = system.recovery.replicas
    for path, stops in planned_stops(written):
        if not stops.rolling:
            if not system.tiers and not stops.abrupt:
                yield path, "without checkpoints nothing can be saved before a stop; say abrupt: true"
        elif replicas == 1:
            why = "the whole job is one replica; give recovery.replicas, or leave it out"
            yield (*path, "rolling"), why
        elif len(system.maintenance) > 1:
            why = "a rolling stop goes with no others, nor with planned stops of a log; leave one of them out"
            yield (*path, "rolling"), why
        elif replicas * stops.takes >= stops.gap:
            lasts = f"{replicas} replicas take {format_duration(replicas * stops.takes)}"
            yield (*path, "takes"), f"{lasts}, longer than until the next round; stop less often"


def _about_groups(system: System) -> Iterator[Finding]:
    """Refuse more nodes in groups than there are, and groups that nothing tells from the others."""
    groups, nodes = system.cluster.groups, system.cluster.nodes + system.cluster.spare_nodes
    if (several := sum(group.nodes for group in groups)) > nodes:
        yield (), f"{several:_} nodes in groups, and there are {nodes:_} with the spares; give fewer"
    used = {name for mode in system.failures.values() for name, _ in mode.groups}
    for group in groups:
        if group.name not in used:
            why = "no failure mode has a rate for it; give it one in its groups, or leave it out"
            yield (group.name, KEY), why


def _about_draws(written: ScenarioBlock, system: System) -> Iterator[Finding]:
    """Yield replications that do not fill the draws of the uncertain inputs, or are too many."""
    if not system.uncertain:
        return
    count, per_draw = system.simulation.replications, system.uncertainty.per_draw
    stated = "replications" in written.simulation.model_fields_set
    if stated and "draws" in written.uncertainty.model_fields_set:
        why = "draws and simulation.replications both say how many; leave one out"
        yield ("uncertainty", "draws"), why
    elif count % per_draw or count < 2 * per_draw:
        least = f"give {2 * per_draw} or more, and a multiple of {per_draw}"
        why = f"{count:_} do not fill two or more draws, of {per_draw} each; {least}"
        yield ("simulation", "replications"), why
    elif count > MOST_REPLICATIONS:
        draws = f"{system.uncertainty.draws:_} draws of {per_draw} are {count:_} replications"
        yield ("uncertainty", "draws"), f"{draws}, {MOST_REPLICATIONS:_} are possible; give fewer"


def _about_numbers(system: System) -> Iterator[Finding]:
    """Refuse what would never end, or fill the memory."""
    end = format_duration(system.end_s, 3)
    for name in system.failures:
        yield from under(("failures", name), _about_units(system, name, end))
    attempts = 1 / math.prod(1 - stage.fails for stage in system.recovery.stages)
    if attempts > MOST_ATTEMPTS:
        limit = f"{MOST_ATTEMPTS:_} are possible; let them fail less often"
        yield ("recovery", "stages"), f"about {attempts:.1e} attempts until no stage fails, {limit}"
    for tier in system.tiers:
        if (saves := system.end_s / tier.interval) > MOST_SAVES:
            limit = f"{MOST_SAVES:.0e} can be told apart; save less often"
            yield (*tier.keys, "interval"), f"about {saves:.1e} saves in {end}, {limit}"
    if sum(stops.before(system.end_s) for stops in system.maintenance) > MOST_STOPS:
        path = ("maintenance", *["every"] * (len(system.maintenance) == 1))
        yield path, f"more than {MOST_STOPS:_} stops in {end}; stop less often"


def _about_units(system: System, name: str, end: str) -> Iterator[Finding]:
    """Refuse more failures than can be simulated, and more units than can each have an age, or go down."""
    mode, cluster = system.failures[name], system.cluster
    series = most_again(system, mode) / again(system, mode)
    highest = max((factor for _, factor in mode.groups), default=1.0) if mode.lemons else 1.0
    strikes = events(system, name, system.end_s) * max(series, 1.0) * max(highest, 1.0)
    strikes += spare_events(system, name, system.end_s)
    if strikes > MOST_FAILURES:
        limit = f"{MOST_FAILURES:.0e} can be simulated; check the rate"
        yield (), f"about {strikes:.1e} failures in {end}, {limit}"
    nodes = cluster.nodes + cluster.spare_nodes
    in_node = {"gpu": cluster.gpus_per_node, "node": 1}.get(mode.per)
    units = nodes * in_node if in_node else system.units(name)
    if units > MOST_AGES and not isinstance(mode.lifetime, Exponential):
        limit = f"{MOST_AGES:_} are possible; take exponential lifetimes"
        yield "lifetime", f"{units:_} ages to keep, {limit}"
    for each, may in (("lemons", "be a lemon"), ("groups", "be in a group")):
        if nodes > MOST_AGES and getattr(mode, each):
            limit = f"{MOST_AGES:_} are possible; have fewer, or no {each}"
            yield each, f"{nodes:_} nodes and spares of which each may {may}, {limit}"
    if (down := most_at_once(system, mode)) > MOST_AT_ONCE:
        limit = f"{MOST_AT_ONCE:_} are possible; make the domain smaller"
        yield (), f"one failure takes {down:_} nodes and spares down, {limit}"


def _about_metrics(written: ScenarioBlock, system: System) -> Iterator[Finding]:
    subjects = system.subjects
    known = figures_of(subjects)
    foreign = [path for path in written.expect if path not in known]
    for path, why in strangers(foreign, sorted(known), "no such metric"):
        yield ("expect", path, KEY), why
    for path, text in ((path, text) for path, text in written.expect.items() if path in known):
        metric = known[path].metric
        if lacks := subjects.missing(metric.needs):
            yield ("expect", path), f"this metric needs {lacks}; give it"
        elif why := why_impossible(text, metric.highest):
            yield ("expect", path), f"{shown(text)} cannot be expected of {path}: {why}"


def why_impossible(text: str, highest: float) -> str:
    """Return why a metric between 0 and *highest* has no such threshold; empty where it may have it."""
    threshold = Threshold.parse(text)
    sign, value = threshold.sign, threshold.value
    if 0 <= value <= highest and (sign, value) not in (("<", 0.0), (">", highest)):
        return ""
    remedy = "give a threshold that it may meet or miss"
    if highest > 1:
        return f"it is never below 0; {remedy}"
    if 1 < value <= 100 and "%" not in text:
        remedy = f"write {sign} {value:g} %"
    return f"it is a share, between 0 and 1; {remedy}"


def _about_sources(written: ScenarioBlock, document: Mapping[str, Any]) -> Iterator[Finding]:
    values = {key: value for key, value in document.items() if key != "sources"}
    known = [dotted(path) for path in paths(values)]
    foreign = [path for path in written.sources if find(values, path) is None]
    for path, why in strangers(foreign, known, "no such value in this scenario"):
        yield ("sources", path, KEY), why
