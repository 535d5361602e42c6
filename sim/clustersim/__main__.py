"""`python -m clustersim`, and the command itself: a process of its own, with streams that never fail it.

Ctrl-C, SIGTERM (a scheduler's end) and SIGHUP (a terminal that closes) all end it alike: what is finished is
kept, and one sentence says so.  A second signal ends it at once.
"""

from __future__ import annotations

import codecs
import os
import signal
import sys
from typing import Any, NoReturn

from clustersim.signals import STOPS

INTERRUPTED = 130
SOON_S = 0.01
"""The hook for what cannot be raised has long returned then, and nobody has waited."""
PLAIN = {
    "±": "+/-",
    "−": "-",
    "–": "-",
    "—": "-",
    "×": "x",
    "·": "*",
    "…": "...",
    "→": "->",
    "≥": ">=",
    "≤": "<=",
}
"""What is printed instead where standard output cannot have it, in ASCII, say; other letters are escaped."""


def main() -> NoReturn:
    """Run the command line of this process, and exit with its code."""
    open_streams()
    heard = [number for number in STOPS if signal.getsignal(number) is not signal.SIG_IGN]
    for number in heard:
        signal.signal(number, _stop)
    sys.unraisablehook = _unraisable
    # The matrices are small: threads of BLAS would only wake each other, for a third of the CPU of a fit, and
    # how they share out a sum decides its last bits.  Workers inherit it; a value that is set already stays.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    code: Any = INTERRUPTED
    try:
        from clustersim.cli import main as program

        program()
    except SystemExit as end:
        code = end.code
    except KeyboardInterrupt:
        pass  # before anything was begun: there is nothing to say
    finally:
        for number in heard:
            signal.signal(number, signal.SIG_IGN)
    sys.exit(code)


def _stop(*_: object) -> NoReturn:
    """Interrupt what is going on; the second time without a word."""
    for number in STOPS:
        signal.signal(number, _leave)
    raise KeyboardInterrupt


def _leave(*_: object) -> NoReturn:
    os._exit(INTERRUPTED)


def _unraisable(what: sys.UnraisableHookArgs) -> None:
    """Interrupt once more where the first time was in the midst of clearing up, which goes on regardless.

    A little later, as what is raised in this very hook is lost as well.
    """
    if what.exc_type is KeyboardInterrupt:
        signal.signal(signal.SIGINT, _stop)
        signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
        signal.setitimer(signal.ITIMER_REAL, SOON_S)
    else:
        sys.__unraisablehook__(what)


def open_streams() -> None:
    """Let all standard streams be open, so that no file takes the place of one, and take any letter."""
    while (handle := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(handle, True)
    os.close(handle)
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    codecs.register_error("plain", _plain)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="plain")  # type: ignore[union-attr]


def _plain(error: UnicodeError) -> tuple[str | bytes, int]:
    """Return what is written in place of letters that an encoding does not have."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    given = error.object[error.start : error.end]
    return "".join(
        PLAIN.get(each) or each.encode("ascii", "backslashreplace").decode() for each in given
    ), error.end


if __name__ == "__main__":
    main()
