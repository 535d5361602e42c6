"""One HTML file from results: no network, no second file, everything from scenarios escaped."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from reports import answer, exhibits, inputs, making, tables, theme, waffle
from reports.exhibits import Exhibit, slug
from sim.digits import measured, plus_minus, whole

if TYPE_CHECKING:
    from jinja2 import Environment

    from sim.results import Comparison, Results

TEMPLATES = Path(__file__).with_name("templates")
MOST_DRAWN = 12
PLOTLY_CONFIG = {
    "displayModeBar": False,
    "displaylogo": False,
    "doubleClick": "reset",
    "plotlyServerURL": "",
    "responsive": True,
    "showSendToCloud": False,
    "showTips": False,
}


Maker = Callable[["Results"], Exhibit | None]


class Chapter(NamedTuple):
    """One scenario within a section: its anchor, its heading, and its figures."""

    anchor: str
    heading: str
    result: Results
    exhibits: tuple[Exhibit, ...]


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
    text = render(results, comparison, command)
    unfinished = path.with_name(f".{path.name}.new")
    try:
        unfinished.write_text(text, encoding="utf-8")
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def render(
    results: Sequence[Results], comparison: Comparison | None = None, command: str | None = None
) -> str:
    """Return the report as HTML text, the same for the same results, comparison and command."""
    if comparison is None and len(results) > 1:
        from sim.results import Comparison

        comparison = Comparison(results)
    anchors = unique([slug(result.scenario.name) for result in results])
    steps = comparison.steps if comparison else ()
    common = {"ledger": exhibits.ledger(results), "size": exhibits.size(results, steps)}
    chapters = {
        section: [
            chapter(section, anchor, one, makers)
            for anchor, one in list(zip(anchors, results, strict=True))[:MOST_DRAWN]
        ]
        for section, makers in MAKERS.items()
    }
    shown = [one for one in common.values() if one]
    shown += [one for group in chapters.values() for part in group for one in part.exhibits]
    words = {
        "answer": answer.sentences(results, comparison),
        "chapters": chapters,
        "command": command,
        "differences": inputs.differences(results),
        "headlines": [headline(one, anchor) for anchor, one in zip(anchors, results, strict=True)],
        "inputs": [inputs.inputs(one.scenario) for one in results],
        "ledger_rows": tables.ledger_rows(results),
        "left_out": max(len(results) - MOST_DRAWN, 0),
        "making": making.rows(results),
        "results": results,
        "side_by_side": tables.side_by_side(results, comparison),
        "steps": tables.step_rows(steps),
    }
    return _page(common | words, packed(json.dumps(payload(shown), separators=(",", ":"), allow_nan=False)))


def chapter(section: str, anchor: str, result: Results, makers: Sequence[Maker]) -> Chapter:
    """Return the figures of one scenario in a section; those that have nothing to show are left out."""
    made = [make(result) for make in makers]
    return Chapter(f"{section}-{anchor}", result.scenario.name, result, tuple(one for one in made if one))


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


def _page(context: Mapping[str, Any], data: str) -> str:
    """Return the filled template; the nonce depends on all that is shown, so that no scenario can hold it."""
    from plotly.offline import get_plotlyjs

    from sim.version import VERSION

    environment = _environment()
    shown = f"{context['command']}{[one.scenario.document for one in context['results']]}{data}"
    nonce = hashlib.sha256(shown.encode()).hexdigest()[:32]
    return environment.get_template("page.html.j2").render(
        **context,
        config=json.dumps(PLOTLY_CONFIG, sort_keys=True),
        nonce=nonce,
        payload=data,
        plotly=packed(get_plotlyjs()),
        styles=theme.STYLES,
        surfaces=theme.SURFACES,
        version=VERSION,
    )


def tight(text: str) -> str:
    """Return *text* with spaces that do not break around signs and before units."""
    text = re.sub(r" ?± ?", "\u00a0±\u00a0", text)
    return re.sub(r"(?<=\d) (?=(?:%|pp|ms|s|min|h|d|y|k|M|G|T|[A-Z]{3})(?![A-Za-z]))", "\u00a0", text)


def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    from sim.scenario import dump

    environment = Environment(
        autoescape=True,
        loader=FileSystemLoader(TEMPLATES),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    environment.globals["raw"] = lambda name: Markup((TEMPLATES / name).read_text("utf-8"))
    environment.filters["tight"] = tight
    environment.globals["yaml_of"] = dump
    environment.globals["cause_rows"] = tables.cause_rows
    return environment
