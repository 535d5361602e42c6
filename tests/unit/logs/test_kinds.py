"""Whether a row is a failure, a planned stop or neither, by the words of the log."""

from __future__ import annotations

import pytest

from clustersim.logs.kinds import FAILURE, NO_FAILURE, PLANNED_STOP, kind_of, kind_of_event, kind_of_job


@pytest.mark.parametrize(
    ("state", "reason", "kind"),
    [
        ("DOWN", "", FAILURE),
        ("down*", "power", FAILURE),
        ("IDLE+DRAIN", "xid79", FAILURE),
        ("DRAINING@", "ecc", FAILURE),
        ("ALLOCATED+DRAIN~", "Planned update", PLANNED_STOP),
        ("DRAIN", "MAINTENANCE window", PLANNED_STOP),
        ("DRAIN", "unplanned outage", FAILURE),
        ("DOWN+MAINT", "power", PLANNED_STOP),
        ("REBOOT_ISSUED^", "", PLANNED_STOP),
        ("IDLE", "maintenance", NO_FAILURE),
        ("POWERED_DOWN~", "", NO_FAILURE),
        ("", "", NO_FAILURE),
    ],
)
def test_an_event_of_a_node_is_told_by_its_state_and_reason(state: str, reason: str, kind: str) -> None:
    assert kind_of_event(state, reason) == kind


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("NODE_FAIL", FAILURE),
        ("oom", FAILURE),
        ("FAILED+", FAILURE),
        ("CANCELLED by 1000", NO_FAILURE),
        ("TIMEOUT", NO_FAILURE),
        ("completed", NO_FAILURE),
    ],
)
def test_a_job_is_told_by_its_state(state: str, kind: str) -> None:
    assert kind_of_job(state) == kind


@pytest.mark.parametrize("state", ["", " ", "EXPLODED", "by FAILED", "FAILEDX"])
def test_a_state_of_a_job_that_slurm_does_not_know_is_refused(state: str) -> None:
    with pytest.raises(ValueError, match=f'"{state}" is no state of a job that Slurm knows; correct it'):
        kind_of_job(state)


@pytest.mark.parametrize(
    ("word", "kind"),
    [("", FAILURE), ("Crash", FAILURE), ("Maintenance", PLANNED_STOP), ("LAUNCH", NO_FAILURE)],
)
def test_a_word_of_the_log_itself(word: str, kind: str) -> None:
    assert kind_of(word) == kind
