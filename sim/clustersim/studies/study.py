"""What all studies share: how variants are simulated, what one is worth, and the shape of an answer.

A study asks a question about a scenario.  It simulates variants of it on common random numbers, so that the
same replication meets the same failures in all of them, and its answer has sentences, plain data, a file and
a page.  Comparisons and validations are answers too.
"""

from __future__ import annotations

import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, fields, is_dataclass, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np

from clustersim import folders
from clustersim.advice import Advice
from clustersim.arrays import Floats
from clustersim.estimate import Estimate, mean_of, paired
from clustersim.experiment import Interrupted, PartDone, Point, resumable, simulate_all, simulator, work_key
from clustersim.formatting import NOTHING, money, plus_minus, points
from clustersim.metrics.cells import MetricCell
from clustersim.report_hook import notebook, write_page
from clustersim.scenario.describe import replication_s
from clustersim.scenario.keys.plan import Costs
from clustersim.scenario.loading import variant
from clustersim.scenario.model import Scenario
from clustersim.settings import Output, Part, Progress, Settings
from clustersim.store import RESULT, ChoiceError, Kept, Measurements, Measures, UnfinishedFile
from clustersim.units import HOUR, YEAR, format_duration
from clustersim.version import VERSION, source
from clustersim.workers import Hands

if TYPE_CHECKING:
    import pandas as pd

SCHEMA_VERSION = 1
AnyStudy = TypeVar("AnyStudy", bound="Study")
ALIKE = "not distinguishable"
MOST_LISTED = 3
"""Uncertain inputs that a sentence names."""
SHARE = {"share": True}
"""Metadata of a field that holds a share of 1: the ends of its interval are held between 0 and 1."""


class WholeProgress:
    """Tells the progress of one simulation after another as that of the whole: so many replications *wanted*.

    One that has fewer behind it than what was told last is the next one.
    """

    def __init__(self, progress: Progress, done: int, wanted: int) -> None:
        self._progress, self._before, self._wanted = progress, done, wanted
        self._done = 0

    def advance(self, done: int, wanted: int) -> None:
        """So many replications of the current simulation are finished."""
        if done < self._done:
            self._before += self._done
        self._done = done
        self._progress.advance(min(self._before + done, self._wanted), self._wanted)

    def say(self, message: str) -> None:
        """Say it."""
        self._progress.say(message)


class Simulations:
    """All simulations of one study: any scenarios, any replications, on whatever the settings say.

    Where there is a *file*, what is finished is written to it, and taken from it where it is there already.
    `wall_s` are the seconds that simulating has taken so far.
    """

    def __init__(
        self, settings: Settings, hands: Hands | None = None, file: UnfinishedFile | None = None
    ) -> None:
        self._settings = settings
        self._hands = hands
        self._file = file
        self.wall_s = 0.0

    def point(self, scenario: Scenario, measures: Measures, replications: range | None = None) -> Point:
        """Return *scenario* as a point of an experiment, of whose replications the *measures* are kept.

        Without *replications* it has as many as it asks for.
        """
        scenario = one_each(scenario)
        start = 0 if replications is None else replications.start
        store = Measurements(measures, start, self._file, work_key(scenario))
        return Point.of(scenario, store, None if replications is None else len(replications))

    @property
    def processes(self) -> int:
        """How many replications are simulated at the same time."""
        return (self._hands or self._settings).processes

    @property
    def part(self) -> Part | None:
        """The part that is simulated, where it is not all."""
        return self._settings.part

    @property
    def in_every_shard(self) -> Simulations:
        """The same, simulating all that it is asked for: what each shard has to know to go on."""
        if self.part is None:
            return self
        return Simulations(replace(self._settings, part=None), self._hands, self._file)

    def towards(self, done: int, wanted: int) -> Simulations:
        """The same, as steps towards so many *wanted* replications, of which so many are *done*.

        The seconds that it takes are its own.
        """
        progress = WholeProgress(self._settings.progress, done, wanted)
        return Simulations(replace(self._settings, progress=progress), self._hands, self._file)

    def end_of_part(self) -> None:
        """Raise PartDone where only a part was to be simulated: the answer needs the others too."""
        if self.part is not None:
            raise PartDone

    def run(self, points: Sequence[Point]) -> None:
        """Simulate what is missing of all *points*, the longest first, so that none is left at the end.

        Raises RunError where a worker process dies, and PartDone after the part that was to be simulated.
        """
        longest_first = sorted(points, key=_seconds, reverse=True)
        self.wall_s += simulate_all(longest_first, self._settings, self._hands)

    def condense(self, results: Mapping[int, Kept], but: Scenario) -> None:
        """Keep these *results* of points, by number, in place of all replications but those of a scenario."""
        if self._file is not None:
            self._file.condense(results, work_key(but))

    @property
    def results(self) -> Mapping[int, Kept]:
        """The results that are kept, by number; their arrays are read from the file when asked for."""
        entries = {} if self._file is None else self._file.results
        return {number: entry.tables[RESULT] for number, entry in entries.items()}

    def finished(self, answer: AnyStudy, output: Output) -> AnyStudy:
        """Return the *answer* with the seconds that simulating took, saved to *output* where there is one.

        It is saved before the replications are dropped: a kill in between loses neither.
        """
        self.end_of_part()
        answer = replace(answer, wall_s=self.wall_s)
        if output is not None:
            answer.save(output)
        return answer

    def ettr(self, scenarios: Sequence[Scenario], replications: range) -> list[Floats]:
        """Return ETTR of each of the scenarios in each of the *replications*."""
        points = [self.point(scenario, {}, replications) for scenario in scenarios]
        self.run(points)
        return [np.array(point.store.ettr(point.wanted)) for point in points]


