"""Times that may be random: `4 min`, or `{lognormal: {median: 20 h, sigma: 2.5, at_most: 130 d}}`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import Field

from clustersim.distributions import (
    Constant,
    Distribution,
    Empirical,
    Exponential,
    Gamma,
    LogNormal,
    Truncated,
    Weibull,
)
from clustersim.scenario.keys.blocks import Block, Finding, OneOf, Shorthand, key
from clustersim.scenario.keys.quantities import DURATION, Duration, PositiveDuration, plain, words
from clustersim.units import format_duration

Shape = Annotated[float, plain(0.1, 50)]
Sigma = Annotated[float, plain(0, 6, above=True)]
Times = Annotated[tuple[PositiveDuration, ...], Field(min_length=1, max_length=100_000)]
SMALLEST_SHARE_BELOW = 0.01
"""Draws above a bound are drawn again: with a lower share below it each would cost over a hundred draws."""


class Bounded(Block):
    """A law that may be cut: draws above `at_most` are drawn again."""

    law: ClassVar[Callable[..., Distribution]]
    at_most: PositiveDuration | None = key("the longest draw; longer ones are drawn again", None)

    def whole(self) -> Distribution:
        """Return the law without its bound."""
        return self.law(**{name: value for name, value in self if name != "at_most"})

    def resolve(self) -> Distribution:
        """Return the law with its bound."""
        return self.whole() if self.at_most is None else Truncated(self.whole(), self.at_most)

    def contradictions(self) -> Iterator[Finding]:
        """Refuse a bound below which the law hardly ever draws."""
        if self.at_most is not None and self.whole().remaining(0.0, 1 - SMALLEST_SHARE_BELOW) > self.at_most:
            bound = format_duration(self.at_most)
            yield "at_most", f"less than 1 % of the draws are below {bound}; raise it, or shorten the law"


class ExponentialLaw(Bounded):
    """Memoryless."""

    law = Exponential
    mean: PositiveDuration = key("the mean time, such as 2 d")


class Shaped(Bounded):
    """A law with a mean and a shape."""

    mean: PositiveDuration = key("the mean time, such as 2 d")
    shape: Shape = key("the shape, a plain number: 1 is the exponential")


class WeibullLaw(Shaped):
    """Infant mortality (shape below 1) or wear-out (above)."""

    law = Weibull


class GammaLaw(Shaped):
    """A sum of memoryless times (whole shapes)."""

    law = Gamma


class LogNormalLaw(Bounded):
    """Heavy-tailed; by its median or its mean."""

    median: PositiveDuration | None = key("half the draws are longer, such as 20 h", None)
    mean: PositiveDuration | None = key("the mean time, such as 30 h; or give the median", None)
    sigma: Sigma = key("standard deviation of the logarithm, a plain number such as 1")

    def whole(self) -> Distribution:
        """Return the law without its bound."""
        if self.median is not None:
            return LogNormal.from_median(self.median, self.sigma)
        return LogNormal(self.mean or 0.0, self.sigma)

    def contradictions(self) -> Iterator[Finding]:
        """Ask for either median or mean."""
        if (self.median is None) == (self.mean is None):
            yield (), 'a lognormal law has either a median or a mean; give one, such as "median: 20 h"'
        else:
            yield from super().contradictions()


LAWS: tuple[str, ...] = ("constant", "exponential", "lognormal", "weibull", "gamma", "empirical")


class Law(OneOf):
    """A positive time: exactly one of the kinds."""

    alternatives = LAWS
    constant: Duration | None = key("always the same time", None)
    exponential: ExponentialLaw | None = key("memoryless: {mean: 2 d}", None)
    lognormal: LogNormalLaw | None = key("heavy-tailed: {median: 20 h, sigma: 2.5}", None)
    weibull: WeibullLaw | None = key("{mean: 2 d, shape: 0.7}", None)
    gamma: GammaLaw | None = key("{mean: 2 d, shape: 2}", None)
    empirical: Times | None = key("a list of times, each equally likely", None)

    def resolve(self) -> Any:
        """Return the law as a distribution of seconds."""
        if self.constant is not None:
            return Constant(self.constant)
        if self.empirical is not None:
            return Empirical(self.empirical)
        law: Bounded = getattr(self, self.given(*LAWS)[0])
        return law.resolve()


def constant(value: object) -> dict[str, object]:
    """Return the law that a duration stands for."""
    DURATION.parse(value)
    return {"constant": value}


Time = Annotated[Distribution, Shorthand(constant, DURATION.schema, Law)]


class ShapeOf(Block):
    """The shape of a lifetime; its mean is the mode's MTBF."""

    shape: Shape = key("the shape, a plain number: 1 is the exponential")


class SigmaOf(Block):
    """The sigma of a lognormal lifetime; its mean is the mode's MTBF."""

    sigma: Sigma = key("standard deviation of the logarithm, a plain number such as 1")


@dataclass(frozen=True, slots=True)
class Scatter:
    """How lifetimes scatter around an MTBF: the kind of law, its parameter, or the lifetimes themselves."""

    kind: str
    parameter: float = 1.0
    times: tuple[float, ...] = ()

    def around(self, mtbf: float) -> Distribution:
        """Return the law with that mean, in seconds; an empirical list has its own."""
        return Empirical(self.times) if self.times else _AROUND[self.kind](mtbf, self.parameter)


_AROUND: dict[str, Callable[[float, float], Distribution]] = {
    "exponential": lambda mtbf, _: Exponential(mtbf),
    "constant": lambda mtbf, _: Constant(mtbf),
    "weibull": Weibull,
    "lognormal": LogNormal,
    "gamma": Gamma,
}


LIFETIME_WORDS = words("exponential", "constant")


class Lifetime(OneOf):
    """How lifetimes scatter around the MTBF: the word `exponential` or `constant`, or exactly one kind."""

    weibull: ShapeOf | None = key("{shape: 0.78}; below 1 infant mortality, above 1 wear-out", None)
    lognormal: SigmaOf | None = key("{sigma: 1.2}", None)
    gamma: ShapeOf | None = key("{shape: 2}", None)
    empirical: Times | None = key("lifetimes, each equally likely; they give the MTBF too", None)

    @classmethod
    def allowed(cls) -> list[str]:
        """Return the words of all laws, with a parameter or without."""
        return [*LIFETIME_WORDS.schema["enum"], *super().allowed()]

    def resolve(self) -> Scatter:
        """Return the law around any MTBF."""
        (kind,) = self.chosen()
        if self.empirical is not None:
            return Scatter(kind, times=self.empirical)
        ((_, parameter),) = getattr(self, kind)
        return Scatter(kind, parameter)


Lifetimes = Annotated[
    Scatter, Shorthand(lambda word: Scatter(LIFETIME_WORDS.parse(word)), LIFETIME_WORDS.schema, Lifetime)
]
