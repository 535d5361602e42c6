"""What each key of the language does to a small scenario: with it, something is more or less than without."""

from __future__ import annotations

from typing import Any, NamedTuple

Changes = dict[str, Any]

BASE: dict[str, Any] = {
    "name": "small",
    "cluster": {"gpus": 32, "gpus_per_node": 2, "nodes_per_rack": 4, "racks_per_pod": 2, "spares": 4},
    "failures": {"any": {"per": "node", "mtbf": "30000 s", "repair": "3000 s"}},
    "checkpoint": {"interval": "300 s", "blocks": "5 s", "load": "20 s"},
    "recovery": {"stages": {"detect": "20 s", "start": "60 s", "load": "checkpoint"}},
    "simulation": {"horizon": "300000 s", "seed": 11},
}


class Row(NamedTuple):
    """What is `more` or `less` where a *kind* is `given` than without it, in a scenario changed by `base`."""

    kind: str
    given: Changes
    more: str = ""
    less: str = ""
    base: Changes = {}  # noqa: RUF012 (never changed)


ANY, RECOVERY, CLUSTER = "failures.any", "recovery", "cluster"
MEMORY = "checkpoint.tiers.memory"
TIERS: Changes = {
    "checkpoint": {
        "state": "1 TB",
        "tiers": {
            "memory": {"interval": "60 s", "blocks": "1 s", "load": "5 s", "survives": ["job", "gpu"]},
            "storage": {"interval": "600 s", "write": "100 GB/s", "read": "20 GB/s"},
        },
    }
}
RESTARTS: Changes = {f"{ANY}.repair": None}
SLOW = {f"{ANY}.effect": {"slow": {"factor": 0.5}}, f"{ANY}.detect": "600 s"}
CORRUPT = {f"{ANY}.effect": {"corrupt": {"noticed_after": "500 s"}}}
FLAP = {f"{ANY}.effect": {"flap": {"stall": "40 s"}}, **RESTARTS}
OUT = {"failures.out": {"per": "cluster", "mtbf": "3000 s", "repair": "1500 s", "effect": "storage"}}
FOUR = {f"{RECOVERY}.replicas": 4}
LEMONS = {f"{ANY}.lemons": {"share": "25 %", "factor": 5}}
RELAPSE = {f"{ANY}.relapse": {"probability": "30 %", "within": "100 s"}}
SPREADS = {f"{ANY}.spreads": {"to": "rack", "probability": "20 %"}}
PIPELINE = {f"{ANY}.repair": {"automatic": "1000 s", "escalates": "40 %", "manual": "3000 s"}}
COUNTS = {f"{RECOVERY}.retire": {"after": 5, "within": "300000 s"}}
SCORES = {f"{RECOVERY}.retire": {"score": 3.9, "half_life": "100000 s"}}
RENEWED = LEMONS | {f"{RECOVERY}.retire": {"after": 1, "within": "1 d", "replacement": "1000 s"}}
STOPS: Changes = {"maintenance": {"every": "20000 s", "takes": "200 s"}}
LONG_OUTAGES = STOPS | {f"{CLUSTER}.spares": 0}
COLD = {f"{CLUSTER}.spare_kind": "cold", f"{CLUSTER}.provision": "100 s"}
LENT = {f"{CLUSTER}.spare_kind": "lent", f"{CLUSTER}.preempt": "100 s"}
IN_PART = {f"{CLUSTER}.used_per_rack": 4, f"{CLUSTER}.nodes_per_rack": 5, f"{CLUSTER}.spares": None}
READY = {"name": "standby", "count": 1}
OWN = {"name": "own", "count": 3, "takes": "300 s"}
TWO_POOLS = [READY, OWN]
POOLED: Changes = {f"{CLUSTER}.spares": TWO_POOLS}
ONLY_OWN: Changes = {f"{CLUSTER}.spares": [OWN]}
BAD_SPARES = {f"{CLUSTER}.spares": 20, f"{ANY}.lemons": {"share": "25 %", "factor": 20}}
CLEVER = {f"{CLUSTER}.spare_choice": "fewest_failures"}
TOLD = {f"{ANY}.notice": "60 s"}
WEAR = {f"{ANY}.lifetime": {"weibull": {"shape": 3}}, f"{ANY}.ages": "new"}
ROWS_OF_A_LOG = [{"time": "5000 s", "node": 3, "repair": "200 s"}, {"time": "9000 s"}]

