"""What all studies share: what a change is worth, and the shape of an answer, its files and its sentences."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from clustersim.advice import Advice, Topic
from clustersim.estimate import Array, Estimate, mean_of, paired
from clustersim.folders import write_json
from clustersim.formatting import money, plus_minus, points
from clustersim.report_hook import write_page
from clustersim.scenario.model import Scenario
from clustersim.units import HOUR, YEAR, format_duration

if TYPE_CHECKING:
    import pandas as pd

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Worth:
    """A paired difference in ETTR, what it is in effective cards, and in money per year.

    Money, where cards have a price: the card-hours that train instead of standing still, at the price of a
    card-hour, less what additional cards and spares cost.
    """

    ettr: Estimate
    effective_gpus: Estimate
    money_per_year: Estimate | None
    currency: str = ""

    @classmethod
    def of(cls, before: Scenario, ettr_before: Array, after: Scenario, ettr_after: Array) -> Worth:
        """Return what *after* is worth against *before*, pair by pair of replications."""
        cards = paired(effective(after) * ettr_after, effective(before) * ettr_before)
        if before.costs is None:
            return cls(paired(ettr_after, ettr_before), cards, None)
        trained = after.cluster.gpus * ettr_after - before.cluster.gpus * ettr_before
        price = before.costs.price_per_gpu_hour * YEAR / HOUR
        earned = mean_of(price * (trained - (paid(after, before) - paid(before, before))))
        return cls(paired(ettr_after, ettr_before), cards, earned, before.costs.currency)

    @property
    def in_words(self) -> list[str]:
        """The difference in points of ETTR, in effective cards, and in money where cards have a price."""
        cards, earned = self.effective_gpus, self.money_per_year
        shown = [points(self.ettr.mean, self.ettr.half_width), plus_minus(cards.mean, cards.half_width)]
        return shown + ([] if earned is None else [money(earned.mean, self.currency, earned.half_width)])

    @property
    def sentence(self) -> str:
        """The same as part of a sentence."""
        ettr, cards, *earned = self.in_words
        return f"{ettr} ETTR, {cards} effective cards" + "".join(f", {amount} a year" for amount in earned)

    def to_dict(self, ettr: str = "ettr", cards: str = "effective_gpus") -> dict[str, Any]:
        """Return it as plain data, under these names."""
        differences = self.ettr, self.effective_gpus, self.money_per_year
        return dict(zip((ettr, cards, "money_per_year"), map(plain, differences), strict=True))


def effective(scenario: Scenario) -> float:
    """Return the cards times their scaling efficiency."""
    gpus = scenario.cluster.gpus
    return gpus * scenario.workload.efficiency(gpus)


def paid(scenario: Scenario, priced: Scenario) -> float:
    """Return the cards that are paid for, spares at their share of the price in *priced*, lent ones not."""
    share = 1.0 if priced.costs is None else priced.costs.idle_spares
    if scenario.cluster.spare_kind == "lent":
        share = 0.0
    spares = scenario.cluster.spare_nodes * scenario.cluster.gpus_per_node
    return scenario.cluster.gpus + share * spares


SHARE = {"share": True}
"""Metadata of a field that holds a share of 1: the ends of its interval are held between 0 and 1."""


def plain(value: Any, *, share: bool = False) -> Any:
    """Return *value* as plain data, an estimate as `{mean, low, high}`."""
    if isinstance(value, Estimate):
        return (value.share if share else value.interval)._asdict()
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if hasattr(value, "to_dict"):
        return value.to_dict()
    return named(value, *(each.name for each in fields(value))) if is_dataclass(value) else value


def named(of: Any, *names: str) -> dict[str, Any]:
    """Return these attributes *of* a dataclass as plain data, by name."""
    shares = {each.name for each in fields(of) if each.metadata == SHARE}
    return {name: plain(getattr(of, name), share=name in shares) for name in names}


class Answer(ABC):
    """What came of a question: sentences, plain data, a file and a page."""

    file: ClassVar[str]
    """The name of the file that it is saved to."""

    @property
    @abstractmethod
    def advice(self) -> list[Advice]:
        """The answer in sentences, the most important one first."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Return what the command prints with `--json`."""

    def saved(self) -> dict[str, Any]:
        """Return what the file holds: the same without times, so that equal scenarios give equal bytes."""
        untimed: dict[str, Any] = without_times(self.to_dict())
        return untimed

    def save(self, folder: str | PathLike[str]) -> Path:
        """Write the answer to its file in *folder*, and return the path of the file."""
        path = Path(folder) / self.file
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, self.saved())
        return path

    @abstractmethod
    def report(self, path: str | PathLike[str], command: str | None = None) -> Path:
        """Write the HTML report to *path*, and return it; *command* is shown as what made it."""


def without_times(value: Any) -> Any:
    """Return plain data without the seconds that simulating took, wherever they stand."""
    if isinstance(value, Mapping):
        return {name: without_times(inner) for name, inner in value.items() if name != "wall_s"}
    return [without_times(inner) for inner in value] if isinstance(value, list) else value


@dataclass(frozen=True)
class Study(Answer):
    """The answer to a question about a scenario, from variants of it on common random numbers.

    `given` is the scenario as it was given, `scenario` the one that was compared: over a fixed horizon, where
    there was a target without it.  `wall_s` are the seconds that it took.  Each kind of study adds its
    numbers (`body`) and its sentences (`advice`), and names its file and the points of its frame.
    """

    points: ClassVar[str]
    given: Scenario
    scenario: Scenario
    replications: int
    wall_s: float = field(default=0.0, kw_only=True)

    @abstractmethod
    def body(self) -> Mapping[str, Any]:
        """Return the numbers as plain data; what is unknown is null."""

    def to_dict(self) -> dict[str, Any]:
        """Return what the command prints with `--json`."""
        costs = self.scenario.costs
        return {
            "schema_version": SCHEMA_VERSION,
            "name": self.scenario.name,
            "gpus": self.scenario.cluster.gpus,
            "horizon_s": self.scenario.end_s,
            "replications": self.replications,
            "seed": self.scenario.simulation.seed,
            "currency": costs.currency if costs else None,
            "scenario_hash": self.given.hash,
            **self.body(),
            "advice": [str(advice) for advice in self.advice],
            "wall_s": self.wall_s,
        }

    @property
    def frame(self) -> pd.DataFrame:
        """The points as a pandas frame, a row each; both ends of an interval are columns of their own."""
        import pandas as pd

        return pd.json_normalize(list(self.body()[self.points]))

    def report(self, path: str | PathLike[str], command: str | None = None) -> Path:
        """Write the HTML report to *path*, and return it; *command* is shown as what made it."""
        return write_page("write_study", self, Path(path), command)


def caveats(study: Study) -> Iterator[Advice]:
    """Yield what holds for every study: that one replication tells little, that a target was left out."""
    if study.replications == 1:
        text = "One replication tells nothing about chance: no interval. Take 8 or more."
        yield Advice(Topic.PRECISION, text, {"replications": 1}, warning=True)
    if study.given.target_s is not None:
        text = (
            f"Simulated over {format_duration(study.scenario.end_s, 3)} instead of until the target is"
            " reached, so that all that is compared meets the same failures."
        )
        yield Advice(Topic.TARGET, text, {"horizon_s": study.scenario.end_s})
