"""The report of runs: the sections of one run, or of several compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from clustersim.digits import measured, plus_minus, whole
from clustersim_reports import answer, exhibits, inputs, making, recovery, tables, waffle
from clustersim_reports.exhibits import Exhibit
from clustersim_reports.sheet import Sheet, filled, save

if TYPE_CHECKING:
    from clustersim.results import Comparison, Results

TEMPLATE = "runs.html.j2"
MOST_DRAWN = 12

Maker = Callable[["Results"], Exhibit | None]


class Chapter(NamedTuple):
    """One scenario within a section: its anchor, its heading, and its figures."""

    anchor: str
    heading: str
    result: Results
    exhibits: tuple[Exhibit, ...]


class Recovery(NamedTuple):
    """One scenario within the section on recovery: what it had to recover with, and its figures."""

    chapter: Chapter
    means: recovery.Means


class Headline(NamedTuple):
    """The answer of one scenario at a glance; `squares` are a hundred ledger entries."""

    anchor: str
    name: str
    title: str
    train: str
    gpus: str
    detail: str
    stuck: bool
    squares: Mapping[str, str]
    spoken: str


MAKERS: dict[str, tuple[Maker, ...]] = {
    "time": (exhibits.throughput, exhibits.strip),
    "failures": (exhibits.causes, exhibits.outages),
    "recovery": (exhibits.spares,),
    "certainty": (exhibits.spread,),
}


def headline(result: Results, anchor: str) -> Headline:
    """Return what the top of the page says of one scenario."""
    summary = result.summary
    ettr, width = summary["ettr"]["mean"], tables.margin(summary, "ettr")
    stuck = summary["no_progress"]
    cards = summary["gpus"]
    train = measured(cards * ettr, None if width is None else cards * width)
    placed = waffle.squares(summary["ledger"])
    return Headline(
        anchor=anchor,
        name=result.scenario.name,
        title=result.scenario.title or result.scenario.name,
        train=train if not stuck else "almost none" if ettr else "none",
        gpus=whole(cards),
        detail=f"ETTR {tables.small_ettr(summary) if stuck else plus_minus(ettr, width)}",
        stuck=stuck,
        squares=waffle.paths(placed),
        spoken=f"{placed.count('productive')} of 100 squares are filled: the share of the cards that trains",
    )


def write(
    results: Sequence[Results],
    path: Path,
    comparison: Comparison | None = None,
    command: str | None = None,
) -> None:
    """Write the report of *results* (one run, or several compared, the baseline first) to *path*.

    *command* is shown as what made it.  Raises ValueError without results, OSError where it cannot write.
    """
    if not results:
        raise ValueError("a report needs at least one run: give a run folder")
    save(render(results, comparison, command), path)


def render(
    results: Sequence[Results], comparison: Comparison | None = None, command: str | None = None
) -> str:
    """Return the report as HTML text, the same for the same results, comparison and command."""
    if comparison is None and len(results) > 1:
        from clustersim.results import Comparison

        comparison = Comparison(results)
    steps = comparison.steps if comparison else ()
    common = {"ledger": exhibits.ledger(results), "size": exhibits.size(results, steps)}
    sheet = Sheet(
        template=TEMPLATE,
        given=[one.scenario for one in results],
        answer=answer.sentences(results, comparison),
        making=making.rows(results),
        shown=[],
        command=command,
    )
    chapters = _chapters(results, sheet.anchors)
    shown = [one for one in common.values() if one]
    shown += [one for group in chapters.values() for part in group for one in part.exhibits]
    words = {
        "chapters": chapters,
        "differences": inputs.differences(results),
        "headlines": [headline(one, anchor) for anchor, one in zip(sheet.anchors, results, strict=True)],
        "ledger_rows": tables.ledger_rows(results),
        "left_out": max(len(results) - MOST_DRAWN, 0),
        "recoveries": _recoveries(chapters["recovery"]),
        "results": results,
        "side_by_side": tables.side_by_side(results, comparison),
        "steps": tables.step_rows(steps),
    }
    return filled(sheet._replace(shown=shown), common | words)


def _chapters(results: Sequence[Results], anchors: Sequence[str]) -> dict[str, list[Chapter]]:
    """Return the figures of the first scenarios by section."""
    drawn = list(zip(anchors, results, strict=True))[:MOST_DRAWN]
    return {
        section: [chapter(section, anchor, one, makers) for anchor, one in drawn]
        for section, makers in MAKERS.items()
    }


def _recoveries(chapters: Sequence[Chapter]) -> list[Recovery]:
    """Return those scenarios that had something to recover with."""
    found = [(one, recovery.means(one.result)) for one in chapters]
    return [Recovery(one, means) for one, means in found if means]


def chapter(section: str, anchor: str, result: Results, makers: Sequence[Maker]) -> Chapter:
    """Return the figures of one scenario in a section; those that have nothing to show are left out."""
    made = [make(result) for make in makers]
    return Chapter(f"{section}-{anchor}", result.scenario.name, result, tuple(one for one in made if one))
