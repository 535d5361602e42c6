"""What is not known well: a range, a law or an observed count in place of one value, and how it is drawn.

`0.1 to 0.3 / 1000 gpu-days` are the 5 % and 95 % points of a lognormal law, or of a logit-normal one where
the value is a share.  A law is known by its quantiles: a draw is the quantile of a number between 0 and 1.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, ClassVar, NamedTuple, Protocol

from clustersim import units
from clustersim.distributions import Gamma, LogNormal
from clustersim.scenario.keys.blocks import Block, Finding, OneOf, Shorthand, key
from clustersim.scenario.keys.laws import Sigma
from clustersim.scenario.keys.quantities import Reads, quantity, whole
from clustersim.units import NUMBER, Money, Observation, shown

LOW, MIDDLE, HIGH = 0.05, 0.5, 0.95
"""The points of a law that a range gives, and between which results lie in 90 % of the cases."""
JEFFREYS = 0.5
"""What Jeffreys' prior adds to the count of a Poisson process."""
EXAMPLE = "5 min to 15 min"


@dataclass(frozen=True, slots=True)
class Scale:
    """What a value is a value of, how it is written again, and whether it is a share or counts something."""

    name: str
    write: Callable[[float], Any] = field(compare=False)
    share: bool = False
    counts: bool = False


class Quantified(NamedTuple):
    """A value in SI units (a rate per second), and its scale."""

    value: float
    scale: Scale


def _text_of(form: Callable[[float], str], after: str, value: float) -> str:
    """Return a text with six significant digits: more are not read, and no law is known so well."""
    return form(_number(value)) + after


def _amount(currency: str, value: float) -> str:
    return str(Money(_number(value), currency))


def _number(value: float) -> float:
    return float(f"{value:.6g}")


_NUMBER = Scale("a number", _number)
_COUNT = Scale("a count", round, counts=True)
_SIMPLE: tuple[tuple[units.Quantity[float], Callable[[float], Any]], ...] = (
    (units.SHARE, partial(_text_of, units.format_share, "")),
    (units.DURATION, partial(_text_of, units.format_duration, "")),
    (units.SIZE, partial(_text_of, units.format_size, "")),
    (units.TOKENS, partial(_text_of, "{:.6g}".format, " tokens")),
)


def quantified(written: object) -> Quantified:
    """Return the value that is *written*, with its scale; raises ValueError where it is no quantity."""
    if isinstance(written, bool) or not isinstance(written, str | int | float):
        raise ValueError(f"{shown(written)} is not a value; give a number, with its unit where it has one")
    text = " ".join(str(written).split())
    if re.fullmatch(NUMBER, text):
        return Quantified(float(text), _COUNT if re.fullmatch(r"[0-9_]+", text) else _NUMBER)
    if len(text) > units.LONGEST_TEXT:
        raise ValueError(f"{shown(text)} is too long; give {EXAMPLE}")
    for kind, write in _SIMPLE:
        if re.fullmatch(kind.pattern[1:-1], text):
            return Quantified(kind.parse(text), Scale(kind.name, write, share=kind is units.SHARE))
    return _of_something(text)


def _of_something(text: str) -> Quantified:
    """Return a rate, a bandwidth or a price, which are of a part, of a node, in a currency."""
    if re.fullmatch(units.RATE.pattern[1:-1], text):
        mtbf, part = units.RATE.parse(text)
        return Quantified(1 / mtbf, rate_of(part))
    bare = units.PER_NODE.sub("", text)
    if re.fullmatch(units.BANDWIDTH.pattern[1:-1], bare):
        per_node = text[len(bare) :]
        scale = Scale(
            f"{units.BANDWIDTH.name}{' per node' if per_node else ''}",
            partial(_text_of, units.format_bandwidth, per_node),
        )
        return Quantified(units.BANDWIDTH.parse(bare), scale)
    if re.fullmatch(units.MONEY.pattern[1:-1], text):
        amount, currency = units.MONEY.parse(text)
        return Quantified(amount, Scale(f"a price in {currency}", partial(_amount, currency)))
    allowed = "a number with the unit that the value has, such as 5 min, 20 % or 0.2 / 1000 gpu-days"
    raise ValueError(f"{shown(text)} is not understood; give {allowed}")


def rate_of(part: str | None) -> Scale:
    """Return the scale of a rate of that part."""
    return Scale(f"a rate per {part}" if part else units.RATE.name, partial(units.format_rate, part=part))


