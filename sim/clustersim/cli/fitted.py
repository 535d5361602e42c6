"""What `fit` found, on a terminal: its sentences, the rows of the log, the causes, and the check."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clustersim.cli.screen import Row, Screen
from clustersim.fitting.answer import Fit, away_in_words, in_ends, written
from clustersim.fitting.causes import CauseFit
from clustersim.fitting.checking import LABELS, Checked
from clustersim.formatting import significant, whole
from clustersim.logs.history import ROWS, TOTAL


@dataclass(frozen=True)
class FitTables:
    """The tables of a fit."""

    study: Fit

    @property
    def records(self) -> Sequence[Mapping[str, Any]]:
        """A record for each cause."""
        return list(self.study.records())

    def show(self, screen: Screen) -> None:
        """Print the first sentence, three tables, and the other sentences."""
        answer, *others = self.study.advice
        screen.title(str(answer))
        screen.title("What became of the rows")
        screen.table(("", "", ""), list(_rows(self.study.history.rows)), left=1)
        screen.title("Causes")
        heads = "failures", "per 1000 node-days, 95 %", "lifetime", "away, median", "mean", "not back"
        screen.table(("", *heads), [_cause(fit) for fit in self.study.causes.values()])
        judged = [each for each in self.study.checked if each.inside is not None]
        styles = ["" if each.inside else "yellow" for each in judged]
        rows = [_checked(each) for each in judged]
        if rows:
            histories = whole(self.study.replications)
            screen.title(f"The log among {histories} simulated histories of the fitted fleet")
            screen.table(("", "log", "95 % of them", ""), rows, styles=styles)
        screen.advice(others)


def _rows(rows: Mapping[str, int]) -> Iterator[Row]:
    """Yield what became of how many rows, and of how many in all."""
    for name, meaning in ROWS.items():
        if rows.get(name):
            yield f"  {name.replace('_', ' ')}", whole(rows[name]), meaning
    yield "  in all", whole(rows[TOTAL]), ""


def _cause(fit: CauseFit) -> Row:
    rate = in_ends(fit.rate, lambda value: significant(value, 3))
    return (f"  {fit.name}", whole(fit.count), rate, fit.selection.best.model.law, *away_in_words(fit))


def _checked(each: Checked) -> Row:
    observed, low, high = (written(each.figure, end) for end in (each.observed, each.low, each.high))
    return f"  {LABELS[each.figure]}", observed, f"{low} to {high}", "inside" if each.inside else "outside"
