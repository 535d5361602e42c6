"""Remarks on a scenario, on which no run depends: levers of one's own, and claims that were published.

A claim is a figure of the simulation and the range in which it must lie: `{says: 90 %, kind: band, figure:
ettr, at_least: 0.9}`.  A lever is a change that might be bought, and its price.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, NamedTuple

from pydantic import ConfigDict, Field

from clustersim import units
from clustersim.metrics.catalogue import CLAIMABLE
from clustersim.metrics.metric import FAMILIES, MetricFigure
from clustersim.scenario.keys.blocks import (
    MOST_NAMES,
    NAMES,
    Block,
    Finding,
    Resolved,
    fill,
    key,
    too_many,
    unknown,
)
from clustersim.scenario.keys.quantities import Name, Price, Reads, Text, words
from clustersim.units import shown

EXACT, BAND, CONTROL, PLUMBING, FORMULA = "exact", "band", "control", "plumbing", "formula"
KINDS: Final = (EXACT, BAND, CONTROL, FORMULA, PLUMBING)
MOST_CLAIMS = 100
SHARE, SECONDS = "share", "s"
LARGEST = 1e15


def amount(unit: str, written: object) -> float:
    """Return *written* in the unit of a figure; ValueError where it is none."""
    if unit == SECONDS or isinstance(written, str):
        return _quantity(unit, str(written))
    if isinstance(written, bool) or not isinstance(written, int | float) or not abs(written) <= LARGEST:
        example = "0.9, 90 % or 5 pp" if unit == SHARE else "419"
        raise ValueError(f"{shown(written)} is not a possible figure; give one such as {example}")
    if unit == SHARE and abs(written) > 1:
        raise ValueError(f"{shown(written)} is more than the whole; give a share such as 0.9 or 90 %")
    return float(written)


def _quantity(unit: str, text: str) -> float:
    if unit == SECONDS:
        return units.DURATION.parse(text)
    if unit != SHARE:
        raise ValueError(f"{shown(text)} is not a plain number ({unit}); give one such as 419")
    return units.POINTS.parse(text) if text.endswith("pp") else units.SHARE.parse(text)


_NUMBER = {"type": "number"}
_TEXT = {"type": "string", "pattern": rf"^{units.NUMBER}.*$"}


def _number(written: object) -> object:
    if isinstance(written, bool) or not isinstance(written, int | float | str):
        raise ValueError(f"{shown(written)} is not a figure; give a number, with its unit where it has one")
    return written


def _pair(written: object) -> tuple[object, object]:
    if not isinstance(written, list | tuple) or len(written) != 2:
        raise ValueError(f"{shown(written)} is not a range; give its two ends, such as [0.45, 0.60]")
    return _number(written[0]), _number(written[1])


def _figure(written: object) -> tuple[str, str | None]:
    """Return the word and what stands beside it: `ettr`, or `{share: checkpoint}`."""
    word, of = written, None
    if isinstance(written, Mapping) and len(written) == 1:
        ((word, of),) = written.items()
    if not isinstance(word, str):
        raise ValueError(
            f"{shown(word)} is not a figure; give a word, such as ettr, or {{share: checkpoint}}"
        )
    if word not in CLAIMABLE:
        raise ValueError(unknown(word, CLAIMABLE, f"{shown(word)} is no figure that can be compared"))
    metric = CLAIMABLE[word]
    if of is not None and not metric.of:
        raise ValueError(f"{word} is one figure; write figure: {word}")
    if of is None and metric.by_name:
        raise ValueError(f"{word} is that of {FAMILIES[metric.of]}; say which, such as {{share: checkpoint}}")
    return word, None if of is None else str(of)


def _unknown(written: object) -> tuple[str, tuple[Any, ...]]:
    if not isinstance(written, Mapping) or len(written) != 1:
        raise ValueError(
            "one input can be missing at a time; give its path and values, such as"
            " {checkpoint.blocks: [5 s, 30 s]}"
        )
    ((path, values),) = written.items()
    if not isinstance(values, list | tuple) or not values:
        raise ValueError(
            f"{shown(values)} is not a list; give the values that are tried, such as [5 s, 30 s]"
        )
    return str(path), tuple(values)


_WORDS_OF_FIGURES = {"enum": list(CLAIMABLE)}
_ONE_OF = {
    "type": "object",
    "minProperties": 1,
    "maxProperties": 1,
    "propertyNames": {"enum": [word for word, metric in CLAIMABLE.items() if metric.of]},
    "additionalProperties": {"type": "string"},
}
_UNKNOWN = {
    "type": "object",
    "minProperties": 1,
    "maxProperties": 1,
    "additionalProperties": {"type": "array", "minItems": 1},
}
_AMOUNT = {"anyOf": [_NUMBER, _TEXT]}
Amount = Annotated[Any, Reads(_number, _AMOUNT)]
Range = Annotated[Any, Reads(_pair, {"type": "array", "items": _AMOUNT, "minItems": 2, "maxItems": 2})]
Compared = Annotated[tuple[str, str | None], Reads(_figure, {"anyOf": [_WORDS_OF_FIGURES, _ONE_OF]})]
Missing = Annotated[tuple[str, tuple[Any, ...]], Reads(_unknown, _UNKNOWN)]
NewValues = Annotated[Mapping[Text, Any], NAMES]


class Relative(NamedTuple):
    """A tolerance that is a share of the value."""

    share: float


@dataclass(frozen=True, slots=True)
class Claim:
    """One published figure, what is simulated beside it, and the range in which that has to lie.

    It is about the scenario with the values of `change`, or about the difference to the one with those of
    `minus`.  `figure` and `of` (an entry of the ledger or a mode; None: all together) say what is compared.
    `value`, `low` and `high` are in its unit; None where there is no such figure or end.  `unknown` is an
    input that was not published, with the values that are tried; `fitted` says which input was chosen so that
    some published figure comes out, and which figure.
    """

    says: str
    kind: str
    figure: str
    of: str | None
    value: float | None
    low: float | None
    high: float | None
    reads: str | None
    change: Mapping[str, Any]
    minus: Mapping[str, Any] | None
    unknown: tuple[str, tuple[Any, ...]] | None
    fitted: str | None

    @property
    def unit(self) -> str:
        """The unit of the figure: share, s, cards, nodes, incidents or interruptions."""
        return CLAIMABLE[self.figure].unit

    @property
    def compared(self) -> MetricFigure:
        """What is simulated and compared."""
        return MetricFigure(CLAIMABLE[self.figure], self.of or "")


class ClaimBlock(Block):
    """One published figure, what is simulated beside it, and the range in which that has to lie.

    The range is `value` with its `tolerance`, or `between`, `at_least` or `at_most`: then the claim is an
    inequality, and `value` may still say what was published.
    """

    says: Text = key("the published words or figure, short")
    kind: Annotated[str, words(*KINDS)] = key(
        "exact (the inputs suffice for the figure), band (an inequality, or inputs are missing), control"
        " (must not be met), formula (nobody published it of a cluster: theory or arithmetic gives it),"
        " plumbing (the figure follows from what was put in)"
    )
    figure: Compared = key(
        "what is simulated and compared, such as ettr or {incidents: gpu}; see summary.json"
    )
    value: Amount | None = key("the published figure with its unit, such as 0.44 or 18 min", None)
    tolerance: Amount | None = key(
        "how far off it may be: a share of the value, such as 5 %, or an amount, such as 0.5 pp or 1 min",
        None,
    )
    between: Range | None = key("the range, such as [0.45, 0.60]", None)
    at_least: Amount | None = key("its lower end, where there is no upper one", None)
    at_most: Amount | None = key("its upper end, where there is no lower one", None)
    reads: Text | None = key("how the figure is to be read, in a sentence or two", None)
    change: NewValues = key("the claim is about the scenario with these values, by path", {})
    minus: NewValues | None = key(
        "the claim is about a difference: the figure with `change`, minus the figure with these values; {}"
        " for the scenario as it is",
        None,
    )
    unknown: Missing | None = key(
        "an input that was not published, and the values that are tried, such as"
        " {checkpoint.blocks: [5 s, 30 s]}",
        None,
    )
    fitted: Text | None = key(
        "an input that was fitted, and to which figure: the claim is then counted apart, whatever its kind",
        None,
    )

    def resolve(self) -> Claim:
        """Return the claim with its range in the figure's unit."""
        amounts = dict(self._amounts())
        value, (low, high) = amounts.get("value"), _range(amounts)
        figure, of = self.figure
        return fill(Claim, self, figure=figure, of=of, value=value, low=low, high=high)

    def contradictions(self) -> Iterator[Finding]:
        """Refuse a range that is stated twice, not at all, or without sense."""
        found = dict(self._amounts())
        wrong = [(name, str(why)) for name, why in found.items() if isinstance(why, ValueError)]
        yield from wrong
        ways = [name for name in WAYS if name in found]
        if len(ways) != 1:
            yield (), _HOW_MANY_WAYS[bool(ways)]
        elif ways == ["tolerance"] and "value" not in found:
            yield "tolerance", "there is nothing to be near to; give the value"
        elif not wrong:
            yield from self._about_the_range(ways[0], *_range(found))

    def _amounts(self) -> Iterator[tuple[str, Any]]:
        """Yield what is stated of the range, in the figure's unit; an error where it cannot be read."""
        unit = CLAIMABLE[self.figure[0]].unit
        for name in self.given("value", *WAYS):
            try:
                yield name, _amount_of(name, unit, getattr(self, name))
            except ValueError as error:
                yield name, error

    def _about_the_range(self, way: str, low: float | None, high: float | None) -> Iterator[Finding]:
        if low is not None and high is not None and low > high:
            yield way, "the range ends before it begins; give the lower end first"
        if self.kind in (EXACT, FORMULA) and way != "tolerance":
            yield "kind", "an inequality is a band; say kind: band, or give a value and its tolerance"
        if self.kind == BAND and way == "tolerance":
            why = "a value with a tolerance is no band; say kind: exact, or give between, at_least or at_most"
            yield "kind", why


