"""Every kind of page with its figures: the contract tests go through them, so a new one needs no test."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Callable
from functools import cache
from html.parser import HTMLParser
from typing import Any

from clustersim.results import Results
from clustersim_reports import pages as written
from clustersim_reports.blocks import Block, Figure, Page, every
from clustersim_reports.page import render, sections_of
from tests.reports import findings, validations
from tests.reports.cases import CHANGES, HOSTILE, run
from tests.reports.fleets import everything

VOID = {"meta", "link", "br", "hr", "img", "input", "wbr"}
WHEN = "2026-01-02T03:04:05+00:00"


def of(*results: Results) -> Page:
    return written.runs_page(results, command=f"clustersim run {HOSTILE}")


PAGES: dict[str, Callable[[], Page]] = {
    "plain": lambda: of(run("plain")),
    "calm": lambda: of(run("calm")),
    "stuck": lambda: of(run("stuck")),
    "hostile": lambda: of(run("hostile")),
    "one replication": lambda: of(run("plain", 1)),
    "everything": lambda: of(everything()),
    "everything once": lambda: of(everything(1)),
    "compared": lambda: of(run("plain"), run("large"), run("stuck")),
    "all compared": lambda: of(*map(run, CHANGES), everything()),
    "many causes": lambda: of(run("many")),
    "expecting": lambda: of(run("expecting", 8)),
    "priced": lambda: of(run("target"), run("large")),
    "tune": lambda: written.study_page(findings.with_sweeps(), HOSTILE, WHEN),
    "tune stuck": lambda: written.study_page(findings.stuck()),
    "tune calm": lambda: written.study_page(findings.calm()),
    "tune once": lambda: written.study_page(findings.once()),
    "tune hostile": lambda: written.study_page(findings.hostile_tuning(), HOSTILE),
    "levers": lambda: written.study_page(findings.levers(), HOSTILE, WHEN),
    "levers none": lambda: written.study_page(findings.levers([])),
    "levers hostile": lambda: written.study_page(findings.hostile_levers(), HOSTILE),
    "sweep": lambda: written.study_page(findings.swept({"cluster.spares": "0,1,2,4"}), HOSTILE, WHEN),
    "sweep by ratios": lambda: written.study_page(findings.swept({"cluster.spares": "1,2,4"})),
    "sweep grid": lambda: written.study_page(findings.swept(findings.GRID, "cost.total")),
    "sweep sizes": lambda: written.study_page(findings.swept(findings.SIZES)),
    "sweep retuned": lambda: written.study_page(findings.swept(findings.SIZES, retune=True)),
    "sweep once": lambda: written.study_page(findings.swept({"cluster.spares": "0,2"}, replications=1)),
    "solve": lambda: written.study_page(findings.solved("ettr >= 0.8"), HOSTILE, WHEN),
    "solve out of reach": lambda: written.study_page(findings.solved("ettr >= 0.99")),
    "solve hostile": lambda: written.study_page(findings.solved("ettr >= 0.8", title=HOSTILE, about=HOSTILE)),
    "sweep hostile": lambda: written.study_page(findings.hostile_sweep(), HOSTILE),
    "sensitivity": lambda: written.study_page(findings.unknowns(title=HOSTILE), HOSTILE, WHEN),
    "sensitivity stated": lambda: written.study_page(
        findings.unknowns(uncertain={"recovery.stages.restart": "1 to 9 min"})
    ),
    "sensitivity of a price": lambda: written.study_page(findings.unknowns("cost.per_effective_gpu_hour")),
    "fit": lambda: written.study_page(findings.fitted(causes=3), HOSTILE, WHEN),
    "fit of a job": lambda: written.study_page(findings.fitted(of_nodes=False)),
    "fit hostile": lambda: written.study_page(findings.fitted(HOSTILE), HOSTILE),
    "validation": lambda: written.validation_page(
        validations.validation(validations.FAILED, validations.UNDECIDED), HOSTILE
    ),
    "validation of few": lambda: written.validation_page(validations.few()),
    "validation hostile": lambda: written.validation_page(validations.hostile(), HOSTILE),
}
"""Pages of every kind, with what is usual, missing, extreme and hostile in each."""


@cache
def page(name: str) -> Page:
    return PAGES[name]()


@cache
def html(name: str) -> str:
    return render(page(name))


@cache
def blocks(name: str) -> list[Block]:
    return list(every(block for section in sections_of(page(name)) for block in section.blocks))


@cache
def figures(name: str) -> dict[str, Figure]:
    """Return the figures of a page by their names."""
    found = [block for block in blocks(name) if isinstance(block, Figure)]
    assert len({figure.name for figure in found}) == len(found)
    return {figure.name: figure for figure in found}


class Reader(HTMLParser):
    """Reads a page strictly: every element is closed by its own tag."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.faults: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def words(self) -> str:
        """All that the page shows, with single spaces."""
        shown = " ".join(text for tag, text in self.texts if tag not in {"script", "style"})
        return " ".join(shown.split())


@cache
def read(name: str) -> Reader:
    return Reader(html(name))


def unpacked(text: str, name: str = "payload") -> Any:
    """Return what the page's script unpacks."""
    found = re.search(rf'<script type="text/plain" id="{name}">([^<]*)</script>', text)
    assert found
    return json.loads(gzip.decompress(base64.b64decode(found[1])))