def one_each(scenario: Scenario) -> Scenario:
    """Return *scenario* with one replication for each draw of its uncertain inputs.

    A study asks what a change is worth over inputs and chance together; replications are then independent.
    """
    if not scenario.uncertain or scenario.uncertainty.per_draw == 1:
        return scenario
    return variant(scenario, {"uncertainty.per_draw": 1})


def _seconds(point: Point) -> float:
    """Return about how many seconds a point takes one core."""
    return point.wanted * replication_s(point.scenario)


@contextmanager
def simulations(
    settings: Settings,
    output: Output,
    study: str,
    scenario: Scenario | None = None,
    *,
    question: Mapping[str, str] | None = None,
    condensed: bool = False,
) -> Iterator[Simulations]:
    """Yield what simulates for a *study*, of one *scenario* or several, whose answer goes to *output*.

    The *question* says what else the answer depends on.  What is finished when it breaks off stays in a
    hidden folder beside that one, and `settings.resume` goes on from there, unless it is that of another
    question.  Where results are *condensed* they rest on disk in any case: without an output in a folder that
    is gone in the end.  Raises Interrupted on Ctrl-C.
    """
    of = work_key(scenario) if scenario else ""
    key = {"study": study, "of": of, "version": VERSION, "source": source()}
    place = None if output is None else Path(output)
    with ExitStack() as stack:
        if condensed and place is None:
            stack.enter_context(_nothing_kept())
            place = Path(stack.enter_context(tempfile.TemporaryDirectory())) / study
        file = stack.enter_context(resumable(settings, place, key | dict(question or {}), study))
        yield Simulations(settings, stack.enter_context(simulator(settings)), file)


@contextmanager
def _nothing_kept() -> Iterator[None]:
    """Say of what is interrupted within that nothing is kept: its folder is gone."""
    try:
        yield
    except Interrupted:
        raise Interrupted(0) from None


def on_a_fixed_number(settings: Settings) -> Settings:
    """Return the *settings*; raises ChoiceError for a precision: variants are compared pair by pair."""
    if settings.precision is not None:
        raise ChoiceError(
            "variants are compared on a fixed number of replications; give replications, and no precision"
        )
    return settings


