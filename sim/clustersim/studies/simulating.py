"""What a study simulates: variants of a scenario on common random numbers, kept as they finish."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from clustersim import folders
from clustersim.estimate import Array
from clustersim.experiment import (
    Point,
    interrupted,
    say_unfinished,
    simulate_all,
    simulator,
    work_key,
)
from clustersim.scenario.describe import replication_s
from clustersim.scenario.model import Scenario
from clustersim.settings import Output, Settings
from clustersim.store import ChoiceError, MeasurementFile, Measurements, Measures
from clustersim.version import VERSION
from clustersim.workers import Local, Outside


class Simulations:
    """All simulations of one study: any scenarios, any replications, on whatever the settings say.

    The same replication meets the same failures in every scenario.  Where there is a *file*, what is finished
    is written to it, and taken from it where it is there already.
    """

    def __init__(
        self, settings: Settings, hands: Outside | Local | None = None, file: MeasurementFile | None = None
    ) -> None:
        self.settings = settings
        self._hands = hands
        self._file = file

    def point(self, scenario: Scenario, measures: Measures, replications: range | None = None) -> Point:
        """Return *scenario* as a point of an experiment, of whose replications the *measures* are kept.

        Without *replications* it has as many as it asks for.
        """
        store = Measurements(measures, 0 if replications is None else replications.start)
        if self._file is not None:
            file, key = self._file, work_key(scenario)
            store.take_up(file.measured.get(key, {}))
            store.on_put = lambda number, kept: file.put(key, number, kept)
        return Point.of(scenario, store, None if replications is None else len(replications))

    def run(self, points: Sequence[Point]) -> None:
        """Simulate what is missing of all *points*, the longest first, so that none is left at the end.

        Raises RunError where a worker process dies.
        """
        simulate_all(sorted(points, key=_seconds, reverse=True), self.settings, self._hands)

    def ettr(self, scenarios: Sequence[Scenario], replications: range) -> list[Array]:
        """Return ETTR of each of the scenarios in each of the *replications*."""
        points = [self.point(scenario, {}, replications) for scenario in scenarios]
        self.run(points)
        return [np.array(point.store.ettr(point.wanted)) for point in points]


def _seconds(point: Point) -> float:
    """Return about how many seconds a point takes one core."""
    return point.wanted * replication_s(point.scenario)


def on_a_fixed_number(settings: Settings) -> Settings:
    """Return the *settings*; raises ChoiceError for a precision: variants are compared pair by pair."""
    if settings.precision is not None:
        raise ChoiceError(
            "variants are compared on a fixed number of replications; give replications, and no precision"
        )
    return settings


@contextmanager
def simulations(
    settings: Settings, output: Output, study: str, scenario: Scenario | None = None
) -> Iterator[Simulations]:
    """Yield what simulates for a *study*, of one *scenario* or several, whose answer goes to *output*.

    What is finished when it breaks off stays in a hidden folder beside that one, and `settings.resume` goes
    on from there, unless it is that of another scenario.  Raises Interrupted on Ctrl-C.
    """
    if output is None:
        with simulator(settings) as hands:
            yield Simulations(settings, hands)
        return
    key = {"study": study, "of": work_key(scenario) if scenario else "", "version": VERSION}
    file = MeasurementFile(folders.unfinished(Path(output)), key, resume=settings.resume)
    say_unfinished(settings, "", study, file.count, file.discarded)
    finished = False
    try:
        with simulator(settings) as hands:
            yield Simulations(settings, hands, file)
        finished = True
    except KeyboardInterrupt:
        raise interrupted(file.count) from None
    finally:
        file.release(keep=not finished)
