"""The sheet that every report is printed on: one HTML file, no network, everything from scenarios escaped."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from clustersim_reports import inputs, tables, theme
from clustersim_reports.exhibits import Exhibit, slug

if TYPE_CHECKING:
    from jinja2 import Environment

    from clustersim.advice import Advice
    from clustersim.scenario import Scenario

TEMPLATES = Path(__file__).with_name("templates")
SHOWN_LETTERS, SHOWN_LINES = 15_000, 300
"""So much of a resolved scenario the page shows; a log of recorded failures in it may be far longer."""
PLOTLY_CONFIG = {
    "displayModeBar": False,
    "displaylogo": False,
    "doubleClick": "reset",
    "plotlyServerURL": "",
    "responsive": True,
    "showSendToCloud": False,
    "showTips": False,
}


class Sheet(NamedTuple):
    """What every report holds: its scenarios, its sentences, how it was made, and the figures that it shows.

    `template` names the file that says which sections stand between the answer and what went in; where the
    scenarios are `folded`, the page holds them for its buttons only, and all were made in one go.
    """

    template: str
    given: Sequence[Scenario]
    answer: Sequence[Advice]
    making: Sequence[tables.Row]
    shown: Sequence[Exhibit]
    command: str | None = None
    folded: bool = False

    @property
    def columns(self) -> list[str]:
        """What heads the columns of how it was made: one for each scenario, none where they are folded."""
        return [] if self.folded else [scenario.name for scenario in self.given]

    @property
    def anchors(self) -> list[str]:
        """What names each scenario in the anchors of the page."""
        return unique([slug(scenario.name) for scenario in self.given])


def filled(sheet: Sheet, words: Mapping[str, Any]) -> str:
    """Return *sheet* as HTML, its sections filled with *words*.

    The nonce depends on all that is shown, so that no scenario can hold it.
    """
    from clustersim.version import VERSION

    content = payload(sheet.shown) | {"texts": dict(_long_texts(sheet))}
    data = packed(json.dumps(content, separators=(",", ":"), allow_nan=False))
    shown = f"{sheet.command}{[scenario.document for scenario in sheet.given]}{data}"
    return (
        _environment()
        .get_template(sheet.template)
        .render(
            **words,
            anchors=sheet.anchors,
            answer=sheet.answer,
            columns=sheet.columns,
            command=sheet.command,
            config=json.dumps(PLOTLY_CONFIG, sort_keys=True),
            given=sheet.given,
            making=sheet.making,
            nonce=hashlib.sha256(shown.encode()).hexdigest()[:32],
            payload=data,
            plotly=plotly(),
            styles=theme.STYLES,
            surfaces=theme.SURFACES,
            version=VERSION,
        )
    )


def save(text: str, path: Path) -> None:
    """Write *text* to *path*, whole or not at all; raises OSError where it cannot."""
    unfinished = path.with_name(f".{path.name}.new")
    try:
        unfinished.write_text(text, encoding="utf-8")
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def payload(shown: Sequence[Exhibit]) -> dict[str, Any]:
    """Return what the page's script needs: every figure, its table, and the dark partners of colours."""
    return {
        "dark": theme.partners(),
        "paper": theme.PAPER.light,
        "figures": {
            one.name: {"data": one.figure["data"], "layout": one.figure["layout"], "table": one.table}
            for one in shown
        },
    }


def _long_texts(sheet: Sheet) -> Iterator[tuple[str, str]]:
    """Yield the scenarios that are not shown as a whole, by their place on the page."""
    from clustersim.scenario import dump

    for anchor, scenario in zip(sheet.anchors, sheet.given, strict=True):
        text = dump(scenario)
        if sheet.folded or _beginning(text) != text:
            yield f"yaml-{anchor}", text


def begin_of(scenario: Scenario) -> tuple[str, int]:
    """Return the first part of a resolved scenario, and how many letters of it are left out."""
    from clustersim.scenario import dump

    text = dump(scenario)
    shown = _beginning(text)
    return shown, len(text) - len(shown)


def _beginning(text: str) -> str:
    return "".join(text.splitlines(keepends=True)[:SHOWN_LINES])[:SHOWN_LETTERS]


@cache
def plotly() -> str:
    """Return the library that draws the figures, packed once for all pages of a process."""
    from plotly.offline import get_plotlyjs

    return packed(get_plotlyjs())


def packed(text: str) -> str:
    """Return *text* compressed by gzip, in base64: what the script unpacks."""
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


def unique(names: Sequence[str]) -> list[str]:
    """Return *names* with a number appended to those that occurred before."""
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return found


def tight(text: str) -> str:
    """Return *text* with spaces that do not break around signs and before units."""
    text = re.sub(r" ?± ?", "\u00a0±\u00a0", text)
    return re.sub(r"(?<=\d) (?=(?:%|pp|ms|s|min|h|d|y|k|M|G|T|[A-Z]{3})(?![A-Za-z]))", "\u00a0", text)


def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        autoescape=True,
        loader=FileSystemLoader(TEMPLATES),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["tight"] = tight
    environment.globals |= {
        "cause_rows": tables.cause_rows,
        "inputs_of": inputs.inputs,
        "measure_tiles": tables.tiles,
        "raw": lambda name: Markup((TEMPLATES / name).read_text("utf-8")),
        "yaml_of": begin_of,
    }
    return environment