@dataclass(frozen=True, slots=True)
class Worth:
    """A paired difference in ETTR, what it is in effective cards, and in money.

    Money, where cards have a price: what it saves over the run (`saved`), and at the same pace in a year
    without a target.
    """

    ettr: Estimate
    effective_gpus: Estimate
    money_per_year: Estimate | None
    currency: str = ""
    money: Estimate | None = None

    @classmethod
    def of(cls, before: Scenario, ettr_before: Floats, after: Scenario, ettr_after: Floats) -> Worth:
        """Return what *after* is worth against *before*, pair by pair of replications.

        With their targets, as they were given: money is about the run until it is reached.
        """
        gain = paired(ettr_after, ettr_before)
        cards = paired(effective(after) * ettr_after, effective(before) * ettr_before)
        if before.costs is None:
            return cls(gain, cards, None)
        a_year = mean_of(_earned(before, ettr_before, after, ettr_after, YEAR))
        money = mean_of(saved(before, ettr_before, after, ettr_after))
        return cls(gain, cards, a_year, before.costs.currency, money)

    @property
    def in_words(self) -> list[str]:
        """The difference in points of ETTR, in effective cards, and in money where cards have a price."""
        cards, earned = self.effective_gpus, self.money
        shown = [points(self.ettr.mean, self.ettr.half_width), plus_minus(cards.mean, cards.half_width)]
        return shown + ([] if earned is None else [money(earned.mean, self.currency, earned.half_width)])

    @property
    def sentence(self) -> str:
        """The same as part of a sentence."""
        return f"{self.in_words[0]} ETTR, {self.in_cards()}"

    def in_cards(self, unit: str = "effective cards") -> str:
        """Return what it is in cards, called *unit*, and in money where cards have a price."""
        _, cards, *earned = self.in_words
        return ", ".join([f"{cards} {unit}", *(f"{amount} over the run" for amount in earned)])

    def row(self, distinguishable: bool) -> dict[str, MetricCell]:
        """Return it as cells of a table by their headings; of one that may be chance the interval alone.

        Money may be certain where the gain in ETTR is not: fewer spares cost less.
        """
        gain, _, *earned = cells = [MetricCell(text) for text in self.in_words]
        if not distinguishable:
            certain = self.money is not None and self.money.distinguishable
            may_be = MetricCell(ALIKE, "" if self.ettr.distinguishable else gain.text)
            cells = [
                may_be,
                MetricCell(NOTHING),
                *(earned if certain else [MetricCell(NOTHING)] * len(earned)),
            ]
        return dict(zip(("Gain in ETTR", "Effective cards", "Money over the run"), cells, strict=False))

    def to_dict(self, ettr: str = "ettr", cards: str = "effective_gpus") -> dict[str, Any]:
        """Return it as plain data, under these names."""
        differences = self.ettr, self.effective_gpus, self.money, self.money_per_year
        return dict(zip((ettr, cards, "money", "money_per_year"), map(plain, differences), strict=True))


def effective(scenario: Scenario) -> float:
    """Return the cards times their scaling efficiency."""
    gpus = scenario.cluster.gpus
    return gpus * scenario.workload.efficiency(gpus)


def paid(scenario: Scenario, costs: Costs) -> float:
    """Return the cards that are paid for, spares at their share of the price in *costs*, lent ones not."""
    spares = scenario.cluster.own_spares * scenario.cluster.gpus_per_node
    return scenario.cluster.gpus + costs.idle_spares * spares


def until_target_s(scenario: Scenario, ettr: Floats) -> Floats | None:
    """Return the seconds to the target at that *ettr*, by replication.

    None without a target, or where it is not reached in time on average.
    """
    if scenario.target_s is None or not np.all(ettr > 0):
        return None
    seconds = np.asarray(scenario.target_s / ettr)
    return seconds if seconds.mean() <= scenario.end_s else None


def run_s(scenario: Scenario, ettr: Floats) -> float:
    """Return how long the run takes on average, in seconds: to its target at that *ettr*, or all its time."""
    until = until_target_s(scenario, ettr)
    return scenario.end_s - scenario.simulation.warm_up if until is None else float(until.mean())


def saved(before: Scenario, ettr_before: Floats, after: Scenario, ettr_after: Floats) -> Floats:
    """Return the money that *after* saves over the run of *before*, which has the costs, by replication.

    Where both reach their target: what the one run costs less what the other does.  Else the card-hours
    that train instead of standing still, at the price of a card-hour, less what additional cards and spares
    cost.
    """
    assert before.costs is not None
    until, sooner = until_target_s(before, ettr_before), until_target_s(after, ettr_after)
    if until is None or sooner is None:
        return _earned(before, ettr_before, after, ettr_after, run_s(before, ettr_before))
    card_s = paid(before, before.costs) * until - paid(after, before.costs) * sooner
    return np.asarray(before.costs.price_per_gpu_hour / HOUR * card_s)


def _earned(
    before: Scenario, ettr_before: Floats, after: Scenario, ettr_after: Floats, seconds: float
) -> Floats:
    """Return the money of the additional card-hours that train in so many *seconds*, less what they cost."""
    assert before.costs is not None
    trained = after.cluster.gpus * ettr_after - before.cluster.gpus * ettr_before
    price = before.costs.price_per_gpu_hour * seconds / HOUR
    return np.asarray(price * (trained - (paid(after, before.costs) - paid(before, before.costs))))


