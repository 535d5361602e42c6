"""Whether a row tells of a failure, of a planned stop, or of neither: in a log's own words and in Slurm's."""

from __future__ import annotations

import re

from clustersim.units import shown

FAILURE, PLANNED_STOP, NO_FAILURE = "failure", "planned", "no_failure"
_FAILURES = frozenset(("", "failure", "failed", "fail", "fault", "incident", "unplanned", "error", "crash"))
_PLANNED = frozenset(("planned", "maintenance", "scheduled"))
_NEITHER = frozenset(("launch", "start", "stop", "end", "finish", "resume"))
_FAILED_JOBS = frozenset(("NODE_FAIL", "BOOT_FAIL", "FAILED", "OUT_OF_MEMORY", "NF", "BF", "F", "OOM"))
_OTHER_JOBS = frozenset(
    (
        "COMPLETED", "CD", "CANCELLED", "CA", "TIMEOUT", "TO", "PREEMPTED", "PR", "DEADLINE", "DL",
        "RUNNING", "R", "PENDING", "PD", "SUSPENDED", "S", "REQUEUED", "RQ", "RESIZING", "RS",
        "REVOKED", "RV", "COMPLETING", "CG", "CONFIGURING", "CF",
        "STOPPED", "ST", "SIGNALING", "SI", "STAGE_OUT", "SO", "SPECIAL_EXIT", "SE",
        "REQUEUE_FED", "RF", "REQUEUE_HOLD", "RH", "RESV_DEL_HOLD", "RD",
    )
)  # fmt: skip
_DOWN_NODES = frozenset(
    ("DOWN", "DRAIN", "DRAINED", "DRAINING", "DRNG", "FAIL", "FAILING", "ERROR", "UNKNOWN", "UNK", "INVAL",
     "NO_RESPOND", "NOT_RESPONDING")
)  # fmt: skip
_PLANNED_NODES = frozenset(
    ("MAINT", "MAINTENANCE", "REBOOT", "REBOOT_ISSUED", "REBOOT_REQUESTED", "RESERVED", "RESV")
)
FLAGS = "*~#!%$@^-"
"""What Slurm sets behind the state of a node."""
_SAYS_PLANNED = re.compile(r"\b(maint|maintenance|planned|scheduled)\b", re.IGNORECASE)


def kind_of(word: str) -> str:
    """Return the kind that a log's own *word* means; raises ValueError for one that means none."""
    plain = word.casefold()
    for kind, words in ((FAILURE, _FAILURES), (PLANNED_STOP, _PLANNED), (NO_FAILURE, _NEITHER)):
        if plain in words:
            return kind
    raise ValueError(f"{shown(word)} is neither a failure nor planned; say one of them, or leave it empty")


def kind_of_event(state: str, reason: str) -> str:
    """Return the kind of an event of a node, of which Slurm tells the *state* and the *reason*."""
    flags = {part.strip(FLAGS).upper() for part in state.split("+")}
    if flags & _PLANNED_NODES:
        return PLANNED_STOP
    if flags & _DOWN_NODES:
        return PLANNED_STOP if _SAYS_PLANNED.search(reason) else FAILURE
    return NO_FAILURE


def kind_of_job(state: str) -> str:
    """Return the kind of a job that ended in *state*; raises ValueError for one that Slurm does not know."""
    word = state.split()[0].upper().rstrip("+") if state.strip() else ""
    if word in _FAILED_JOBS:
        return FAILURE
    if word in _OTHER_JOBS:
        return NO_FAILURE
    raise ValueError(f"{shown(state)} is no state of a job that Slurm knows; correct it")
