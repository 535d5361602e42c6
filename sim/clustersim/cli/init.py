"""`clustersim init`: a scenario to begin with."""

from __future__ import annotations

from pathlib import Path

import click

from clustersim.cli import console, options
from clustersim.cli.program import OK, Command

EXAMPLES = (
    "clustersim init",
    "clustersim init my-cluster",
    "clustersim init my-cluster -o scenarios/mine.yaml",
)


@click.command(cls=Command, examples=EXAMPLES)
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