EFFECTS = [
    Row("effect: crash", {"failures": BASE["failures"]}, more="lost", base={"failures": "none"}),
    Row("effect: hang", {f"{ANY}.effect": "hang", f"{ANY}.detect": "500 s"}, more="detection"),
    Row("effect: slow", SLOW, more="slow"),
    Row("effect: corrupt", CORRUPT, more="corrupted"),
    Row("effect: flap", {f"{ANY}.effect": FLAP[f"{ANY}.effect"]}, more="stall", base=RESTARTS),
    Row("effect: storage", OUT, more="lost"),
    Row("Slow.factor", {f"{ANY}.effect": {"slow": {"factor": 0.25}}}, more="slow", base=SLOW),
    Row(
        "Corrupt.noticed_after",
        {f"{ANY}.effect": {"corrupt": {"noticed_after": "3000 s"}}},
        more="corrupted",
        base=CORRUPT,
    ),
    Row("Flap.stall", {f"{ANY}.effect": {"flap": {"stall": "80 s"}}}, more="stall", base=FLAP),
    Row(
        "Storage.tiers",
        {"failures.out.effect": {"storage": {"tiers": ["memory"]}}},
        more="lost",
        base=TIERS | RESTARTS | OUT,
    ),
]
REACH = [
    Row("takes_down: node", {f"{ANY}.takes_down": "node"}, more="lost", base=TIERS | {f"{ANY}.per": "gpu"}),
    Row("takes_down: rack", {f"{ANY}.takes_down": "rack"}, more="nodes lost"),
    Row("takes_down: pod", {f"{ANY}.takes_down": "pod"}, more="nodes lost"),
    Row("takes_down: replica", {f"{ANY}.takes_down": "replica"}, more="nodes lost", base=FOUR),
    Row("takes_down: job", {f"{ANY}.takes_down": "job"}, more="nodes lost"),
    Row("spreads to: rack", SPREADS, more="nodes lost"),
    Row("spreads to: pod", {f"{ANY}.spreads.to": "pod"}, more="nodes lost", base=SPREADS),
    Row("Spread.to", {f"{ANY}.spreads.to": "pod"}, more="nodes lost", base=SPREADS),
    Row("Spread.share", {f"{ANY}.spreads.share": "10 %"}, less="nodes lost", base=SPREADS),
    Row("Spread.probability", {f"{ANY}.spreads.probability": "60 %"}, more="nodes lost", base=SPREADS),
]
NODES = [
    Row("FailureMode.lemons", LEMONS, more="incidents"),
    Row("Lemons.share", {f"{ANY}.lemons.share": "70 %"}, more="incidents", base=LEMONS),
    Row("Lemons.factor", {f"{ANY}.lemons.factor": 10}, more="incidents", base=LEMONS),
    Row("Lemons.in_replacements", {f"{ANY}.lemons.in_replacements": "0 %"}, "", "incidents", RENEWED),
    Row("Lemons.healed", {f"{ANY}.lemons.healed": "90 %"}, less="incidents", base=LEMONS),
    Row("Lemons.turns_bad", {f"{ANY}.lemons.turns_bad": "50 %"}, more="incidents", base=LEMONS),
    Row("FailureMode.relapse", RELAPSE, more="incidents"),
    Row("Relapse.probability", {f"{ANY}.relapse.probability": "70 %"}, more="incidents", base=RELAPSE),
    Row("Relapse.within", {f"{ANY}.relapse.within": "100000 s"}, less="struck again soon", base=RELAPSE),
    Row("Repair.automatic", {f"{ANY}.repair.automatic": "3000 s"}, more="away", base=PIPELINE),
    Row("Repair.escalates", {f"{ANY}.repair.escalates": "90 %"}, more="away", base=PIPELINE),
    Row("Repair.manual", {f"{ANY}.repair.manual": "9000 s"}, more="away", base=PIPELINE),
    Row("Repair.crews", {f"{ANY}.repair": {"constant": "3000 s", "crews": 1}}, more="waiting"),
    Row("Repair.false_fix", {f"{ANY}.repair": {"constant": "3000 s", "false_fix": "50 %"}}, more="incidents"),
    Row("ByPart.automatic", {f"{ANY}.repair.false_fix": {"automatic": "60 %"}}, "incidents", "", PIPELINE),
    Row("ByPart.manual", {f"{ANY}.repair.false_fix": {"manual": "60 %"}}, "incidents", "", PIPELINE),
    Row("Retire.after", {f"{RECOVERY}.retire.after": 2}, more="waiting", base=COUNTS),
    Row("Retire.within", {f"{RECOVERY}.retire.within": "300 s"}, less="waiting", base=COUNTS),
    Row("Retire.score", {f"{RECOVERY}.retire.score": 1.5}, more="waiting", base=SCORES),
    Row("Retire.half_life", {f"{RECOVERY}.retire.half_life": "10 s"}, less="waiting", base=SCORES),
    Row("Retire.replacement", {f"{RECOVERY}.retire.replacement": "1000 s"}, less="waiting", base=COUNTS),
]
RECOVERIES = [
    Row("Recovery.stages", {f"{RECOVERY}.stages.start": "200 s"}, more="recovery"),
    Row(
        "StageTime.fails",
        {f"{RECOVERY}.stages.start": {"constant": "60 s", "fails": "50 %"}},
        more="recovery",
    ),
    Row(
        "Recovery.during_recovery",
        {f"{RECOVERY}.during_recovery": "absorb"},
        more="productive",
        base={f"{RECOVERY}.stages.start": "1500 s"},
    ),
    Row("Recovery.at_start", {f"{RECOVERY}.at_start": True}, more="recovery", base={"failures": "none"}),
    Row("Recovery.misdiagnosis", {f"{RECOVERY}.misdiagnosis": "40 %"}, more="incidents"),
    Row("Recovery.missed", {f"{RECOVERY}.missed": "40 %"}, more="incidents"),
    Row(
        "Recovery.recurs_after",
        {f"{RECOVERY}.recurs_after": "5000 s"},
        less="incidents",
        base={f"{RECOVERY}.missed": "40 %"},
    ),
    Row("Recovery.retire", COUNTS, more="waiting"),
    Row("Recovery.replicas", FOUR, less="lost"),
    Row("Recovery.stall", {f"{RECOVERY}.stall": "30 s"}, more="stall", base=FOUR),
    Row("Recovery.rejoin_stall", {f"{RECOVERY}.rejoin_stall": "30 s"}, more="stall", base=FOUR),
    Row("Recovery.minimum", {f"{RECOVERY}.minimum": 4}, more="idle", base=FOUR),
    Row("Recovery.overhead", {f"{RECOVERY}.overhead": "10 %"}, more="slow"),
    Row("Recovery.peer_load", {f"{RECOVERY}.peer_load": "200 s"}, more="stage load", base=FOUR),
]
STOPPED = [
    Row("Maintenance.every", {"maintenance.every": "5000 s"}, more="maintenance", base=STOPS),
    Row("Maintenance.at", {"maintenance": {"at": ["5000 s", "9000 s"], "takes": "200 s"}}, "maintenance"),
    Row("Maintenance.takes", {"maintenance.takes": "800 s"}, more="maintenance", base=STOPS),
    Row("Maintenance.abrupt", {"maintenance.abrupt": True}, more="lost", base=STOPS | {"failures": "none"}),
    Row("Maintenance.if_down", {"maintenance.if_down": "postpone"}, more="maintenance", base=LONG_OUTAGES),
    Row("Maintenance.merge_within", {"maintenance.merge_within": "5000 s"}, less="maintenance", base=STOPS),
    Row(
        "Maintenance.rolling",
        {"maintenance.rolling": True},
        more="stall",
        base=STOPS | FOUR | {f"{RECOVERY}.rejoin_stall": "30 s", "failures": "none"},
    ),
]
SAVED = [
    Row("CheckpointSpec.state", {"checkpoint.state": "3 TB"}, more="checkpoint", base=TIERS),
    Row("CheckpointSpec.tiers", TIERS, less="lost", base=RESTARTS),
    Row("TierSpec.interval", {f"{MEMORY}.interval": "600 s"}, less="checkpoint", base=TIERS),
    Row("TierSpec.blocks", {f"{MEMORY}.blocks": "5 s"}, more="checkpoint", base=TIERS),
    Row("TierSpec.durable_after", {f"{MEMORY}.durable_after": "500 s"}, more="lost", base=TIERS | RESTARTS),
    Row("TierSpec.load", {f"{MEMORY}.load": "50 s"}, more="stage load", base=TIERS | RESTARTS),
    Row("TierSpec.write", {"checkpoint.tiers.storage.write": "20 GB/s"}, more="checkpoint", base=TIERS),
    Row("TierSpec.read", {"checkpoint.tiers.storage.read": "5 GB/s"}, more="stage load", base=TIERS),
    Row("TierSpec.survives", {f"{MEMORY}.survives": ["job", "gpu", "node"]}, less="lost", base=TIERS),
    Row("TierSpec.unusable", {f"{MEMORY}.unusable": "50 %"}, more="lost", base=TIERS | RESTARTS),
    Row(
        "TierSpec.keep",
        {f"{MEMORY}.keep": 1},
        more="lost",
        base={**TIERS, **RESTARTS, f"{MEMORY}.unusable": "50 %"},
    ),
]
MACHINES = [
    Row("ClusterSpec.gpus", {f"{CLUSTER}.gpus": 64}, more="incidents"),
    Row("ClusterSpec.gpus_per_node", {f"{CLUSTER}.gpus_per_node": 4}, less="incidents"),
    Row(
        "ClusterSpec.nodes_per_rack",
        {f"{CLUSTER}.nodes_per_rack": 2},
        "incidents",
        "",
        {f"{ANY}.per": "rack"},
    ),
    Row("ClusterSpec.racks_per_pod", {f"{CLUSTER}.racks_per_pod": 1}, "incidents", "", {f"{ANY}.per": "pod"}),
    Row("ClusterSpec.spares", {f"{CLUSTER}.spares": 0}, more="waiting"),
    Row("ClusterSpec.spares_within", {f"{CLUSTER}.spares_within": "rack"}, more="waiting"),
    Row(
        "ClusterSpec.used_per_rack",
        IN_PART,
        more="waiting",
    ),
    Row("ClusterSpec.spare_racks", {f"{CLUSTER}.spare_racks": 1}, less="waiting", base=IN_PART),
    Row(
        "spare_kind: hot",
        {f"{CLUSTER}.spare_kind": "hot", f"{CLUSTER}.provision": None},
        "",
        "stage nodes",
        COLD,
    ),
    Row("spare_kind: cold", COLD, more="stage nodes"),
    Row("spare_kind: lent", LENT, more="stage nodes"),
    Row("ClusterSpec.provision", {f"{CLUSTER}.provision": "300 s"}, more="stage nodes", base=COLD),
    Row("ClusterSpec.preempt", {f"{CLUSTER}.preempt": "300 s"}, more="stage nodes", base=LENT),
    Row("spare_choice: any", {f"{CLUSTER}.spare_choice": "any"}, "interruptions", "", BAD_SPARES | CLEVER),
    Row("spare_choice: fewest_failures", CLEVER, less="interruptions", base=BAD_SPARES),
    Row("ClusterSpec.spare_failures", {f"{CLUSTER}.spare_failures": "100 %"}, more="idle nodes struck"),
]
POOLS = [
    Row("SparePool.name", {f"{CLUSTER}.spares": TWO_POOLS[1:]}, more="stage nodes", base=POOLED),
    Row("SparePool.count", {f"{CLUSTER}.spares": [OWN | {"count": 1}]}, "waiting", "", ONLY_OWN),
    Row("SparePool.takes", {f"{CLUSTER}.spares": [OWN | {"takes": "900 s"}]}, "stage nodes", "", ONLY_OWN),
    Row("SparePool.kind", {f"{CLUSTER}.spares": [READY, OWN | {"kind": "lent"}]}, "stage nodes", "", POOLED),
]
MODES = [
    Row("FailureMode.per", {f"{ANY}.per": "gpu"}, more="incidents"),
    Row("FailureMode.rate", {f"{ANY}.mtbf": None, f"{ANY}.rate": "9000 / 1000 node-days"}, more="incidents"),
    Row("FailureMode.mtbf", {f"{ANY}.mtbf": "10000 s"}, more="incidents"),
    Row(
        "FailureMode.lifetime", {f"{ANY}.lifetime": "constant", f"{ANY}.ages": "new"}, less="early incidents"
    ),
    Row("FailureMode.ages", {f"{ANY}.ages": "new"}, "", "early incidents", {f"{ANY}.lifetime": "constant"}),
    Row(
        "FailureMode.clock",
        {f"{ANY}.clock": "training"},
        less="incidents",
        base={f"{RECOVERY}.stages.start": "1000 s"},
    ),
    Row("FailureMode.over_time", {f"{ANY}.over_time": {"0 d": 5}}, more="incidents"),
    Row("FailureMode.transient", {f"{ANY}.transient": "60 %"}, less="nodes lost"),
    Row("FailureMode.detect", {f"{ANY}.detect": "200 s"}, more="detection"),
    Row("FailureMode.notice", TOLD, more="waiting"),
    Row("FailureMode.saves", {f"{ANY}.saves": "20 %"}, more="lost", base=TOLD),
    Row("FailureMode.repair", {f"{ANY}.repair": "9000 s"}, more="away"),
    Row("FailureMode.renews", {f"{ANY}.renews": False}, more="incidents", base=WEAR),
    Row(
        "FailureMode.replay",
        {"failures": {"log": {"replay": ROWS_OF_A_LOG}}},
        more="incidents",
        base={"failures": "none"},
    ),
]
OLD: Changes = {f"{CLUSTER}.groups": {"old": {"nodes": "50 %"}}, f"{ANY}.groups": {"old": 2}}
GROUPS = [
    Row("ClusterSpec.groups", OLD, more="incidents"),
    Row("FailureMode.groups", {f"{ANY}.groups": {"old": 0.1}}, less="incidents", base=OLD),
    Row("Group.nodes", {f"{CLUSTER}.groups": {"old": {"nodes": "100 %"}}}, more="incidents", base=OLD),
]
ROWS = [*GROUPS, *EFFECTS, *REACH, *NODES, *RECOVERIES, *STOPPED, *SAVED, *MACHINES, *POOLS, *MODES]
