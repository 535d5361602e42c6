"""`clustersim list`: the scenarios that come with it."""

from __future__ import annotations

import click

from clustersim import library
from clustersim.cli import options
from clustersim.cli.program import OK, Command

EXAMPLES = (
    "clustersim list",
    "clustersim list chen",
    "clustersim list --json | jq -r '.scenarios[].name'",
)
KINDS = {
    library.SCENARIO: "{}: clustersim run NAME",
    library.CASE: "Published cases: clustersim validate NAME",
    library.BASE: "To inherit from, in a file of your own: base: [NAME]",
}


@click.command(cls=Command, examples=EXAMPLES)
@click.argument("word", required=False, default="")
@options.as_json
def list(word: str, as_json: bool) -> int:
    """List the shipped scenarios with a line each; with WORD those that have it in their name or title."""
    from clustersim.cli.screen import Sheet

    found = [each for each in library.listing() if word.lower() in f"{each.name} {each.title}".lower()]
    sections = {
        says: [(f"  {each.name}", each.title) for each in found if _heading(each) == says]
        for kind in KINDS
        for says in sorted({_heading(each) for each in found if each.kind == kind})
    }
    records = [each._asdict() for each in found]
    nothing = f'no shipped scenario has "{word}" in its name or title; clustersim list has them all'
    sheet = Sheet(("", ""), sections, records, nothing, left=2)
    options.present(sheet, {"scenarios": records} if as_json else None)
    return OK


def _heading(each: library.ShippedScenario) -> str:
    """Return the heading below which a file is listed: that of its kind, of a scenario also its group."""
    return KINDS[each.kind].format((each.group or "others").capitalize())
