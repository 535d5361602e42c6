"""Work and its fate: stretches, copies, losses and paces together, worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from clustersim.engine.journal import NOBODY
from clustersim.engine.ledger import Causes, Entry
from clustersim.engine.origins import Origins
from clustersim.engine.work.history import Pace
from clustersim.engine.work.tiered import TieredWork
from clustersim.failure import Failure
from clustersim.records import SCOPES
from clustersim.scenario.model import Scenario
from clustersim.streams import Streams

JOB, NODE, CLUSTER = (SCOPES.index(name) for name in ("job", "node", "cluster"))
TIERS: dict[str, dict[str, Any]] = {
    "memory": {"interval": "100 s", "blocks": "10 s", "survives": ["job"], "load": "5 s"},
    "storage": {"interval": "300 s", "blocks": "20 s", "load": "60 s"},
}
CAUSES = Causes(("first", "second"))


def work(unusable: str = "0 %", **blocks: Any) -> TieredWork:
    """The work of a job with two tiers: memory, which only restarts leave, and storage."""
    mode = {"per": "node", "mtbf": "1 d"}
    document: dict[str, Any] = {
        "name": "work",
        "cluster": {"gpus": 8},
        "failures": {"first": mode, "second": mode},
        "checkpoint": {"tiers": TIERS | {"memory": TIERS["memory"] | {"unusable": unusable}}},
        "recovery": {"stages": {"load": "checkpoint"}},
        "simulation": {"horizon": "1 d"},
    }
    scenario = Scenario.model_validate(document | blocks)
    return TieredWork(scenario, Origins(scenario, Streams(1, 0)))


def train(job: TieredWork, start: float, end: float, cause: int = NOBODY, share: float = 1.0) -> None:
    job.begin(start, share)
    job.end(end, cause, cause)


def strike(scope: int, ordinal: int = 0) -> Failure:
    return Failure(0, ordinal, (), True, 0, scope)


def booked(job: TieredWork, warm_up: float = 0.0) -> tuple[np.ndarray[Any, np.dtype[Any]], float]:
    charges = np.zeros((len(CAUSES.names), len(Entry)))
    return charges, job.training().book(charges, CAUSES, warm_up)


def test_what_a_restart_leaves_is_loaded_from_memory() -> None:
    job = work()
    train(job, 0.0, 260.0, cause=0)  # saves at 100 and 210; 240 s of training
    job.invalidate(JOB, 260.0)
    job.fall_back(260.0, 0, 0)
    assert job.load(strike(JOB), 0) == 5.0
    assert job.loads == {0: 0}
    charges, kept = booked(job)
    assert kept == 200.0
    assert charges[0, Entry.LOST] == 40.0
    assert charges[CAUSES.checkpoint, Entry.CHECKPOINT] == 20.0


def test_a_node_takes_memory_along_and_the_job_begins_again() -> None:
    job = work()
    train(job, 0.0, 260.0, cause=0)
    job.invalidate(NODE, 260.0)
    job.fall_back(260.0, 0, 0)
    assert job.load(strike(NODE), 0) == 60.0
    assert job.loads == {0: 1}
    charges, kept = booked(job)
    assert kept == 0.0
    assert charges[0, Entry.LOST] == 240.0


def test_a_later_failure_takes_what_the_first_had_left_and_is_charged_for_it() -> None:
    job = work()
    train(job, 0.0, 260.0, cause=0)
    job.invalidate(JOB, 260.0)
    job.fall_back(260.0, 0, 0)
    job.invalidate(NODE, 270.0)
    job.fall_back(270.0, 1, 1)
    charges, kept = booked(job)
    assert kept == 0.0
    assert charges[0, Entry.LOST] == 40.0
    assert charges[1, Entry.LOST] == 200.0
    assert job.training().costs(2)["lost_s"].tolist() == [40.0, 200.0]


def test_a_fall_over_two_stretches_to_storage() -> None:
    job = work()
    train(job, 0.0, 350.0)  # all three blocks of memory and that of storage end by 350: 300 s of training
    assert job.history.position == 300.0
    train(job, 400.0, 500.0)  # a stop between that loses nothing
    job.invalidate(CLUSTER, 500.0)
    job.fall_back(500.0, 1, 0)
    charges, kept = booked(job)
    assert (kept, charges[1, Entry.LOST]) == (300.0, 100.0)


def test_the_warm_up_is_neither_kept_nor_lost() -> None:
    job = work()
    train(job, 0.0, 260.0, cause=0)
    job.fall_back(260.0, 0, 0)
    charges, kept = booked(
        job, warm_up=150.0
    )  # 140 s of training and a save before: 60 kept, 40 lost, a save
    assert kept == 60.0
    assert charges[0, Entry.LOST] == 40.0
    assert charges[CAUSES.checkpoint, Entry.CHECKPOINT] == 10.0
    charges, kept = booked(job, warm_up=235.0)  # 215 s of training before
    assert kept == pytest.approx(0.0)
    assert charges[0, Entry.LOST] == 25.0


def test_copies_that_cannot_be_used_cost_their_load_and_the_work_since_the_one_before() -> None:
    job = work(unusable="99.999999 %")
    train(job, 0.0, 260.0, cause=0)
    job.invalidate(JOB, 260.0)
    job.fall_back(260.0, 0, 0)
    assert job.load(strike(JOB), 0) == 5.0 + 5.0 + 60.0
    charges, kept = booked(job)
    assert (kept, charges[0, Entry.LOST]) == (0.0, 240.0)
    assert job.loads == {0: 1}


def test_a_copy_that_was_loaded_is_known_to_be_usable() -> None:
    job = work(unusable="50 %")
    train(job, 0.0, 260.0, cause=0)
    job.fall_back(260.0, 0, 0)
    job.load(strike(JOB), 0)
    place = job.history.position
    assert [job.load(strike(JOB, ordinal), ordinal) for ordinal in range(1, 20)] == [
        5.0 if place else 60.0
    ] * 19
    assert job.history.position == place


def test_corrupt_work_is_thrown_away_with_all_its_copies() -> None:
    job = work()
    job.begin(0.0, 1.0)
    job.suspect(0, 160.0)  # after a save: 150 s of training
    job.end(500.0, 0, 0)
    sound_until = job.clear_suspect(0)
    assert sound_until == 150.0
    job.fall_back(500.0, 0, 0, sound_until)
    charges, kept = booked(job)
    assert kept == 100.0
    assert charges[0, Entry.CORRUPTED] == 440 - 100  # four saves in memory and one in storage by 500
    assert charges[0, Entry.LOST] == 0.0
    assert job.copies.newest() == (100.0, 0)


def test_corruption_is_gone_with_the_work_that_it_was_in() -> None:
    job = work()
    job.begin(0.0, 1.0)
    job.suspect(0, 160.0)
    job.end(170.0, 1, 1)
    job.fall_back(170.0, 1, 1)
    assert job.clear_suspect(0) is None


def test_a_replica_that_fails_loses_the_step_in_flight() -> None:
    job = work(workload={"step_time": "7 s"}, checkpoint="none", recovery={})
    train(job, 0.0, 100.0, cause=0)
    job.lose_step()
    assert job.history.position == 98.0
    charges, kept = booked(job)
    assert (kept, charges[0, Entry.LOST]) == (98.0, 2.0)


def test_half_of_the_cards_do_half_the_work() -> None:
    job = work()
    train(job, 0.0, 110.0, share=0.5)
    charges, kept = booked(job)
    assert kept == 50.0
    assert charges[CAUSES.checkpoint, Entry.CHECKPOINT] == 5.0


def test_a_straggler_costs_what_it_slows_and_a_protocol_its_share() -> None:
    job = work(recovery={"overhead": "10 %"}, checkpoint="none")
    job.begin(0.0, 1.0)
    job.slow_down(40.0, Pace(0.0, 0.5, 1, 0))
    job.end(100.0, 0, 1)
    charges, kept = booked(job)
    assert kept == pytest.approx(0.9 * 40 + 0.9 * 0.5 * 60)
    assert charges[1, Entry.SLOW] == pytest.approx(0.9 * 0.5 * 60)
    assert charges[CAUSES.overhead, Entry.SLOW] == pytest.approx(10.0)
    assert job.training().costs(2)["slow_s"] == pytest.approx([27.0, 0.0])
    charges, kept = booked(job, warm_up=60.0)
    assert kept == pytest.approx(0.9 * 0.5 * 40)
    assert charges[1, Entry.SLOW] == pytest.approx(18.0)


def test_when_so_much_is_done() -> None:
    job = work()
    job.begin(1000.0, 0.5)
    assert job.time_of(25.0) == 1050.0
    assert job.time_of(100.0) == 1000.0 + 200 + 10
    job.slow_down(1040.0, Pace(0.0, 0.5, 1, 0))
    assert job.time_of(25.0) == 1040.0 + 20


def test_the_pieces_of_a_stretch_are_what_became_of_it() -> None:
    job = work()
    train(job, 0.0, 260.0, cause=0)
    job.fall_back(260.0, 0, 0)
    assert list(job.training().pieces(0, 0.0, 250.0)) == [
        (0.0, 100.0, Entry.PRODUCTIVE, NOBODY),
        (100.0, 110.0, Entry.CHECKPOINT, NOBODY),
        (110.0, 210.0, Entry.PRODUCTIVE, NOBODY),
        (210.0, 220.0, Entry.CHECKPOINT, NOBODY),
        (220.0, 250.0, Entry.LOST, 0),
    ]


def test_the_final_save_takes_what_one_to_the_last_tier_takes() -> None:
    for job, takes in (work(), 20.0), (work(checkpoint="none", recovery={}), 0.0):
        train(job, 0.0, 150.0)
        assert job.begin_final_save(150.0) == 150.0 + takes
    assert work().load_from_peer(0) == 5.0


def test_an_outage_keeps_a_load_waiting_only_where_its_tier_is_out() -> None:
    job = work()
    job.copies.close([1], 0.0, 400.0)
    assert job.closed_for(300.0) == 100.0  # only the beginning is there, in storage
    train(job, 0.0, 260.0)
    assert job.closed_for(300.0) == 0.0
