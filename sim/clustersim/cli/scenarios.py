"""The commands about scenarios that simulate nothing: `check`, `init`, `list` and `schema`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from clustersim import library
from clustersim.cli import console, options
from clustersim.cli.program import OK, Command

CHECK_EXAMPLES = (
    "clustersim check my.yaml",
    "clustersim check my.yaml --verbose   # with defaults",
    "clustersim check my/*.yaml --quiet",
    "clustersim check llama3-16k --set cluster.spares=0 --json",
    "clustersim check - < my.yaml",
)


@click.command(cls=Command, examples=CHECK_EXAMPLES)
@options.scenarios
@options.changes
@options.as_json
@options.volume
def check(scenarios: tuple[str, ...], as_json: bool, **common: Any) -> int:
    """Validate scenarios and print what they mean, without simulating.

    Every value with its source, failures by mode and beside published rates, and the ETTR to first order;
    where that does not hold it is withheld, with the reason.
    """
    from clustersim.scenario.describe import describe
    from clustersim.scenario.drawing import made
    from clustersim.settings import Settings

    loaded = options.load_all(scenarios, options.settings(common))
    for scenario in loaded:
        made(scenario)
    descriptions = [describe(scenario, Settings().processes) for scenario in loaded]
    if as_json:
        console.print_json(*(description.to_dict() for description in descriptions))
    elif not console.manner.is_quiet or console.manner.form != console.TABLE:
        options.present(descriptions, None)
    return OK


INIT_EXAMPLES = (
    "clustersim init",
    "clustersim init my-cluster",
    "clustersim init my-cluster -o scenarios/mine.yaml",
)


@click.command(cls=Command, examples=INIT_EXAMPLES)
@click.argument("name", default="first")
@options.output("The file. [default: <name>.yaml]")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@options.volume
def init(name: str, output: Path | None, force: bool) -> int:
    """Write a commented scenario called NAME, ready to be changed and run.

    The JSON Schema is written beside it, where editors that know YAML find it: they complete keys, explain
    them, and mark what is wrong while it is typed.
    """
    from clustersim import folders
    from clustersim.scenario import loads, schema
    from clustersim.scenario.text.starter import SCHEMA, starter
    from clustersim.store import RunError

    if Path(name).suffix in (".yaml", ".yml"):
        bare = Path(name).stem
        remedy = f"{name} is a file; give its name, {bare}, or -o {name} beside it"
        raise click.BadParameter(remedy, param_hint="NAME")
    text = starter(name)
    loads(text, f"NAME {name}")
    path = output or Path(f"{name}.yaml")
    if path.exists() and not force:
        raise RunError(f"{path}: there already; give another NAME, or --force")
    beside, made = path.parent / SCHEMA, schema()
    if beside.exists() and folders.read_json(beside).get("title") != made["title"]:
        raise RunError(f"{beside}: there already, and not of clustersim; give another folder with -o")
    path.parent.mkdir(parents=True, exist_ok=True)
    folders.write_json(beside, made)
    folders.write_text(path, text)
    console.say(f"Wrote {path}, and {beside} for editors. Next: clustersim check {path}")
    return OK


LIST_EXAMPLES = (
    "clustersim list",
    "clustersim list chen",
    "clustersim list --json | jq -r '.scenarios[].name'",
)
KINDS = {
    library.SCENARIO: "{}: clustersim run NAME",
    library.CASE: "Published cases: clustersim validate NAME",
    library.BASE: "To inherit from, in a file of your own: base: [NAME]",
}


@click.command(cls=Command, examples=LIST_EXAMPLES)
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


SCHEMA_EXAMPLES = ("clustersim schema > scenario.schema.json",)


@click.command(cls=Command, examples=SCHEMA_EXAMPLES)
@options.volume
def schema() -> int:
    """Print the JSON Schema of scenario files, for editors that complete and check YAML."""
    from clustersim.scenario import schema as made

    console.print_json(made())
    return OK
