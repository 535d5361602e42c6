"""Write the tables of the page about trust: every claim with what `make validation` last simulated for it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from generate import ROOT, table, with_parts

from clustersim.estimate import ConfidenceInterval
from clustersim.units import format_duration
from clustersim.validation.outcomes import (
    KINDS,
    ClaimResult,
    Trial,
    accepted_text,
    compatible,
    interval_text,
    simulated_text,
    verdict_text,
)

STORED = ROOT / "docs" / "validation.json"
PAGE = ROOT / "docs" / "background" / "trust.md"
HEADER = ("claim", "published", "accepted", "simulated", "verdict")
ESTIMATOR = ("cluster", "cards", "a failure every", "a save every", "estimator", "exact", "simulated")


def stored() -> dict[str, Any]:
    """Return what `make validation` wrote."""
    found: dict[str, Any] = json.loads(STORED.read_text("utf-8"))
    return found


def outcome(row: dict[str, Any]) -> ClaimResult:
    """Return a stored row as the outcome that it was."""
    published, figure = row["published"], row["figure"]
    word, of = (figure, None) if isinstance(figure, str) else next(iter(figure.items()))
    tried = [
        Trial(one["value"], ConfidenceInterval(**one["simulated"]), one["verdict"]) for one in row["tried"]
    ]
    same = {name: row[name] for name in ("name", "title", "kind", "source", "verdict")}
    same |= {name: row[name] for name in ("reads", "change", "minus", "unknown", "fitted", "replications")}
    scenario, _, claim = row["name"].partition("/")
    return ClaimResult(
        **same,
        **published,
        scenario=scenario,
        claim=claim,
        figure=word,
        of=of,
        meaning="",
        simulated=ConfidenceInterval(**row["simulated"]),
        assumes=tuple(row["assumes"]),
        tried=tuple(tried),
    )


def page() -> str:
    """Return the page with its tables made anew, the rest of it as it is."""
    found = stored()
    cases = [outcome(row) for row in found["cases"]]
    tables = {"claims": claims(cases), "sources": sources(cases), "estimator": estimator(found["estimator"])}
    return with_parts(PAGE, tables)


def claims(cases: Sequence[ClaimResult]) -> str:
    """Return a table of the claims of each kind: published, accepted, simulated, and the verdict."""
    parts = []
    for kind in KINDS:
        found = [case for case in cases if case.counted_as == kind]
        passed = sum(case.passed for case in found)
        told = f"**{kind.capitalize()}**: {passed} of {len(found)} as they should be."
        header = [*HEADER[:2], "must not be" if kind == "control" else HEADER[2], *HEADER[3:]]
        parts.append(f"{told}\n\n{table(header, [claim(case) for case in found])}\n")
    return "\n".join(parts)


def claim(case: ClaimResult) -> list[str]:
    """Return the row of one claim; of a missing input, which values of it agree."""
    verdict = verdict_text(case)
    if case.tried:
        verdict = compatible(case).partition(": ")[2].rstrip(".")
    return [f"`{case.name}`", case.says, accepted_text(case), simulated_text(case), verdict]


def sources(cases: Sequence[ClaimResult]) -> str:
    """Return a table of where each case was published, and what is assumed."""
    found = {case.scenario: case for case in cases}
    rows = [[f"`{name}`", case.source, "; ".join(case.assumes)] for name, case in found.items()]
    return f"{table(('case', 'published in', 'assumed'), rows)}\n"


def estimator(rows: Sequence[dict[str, Any]]) -> str:
    """Return a table of the first-order estimator, the exact formula and the simulation by size."""
    return f"{table(ESTIMATOR, [estimator_row(row) for row in rows])}\n"


def estimator_row(row: dict[str, Any]) -> list[str]:
    """Return the row of one cluster at one size."""
    times = [format_duration(row[name], 2) for name in ("mtbf_s", "interval_s")]
    formulas = [f"{row[name]:.3f}".replace("-", "\u2212") for name in ("estimator", "exact")]
    simulated = interval_text(ConfidenceInterval(**row["simulated"]), "share")
    return [row["cluster"], f"{row['gpus']:,}", *times, *formulas, simulated]


def written() -> Path:
    """Write the page anew and return its path."""
    PAGE.write_text(page(), "utf-8")
    return PAGE


if __name__ == "__main__":
    print(written().relative_to(ROOT), file=sys.stderr)
