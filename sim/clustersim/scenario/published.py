"""What was published of a cluster: claims, each a figure of the simulation and the range it must lie in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

from pydantic import Field, PrivateAttr

from clustersim import units
from clustersim.metrics.catalogue import CLAIMABLE
from clustersim.metrics.metric import FAMILIES, MetricFigure
from clustersim.scenario import changes
from clustersim.scenario.keys.blocks import KEY, NAMES, Block, Finding, key, unknown
from clustersim.scenario.keys.figures import Amount, Compared, Missing, Range, amount
from clustersim.scenario.keys.quantities import Name, Text, words
from clustersim.scenario.text.errors import Path
from clustersim.units import shown

if TYPE_CHECKING:
    from clustersim.scenario.model import Scenario

EXACT, BAND, CONTROL, PLUMBING = "exact", "band", "control", "plumbing"
KINDS: Final = (EXACT, BAND, CONTROL, PLUMBING)
CHANGEABLE = (*changes.CHANGEABLE, "simulation")
MOST_CLAIMS = 100


NewValues = Annotated[Mapping[Text, Any], NAMES]


class Relative(NamedTuple):
    """A tolerance that is a share of the value."""

    share: float


class Claim(Block):
    """One published figure, what is simulated beside it, and the range in which that has to lie.

    The range is `value` with its `tolerance`, or `between`, `at_least` or `at_most`: then the claim is an
    inequality, and `value` may still say what was published.
    """

    says: Text = key("the published words or figure, short")
    kind: Annotated[str, words(*KINDS)] = key(
        "exact (the inputs suffice for the figure), band (an inequality, or inputs are missing), control"
        " (must not be met), plumbing (the figure follows from what was put in)"
    )
    stated_figure: Compared = key(
        "what is simulated and compared, such as ettr or {incidents: gpu}; see summary.json", name="figure"
    )
    stated_value: Amount | None = key(
        "the published figure with its unit, such as 0.44 or 18 min", None, name="value"
    )
    stated_tolerance: Amount | None = key(
        "how far off it may be: a share of the value, such as 5 %, or an amount, such as 0.5 pp or 1 min",
        None,
        name="tolerance",
    )
    stated_between: Range | None = key("the range, such as [0.45, 0.60]", None, name="between")
    stated_at_least: Amount | None = key("its lower end, where there is no upper one", None, name="at_least")
    stated_at_most: Amount | None = key("its upper end, where there is no lower one", None, name="at_most")
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
    _value: float | None = PrivateAttr(None)
    _low: float | None = PrivateAttr(None)
    _high: float | None = PrivateAttr(None)

    @property
    def figure(self) -> str:
        """The word of the figure that is compared."""
        return self.stated_figure[0]

    @property
    def of(self) -> str | None:
        """The entry of the ledger or the mode of failure whose figure it is; None for all together."""
        return self.stated_figure[1]

    @property
    def unit(self) -> str:
        """The unit of the figure: share, s, cards, nodes, incidents or interruptions."""
        return CLAIMABLE[self.figure].unit

    @property
    def compared(self) -> MetricFigure:
        """What is simulated and compared."""
        return MetricFigure(CLAIMABLE[self.figure], self.of or "")

    @property
    def value(self) -> float | None:
        """The published figure in that unit; None where only an inequality was published."""
        return self._value

    @property
    def low(self) -> float | None:
        """The least that is accepted; None without a lower end."""
        return self._low

    @property
    def high(self) -> float | None:
        """The most that is accepted; None without an upper end."""
        return self._high

    def contradictions(self) -> Iterator[Finding]:
        """Work out the range, and refuse one that is stated twice, not at all, or without sense."""
        found = dict(self._amounts())
        wrong = [((name,), str(why)) for name, why in found.items() if isinstance(why, ValueError)]
        yield from wrong
        ways = [name for name in ("tolerance", "between", "at_least", "at_most") if name in found]
        if len(ways) != 1:
            yield (), _HOW_MANY_WAYS[bool(ways)]
        elif ways == ["tolerance"] and "value" not in found:
            yield ("tolerance",), "there is nothing to be near to; give the value"
        elif not wrong:
            self._settle(ways[0], found)
            yield from self._about_the_range(ways[0])

    def _amounts(self) -> Iterator[tuple[str, Any]]:
        """Yield what is stated of the range, in the figure's unit; an error where it cannot be read."""
        for name in ("value", "tolerance", "at_least", "at_most", "between"):
            written = getattr(self, f"stated_{name}")
            if written is None:
                continue
            try:
                yield name, self._read(name, written)
            except ValueError as error:
                yield name, error

    def _read(self, name: str, written: Any) -> Any:
        if name == "between":
            return tuple(amount(self.unit, end) for end in written)
        if name == "tolerance" and isinstance(written, str) and written.endswith("%"):
            return Relative(units.SHARE.parse(written))
        return amount(self.unit, written)

    def _settle(self, way: str, found: Mapping[str, Any]) -> None:
        self._value = found.get("value")
        if way == "tolerance" and self._value is not None:
            off = found["tolerance"]
            off = off.share * abs(self._value) if isinstance(off, Relative) else off
            self._low, self._high = self._value - off, self._value + off
        elif way == "between":
            self._low, self._high = found["between"]
        elif way == "at_least":
            self._low = found["at_least"]
        else:
            self._high = found["at_most"]

    def _about_the_range(self, way: str) -> Iterator[Finding]:
        if self._low is not None and self._high is not None and self._low > self._high:
            yield (way,), "the range ends before it begins; give the lower end first"
        if self.kind == EXACT and way != "tolerance":
            yield ("kind",), "an inequality is a band; say kind: band, or give a value and its tolerance"
        if self.kind == BAND and way == "tolerance":
            yield (
                ("kind",),
                "a value with a tolerance is no band; say kind: exact, or give between, at_least or at_most",
            )


