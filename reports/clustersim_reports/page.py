"""The one writer of pages: one HTML file, no network, everything from scenarios escaped.

Of what a notebook shows of them, too: words and tables alone.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from plotly.offline import get_plotlyjs

from clustersim.advice import Advice
from clustersim.version import VERSION
from clustersim_reports import inputs, theme
from clustersim_reports.blocks import (
    Block,
    Cell,
    Facts,
    Figure,
    Items,
    Page,
    Section,
    Source,
    Table,
    Text,
    every,
    tight,
)

FOLDER = Path(__file__).with_name("templates")
TEMPLATES = Environment(
    autoescape=True,
    loader=FileSystemLoader(FOLDER),
    lstrip_blocks=True,
    trim_blocks=True,
    undefined=StrictUndefined,
)
MOST_CELLS, LEAST_ROWS = 400, 24
"""Cells of a table that the page holds as they are, in so many rows at least; more rows are packed."""
OFF = dict.fromkeys(("displayModeBar", "displaylogo", "showSendToCloud", "showTips"), False)
PLOTLY_CONFIG = OFF | {"doubleClick": "reset", "plotlyServerURL": "", "responsive": True}
"""No button of plotly's and no link to its maker: a report asks nobody for anything."""


def render(page: Page) -> str:
    """Return *page* as HTML, the same for the same page.

    The nonce depends on all that is shown, so that no scenario can hold it.
    """
    sections = sections_of(page)
    data = pack(json.dumps(payload(sections), separators=(",", ":"), allow_nan=False))
    return TEMPLATES.get_template("page.html.j2").render(
        config=json.dumps(PLOTLY_CONFIG, sort_keys=True),
        nonce=hashlib.sha256(f"{page._replace(given=())}{sections}{data}".encode()).hexdigest()[:32],
        page=page,
        payload=data,
        plotly=plotly(),
        sections=sections,
        version=VERSION,
    )


def snippet(heading: str, blocks: Sequence[Block | None], answer: Sequence[Advice] = ()) -> str:
    """Return tables, figures in numbers and sentences as HTML for a notebook: no script, no drawing."""
    shown: list[Block] = [block for block in blocks if isinstance(block, Facts | Table | Text)]
    shown += [Items(_sentences(answer), "answer")] if answer else []
    return TEMPLATES.get_template("notebook.html.j2").render(blocks=shown, heading=heading)


def _sentences(advice: Sequence[Advice]) -> list[Cell]:
    return [Cell(each.text, look="warning" if each.warning else "") for each in advice]


def _most_rows(table: Table) -> int:
    """Return how many rows of a *table* the page holds as they are."""
    return max(LEAST_ROWS, MOST_CELLS // len(table.columns))


def save(page: Page, path: Path) -> None:
    """Write *page* to *path*, whole or not at all; raises OSError where it cannot."""
    unfinished = path.with_name(f".{path.name}.new")
    try:
        unfinished.write_text(render(page), encoding="utf-8")
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def sections_of(page: Page) -> list[Section]:
    """Return all sections of *page* in their order."""
    sentences = [Items(_sentences(page.answer), "answer")]
    answer, given = Section("answer", "The answer", sentences), inputs.section(page.given)
    sections = []
    for section in (answer, *page.sections, given, page.making):
        if blocks := [block for block in section.blocks if block is not None]:
            sections.append(section._replace(blocks=blocks, link=section.link or section.heading))
    return sections


def payload(sections: Sequence[Section]) -> dict[str, Any]:
    """Return what the page's script needs: figures and their data, hidden texts, partners of colours."""
    blocks = list(every(block for section in sections for block in section.blocks))
    return {
        "dark": theme.partners(),
        "paper": theme.PAPER.light,
        "figures": {
            block.name: block.drawing | {"table": block.data.table}
            for block in blocks
            if isinstance(block, Figure)
        },
        "texts": {block.anchor: block.text for block in blocks if isinstance(block, Source) and block.hidden},
    }


@cache
def plotly() -> str:
    """Return the library that draws the figures, packed once for all pages of a process."""
    return pack(get_plotlyjs())


def pack(text: str) -> str:
    """Return *text* compressed by gzip, in base64: what the script unpacks."""
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


TEMPLATES.filters |= {"kind": lambda block: type(block).__name__, "pack": pack, "tight": tight}
TEMPLATES.globals |= {"colours": theme.COLOURS, "most_rows": _most_rows, "styles": theme.STYLES}