def both_ends(written: object) -> tuple[float, float, Scale]:
    """Return the ends of `0.1 to 0.3 / 1000 gpu-days` and their scale; the first takes the second's unit."""
    text = " ".join(written.split()) if isinstance(written, str) else ""
    low, to, high = text.partition(" to ")
    if not to:
        raise ValueError(f"{shown(written)} is not a range; give both ends, such as {EXAMPLE}")
    if re.fullmatch(NUMBER, low) and (number := re.match(NUMBER, high)):
        low += high[number.end() :]
    (lower, scale), (upper, other) = quantified(low), quantified(high)
    if {scale, other} == {_NUMBER, _COUNT}:
        scale = other = _NUMBER
    if scale != other:
        raise ValueError(f"{shown(text)} has {scale.name} and {other.name}; give both ends alike")
    if lower >= upper:
        raise ValueError(f"{shown(text)} has its ends the wrong way round; give the smaller one first")
    return lower, upper, scale


class Quantiles(Protocol):
    """A law as its quantile function."""

    def quantile(self, share: float) -> float:
        """Return the value below which a *share* (0 < share < 1) of the law lies."""


Quantile = Callable[[float], float]
"""A quantile function; each of those below is one, once all but its last argument is given."""


@dataclass(frozen=True, slots=True)
class Uniform:
    """Each value between both ends as probable as any other; of whole numbers, both ends included."""

    low: float
    high: float
    counts: bool = False

    def quantile(self, share: float) -> float:
        """Return the value below which a *share* of the law lies."""
        if self.counts:
            return min(float(math.floor(self.low + share * (self.high - self.low + 1))), self.high)
        return self.low + share * (self.high - self.low)


def loguniform(low: float, high: float, share: float) -> float:
    """Uniform in the logarithm."""
    return float(low * (high / low) ** share)


def triangular(low: float, mode: float, high: float, share: float) -> float:
    """A density that rises from *low* to the most probable value, *mode*, and falls to *high*."""
    width, rise = high - low, mode - low
    if share * width <= rise:
        return low + math.sqrt(share * width * rise)
    return high - math.sqrt((1 - share) * width * (high - mode))


def normal(mean: float, sd: float, most: float, share: float) -> float:
    """Normal on condition that it lies between 0 and *most*."""
    from scipy.special import ndtr, ndtri

    below, above = (float(ndtr((end - mean) / sd)) for end in (0.0, most))
    return mean + sd * float(ndtri(below + share * (above - below)))


def logit_normal(centre: float, sigma: float, share: float) -> float:
    """Normal in the logit, for shares: *centre* is the logit of the median."""
    return 1 / (1 + math.exp(-centre - sigma * _normal_point(share)))


def positive(law: LogNormal | Gamma, share: float) -> float:
    """Positive values by a law that is known as a distribution of times."""
    return law.remaining(0.0, 1 - share)


def _normal_point(share: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(share))


def between(low: float, high: float, scale: Scale) -> tuple[str, Quantile]:
    """Return the law of which *low* and *high* are the 5 % and 95 % points, and its name."""
    if low <= 0 or (scale.share and high >= 1):
        limits = "between 0 and 100 %" if scale.share else "above 0"
        remedy = f'both ends of a range lie {limits}; for others give {{uniform: "... to ..."}}'
        raise ValueError(remedy)
    across = 2 * _normal_point(HIGH)
    if scale.share:
        below, above = (math.log(end / (1 - end)) for end in (low, high))
        return "logit-normal", partial(logit_normal, (below + above) / 2, (above - below) / across)
    middle, sigma = math.sqrt(low * high), math.log(high / low) / across
    return "lognormal", partial(positive, LogNormal.from_median(middle, sigma))


@dataclass(frozen=True, slots=True)
class UncertainInput:
    """An input that is not known well: as it is `written`, the name of its law, and the law of its values.

    `assumed` says that nobody stated it.
    """

    written: str
    name: str
    law: Quantile = field(compare=False)
    scale: Scale
    assumed: bool = False

    @property
    def counted(self) -> bool:
        """Whether it is an observed count, of which the law is that of a rate."""
        return self.name == "gamma"

    def quantile(self, share: float) -> float:
        """Return the value below which a *share* of the law lies: in SI units, a rate per second."""
        value = self.law(share)
        return float(round(value)) if self.scale.counts else value

    def value(self, share: float) -> Any:
        """Return the same as a scenario says it."""
        return self.scale.write(self.quantile(share))

    def changes(self, path: str, share: float) -> dict[str, Any]:
        """Return what it is a change of, where it stands at *path*: a rate takes the place of an MTBF."""
        block, _, name = path.rpartition(".")
        return {f"{block}.rate" if self.counted and name == "mtbf" else path: self.value(share)}


