"""Hostile scenarios by the thousand: each is refused in a sentence, or simulated within all its ranges.

    python -m tests.fuzz --count 200000 --simulate 5000 --seed 1 --minutes 90

Shipped scenarios, and one with every key of the language, are mutated in their text, their values and their
structure.  What is accepted is described, written and read back, and some of it is simulated, summarised and
printed.  A finding is anything else than a ScenarioError with sentences: another exception, a figure outside
its range, more than 20 s of CPU, more than 1 GB.  Each is printed with the seed and number that make it
again, as in `--seed 1 --first 4711 --count 1`.
"""

from __future__ import annotations

import argparse
import copy
import io
import json
import math
import random
import resource
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

from rich.console import Console

from clustersim import library
from clustersim.cli.screen import Screen
from clustersim.cli.show import show
from clustersim.engine.replication import simulate
from clustersim.metrics.plausible import wrong_with
from clustersim.results import Results, summarise
from clustersim.scenario import Scenario, ScenarioError, dump, load, loads
from clustersim.scenario.describe import describe, replication_s
from clustersim.scenario.drawing import drawn
from clustersim.scenario.facts import facts_of
from clustersim.scenario.loading import build
from clustersim.scenario.text.document import MOST_PRINTED, Document, at, within
from clustersim.scenario.text.document import Path as Keys
from clustersim.scenario.text.reader import read_text
from clustersim.scenario.writing import yaml
from tests.unit.scenario.everything import EVERYTHING

LONGEST_S, LARGEST_KB = 20.0, 1_000_000
WORTH_SIMULATING_S = 1.0
"""Expected seconds of a replication above which a mutant is legal, and only large.

The expectation is of the compiled engine on a quiet core; two replications of the engine as it is written, on
a busy and slow machine, have taken eight times as long, which is less than `LONGEST_S` up to here.
"""
NUMBERS = (
    0, 1, 2, 3, 7, 8, 64, 1000, 99_999, 10**6, 10**9, 10**12, 10**18, 10**400, -1, -(10**400),
    0.0, -0.0, 0.5, 1.0, 1e-3, 1e-9, 1e-41, 1e-99, 1e-300, 5e-324, 1e99, 1e300, 1.7976931348623157e308,
    math.inf, -math.inf, math.nan, True, False, None,
)  # fmt: skip
UNITS = (
    "", "ms", "s", "min", "h", "d", "wk", "y", "%", "pp", "KB", "TB", "PiB", "GB/s", "TB/s per node",
    "tokens", "T tokens", "USD", "EUR", "days", "/ 1000 node-days", "/ 1000 gpu-days", "/ y", "per rack",
)  # fmt: skip
TEXTS = (
    "", " ", "none", "null", "daly", "young", "exact", "wait", "checkpoint", "storage", "hang", "job", "gpu",
    "node", "rack", "pod", "cluster", "replica", "any", "training", "~", "yes", "\x00", "\x1b]0;x\x07",
    "\u202eevil", "\ud800", "\udcff", "\ufeff", "\U0001f600", "\u2028", "a" * 11_000,
    "<script>alert(1)</script>", "{{7*7}}", "{sentence}", "%s%n", "../../../etc/passwd", "/dev/zero", "-1 s",
    "1e999 s", "nan s", "=cmd()", ">= 0.5", "<= -1", "* 2", "a: b", "# x", "|", "&a", "*a",
    "!!python/object:os.system", "time,node\n1 s,0\n",
)  # fmt: skip
SPLICES = (
    "", "0", "-", ":", ": ", "{", "}", "[", "]", ",", "#", "\n", "\n  ", " ", "\t", "'", '"', "&a ", "*a",
    "!!x ", "|\n", ">\n", "%", "?", "---\n", "...\n", "<<: *a\n", "\\ud800", '"\\ud800"', '"\\e[2J"', "\x7f",
    "\x85", "_", "1e309", "null", ".nan", ".inf", "5 s", "100 %", "base: chen-100k\n", "e9", "999999999999",
)  # fmt: skip


class FindingError(AssertionError):
    """Something that must not be."""


@cache
def corpus() -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """Return each scenario that is mutated, as text and as plain data."""
    texts = [EVERYTHING, *map(dump, shipped())]
    return tuple((text, read_text(text, "<corpus>").data) for text in texts)


def shipped() -> Iterator[Scenario]:
    """Yield the shipped files that are scenarios, not only bases of others."""
    for name in library.names():
        with suppress(ScenarioError):
            yield load(name)


def hostile_value(dice: random.Random, depth: int = 0) -> Any:
    """Return a value that somebody might write, by mistake or on purpose."""
    kind = dice.random()
    if kind < 0.25:
        return dice.choice(NUMBERS)
    if kind < 0.65:
        number = dice.choice(NUMBERS) if dice.random() < 0.4 else f"{10 ** dice.uniform(-4, 9):.3g}"
        return f"{number} {dice.choice(UNITS)}".strip()
    if kind < 0.85 or depth > 2:
        return dice.choice(TEXTS)
    if kind < 0.92:
        return [hostile_value(dice, depth + 1) for _ in range(dice.choice((0, 1, 2, 3, 30)))]
    keys = [*TEXTS[:8], "mean", "per", "rate", "mtbf", "exponential", "weibull", "shape", "a", 7]
    return {dice.choice(keys): hostile_value(dice, depth + 1) for _ in range(dice.choice((0, 1, 2, 3)))}


