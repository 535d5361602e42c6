"""Which interval is tuned: that of the only tier of checkpoints, or of one among several."""

from __future__ import annotations

from dataclasses import dataclass

from clustersim.scenario.keys.blocks import unknown
from clustersim.scenario.model import Scenario, Tier
from clustersim.scenario.rates import mtbf_served
from clustersim.store import ChoiceError


@dataclass(frozen=True, slots=True)
class Place:
    """A tier and the keys under which the scenario says what holds for it."""

    tier: str
    keys: tuple[str, ...]

    @property
    def several(self) -> bool:
        """Whether it is one of several tiers."""
        return len(self.keys) > 1

    @property
    def within(self) -> str:
        """Words for a sentence about saves: nothing where there is one tier, else ` to <tier>`."""
        return f" to {self.tier}" if self.several else ""

    def path(self, key: str) -> str:
        """Return the dotted path of one of the tier's keys."""
        return ".".join((*self.keys, key))

    def of(self, scenario: Scenario) -> Tier:
        """Return the tier in *scenario*."""
        return next(tier for tier in scenario.tiers if tier.name == self.tier)

    def mtbf(self, scenario: Scenario) -> float | None:
        """Return the mean time between the failures that the tier is there for (s); None without any."""
        return mtbf_served(scenario, self.tier)


ONLY = Place("checkpoint", ("checkpoint",))


def place_of(scenario: Scenario, tier: str | None = None) -> Place:
    """Return where *tier* stands in *scenario*, or the last of its tiers.

    Raises ChoiceError where there is no such tier, or no checkpoint at all.
    """
    spec = scenario.checkpoint
    if spec is None:
        raise ChoiceError(f"{scenario.name} says checkpoint: none, so it has no interval to tune")
    if tier is not None and tier not in spec.stated:
        raise ChoiceError(f"{scenario.name}: {unknown(tier, spec.stated, f'no tier {tier!r}')}")
    name = tier or spec.last.name
    return Place(name, ("checkpoint", *spec.path_of(name)))
