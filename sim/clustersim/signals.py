"""The signals that stop a command, and the moments in which they have to wait."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

STOPS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""Ctrl-C, the end that a scheduler asks for, and a terminal that closes."""


@contextmanager
def stops_held_back() -> Iterator[None]:
    """Let these signals wait until what must not be left half done is done: the start of workers, say.

    They are not blocked, since processes that are started meanwhile would inherit that.  Only the main thread
    is ever interrupted by a signal.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []
    handlers = {number: signal.getsignal(number) for number in STOPS}
    for number, handler in handlers.items():
        if callable(handler):
            signal.signal(number, lambda number, _: held.append(number))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            if callable(handler):
                signal.signal(number, handler)
        for number in held[:1]:
            signal.raise_signal(number)
