"""Pass or fail: thresholds on metrics, `ettr.p10: ">= 0.85"`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
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
