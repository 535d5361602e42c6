"""Signals that stop a command wait while workers start."""

import signal
import threading

import pytest

from clustersim.signals import STOPS, stops_held_back


def stopped_twice(number: int, done: list[int]) -> None:
    with stops_held_back():
        signal.raise_signal(number)
        signal.raise_signal(number)
        done.append(number)


@pytest.mark.parametrize("number", STOPS)
def test_a_stop_waits_until_what_is_begun_is_done(number: int) -> None:
    done: list[int] = []
    earlier = signal.signal(number, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            stopped_twice(number, done)
        assert signal.getsignal(number) is signal.default_int_handler
    finally:
        signal.signal(number, earlier)
    assert done == [number]


def test_a_signal_that_is_ignored_stays_so_and_other_threads_need_nothing() -> None:
    earlier = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stops_held_back():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, earlier)
    entered = []
    thread = threading.Thread(target=lambda: entered.append(stops_held_back().__enter__()))
    thread.start()
    thread.join()
    assert entered == [None]