def plain(value: Any, *, share: bool = False) -> Any:
    """Return *value* as plain data, an estimate as `{mean, low, high}`."""
    if isinstance(value, Estimate):
        return (value.share if share else value.interval)._asdict()
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if hasattr(value, "_asdict"):
        return value._asdict()
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
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
        untimed: dict[str, Any] = _without_times(self.to_dict())
        return untimed

    def save(self, folder: str | PathLike[str]) -> Path:
        """Write the answer to its file in *folder*, and return the path of the file.

        Another answer that is there is kept, with its report, as `<name>@<date>`.
        """
        path, saved = Path(folder) / self.file, self.saved()
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file() and path.read_bytes() != f"{folders.as_json(saved)}\n".encode():
            folders.set_file_aside(path)
            folders.set_file_aside(path.with_name(folders.REPORT))
        folders.write_json(path, saved)
        return path

    @abstractmethod
    def report(self, path: str | PathLike[str], command: str | None = None) -> Path:
        """Write the HTML report to *path*, and return it; *command* is shown as what made it."""


def _without_times(value: Any) -> Any:
    """Return plain data without the seconds that simulating took, wherever they stand."""
    if isinstance(value, Mapping):
        return {name: _without_times(inner) for name, inner in value.items() if name != "wall_s"}
    return [_without_times(inner) for inner in value] if isinstance(value, list) else value


@dataclass(frozen=True)
class Study(Answer):
    """The answer to a question about a scenario.

    `given` is the scenario as it was given, `scenario` the one that was compared: over a fixed horizon, where
    there was a target without it.  `wall_s` are the seconds that simulating took.  Each kind of study adds
    its numbers (`body`) and its sentences (`advice`), and names its file and the points of its frame.
    """

    points: ClassVar[str]
    _draws: ClassVar[bool] = True
    """Whether uncertain inputs are drawn, and not set."""
    given: Scenario
    scenario: Scenario
    replications: int
    wall_s: float = field(default=0.0, kw_only=True)

    @property
    def currency(self) -> str:
        """The currency of all prices; empty without one."""
        return self.scenario.costs.currency if self.scenario.costs else ""

    @abstractmethod
    def body(self) -> Mapping[str, Any]:
        """Return the numbers as plain data; what is unknown is null."""

    def to_dict(self) -> dict[str, Any]:
        """Return what the command prints with `--json`."""
        return self.framed(self.body())

    def framed(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return *body* between what all studies begin and end with."""
        return {
            "schema_version": SCHEMA_VERSION,
            "name": self.scenario.name,
            "gpus": self.scenario.cluster.gpus,
            "horizon_s": self.scenario.end_s,
            "replications": self.replications,
            "seed": self.scenario.simulation.seed,
            "currency": self.currency or None,
            "scenario_hash": self.given.hash,
            **body,
            "advice": [str(advice) for advice in self.advice],
            "wall_s": self.wall_s,
        }

    def _repr_html_(self) -> str | None:
        """Return the answer with its numbers, which a notebook shows."""
        return notebook("notebook_study", self)

    @property
    def frame(self) -> pd.DataFrame:
        """The points as a pandas frame, a row each; both ends of an interval are columns of their own."""
        import pandas as pd

        return pd.json_normalize(list(self.body()[self.points]))

    def report(self, path: str | PathLike[str], command: str | None = None) -> Path:
        """Write the HTML report to *path*, and return it; *command* is shown as what made it."""
        return write_page("write_study", self, Path(path), command)

    def caveats(self) -> Iterator[Advice]:
        """Yield what holds for every study: one replication, uncertain inputs, a target that was left out."""
        if self.replications == 1:
            yield Advice("One replication tells nothing about chance: no interval. Take 8 or more.", True)
        if self.given.uncertain and self._draws:
            listed = ", ".join(list(self.given.uncertain)[:MOST_LISTED])
            more = len(self.given.uncertain) - MOST_LISTED
            yield Advice(
                f"Uncertain: {listed}{f' and {more} more' if more > 0 else ''}. Each replication has its own"
                " draw of them, the same for all that is compared: means and intervals are over inputs and"
                " chance together."
            )
        if self.given.target_s is not None and self.scenario.target_s is None:
            yield Advice(
                f"Simulated over {format_duration(self.scenario.end_s, 3)} instead of until the target is"
                " reached, so that all that is compared meets the same failures."
            )