def of_range(written: object) -> UncertainInput:
    """Return the input of which both ends of a range are the 5 % and 95 % points."""
    low, high, scale = both_ends(written)
    return UncertainInput(str(written), *between(low, high, scale), scale)


def around(value: object, share: float) -> UncertainInput | None:
    """Return the input that lies within a *share* of a stated *value* in 90 % of the cases.

    None where the value is 0, or no quantity.
    """
    try:
        middle, scale = quantified(value)
    except ValueError:
        return None
    low, high = middle * (1 - share), middle * (1 + share)
    if scale.share:
        high = min(high, (1 + middle) / 2)
    if not 0 < low < high or (scale.share and high >= 1):
        return None
    text = f"{value} ± {units.format_share(share)}"
    return UncertainInput(text, *between(low, high, scale), scale, assumed=True)


def scaled(written: Any, factor: float) -> Any:
    """Return an input, as it is *written*, with all of its values times *factor*; of a count, the rate."""
    if not isinstance(written, Mapping):
        low, high, scale = both_ends(written)
        return f"{scale.write(low * factor)} to {scale.write(high * factor)}"
    return {name: _scaled_law(name, law, factor) for name, law in written.items()}


def _scaled_law(name: str, law: Any, factor: float) -> Any:
    if name == "counted":
        count, time = law.split(" in ")
        number = re.match(NUMBER, time)
        assert number is not None
        return f"{count} in {float(number[0]) / factor:.6g}{time[number.end() :]}"
    if not isinstance(law, Mapping):
        return scaled(law, factor)
    given = {key: value if key == "sigma" else quantified(value) for key, value in law.items()}
    return {
        key: each.scale.write(each.value * factor) if isinstance(each, Quantified) else each
        for key, each in given.items()
    }


Ends = tuple[float, float, Scale]
_RANGE_SCHEMA: dict[str, Any] = {"type": "string", "pattern": "^.+ to .+$", "examples": [EXAMPLE]}
_VALUE_SCHEMA: dict[str, Any] = {"anyOf": [{"type": "string"}, {"type": "number"}]}
Range = Annotated[Ends, Reads(both_ends, _RANGE_SCHEMA)]
Value = Annotated[Quantified, Reads(quantified, _VALUE_SCHEMA)]


class InputLaw(Block):
    """A law of an uncertain input: its values are of one scale, of any kind, where `Law` is of a time."""

    called: ClassVar[str]

    def values(self) -> Mapping[str, Quantified]:
        """Return the values that it names."""
        return {name: value for name, value in self if isinstance(value, Quantified)}

    def law(self, scale: Scale) -> Quantile:
        """Return the law."""
        raise NotImplementedError

    def contradictions(self) -> Iterator[Finding]:
        """Refuse values that are not of one kind."""
        scales = dict.fromkeys(value.scale for value in self.values().values())
        if len(scales) > 1 and scales.keys() != {_NUMBER, _COUNT}:
            kinds = " and ".join(scale.name for scale in scales)
            yield (), f"{kinds} in one law; give values that are alike"

    def resolve(self) -> UncertainInput:
        """Return the input."""
        values = list(self.values().values())
        scale = next((value.scale for value in values if not value.scale.counts), values[0].scale)
        texts = [f"{name} {value.scale.write(value.value)}" for name, value in self.values().items()]
        return UncertainInput(f"{self.called} ({', '.join(texts)})", self.called, self.law(scale), scale)


class UncertainLogNormal(InputLaw):
    """Of positive values; by its median or its mean."""

    called = "lognormal"
    median: Value | None = key("half the draws are larger, such as 8 min", None)
    mean: Value | None = key("the mean; or give the median", None)
    sigma: Sigma = key("standard deviation of the logarithm, a plain number such as 0.4")

    def law(self, scale: Scale) -> Quantile:
        """Return the law."""
        if self.mean is not None:
            return partial(positive, LogNormal(self.mean.value, self.sigma))
        assert self.median is not None
        return partial(positive, LogNormal.from_median(self.median.value, self.sigma))

    def contradictions(self) -> Iterator[Finding]:
        """Ask for a median or a mean, of what may be larger than any bound."""
        yield from super().contradictions()
        if (self.median is None) == (self.mean is None):
            yield (), 'a lognormal law has either a median or a mean; give one, such as "median: 8 min"'
        for name, value in self.values().items():
            if value.value <= 0:
                yield name, "zero makes no sense here; give more"
            elif value.scale.share:
                yield name, 'a share is at most 100 %; give a range such as "2 % to 8 %", or triangular'


