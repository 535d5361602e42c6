"""Intervals that follow the failures: what a window before now has seen, and the interval that it asks for.

With a window of 1 d and an MTBF of 10 h a job trains from 0 h to 6 h, fails, and trains again from 6.5 h on.
What has been seen is one failure in 6 h of training, so the rate is (1 + 1) / (6 h + 10 h), and until it
fails again or stops for anything else the job saves at the optimum for an MTBF of 8 h.
"""

from __future__ import annotations

from collections import deque

from clustersim.scenario.kinds.intervals import Adaptation

SAME_AGE_S = 1e-6
"""Ages (s) that are closer are one: an age is the difference of two instants of a run of many years."""


class AdaptiveInterval:
    """The interval of each segment of training, and the failures and the training of its window.

    Training is the length of the segments, saves included: failures strike in those too.  A failure counts
    that makes the job fall back, if it has trained since it fell back before; one of exactly the window's
    age counts no more.
    """

    def __init__(self, adaptation: Adaptation) -> None:
        self._adaptation = adaptation
        self._failures: deque[float] = deque()
        self._segments: deque[tuple[float, float, float]] = deque()
        self._trained = 0.0
        self._began = 0.0
        self._has_trained = False

    def __repr__(self) -> str:
        return f"AdaptiveInterval({len(self._failures)} failures, {self._adaptation})"

    def begin(self, now: float) -> float:
        """Return the interval (s) of the segment that begins *now*."""
        self._began, self._has_trained = now, True
        failures, trained = self.seen(now)
        return self._adaptation.interval(failures, trained)

    def end(self, now: float) -> None:
        """Add the segment, which ends now, to what has been seen."""
        self._segments.append((self._began, now, self._trained))
        self._trained += now - self._began

    def fall_back(self, now: float, counts: bool) -> None:
        """Count the failure because of which the job falls back, if it *counts* and the job has trained."""
        if counts and self._has_trained:
            self._failures.append(now)
        self._has_trained = False

    def seen(self, now: float) -> tuple[int, float]:
        """Return how many failures there were within the window before *now*, and the training (s) in it."""
        failures, segments = self._failures, self._segments
        since = now - self._adaptation.window
        while failures and failures[0] - since <= SAME_AGE_S:
            failures.popleft()
        while segments and segments[0][1] <= since:
            segments.popleft()
        if not segments:
            return len(failures), 0.0
        start, _, before = segments[0]
        return len(failures), self._trained - (before + max(since - start, 0.0))
