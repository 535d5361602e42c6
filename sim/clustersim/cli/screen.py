"""Standard output for people: text and tables on a terminal, or the same as Markdown for a document.

No table is cut off.  Where it is wider than the screen its texts wrap; figures that then still do not fit go
into further tables below it, which repeat the first column.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

from rich.cells import cell_len, chop_cells
from rich.console import Console
from rich.text import Text

from clustersim.units import visible_lines

if TYPE_CHECKING:
    from clustersim.advice import Advice

Row = Sequence[str]

PLAIN_WIDTH, NARROWEST = 100, 20
"""Characters of a line where standard output is no terminal and COLUMNS does not say how many; and the fewest
that are laid out for, so that a window of no size at all is no error."""
LONGEST_HEAD, SHORTEST_TEXT, LONGEST_WORD, GAP = 12, 18, 36, 2
"""Characters: a longer head of a column wraps; a text gives way to figures down to this, but no word up to
that length is broken, so that paths stay whole; between two columns."""
MARKED = re.compile(r"([\\`*|<])")
"""What Markdown would not print as it is."""


def wrapped(words: str, width: int) -> list[str]:
    """Return *words* as lines of at most *width* characters, wide ones counted as two.

    They are broken at spaces, and a word only where it is longer than a line; an indent is kept.
    """
    return [line for paragraph in words.split("\n") for line in _lines(paragraph, width)]


def _lines(paragraph: str, width: int) -> Iterator[str]:
    """Yield the lines of a paragraph."""
    text = paragraph.lstrip(" ")
    indent = " " * min(len(paragraph) - len(text), width // 2)
    room, line = max(width - len(indent), 1), ""
    for piece in (piece for word in text.split(" ") for piece in chop_cells(word, room) or [""]):
        longer = f"{line} {piece}" if line else piece
        if line and cell_len(longer) > room:
            yield f"{indent}{line}".rstrip()
            longer = piece
        line = longer
    yield f"{indent}{line}".rstrip()


class Layout:
    """A table as lines of text, in as many parts below each other as the screen is too narrow for it."""

    def __init__(self, columns: Row, rows: Sequence[Row], left: int, names: int = 1) -> None:
        self._names = [*range(names)]
        self._heads = [wrapped(name, _narrowest(name, LONGEST_HEAD)) for name in columns]
        self._rows = [row for row in rows if len(row) > 1]
        self._are_texts = [place < left or not name for place, name in enumerate(columns)]
        self._natural = [self._longest(place, None) for place in range(len(columns))]
        self._least = [self._floor(place) for place in range(len(columns))]

    def _longest(self, place: int, cut_at: str | None) -> int:
        """Return the width of the longest piece of a column."""
        cells = [row[place] for row in self._rows if place < len(row)]
        pieces = [piece for cell in cells for piece in (cell.split(cut_at) if cut_at else [cell])]
        return max(map(cell_len, (*self._heads[place], *pieces)))

    def _floor(self, place: int) -> int:
        """Return how narrow a column may become: texts break at spaces, lists of figures at commas."""
        if not self._are_texts[place]:
            return self._longest(place, ", ") + 1
        cells = [row[place] for row in self._rows if place < len(row)]
        return min(self._natural[place], _narrowest(" ".join(cells), SHORTEST_TEXT))

    def parts(self, width: int) -> Iterator[list[int]]:
        """Yield the places of the columns of each part: those that name a row, and as many others as fit."""
        part = self._names.copy()
        for place in range(len(part), len(self._natural)):
            needed = sum(self._least[each] + GAP for each in part) + self._least[place]
            if needed > width and len(part) > len(self._names):
                yield part
                part = self._names.copy()
            part.append(place)
        yield part

    def fitted(self, part: Sequence[int], width: int) -> dict[int, int]:
        """Return how wide each column of a part is: texts give way first, the widest first, until it fits."""
        widths = {place: self._natural[place] for place in part}
        texts = {place: self._least[place] for place in part if self._are_texts[place]}
        figures = {place: self._least[place] for place in part if not self._are_texts[place]}
        for floors in (texts, figures, dict.fromkeys(part, 1)):
            while sum(widths.values()) + GAP * (len(part) - 1) > width:
                able = [place for place, floor in floors.items() if widths[place] > floor]
                if not able:
                    break
                widths[max(able, key=widths.__getitem__)] -= 1
        return widths

    def head(self, widths: dict[int, int]) -> Iterator[str]:
        """Yield the lines of the head."""
        return self._lines({place: "\n".join(self._heads[place]) for place in widths}, widths)

    def row(self, row: Row, widths: dict[int, int]) -> Iterator[str]:
        """Yield the lines of a row."""
        return self._lines({place: row[place] for place in widths if place < len(row)}, widths)

    def _lines(self, cells: dict[int, str], widths: dict[int, int]) -> Iterator[str]:
        columns = [wrapped(cells.get(place, ""), width) for place, width in widths.items()]
        for line in zip_longest(*columns, fillvalue=""):
            placed = []
            for text, (place, width) in zip(line, widths.items(), strict=True):
                room = " " * (width - cell_len(text))
                placed.append(f"{text}{room}" if self._are_texts[place] else f"{room}{text}")
            yield (" " * GAP).join(placed)


def _narrowest(words: str, width: int) -> int:
    """Return *width*, or what it takes to keep all but the longest of words whole."""
    return max(min(max(map(cell_len, words.split()), default=0), LONGEST_WORD), width)


class Screen:
    """Standard output as text: as wide as the terminal, plain where it is none."""

    def __init__(self, console: Console | None = None) -> None:
        look: dict[str, Any] = {"markup": False, "highlight": False, "emoji": False}
        width = None if os.environ.get("COLUMNS", "0") != "0" or sys.stdout.isatty() else PLAIN_WIDTH
        self._console = console or Console(file=sys.stdout, width=width, **look)

    @property
    def width(self) -> int:
        """Characters of a line."""
        return max(self._console.width, NARROWEST)

    def text(self, words: str, style: str = "", depth: int = 0, *, whole_lines: bool = False) -> None:
        """Print words, indented by *depth*; those in *whole_lines* are not broken into several."""
        words = visible_lines(words)
        for line in words.split("\n") if whole_lines else wrapped(words, self.width - depth):
            self._console.print(Text(f"{' ' * depth}{line}".rstrip(), style=style), soft_wrap=True)

    def title(self, words: str, style: str = "bold") -> None:
        """Print words above what follows."""
        self.text(f"\n{words}", style)

    def advice(self, sentences: Iterable[Advice]) -> None:
        """Print sentences, and mark the warnings among them."""
        for advice in sentences:
            self.text(f"\n{'! ' if advice.warning else ''}{advice}", "yellow" if advice.warning else "")

    def table(
        self, columns: Row, rows: Iterable[Row], left: int = 1, styles: Sequence[str] = (), names: int = 1
    ) -> None:
        """Print a table: the first *left* columns are texts, like those without a name, the others figures.

        Where the screen is too narrow for it, the first *names* columns, by which rows are known, come again.
        Rows have their *styles*; a row of one cell is as wide as the screen.  There is no head where no
        column has a name.
        """
        columns, *listed = [list(map(visible_lines, row)) for row in (columns, *rows)]
        layout = Layout(columns, listed, left, names)
        for number, part in enumerate(layout.parts(self.width)):
            widths = layout.fitted(part, self.width)
            if number:
                self.text("")
            if any(columns):
                self.text("\n".join(layout.head(widths)), "bold", whole_lines=True)
            for row, style in zip_longest(listed, styles, fillvalue=""):
                if len(row) > 1:
                    self.text("\n".join(layout.row(row, widths)), str(style), whole_lines=True)
                elif not number:
                    self.text(row[0], str(style))


class Markdown(Screen):
    """The same as Markdown: paragraphs and tables, as they are pasted into a document or an issue."""

    @property
    def width(self) -> int:
        """No line is too long."""
        return sys.maxsize

    def text(self, words: str, style: str = "", depth: int = 0, *, whole_lines: bool = False) -> None:
        """Print a paragraph."""
        marked = escaped(words.strip())
        self._print(f"**{marked}**\n" if marked and "bold" in style else f"{marked}\n" if marked else "")

    def table(
        self, columns: Row, rows: Iterable[Row], left: int = 1, styles: Sequence[str] = (), names: int = 1
    ) -> None:
        """Print a table; what is indented on the screen begins with a long space."""
        sides = [":--" if place < left or not name else "--:" for place, name in enumerate(columns)]
        lines = [[escaped(name) for name in columns], sides]
        for row in rows:
            first, *others = (escaped(cell) for cell in row)
            cells = [re.sub("^ +", "&emsp;", first), *(cell.strip() for cell in others)]
            lines.append([*cells, *[""] * (len(columns) - len(cells))])
        self._print("\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n")

    def _print(self, text: str) -> None:
        if text:
            self._console.print(Text(text), soft_wrap=True)


@runtime_checkable
class Printable(Protocol):
    """What prints itself: `show` on a screen, its figures as `records` of plain data."""

    @property
    def records(self) -> Sequence[Mapping[str, Any]]:
        """A record of plain data for each row."""

    def show(self, screen: Screen) -> None:
        """Print it."""


class Sheet(NamedTuple):
    """Tables that no study made: the rows of each section by its title, the same as *records* of plain data.

    Where there is no row at all it says *nothing*.
    """

    columns: Row
    sections: Mapping[str, Sequence[Row]]
    records: Sequence[Mapping[str, Any]]
    nothing: str
    left: int = 1

    def show(self, screen: Screen) -> None:
        """Print the sections that have rows."""
        for title, rows in self.sections.items():
            if rows and title:
                screen.title(title)
            if rows:
                screen.table(self.columns, rows, self.left)
        if not any(self.sections.values()):
            screen.text(self.nothing)


def csv_text(records: Iterable[Mapping[str, Any]]) -> str:
    """Return *records* as comma-separated values under the names of all their keys, inner ones as `a.b`."""
    flat = [dict(_flat(record)) for record in records]
    names = list(dict.fromkeys(name for record in flat for name in record))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    return text.getvalue()


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the values in a nested mapping with their dotted names; a list is one value, as JSON has it."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple):
        yield name, json.dumps(value, ensure_ascii=False)
    else:
        yield name, value


def escaped(words: str) -> str:
    """Return *words* so that Markdown prints them as they are, and a terminal obeys none of them."""
    return MARKED.sub(r"\\\1", visible_lines(words))
