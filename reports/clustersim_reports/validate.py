"""The page of a validation, for a sceptic: what was published, what is simulated, and how the two compare."""

from __future__ import annotations

from pathlib import Path

from clustersim.formatting import whole
from clustersim.validation import Validation
from clustersim.version import VERSION
from clustersim_reports import inputs, page
from clustersim_reports.blocks import Fact, Facts, Page
from clustersim_reports.sections import agreement, checks, estimator

SECTIONS = (agreement.section, checks.section, estimator.section, checks.cases)
"""What the page shows between the answer and how it was made; a section that does not apply is left out."""


def write_validation(validation: Validation, path: Path, command: str | None = None) -> None:
    """Write the page of *validation*; raises OSError where it cannot."""
    page.save(page_of(validation, command), path)


def page_of(validation: Validation, command: str | None = None) -> Page:
    """Return the page of *validation*, the same for the same validation and command."""
    record = {name: value for name, value in validation.made.items() if name != "command"}
    seed = record.get("seed")
    items = {"seeds": f"{seed} for all" if seed is not None else "those of the scenarios"}
    facts = [
        Fact(kind.heading, f"{whole(passed)} of {whole(len(cases))}", kind.passed)
        for kind, cases, passed in checks.groups(validation)
    ]
    return Page(
        title=f"{headline(validation)} Validation",
        eyebrow=f"clustersim {VERSION} · simulated against theory and against published clusters",
        heading=headline(validation),
        about="",
        head=[Facts(facts, "facts")],
        answer=[*validation.advice, *estimator.sentence(validation.curves)],
        sections=[section(validation) for section in SECTIONS],
        given=(),
        making=inputs.making(["All cases"], [items | dict(inputs.provenance(record))], command),
    )


def headline(validation: Validation) -> str:
    """Return how many checks pass; those of plumbing count only where they fail."""
    evidence = [case for case in validation.cases if case.kind != "plumbing" or not case.passed]
    cases = evidence or validation.cases
    passed = sum(case.passed for case in cases)
    if passed < len(cases):
        return f"{whole(passed)} of {whole(len(cases))} checks pass."
    return f"All {whole(passed)} checks pass." if passed > 1 else "The check passes."
