"""Conditions: any metric of a scenario against a number, or against the same metric of another scenario."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from clustersim.arrays import Array
from clustersim.metrics.metric import Measure
from clustersim.scenario.keys.quantities import Threshold
from clustersim.store import ChoiceError
from clustersim.studies.crossing import Slack
from clustersim.studies.figures import resampled

CONDITION = "ettr >= 0.95, or cost.total <= other.yaml"


class Condition(NamedTuple):
    """A metric, the comparison, and the threshold: a number, or another scenario with its name."""

    text: str
    metric: str
    sign: float
    threshold: float
    other: str

    @classmethod
    def parse(cls, text: str) -> Condition:
        """Return the condition that *text* says; raises ChoiceError for what is none."""
        match = re.fullmatch(r"\s*([^<>=]+?)\s*(>=|<=|>|<)\s*(\S.*?)\s*", text)
        if not match:
            raise ChoiceError(f'"{text}" is no condition; write it like {CONDITION}')
        metric, comparison, right = match.groups()
        sign = 1.0 if comparison.startswith(">") else -1.0
        try:
            threshold = Threshold.parse(f"{comparison} {right}")
        except ValueError:
            if right[0].isdigit():
                raise ChoiceError(
                    f'"{right}" is neither a number nor a scenario; write {CONDITION}'
                ) from None
            return cls(text, metric.removesuffix(".mean"), sign, 0.0, right)
        return cls(text, metric.removesuffix(".mean"), sign, threshold.value, "")

    def slack(self, measure: Measure, rows: Array, others: Array | None) -> Slack:
        """Return by how much the rows of a metric meet it, with both ends of the 95 % interval."""
        if not measure.margin:
            mean, *ends = (self.sign * (each - self.threshold) for each in resampled(measure, rows, others))
            return Slack(mean, min(ends), max(ends))
        known = measure.estimate(rows) if others is None else measure.difference(rows, others)
        if known is None:
            return Slack(*[self.sign * math.inf] * 3)
        mean, width = self.sign * (known.mean - self.threshold), known.half_width or 0.0
        return Slack(mean, mean - width, mean + width)
