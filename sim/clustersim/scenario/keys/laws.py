"""Times that may be random: `4 min`, or `{lognormal: {median: 20 h, sigma: 2.5, at_most: 130 d}}`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, ClassVar

from pydantic import Field, PrivateAttr

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
from clustersim.scenario.keys.blocks import Block, Finding, key
from clustersim.scenario.keys.quantities import DURATION, Duration, PositiveDuration, Shorthand, plain, words
from clustersim.units import format_duration

Shape = Annotated[float, plain(0.1, 50)]
Sigma = Annotated[float, plain(0, 6, above=True)]
Times = Annotated[tuple[PositiveDuration, ...], Field(min_length=1, max_length=100_000)]
SMALLEST_SHARE_BELOW = 0.01


class Bounded(Block):
    """A law that may be cut: draws above `at_most` are drawn again."""

    at_most: PositiveDuration | None = key("the longest draw; longer ones are drawn again", None)

    @property
    def whole(self) -> Distribution:
        """The law without its bound."""
        raise NotImplementedError

    @property
    def distribution(self) -> Distribution:
        """The law with its bound."""
        return self.whole if self.at_most is None else Truncated(self.whole, self.at_most)

    def contradictions(self) -> Iterator[Finding]:
        """Refuse a bound below which the law hardly ever draws."""
        if self.at_most is not None and self.whole.remaining(0.0, 1 - SMALLEST_SHARE_BELOW) > self.at_most:
            bound = format_duration(self.at_most)
            yield ("at_most",), f"less than 1 % of the draws are below {bound}; raise it, or shorten the law"


class ExponentialLaw(Bounded):
    """Memoryless."""

    mean: PositiveDuration = key("the mean time, such as 2 d")

    @property
    def whole(self) -> Distribution:
        """The law without its bound."""
        return Exponential(self.mean)


class WeibullLaw(Bounded):
    """Infant mortality (shape below 1) or wear-out (above)."""

    mean: PositiveDuration = key("the mean time, such as 2 d")
    shape: Shape = key("the shape, a plain number: 1 is the exponential")

    @property
    def whole(self) -> Distribution:
        """The law without its bound."""
        return Weibull(self.mean, self.shape)


class GammaLaw(Bounded):
    """A sum of memoryless times (whole shapes)."""

    mean: PositiveDuration = key("the mean time, such as 2 d")
    shape: Shape = key("the shape, a plain number: 1 is the exponential")

    @property
    def whole(self) -> Distribution:
        """The law without its bound."""
        return Gamma(self.mean, self.shape)


class LogNormalLaw(Bounded):
    """Heavy-tailed; by its median or its mean."""

    median: PositiveDuration | None = key("half the draws are longer, such as 20 h", None)
    mean: PositiveDuration | None = key("the mean time, such as 30 h; or give the median", None)
    sigma: Sigma = key("standard deviation of the logarithm, a plain number such as 1")

    @property
    def whole(self) -> Distribution:
        """The law without its bound."""
        if self.median is not None:
            return LogNormal.from_median(self.median, self.sigma)
        return LogNormal(self.mean or 0.0, self.sigma)

    def contradictions(self) -> Iterator[Finding]:
        """Ask for either median or mean."""
        if (self.median is None) == (self.mean is None):
            yield (), 'a lognormal law has either a median or a mean; give one, such as "median: 20 h"'
        else:
            yield from super().contradictions()


KINDS = ("constant", "exponential", "lognormal", "weibull", "gamma", "empirical")


class Law(Block):
    """A positive time: exactly one of the kinds."""

    one_value: ClassVar[bool] = True
    constant: Duration | None = key("always the same time", None)
    exponential: ExponentialLaw | None = key("memoryless: {mean: 2 d}", None)
    lognormal: LogNormalLaw | None = key("heavy-tailed: {median: 20 h, sigma: 2.5}", None)
    weibull: WeibullLaw | None = key("{mean: 2 d, shape: 0.7}", None)
    gamma: GammaLaw | None = key("{mean: 2 d, shape: 2}", None)
    empirical: Times | None = key("a list of times, each equally likely", None)

    def given(self) -> list[str]:
        """Return the kinds that are stated."""
        return [kind for kind in self.kinds() if getattr(self, kind) is not None]

    @classmethod
    def kinds(cls) -> tuple[str, ...]:
        """Return the kinds among which one is to be chosen."""
        return KINDS

    def contradictions(self) -> Iterator[Finding]:
        """Ask for exactly one kind."""
        if len(given := self.given()) != 1:
            got = " and ".join(given) or "none"
            yield (), f"{got} given; give exactly one of {', '.join(self.kinds())}"

    @cached_property
    def distribution(self) -> Distribution:
        """The law as a distribution of seconds."""
        if self.constant is not None:
            return Constant(self.constant)
        if self.empirical is not None:
            return Empirical(self.empirical)
        (kind,) = self.given()
        law: Bounded = getattr(self, kind)
        return law.distribution


def _constant(value: object) -> dict[str, object]:
    DURATION.parse(value)
    return {"constant": value}


OR_DURATION = Shorthand(_constant, DURATION.schema)
Time = Annotated[Law, OR_DURATION]


class ShapeOf(Block):
    """The shape of a lifetime; its mean is the mode's MTBF."""

    shape: Shape = key("the shape, a plain number: 1 is the exponential")


class SigmaOf(Block):
    """The sigma of a lognormal lifetime; its mean is the mode's MTBF."""

    sigma: Sigma = key("standard deviation of the logarithm, a plain number such as 1")


class Lifetime(Block):
    """How lifetimes scatter around the MTBF: the word `exponential` or `constant`, or exactly one kind."""

    one_value: ClassVar[bool] = True
    weibull: ShapeOf | None = key("{shape: 0.78}; below 1 infant mortality, above 1 wear-out", None)
    lognormal: SigmaOf | None = key("{sigma: 1.2}", None)
    gamma: ShapeOf | None = key("{shape: 2}", None)
    empirical: Times | None = key("lifetimes, each equally likely; they give the MTBF too", None)
    _word: str = PrivateAttr("")

    @classmethod
    def named(cls, word: object) -> Lifetime:
        """Return the lifetime that one of the two words stands for."""
        lifetime = cls.model_construct()
        lifetime._word = LIFETIME_WORDS.parse(word)
        return lifetime

    @property
    def kind(self) -> str:
        """The name of the law."""
        return self._word or next(kind for kind in LIFETIME_KINDS if getattr(self, kind) is not None)

    def contradictions(self) -> Iterator[Finding]:
        """Ask for exactly one kind."""
        given = [kind for kind in LIFETIME_KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            allowed = ", ".join(("exponential", "constant", *LIFETIME_KINDS))
            yield (), f"{' and '.join(given) or 'none'} given; give exactly one of {allowed}"

    def around(self, mtbf: float) -> Distribution:
        """Return the law with that mean, in seconds; an empirical list has its own."""
        if self._word:
            return Exponential(mtbf) if self._word == "exponential" else Constant(mtbf)
        if self.weibull:
            return Weibull(mtbf, self.weibull.shape)
        if self.lognormal:
            return LogNormal(mtbf, self.lognormal.sigma)
        return Gamma(mtbf, self.gamma.shape) if self.gamma else Empirical(self.empirical or ())


LIFETIME_KINDS = ("weibull", "lognormal", "gamma", "empirical")
LIFETIME_WORDS = words("exponential", "constant")
Lifetimes = Annotated[Lifetime, Shorthand(Lifetime.named, LIFETIME_WORDS.schema)]