def some_path(dice: random.Random, data: Any) -> Keys:
    """Return the path of some value within *data*; claims, of which there are many, less often."""
    paths = [path for path in within(data) if path]
    chosen: Keys = dice.choice(paths)
    return dice.choice(paths) if chosen[0] == "published" else chosen


def mutated_values(dice: random.Random, data: Any) -> Any:
    """Return *data* with one to three other values."""
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        path = some_path(dice, data)
        at(data, path[:-1])[path[-1]] = scaled(dice, at(data, path))
    return data


def scaled(dice: random.Random, old: Any) -> Any:
    """Return another value: often the old one times something, so that it has a chance to be accepted."""
    if isinstance(old, bool) or dice.random() < 0.4 or (isinstance(old, int) and abs(old) > 10**60):
        return hostile_value(dice)
    factor = 10 ** dice.uniform(-3, 3)
    if isinstance(old, int):
        return max(round(old * factor), dice.choice((0, 1)))
    number, _, unit = str(old).partition(" ")
    try:
        return f"{float(number.replace('_', '')) * factor:.4g} {unit}".strip()
    except ValueError:
        return hostile_value(dice)


def mutated_structure(dice: random.Random, data: Any) -> Any:
    """Return *data* with parts taken out, moved elsewhere, or taken from another scenario."""
    for _ in range(dice.choice((1, 1, 2, 3))):
        path = some_path(dice, data)
        other = copy.deepcopy(dice.choice(corpus())[1])
        if dice.random() < 0.3:
            del at(data, path[:-1])[path[-1]]
        elif dice.random() < 0.5:
            at(data, path[:-1])[path[-1]] = at(other, some_path(dice, other))
        else:
            name = dice.choice(list(other))
            data[name] = other[name]
        if not data:
            break
    return data


def mutated_text(dice: random.Random, text: str) -> str:
    """Return *text* with spans cut out, doubled, moved, and with what YAML stumbles over."""
    for _ in range(dice.choice((1, 1, 2, 4))):
        start = dice.randrange(len(text) + 1)
        end = min(start + int(dice.expovariate(0.1)), len(text))
        kind = dice.random()
        if kind < 0.6:
            text = text[:start] + dice.choice(SPLICES) + text[end:]
        elif kind < 0.8:
            text = text[:end] + text[start:end] * dice.choice((1, 2, 50)) + text[end:]
        else:
            lines = dice.choice(corpus())[0].splitlines(keepends=True)
            text = text[:start] + dice.choice(lines) + text[end:]
    return text


def attempt(dice: random.Random) -> Scenario:
    """Return a mutated scenario; raises ScenarioError for one that is refused."""
    text, data = dice.choice(corpus())
    kind = dice.random()
    if kind < 0.25:
        return loads(mutated_text(dice, text))
    mutate = mutated_values if kind < 0.75 else mutated_structure
    made = mutate(dice, copy.deepcopy(data))
    if dice.random() < 0.1 or any(at(made, path) is None for path in within(made)):
        return loads(yaml(made))  # null is a word of the layers, which no scenario holds
    return build(Document(made))


def refused_in_sentences(error: ScenarioError) -> None:
    """Raise FindingError unless each problem is a sentence that a terminal can show."""
    lines = str(error).splitlines()
    if not error.problems or len(lines) != min(len(error.problems), MOST_PRINTED + 1):
        raise FindingError(f"{len(lines)} lines for {len(error.problems)} problems")
    for line in lines:
        if not line.isprintable() or len(line) > 1000 or "Input should" in line:
            raise FindingError(f"not a sentence: {line!r}")


def examined(scenario: Scenario, dice: random.Random) -> None:
    """Describe the scenario, print that, write it and read it back; raises FindingError."""
    meaning = describe(scenario)
    if meaning.ettr is not None and not 0 <= meaning.ettr <= 1:
        raise FindingError(f"first-order ETTR {meaning.ettr}")
    if not (math.isfinite(meaning.run_s) and meaning.run_s > 0 and math.isfinite(meaning.events)):
        raise FindingError(f"run time {meaning.run_s}, events {meaning.events}")
    if dice.random() < 0.1:
        plainly_printed(lambda screen: show(meaning, screen))
        again = loads(dump(scenario))
        if again.hash != scenario.hash or again.document != scenario.document:
            raise FindingError("written and read back it is another scenario")


