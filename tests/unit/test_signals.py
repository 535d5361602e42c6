"""Signals that stop a command wait while workers start."""

import signal
import subprocess
import sys
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


CLEARING_UP = """
import signal, sys, time
from clustersim import __main__ as command

signal.signal(signal.SIGINT, command._stop)
sys.unraisablehook = command._unraisable

class ClearsUp:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)

try:
    ClearsUp()
    time.sleep(20)
except KeyboardInterrupt:
    print("interrupted")
"""


def test_an_interrupt_in_the_midst_of_clearing_up_is_not_lost() -> None:
    """Python ignores what a finalizer raises, and what the hook raises that hears of it."""
    command = [sys.executable, "-c", CLEARING_UP]
    ended = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60, check=True)
    assert (ended.stdout, ended.stderr) == ("interrupted\n", "")
