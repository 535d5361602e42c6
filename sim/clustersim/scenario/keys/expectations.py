"""Pass or fail: thresholds on the metrics of the summary, `ettr.p10: ">= 0.85"`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from clustersim.units import NUMBER, shown

_COMPARES: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
THRESHOLD_PATTERN = rf"^(?:>=|<=|>|<) *-?{NUMBER} *%?$"

LEDGER = (
    "productive",
    "lost",
    "checkpoint",
    "detection",
    "recovery",
    "waiting",
    "stall",
    "idle",
    "slow",
    "corrupted",
    "maintenance",
)
SINGLE = (
    "availability",
    "checkpoint_interval_s",
    "effective_gpus",
    "fewest_spares",
    "half_width",
    "incidents_per_day",
    "interruptions_per_day",
    "interruptions_total",
    "mtbf_s",
    "mtti_s",
    "scaling_efficiency",
    "target_reached",
)
FAMILIES: Mapping[str, tuple[str, ...]] = {
    "cost": ("per_effective_gpu_hour", "to_target", "total"),
    "days_to_target": ("mean", "p50", "p90"),
    "ettr": ("mean", "low", "high", "p10", "p50", "p90"),
    "ledger": LEDGER,
    "spares": (
        "away.mean",
        "away.p50",
        "away.p99",
        "away.max",
        "fewest_idle",
        "short",
        "sufficient_p99",
        "waiting",
    ),
    "throughput": ("tokens_per_s",),
}
REPLICAS = ("count", "minimum", "down", "peer_loads")
TIER = ("interval_s", "loads")
WITH_MEAN = ("ettr", "days_to_target", "spares.away")


@dataclass(frozen=True, slots=True)
class Threshold:
    """One expectation: the comparison and the number that a metric is held against."""

    sign: str
    value: float

    @classmethod
    def parse(cls, text: str) -> Threshold:
        """Return the threshold that *text* states, `>= 0.90` or `>= 90 %`; raises ValueError."""
        found = re.fullmatch(rf"(>=|<=|>|<)\s*(-?{NUMBER})\s*(%?)", text.strip())
        if not found or len(text) > 60:
            raise ValueError(
                f'{shown(text)} is not a threshold; write a sign and a number, such as ">= 0.90"'
            )
        number = Fraction(found[2].replace("_", "")) / (100 if found[3] else 1)
        return cls(found[1], float(number))

    def holds(self, metric: float | None) -> bool:
        """Return whether the metric meets it; what is unknown does not."""
        return metric is not None and _COMPARES[self.sign](metric, self.value)

    def __str__(self) -> str:
        return f"{self.sign} {self.value:g}"


def metrics(
    modes: Iterable[str], stages: Iterable[str], tiers: Sequence[str] = (), replicas: int = 1
) -> list[str]:
    """Return the path of every metric of a scenario with these failure modes, stages, tiers and replicas."""
    families = dict(FAMILIES) | {
        "incidents_by_mode": tuple(modes),
        "recovery_stages": tuple(stages),
        "replicas": REPLICAS if replicas > 1 else (),
        "tiers": tuple(f"{tier}.{name}" for tier in tiers if len(tiers) > 1 for name in TIER),
        "waste_by_cause": (*modes, "checkpoint", "maintenance", "overhead", "start"),
    }
    below = [f"{family}.{name}" for family, names in families.items() for name in names]
    return sorted([*SINGLE, *WITH_MEAN, *below])
