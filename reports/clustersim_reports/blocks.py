"""What a page consists of: sections of figures, tables, numbers and text, which one template prints."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, NamedTuple, TypeAlias

from clustersim.advice import Advice
from clustersim.metrics.cells import MetricCell
from clustersim.scenario import Scenario

Json: TypeAlias = dict[str, Any]
DIGITS = 7
"""Significant digits of what is drawn: finer than a pixel, also where an axis shows a thousandth of them."""


class Picture(NamedTuple):
    """A small picture: SVG paths with their classes, what a screen reader says, its class and size."""

    paths: Sequence[tuple[str, str]]
    spoken: str
    look: str
    width: int
    height: int


class Cell(NamedTuple):
    """What a table says in one place, and in small letters below it; a dash comes with its reason.

    `mark` is a sign as in a legend, `chip` a word in a frame, `link` an anchor of this page.  `look` is a
    class; `code` is set as code, and `verdict` sets the first character apart from the word after it.
    """

    text: str
    small: str = ""
    look: str = ""
    mark: str = ""
    chip: str = ""
    link: str = ""
    picture: Picture | None = None


Content: TypeAlias = str | Cell | MetricCell


@dataclass(frozen=True)
class Data:
    """The data of a figure, a row for each point, with units in the names of the columns: its CSV file."""

    rows: Sequence[Mapping[str, Any]]

    @classmethod
    def of(cls, columns: Mapping[str, Any]) -> Data:
        """Return the data of these columns; a column that is not a list has the same value in every row."""
        length = max(len(values) for values in columns.values() if isinstance(values, list))
        lists = [values if isinstance(values, list) else [values] * length for values in columns.values()]
        return cls([dict(zip(columns, row, strict=True)) for row in zip(*lists, strict=True)])

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return list(self.rows[0])

    @property
    def table(self) -> list[Any]:
        """The names of the columns, and all rows as lists, with as many digits as are drawn."""
        return [self.columns, [rounded(row.values()) for row in self.rows]]

    def __getitem__(self, column: str) -> list[Any]:
        return [row[column] for row in self.rows]


class Figure(NamedTuple):
    """One figure: its words, its drawing, and its data, which are the numbers that the drawing shows.

    `name` is stable and names the anchor and the CSV file; `spoken` is what a screen reader says after the
    title.  A function that makes a figure returns None where there is nothing to show.
    """

    name: str
    title: str
    caption: str
    spoken: str
    legend: Sequence[Cell]
    drawing: Json
    data: Data

    @property
    def height(self) -> int:
        """Pixels that the drawing takes, which the page keeps free until it is drawn."""
        return int(self.drawing["layout"]["height"])


class Row(NamedTuple):
    """One row of a table: its head and its cells; `look` is a class, such as `part` of the row above."""

    head: Cell
    cells: Sequence[Cell]
    look: str = ""
    anchor: str = ""


def row(head: Content, *contents: Content, look: str = "", anchor: str = "") -> Row:
    """Return a row of cells; those without a sign are given as text, or as text with a remark."""
    cells = (Cell(content) if isinstance(content, str) else Cell(*content) for content in (head, *contents))
    return Row(next(cells), [*cells], look, anchor)


class Table(NamedTuple):
    """A table: its caption, the names of its columns, what the first column holds, and its rows."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Row]
    first: str
    look: str = ""


class Fact(NamedTuple):
    """One number with what it is and what it means."""

    label: str
    number: str
    detail: str


class Facts(NamedTuple):
    """Numbers side by side; large ones at the head of a page (`facts`), small ones below (`tiles`)."""

    facts: Sequence[Fact]
    look: str = "tiles"


class Text(NamedTuple):
    """A paragraph; `look` is a class, and `code` sets it as code."""

    words: str
    look: str = ""


class Items(NamedTuple):
    """A list: of sentences (`answer`, warnings marked by their look), of notes, or of a legend's signs."""

    items: Sequence[Cell]
    look: str = "notes"


class Source(NamedTuple):
    """The text of a scenario to copy and to save; the page shows the first part of it, or nothing."""

    anchor: str
    file: str
    text: str
    shown: str

    @property
    def hidden(self) -> int:
        """How many characters the page does not show."""
        return len(self.text) - len(self.shown)


class Group(NamedTuple):
    """Blocks that belong together, with a heading and an anchor where they have one.

    `look` is a class such as `pair`; what is `folded` unfolds at a click, or is `open` from the beginning.
    What is `packed` is compressed in the file, and unpacked by the page's script.
    """

    blocks: Sequence[Block]
    heading: Cell = Cell("")
    anchor: str = ""
    look: str = "chapter"
    folded: bool = False
    open: bool = False
    packed: bool = False


Block: TypeAlias = Figure | Table | Facts | Text | Items | Picture | Source | Group


class Section(NamedTuple):
    """One part of the page: its anchor, its heading, its blocks, and its `link`, a shorter heading.

    A block that does not apply is None and left out, and so is a section that has no block.
    """

    anchor: str
    heading: str
    blocks: Sequence[Block | None]
    link: str = ""


class Page(NamedTuple):
    """A whole page: the name of its tab, its first lines, what stands at its head, and its sections.

    Between the answer and how it was made stand those `sections` that apply, and the values of the scenarios
    that are `given`.  `look` is a class: `single` for a page about one run, `several` for all others.
    """

    title: str
    eyebrow: str
    heading: str
    about: str
    head: Sequence[Block]
    answer: Sequence[Advice]
    sections: Sequence[Section]
    given: Sequence[Scenario]
    making: Section
    look: str = "several"


def key(sign: str, word: str = "") -> Cell:
    """Return one item of a legend: a sign that the template knows, by default that of a ledger entry."""
    return Cell(word or sign, mark=sign)


def every(blocks: Iterable[Block | None]) -> Iterator[Block]:
    """Yield *blocks* and all that are inside them, in the order of the page."""
    for block in blocks:
        if block is not None:
            yield block
        yield from every(block.blocks if isinstance(block, Group) else ())


def rounded(values: Iterable[Any], digits: int = DIGITS) -> list[Any]:
    """Return *values* with fractions to so many significant digits, None for what is not a finite number."""
    return [_rounded(value, digits) if isinstance(value, float) else value for value in values]


def _rounded(value: float, digits: int) -> float | None:
    return float(f"{value:.{digits}g}") if math.isfinite(value) else None


def slug(name: str) -> str:
    """Return *name* as part of an anchor: lower case letters of any script, digits and hyphens."""
    return re.sub(r"[\W_]+", "-", name.lower()).strip("-") or "scenario"


def anchors(names: Iterable[str]) -> list[str]:
    """Return *names* as anchors, with a number appended to those that occurred before."""
    distinct: list[str] = []
    for name in map(slug, names):
        choices = (name if number == 1 else f"{name}-{number}" for number in count(1))
        distinct.append(next(choice for choice in choices if choice not in distinct))
    return distinct


def tight(words: str) -> str:
    """Return *words* with spaces that do not break around signs, before units, and after `P50`."""
    unit = r"(?<=\d) (?=(?:%|pp|ms|s|min|h|d|y|k|M|G|T|[A-Z]{3})(?![A-Za-z]))"
    return re.sub(rf"(?<=\bP\d\d) |{unit}", "\u00a0", re.sub(r" ?± ?", "\u00a0±\u00a0", words))