WAYS = ("tolerance", "between", "at_least", "at_most")
_HOW_MANY_WAYS = (
    "no range; give tolerance beside the value, or between, at_least or at_most",
    "the range is given twice; keep one of tolerance, between (both ends), at_least and at_most",
)


def _amount_of(name: str, unit: str, written: Any) -> Any:
    if name == "between":
        return tuple(amount(unit, end) for end in written)
    if name == "tolerance" and isinstance(written, str) and written.endswith("%"):
        return Relative(units.SHARE.parse(written))
    return amount(unit, written)


def _range(amounts: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """Return the lower and the upper end of what is accepted; None where there is none."""
    if "between" in amounts:
        low, high = amounts["between"]
        return low, high
    if "tolerance" not in amounts:
        return amounts.get("at_least"), amounts.get("at_most")
    value, off = amounts["value"], amounts["tolerance"]
    off = off.share * abs(value) if isinstance(off, Relative) else off
    return value - off, value + off


Claims = Annotated[
    Mapping[Name, Annotated[Claim, Resolved(ClaimBlock)]], Field(min_length=1, max_length=MOST_CLAIMS)
]


class Published(Block):
    """What was published of this cluster, for `clustersim validate`; a run does not depend on it."""

    source: Text = key("where it was published, with the place: paper, section, table")
    assumes: tuple[Text, ...] = key("what is assumed because it was not published, in sentences", ())
    claims: Claims = key(
        "what was published, by name, such as {time: {says: 90 %, kind: band, figure: ettr, at_least: 0.9}}"
    )


class OwnLever(Block):
    """New values by dotted path, such as `recovery.stages.start: 60 s` (null deletes), and their price."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"maxProperties": MOST_NAMES + 1})
    price: Price | None = key("what the change costs, once, such as 100_000 USD", None)

    @property
    def values(self) -> dict[str, Any]:
        """The new values, by dotted path."""
        return dict(self.model_extra or {})

    def contradictions(self) -> Iterator[Finding]:
        """Ask for a change, and refuse too many."""
        if (count := len(self.values)) > MOST_NAMES:
            yield (), too_many(count, MOST_NAMES)
        if not self.values:
            yield (), "changes nothing; give a path and its new value, such as recovery.stages.start: 60 s"