_HOW_MANY_WAYS = (
    "no range; give tolerance beside the value, or between, at_least or at_most",
    "the range is given twice; keep one of tolerance, between (both ends), at_least and at_most",
)
Claims = Annotated[Mapping[Name, Claim], Field(min_length=1, max_length=MOST_CLAIMS)]


class Published(Block):
    """What was published of this cluster, for `clustersim validate`; a run does not depend on it."""

    source: Text = key("where it was published, with the place: paper, section, table")
    assumes: tuple[Text, ...] = key("what is assumed because it was not published, in sentences", ())
    claims: Claims = key(
        "what was published, by name, such as {time: {says: 90 %, kind: band, figure: ettr, at_least: 0.9}}"
    )


def faults_of_claims(scenario: Scenario) -> Iterator[Finding]:
    """Yield, at the value of each claim, what would be wrong with the scenarios that it is about."""
    if scenario.published is None:
        return
    trials = changes.Trials(scenario, "a claim", CHANGEABLE)
    for name, claim in scenario.published.claims.items():
        here = ("published", "claims", name)
        yield from _about_changes(trials, claim, here) or _about_of(scenario, claim, here)


def _about_changes(trials: changes.Trials, claim: Claim, here: Path) -> list[Finding]:
    """Return what is wrong with the values of a claim: its own, those of the other side, and those tried."""
    found = [
        finding
        for side in ("change", "minus")
        if (values := getattr(claim, side))
        for finding in trials.faults(values, (*here, side))
    ]
    if found or claim.unknown is None:
        return found
    path, tried = claim.unknown
    for values in (claim.change, claim.minus or {}):
        for place, value in enumerate(tried):
            for where, why in trials.faults({**values, path: value}, ()):
                at = (path, KEY) if where[-1] == KEY else (path, place)
                found.append(((*here, "unknown", *at), why))
    return list(dict.fromkeys(found))


def _about_of(scenario: Scenario, claim: Claim, here: Path) -> list[Finding]:
    """Return why there is no such figure in the scenario that *claim* is about."""
    metric = claim.compared.metric
    if claim.of is None and not metric.needs:
        return []
    subjects = changes.changed(scenario, claim.change).subjects
    if lacks := subjects.missing(metric.needs):
        return [((*here, "figure"), f"this metric needs {lacks}; give it")]
    if claim.of is None or claim.of in subjects.names[metric.of]:
        return []
    why = unknown(claim.of, subjects.names[metric.of], f"{shown(claim.of)} is not {FAMILIES[metric.of]}")
    return [((*here, "figure", claim.figure), why)]