def simulated(scenario: Scenario) -> None:
    """Simulate two replications, summarise and print them; raises FindingError for a figure out of range.

    Where inputs are uncertain, all replications of two draws: a run has no fewer.
    """
    draws = [scenario, scenario]
    if scenario.uncertain:
        try:
            draws = [each for each in drawn(scenario, range(2)) for _ in range(scenario.uncertainty.per_draw)]
        except ScenarioError as error:
            refused_in_sentences(error)
            return
    records = [simulate(each, number) for number, each in enumerate(draws)]
    summary = summarise(scenario, records)
    json.dumps(summary, allow_nan=False)
    in_range(summary)
    for why in wrong_with(json.loads(json.dumps(summary)), facts_of(scenario)):
        raise FindingError(f"its own summary would be refused: {why}")
    if records[0].wall_s < 0 or records[0].end_s > scenario.end_s * (1 + 1e-9):
        raise FindingError(f"wall {records[0].wall_s}, end {records[0].end_s} of {scenario.end_s}")
    results = Results(scenario, summary, {}, records=records)
    plainly_printed(lambda screen: show(results, screen))
    for table in (results.replications, results.timeline, results.incidents):
        if table is None or (not len(table) and table is not results.incidents):
            raise FindingError("an empty table")


SHARES = ("ettr.mean", "ettr.p10", "ettr.p50", "ettr.p90", "availability", "goodput")
AMOUNTS = ("mtti_s", "interruptions_per_day", "effective_gpus", "checkpoint_interval_s")


def in_range(summary: Mapping[str, Any]) -> None:
    """Raise FindingError for a share that is none, or shares that do not add up."""
    shares = [found for path in SHARES if (found := figure(summary, path)) is not None]
    shares += list(summary["ledger"].values())
    if (
        not all(-1e-9 <= share <= 1 + 1e-9 for share in shares)
        or abs(sum(summary["ledger"].values()) - 1) > 1e-6
    ):
        raise FindingError(f"shares out of range: {summary['ledger']}, {summary['ettr']}")
    for path in AMOUNTS:
        if (found := figure(summary, path)) is not None and not (math.isfinite(found) and found >= 0):
            raise FindingError(f"{path} is {found}")


def figure(summary: Mapping[str, Any], path: str) -> Any:
    """Return the figure at a dotted path, None where there is none."""
    for name in path.split("."):
        summary = summary.get(name) or {}
    return summary if summary != {} else None


def plainly_printed(show_on: Any) -> None:
    """Print on a screen that nobody sees; raises FindingError where a terminal would obey."""
    out = io.StringIO()
    show_on(Screen(Console(file=out, width=100, markup=False, highlight=False, emoji=False)))
    for line in out.getvalue().split("\n"):
        if not line.isprintable():
            raise FindingError(f"a terminal would obey {line!r}")


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise FindingError after so many seconds of CPU."""

    def stop(*_: object) -> None:
        raise FindingError(f"more than {seconds:g} s of CPU")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


class Fuzzer:
    """Tries one mutant after another; the number and the seed make the mutant, whatever came before."""

    def __init__(self, seed: int, simulate: int, share: float = 0.2) -> None:
        self.seed, self.wanted, self.share = seed, simulate, share
        self.count: Counter[str] = Counter()
        self.findings: list[str] = []

    def tries(self, number: int) -> None:
        """Try mutant *number*, and note what becomes of it."""
        dice = random.Random(f"{self.seed}/{number}")
        self.count["tried"] += 1
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            with limited(LONGEST_S):
                self._one(dice)
            grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            if grown > max(peak, LARGEST_KB):
                raise FindingError(f"{grown / 1000:.0f} MB of memory")
        except Exception:
            self.findings.append(
                f"--seed {self.seed} --first {number} --count 1\n{traceback.format_exc(limit=-4)}"
            )

    def _one(self, dice: random.Random) -> None:
        try:
            scenario = attempt(dice)
        except ScenarioError as error:
            self.count["refused"] += 1
            refused_in_sentences(error)
            return
        self.count["accepted"] += 1
        examined(scenario, dice)
        chosen = dice.random() < self.share and self.count["simulated"] < self.wanted
        per_draw = scenario.uncertainty.per_draw if scenario.uncertain else 1
        if chosen and replication_s(scenario) * per_draw < WORTH_SIMULATING_S:
            self.count["simulated"] += 1
            simulated(scenario)


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz until the count or the time is over; print numbers and findings, return 1 where there are any."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first mutant")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--simulate", type=int, default=100, help="how many of the accepted ones at most")
    parser.add_argument("--share", type=float, default=0.2, help="which share of the accepted ones")
    parser.add_argument("--minutes", type=float, default=math.inf)
    chosen = parser.parse_args(arguments)
    fuzzer, started = Fuzzer(chosen.seed, chosen.simulate, chosen.share), time.monotonic()
    for number in range(chosen.first, chosen.first + chosen.count):
        if time.monotonic() > started + 60 * chosen.minutes:
            break
        known = len(fuzzer.findings)
        fuzzer.tries(number)
        for finding in fuzzer.findings[known:]:
            print(finding, flush=True)
        if number % 1000 == 999:
            print(f"number {number}: {dict(fuzzer.count)}, {len(fuzzer.findings)} findings", flush=True)
    print(f"seed {chosen.seed}: {dict(fuzzer.count)}, {len(fuzzer.findings)} findings")
    return 1 if fuzzer.findings else 0


if __name__ == "__main__":
    sys.exit(main())
