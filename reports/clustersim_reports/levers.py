"""The report of levers: what to improve first, and what each change would earn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from clustersim.digits import NOTHING, duration, points, whole
from clustersim.tuning.verdict import advise_levers, helpful
from clustersim_reports import found_exhibits
from clustersim_reports.figures.levers import ranked
from clustersim_reports.finding import (
    Fact,
    Finding,
    Grid,
    Section,
    earned,
    estimated,
    making,
    page,
    worth_cells,
    worth_columns,
)
from clustersim_reports.tables import Cell, Row

if TYPE_CHECKING:
    from clustersim.tuning import Lever, Levers


def render(levers: Levers, command: str | None = None, finished: str = "") -> str:
    """Return the report of *levers* as HTML; *finished* says when they were."""
    method = {"changes": str(len(levers.levers)), "replications": f"{levers.replications} of each, paired"}
    return page(
        Finding(
            given=levers.given,
            question="what to improve first",
            headline=headline(levers),
            facts=list(_facts(levers)),
            answer=advise_levers(levers),
            sections=list(_sections(levers)),
            making=making(levers, method, finished),
        ),
        command,
    )


def headline(levers: Levers) -> str:
    """Return the answer in a few words."""
    if not levers.levers:
        return "There is nothing to improve."
    found = helpful(levers)
    return (
        f"{found[0].name[:1].upper()}{found[0].name[1:]}."
        if found
        else "No change makes a difference that can be told."
    )


def _facts(levers: Levers) -> Iterator[Fact]:
    yield Fact("ETTR as it is", estimated(levers.ettr), "share of all card-time that trains")
    for lever in helpful(levers)[:1]:
        worth = lever.worth
        gain = points(worth.ettr.mean, worth.ettr.half_width)
        yield Fact("The first change gains", gain, "of ETTR, by itself")
        yield Fact("In effective cards", estimated(worth.effective_gpus), "cards that train all the time")
        if said := earned(worth, levers.scenario):
            yield Fact("In money", said, "a year")


def _sections(levers: Levers) -> Iterator[Section]:
    figure = found_exhibits.levers(levers)
    if figure is not None:
        yield Section("levers", "The levers", "What each change would earn", [figure, _table(levers)])


def _table(levers: Levers) -> Grid:
    priced = any(lever.change.price is not None for lever in levers.levers)
    rows = [_row(lever, levers, priced) for lever in ranked(levers)]
    names = [*worth_columns(levers.scenario), *["Price"] * priced]
    return Grid("What each change would earn, by itself", names, rows)


def _row(lever: Lever, levers: Levers, priced: bool) -> Row:
    cells = tuple(worth_cells(lever.worth, lever.distinguishable, levers.scenario))
    return Row(lever.name, lever.change.text, (*cells, *[_price(lever)] * priced))


def _price(lever: Lever) -> Cell:
    price, back = lever.change.price, lever.pays_back_s
    if price is None:
        return Cell(NOTHING, "not given")
    paid = "" if back is None else f"paid back after {duration(back)}"
    return Cell(f"{whole(price.amount)} {price.currency}", paid)
