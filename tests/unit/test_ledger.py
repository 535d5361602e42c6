"""Every card-second once, and a loud failure otherwise."""

import pytest

from sim.ledger import Entry, Ledger, LedgerError


def booked() -> Ledger:
    ledger = Ledger(cards=8, modes=("gpu", "nic"))
    ledger.book_productive(60.0)
    ledger.book(Entry.LOST, 1, 10.0)
    ledger.book(Entry.RECOVERY, 0, 25.0)
    ledger.book(Entry.CHECKPOINT, ledger.checkpoint, 5.0)
    return ledger


def test_entries_are_card_seconds_in_the_order_of_the_model_page() -> None:
    entries = booked().entries()
    assert list(entries) == [
        "productive", "lost", "checkpoint", "detection", "recovery", "waiting",
        "stall", "idle", "slow", "corrupted", "maintenance",
    ]  # fmt: skip
    assert entries["productive"] == 480.0
    assert entries["recovery"] == 200.0


def test_charges_are_kept_by_cause() -> None:
    ledger = booked()
    by_cause = dict(zip(ledger.causes, ledger.charges().sum(axis=1), strict=True))
    assert by_cause == {"gpu": 200.0, "nic": 80.0, "start": 0.0, "checkpoint": 40.0, "maintenance": 0.0}


def test_a_ledger_that_adds_up_closes() -> None:
    booked().close(100.0)


@pytest.mark.parametrize("wall_clock", [99.9999, 100.0001])
def test_a_second_missing_or_booked_twice_is_an_error(wall_clock: float) -> None:
    with pytest.raises(LedgerError, match="card-seconds"):
        booked().close(wall_clock)