class UncertainNormal(InputLaw):
    """On condition that the value is possible: above 0, and a share below 100 %."""

    called = "normal"
    mean: Value = key("the mean, such as 5 min")
    sd: Value = key("the standard deviation, such as 1 min")

    def law(self, scale: Scale) -> Quantile:
        """Return the law."""
        return partial(normal, self.mean.value, self.sd.value, 1.0 if scale.share else math.inf)

    def contradictions(self) -> Iterator[Finding]:
        """Refuse no spread."""
        yield from super().contradictions()
        if self.sd.value <= 0:
            yield "sd", "zero makes no sense here; give more"


class UncertainTriangular(InputLaw):
    """The smallest, the most probable and the largest value."""

    called = "triangular"
    low: Value = key("the smallest value, such as 3 min")
    mode: Value = key("the most probable value, such as 5 min")
    high: Value = key("the largest value, such as 10 min")

    def law(self, scale: Scale) -> Quantile:
        """Return the law."""
        return partial(triangular, self.low.value, self.mode.value, self.high.value)

    def contradictions(self) -> Iterator[Finding]:
        """Refuse values out of order."""
        yield from super().contradictions()
        if not self.low.value <= self.mode.value <= self.high.value or self.low.value == self.high.value:
            yield (), "the values are out of order; give low <= mode <= high, and low < high"


class UncertainLaw(OneOf):
    """A law of what is not known well: exactly one of the kinds."""

    lognormal: UncertainLogNormal | None = key("{median: 8 min, sigma: 0.4}", None)
    uniform: Range | None = key(f"all values between both ends alike: {EXAMPLE}", None)
    loguniform: Range | None = key(f"uniform in the logarithm: {EXAMPLE}", None)
    normal: UncertainNormal | None = key("{mean: 5 min, sd: 1 min}, held to possible values", None)
    triangular: UncertainTriangular | None = key("{low: 3 min, mode: 5 min, high: 10 min}", None)
    counted: Annotated[Observation, quantity(units.OBSERVATION)] | None = key(
        "an observed count, from which the rate has its posterior: 21 in 110_592 node-days", None
    )

    def contradictions(self) -> Iterator[Finding]:
        """Refuse a logarithm of nothing."""
        yield from super().contradictions()
        if self.loguniform is not None and self.loguniform[0] <= 0:
            yield "loguniform", "zero has no logarithm; give a lower end above it"

    def resolve(self) -> UncertainInput:
        """Return the input."""
        if self.counted is not None:
            return posterior(self.counted)
        (name,) = self.chosen()
        given = getattr(self, name)
        if isinstance(given, InputLaw):
            return given.resolve()
        low, high, scale = given
        law: Quantile = Uniform(low, high, scale.counts).quantile
        if name == "loguniform":
            law = partial(loguniform, low, high)
        return UncertainInput(f"{name} {scale.write(low)} to {scale.write(high)}", name, law, scale)


def posterior(seen: Observation) -> UncertainInput:
    """Return the rate of which so many events were seen: gamma, of shape n + 1/2, by Jeffreys' prior."""
    shape = seen.counted + JEFFREYS
    of_part = f"{seen.part}-" if seen.part else ""
    text = f"counted: {seen.counted} in {seen.seconds / units.DAY:.6g} {of_part}days"
    law = partial(positive, Gamma(shape / seen.seconds, shape))
    return UncertainInput(text, "gamma", law, rate_of(seen.part))


Inputs = Annotated[UncertainInput, Shorthand(of_range, _RANGE_SCHEMA, UncertainLaw)]


class Uncertainty(Block):
    """How often what is `uncertain` is drawn; it is simulated several times with each draw."""

    draws: Annotated[int, whole(2, 50_000)] = key(
        "how many draws of the uncertain inputs; or give simulation.replications", 200, unit="draws"
    )
    per_draw: Annotated[int, whole(1, 100)] = key(
        "replications with each of them: two or more tell chance from inputs", 2, unit="replications"
    )
