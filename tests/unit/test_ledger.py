"""Every card-second once, from the lines of a journal, and a loud failure otherwise."""

import numpy as np
import pytest

from clustersim.engine.checkpoints import PeriodicSaves
from clustersim.engine.incidents import incident_table
from clustersim.engine.journal import NOBODY, PHASE, Journal
from clustersim.engine.ledger import Causes, Ledger, LedgerError, book
from clustersim.engine.segments import SinceLastSave
from clustersim.failure import Failure
from clustersim.records import Phase

CAUSES = Causes(("gpu", "nic"))
SCHEDULE = PeriodicSaves.every(60.0, 5.0).each


def history() -> Journal:
    """Return 120 s: 60 s that were kept, a save of 5 s, 10 s lost to a nic, 45 s to train again."""
    journal = Journal()
    journal.incident(75.0, Failure(1, 0, (3, 4), False, origin=1, scope=2), 3, 0, Phase.TRAINING, True)
    journal.segment(0.0, 75.0, cause=1, incident=0)
    journal.phase(PHASE(Phase.DETECTION, 0, 75.0, 80.0, 1, 0, 1.0, NOBODY))
    journal.phase(PHASE(Phase.WAITING, 0, 80.0, 100.0, 1, 0, 1.0, NOBODY))
    journal.phase(PHASE(Phase.RECOVERY, 2, 100.0, 115.0, 1, 0, 1.0, NOBODY))
    journal.phase(PHASE(Phase.MAINTENANCE, 0, 115.0, 120.0, NOBODY, NOBODY, 1.0, NOBODY))
    return journal


def booked(warm_up: float = 0.0) -> Ledger:
    journal = history()
    training = SinceLastSave(journal.segments, SCHEDULE)
    waiting = np.array([0.0, 100.0 - max(80.0, warm_up)])
    return book(journal.phases, training.book, CAUSES, waiting, cards=8, stages=2, warm_up=warm_up)


def test_entries_are_card_seconds_in_the_order_of_the_model_page() -> None:
    entries = booked().entries
    assert list(entries) == [
        "productive", "lost", "checkpoint", "detection", "recovery", "waiting",
        "stall", "idle", "slow", "corrupted", "maintenance",
    ]  # fmt: skip
    assert [seconds / 8 for seconds in entries.values() if seconds] == [60, 10, 5, 5, 15, 20, 5]


def test_charges_are_kept_by_cause() -> None:
    by_cause = dict(zip(CAUSES.names, (booked().charges.sum(axis=1) / 8).tolist(), strict=True))
    assert by_cause == {"gpu": 0, "nic": 50, "start": 0, "checkpoint": 5, "maintenance": 5, "overhead": 0}


def test_recovery_is_kept_by_stage() -> None:
    assert (booked().stages / 8).tolist() == [0, 15]


@pytest.mark.parametrize(
    ("warm_up", "expected"),
    [
        (30.0, {"productive": 30, "lost": 10, "checkpoint": 5}),
        (62.0, {"lost": 10, "checkpoint": 3}),
        (70.0, {"lost": 5}),
        (75.0, {}),
    ],
)
def test_a_stretch_across_the_warm_up_is_cut_there(warm_up: float, expected: dict[str, float]) -> None:
    entries = booked(warm_up).entries
    assert {
        name: entries[name] / 8 for name in ("productive", "lost", "checkpoint") if entries[name]
    } == expected
    booked(warm_up).close(8, 120.0 - warm_up)


def test_a_phase_across_the_warm_up_is_cut_there() -> None:
    entries = booked(90.0).entries
    assert (entries["detection"], entries["waiting"] / 8) == (0, 10)


@pytest.mark.parametrize("wall_clock", [119.9999, 120.0001])
def test_a_second_missing_or_booked_twice_is_an_error(wall_clock: float) -> None:
    booked().close(8, 120.0)
    with pytest.raises(LedgerError, match="card-seconds"):
        booked().close(8, wall_clock)


def test_an_incident_is_charged_with_what_followed_from_it() -> None:
    journal = history()
    lines = journal.incidents, journal.phases, SinceLastSave(journal.segments, SCHEDULE)
    table = incident_table(*lines, np.array([15.0]), ("nodes", "restart"), replication=7)
    row = {name: column[0].item() for name, column in table.items()}
    assert row == {
        "replication": 7, "time_s": 75, "mode": 1, "node": 3, "rack": 0, "replica": -1,
        "doing": Phase.TRAINING,
        "interruption": True, "transient": False, "nodes_lost": 2, "lost_s": 10, "detection_s": 5,
        "recovery_s": 15, "waiting_s": 15, "down_s": 40, "stage_nodes_s": 0, "stage_restart_s": 15,
    }  # fmt: skip
