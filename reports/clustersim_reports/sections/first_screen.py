"""The first screen of runs: a hundred squares, the figures to know in ten seconds, and what was expected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from clustersim.expectations import MET, NOT_MET, UNDECIDED, expectations
from clustersim.formatting import counted, largest_remainder, measured, whole
from clustersim.headline import Headline, headline, worth_table
from clustersim.metrics import cells
from clustersim.metrics.catalogue import BY_PATH
from clustersim.studies.compare import Comparison
from clustersim_reports import theme
from clustersim_reports.blocks import (
    Block,
    Cell,
    Fact,
    Facts,
    Group,
    Items,
    Picture,
    Row,
    Table,
    Text,
    key,
    row,
)
from clustersim_reports.run import MOST_DRAWN, Run, Runs

SQUARES, PER_ROW, PITCH, SIDE = 100, 20, 20, 17
"""Squares of a headline, in a row, and their distance and size in the picture."""
MOST_CHANGED = 8
"""Values at the head of a comparison; all that differ stand below."""
VERDICTS = {MET: ("pass", "✓"), NOT_MET: ("fail", "✗"), UNDECIDED: ("open", "?")}
"""The look and the sign of each verdict on a threshold."""


def blocks(runs: Runs) -> list[Block]:
    """Return a picture of each run and what its squares mean, its figures, and what was expected of it."""
    first = runs.runs[0]
    shares = first.shares()
    keys = [key(entry, f"{entry} {shares.text(entry)}" if runs.single else entry) for entry in runs.entries]
    look = f"headlines {'one' if runs.single else 'many'}"
    drawn = [_headline(run, runs.single) for run in runs.runs[:MOST_DRAWN]]
    found: list[Block] = list(changed(runs.comparison)) if runs.comparison and not runs.single else []
    found += [
        Group(drawn, look=look),
        Items([*keys, Cell("one square = 1 % of the cards")], "legend"),
    ]
    screen = headline(first.result.scenario, first.summary) if runs.single else None
    found += [Facts(list(figures(screen)), "facts")] if screen else []
    if more := len(runs.runs) - MOST_DRAWN:
        found += [Text(f"{more} more stand in the table below.", "absent")] if more > 0 else []
    rows = [row for run in runs.runs for row in expected(run, runs.single)]
    found += [Table("What was expected", ("Found", "Verdict"), rows, "Expected", "expected")] if rows else []
    return found + (list(changes(screen)) if screen else [])


def _headline(run: Run, single: bool) -> Group:
    """Return the number of cards of a run that train, a hundred squares, and its ETTR."""
    title, stuck = run.result.scenario.title or run.name, run.at("no_progress")
    parts: list[Block] = [picture(run.at("ledger"))]
    if not single:
        number = Facts([Fact(title, train(run), f"of {whole(run.at('gpus'))} train")], "number")
        name = "" if title == run.name else f"{run.name}: "
        words = f"{name}ETTR {cells.ettr(run.summary).text}{' · no progress' if stuck else ''}"
        parts = [number, *parts, Text(words, "stuck" if stuck else "meaning")]
    elif stuck:
        parts.append(Text("no progress", "stuck"))
    return Group(parts, Cell(""), f"scenario-{run.anchor}", "headline")


def changed(comparison: Comparison) -> Iterator[Block]:
    """Yield the values in which scenarios differ from the baseline, from -> to: the first ones of each."""
    others = [other for other in comparison.changed if other.values]
    most = max(MOST_CHANGED // max(len(others), 1), 1)
    to = others[0].name if len(comparison.changed) == 1 and others else "To"
    rows = [
        row(Cell(value.path, other.name if to == "To" else ""), *value.texts)
        for other in others
        for value in other.values[:most]
    ]
    if rows:
        columns = (f"From {comparison.baseline}", to)
        yield Table("What changed", columns, rows[:MOST_CHANGED], "What changed", "changed")
    if more := sum(len(other.values) for other in others) - len(rows[:MOST_CHANGED]):
        yield Text(f"And {counted(more, 'more value')}: all of them stand under What went in.", "absent")


def figures(screen: Headline) -> Iterator[Fact]:
    """Yield the figures that the first screen of a run holds, here as on the terminal."""
    for figure in screen.figures:
        yield Fact(figure.label, figure.cell.text, figure.cell.small or BY_PATH[figure.path].meaning)


def changes(screen: Headline) -> Iterator[Block]:
    """Yield the changes worth most over the run, each with what it changes, and how they were found."""
    listed = screen.changes.changes
    if listed:
        table = worth_table(screen.changes)
        rows = [
            row(Cell(name, each.change.text), *cells)
            for (name, *cells), each in zip(table.rows, listed, strict=True)
        ]
        yield Table(
            "Changes worth most over this run", table.columns, rows, "Worth most in this run", "worth"
        )
        yield Text(screen.changes.how.replace("`", ""), "absent")


def expected(run: Run, single: bool) -> Iterator[Row]:
    """Yield a row for each threshold of `expect`: met, not met, or undecided."""
    for each in expectations(run.result.scenario, run.summary):
        look, sign = VERDICTS[each.verdict]
        remark = "more replications would tell" if each.verdict == UNDECIDED else ""
        head = Cell(f"{each.path} {each.wanted}", "" if single else run.name)
        verdict = Cell(f"{sign} {each.verdict}", remark, "verdict")
        yield row(head, each.found, verdict, look=look)


def train(run: Run) -> str:
    """Return how many cards train."""
    ettr, width, cards = run.at("ettr.mean"), run.margin("ettr"), run.at("gpus")
    if run.at("no_progress"):
        return "almost none" if ettr else "none"
    return measured(cards * ettr, None if width is None else cards * width)


def squares(shares: Mapping[str, float]) -> dict[str, int]:
    """Return how many of a hundred squares each ledger entry has, in the ledger's order.

    Shares are rounded by largest remainder, so that the squares always number a hundred.
    """
    exact = {entry: SQUARES * float(shares[entry]) for entry in theme.STYLES if shares.get(entry)}
    return largest_remainder(exact, SQUARES)


def picture(shares: Mapping[str, float]) -> Picture:
    """Return a hundred squares, filled row by row, as one SVG path for each ledger entry."""
    filled = [entry for entry, count in squares(shares).items() for _ in range(count)]
    paths = dict.fromkeys(filled, "")
    for place, entry in enumerate(filled):
        row, column = divmod(place, PER_ROW)
        paths[entry] += f"M{column * PITCH} {row * PITCH}h{SIDE}v{SIDE}h-{SIDE}z"
    spoken = f"{filled.count('productive')} of 100 squares are filled: the share of the cards that trains"
    return Picture(list(paths.items()), spoken, "waffle", 397, 97)
