"""Write the reference pages from the code: scenario keys, tables, commands, Python; and the JSON Schema."""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

import click
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "docs" / "reference"
NOTE = "<!-- Written by `make docs` from the code: change the code, not this page. -->\n"
HELP_WIDTH = 100
METRIC_COLUMNS = ("key", "label", "unit", "meaning", "`expect`", "`figure` of a claim")
SCENARIO_HEAD = f"""{NOTE}
# Scenario keys

The [tutorial](../tutorial.md) shows them at work. `<name>` is a name of your own: letters of any script,
digits, spaces, `_` and `-`. A key that is not in these tables is refused.

`base: [other.yaml, chen-base]` inherits from files or shipped scenarios, in this order; what the file itself
says comes last, and `null` deletes an inherited key. Stages, tiers and tables are replaced as a whole.
Where a table below describes a time (detect, repair, a stage), a plain duration may stand in its place.
"""
LOGS_HEAD = """## Columns of a log

The files that `failures.<name>.replay` names: [recorded incidents](../guides/recorded-incidents.md), and
[which files are read](../guides/your-logs.md). Only a time is needed. In place of the file the rows may stand
in the scenario: `[{time: 3 h, node: 1, repair: 20 h}, ...]`.
"""
SUMMARY_HEAD = f"""{NOTE}
# summary.json

The figures of a run, as the run folder holds them and `run --json` prints them. That adds `wall_s`, the
seconds that simulating took; `expect`, a list with the `path` of each threshold, what is `wanted`, the
`verdict` (met, not met or undecided) and whether the point estimate `holds`; and `changes`: `worth_most`,
the changes that are worth most over the run ([their keys](tuning.md)), and `how` they were found. The same
scenario, seed and version give the same file, byte for byte. What is infinite or unknown is null, and
`reasons` says why, by the path of the figure; `margins` holds the half-widths of the 95 % intervals, by
path too. Shares are of all card-time unless something else is said. What needs a part that the scenario
lacks is left out. Tables call a metric by its label.

Metrics that `expect` may name are marked: `expect: {{ettr.p10: ">= 0.85"}}`; a mean goes without the word, so
that `ettr` is `ettr.mean`. The last column holds what `figure` of `published.claims.<name>` may be, in
[your own case](../guides/your-own-case.md): a word, or `{{word: name}}`. There shares are given as 0.9, 90 %
or 5 pp, seconds as durations, all else as plain numbers.
"""
CLAIMS_HEAD = """## For claims only

These stand in no summary; a claim may be about them.
"""
COMPARISON_HEAD = """## comparison.json

What `compare --json` prints, and the common folder of a comparison holds.
"""
COMPARISON_KEYS = (
    ("`scenarios`", "the summaries, as above"),
    ("`baseline`", "the scenario to which the others are compared"),
    (
        "`changed`",
        "what differs in each other one: `name`, `baseline`, and `values` with their `path`, `from` and `to`,"
        " as they are written; null where there is none",
    ),
    (
        "`best`",
        "by time and cost to the target, where all have the same one, or else by effective cards and their"
        " price: `metric`, `name`, those not distinguishable from it (`alike`), and the paired `difference`"
        " to the `other` one, the baseline or the next best. A run that does not always reach its target"
        " has neither time nor cost",
    ),
    (
        "`differences`",
        "for each other one: `name`, `baseline`, `ettr_difference` and `effective_gpus_difference` (paired,"
        " each `mean`, `low`, `high`), and whether the difference is `distinguishable` from chance. Where"
        " inputs are uncertain the interval is over draws and chance, and each difference has `chance`"
        " (`low`, `high`) and `inputs` (`p5`, `p50`, `p95`) apart: both scenarios have the same quantile of"
        " an input in each draw. Without them where they draw unlike many replications of each",
    ),
    (
        "`steps`",
        "from each size to the next larger one: `smaller`, `larger`, `extra_gpus`, `extra_effective_gpus` and"
        " `marginal_return`, extra effective cards per extra card",
    ),
    ("`advice`", "sentences: which is best, what differs in ETTR, and what `run` would warn of"),
)
TABLES_HEAD = f"""{NOTE}
# Tables

The Parquet files of a run folder, and the frames of `Results` in Python. Times of an incident are those of
the whole job. What `summary.json` holds is on [a page of its own](summary.md).
"""
PYTHON_HEAD = f"""{NOTE}
# Python

The names of `import clustersim`. The guide [from Python](../guides/python.md) shows them at work.
"""


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def with_parts(page: Path, parts: Mapping[str, str]) -> str:
    """Return a page with each of its marked parts made anew, the rest of it as it is."""
    text = page.read_text("utf-8")
    for name, made in parts.items():
        begin, end = f"<!-- {name}: written by make docs -->\n", f"<!-- end of {name} -->"
        before, _, rest = text.partition(begin)
        text = f"{before}{begin}\n{made}\n{end}{rest.partition(end)[2]}"
    return text


def blocks_in(annotation: Any) -> Iterator[tuple[type, bool]]:
    """Yield the blocks of the scenario language in a type, each with whether it stands behind a free name."""
    from clustersim.scenario.keys.blocks import Block

    inside, marks = get_args(annotation), getattr(annotation, "__metadata__", ())
    block = next((mark.block for mark in marks if getattr(mark, "block", None)), annotation)
    if isinstance(block, type) and issubclass(block, Block):
        yield block, False
        return
    named = "Mapping" in str(annotation).split("[")[0]
    for inner in inside:
        yield from ((block, named or behind) for block, behind in blocks_in(inner))


def every_block() -> dict[type, list[str]]:
    """Return each block with all paths at which it may stand, from the scenario downwards."""
    from clustersim.scenario.keys.scenario import ScenarioBlock

    found: dict[type, list[str]] = {ScenarioBlock: [""]}
    waiting: list[type] = [ScenarioBlock]
    while waiting:
        block = waiting.pop(0)
        for name, field in block.model_fields.items():  # type: ignore[attr-defined]
            for inner, named in blocks_in(Annotated[field.annotation, None, *field.metadata]):
                path = ".".join(part for part in (found[block][0], name, "<name>" * named) if part)
                if inner not in found:
                    waiting.append(inner)
                found.setdefault(inner, []).append(path)
    return found


def default_of(field: FieldInfo) -> str:
    """Return what holds where the key is left out, as one would write it."""
    from clustersim import units

    if field.is_required():
        return "**required**"
    value = field.default
    if value is PydanticUndefined or value is None or value == () or isinstance(value, dict):
        return ""
    if not isinstance(value, bool | int | float | str):
        return f"`{getattr(value, 'kind', '')}`" if getattr(value, "kind", "") else ""
    patterns = [getattr(mark, "schema", {}).get("pattern") for mark in field.metadata]
    if isinstance(value, float) and units.DURATION.pattern in patterns:
        return f"`{units.format_duration(value)}`"
    if isinstance(value, float) and units.SHARE.pattern in patterns:
        return f"`{units.format_share(value)}`"
    return f"`{json.dumps(value)}`".replace('"', "")


def section(block: Any, paths: Sequence[str]) -> str:
    """Return the part of the page about one block."""
    heading = ", ".join(f"`{path}`" for path in dict.fromkeys(paths)) if paths[0] else "The file"
    rows = [
        [f"`{name}`", field.description or "", default_of(field)]
        for name, field in block.model_fields.items()
    ]
    return f"## {heading}\n\n{inspect.getdoc(block)}\n\n{table(('key', 'meaning', 'default'), rows)}\n"


def scenario_page() -> str:
    """Return the page about the keys of a scenario file."""
    from clustersim import units

    kinds = [[kind.name, kind.allowed, f"`{kind.example}`"] for kind in units.QUANTITIES]
    parts = [
        SCENARIO_HEAD,
        f"## Quantities\n\nA number and a unit.\n\n{table(('kind', 'written as', 'example'), kinds)}\n",
        *(section(block, paths) for block, paths in every_block().items()),
        logs_section(),
    ]
    return "\n".join(parts)


def logs_section() -> str:
    """Return the section about the columns of the file that `replay` names."""
    from clustersim.logs.columns import COLUMNS

    rows = [[f"`{name}`", meaning] for name, meaning in COLUMNS.items()]
    return f"{LOGS_HEAD}\n{table(('column', 'meaning'), rows)}\n"


def summary_page() -> str:
    """Return the page about the metrics: the keys of a summary, and what `expect` and claims may name."""
    from clustersim.metrics.catalogue import METRICS, SECTIONS

    parts = [SUMMARY_HEAD]
    for heading, entries in SECTIONS:
        rows = [metric_row(one) for one in entries if getattr(one, "in_summary", True)]
        parts.append(f"## {heading}\n\n{table(METRIC_COLUMNS, rows)}\n")
    rows = [metric_row(metric) for metric in METRICS if not metric.in_summary]
    parts.append(f"{CLAIMS_HEAD}\n{table(METRIC_COLUMNS, rows)}\n")
    parts.append(f"{COMPARISON_HEAD}\n{table(('key', 'meaning'), COMPARISON_KEYS)}\n")
    return "\n".join(parts)


def metric_row(entry: Any) -> list[str]:
    """Return what the page says of an entry of the catalogue."""
    from clustersim.metrics.metric import Note
    from clustersim.metrics.replications import FLEET

    needs = ", ".join(need for need in entry.needs if need != FLEET)
    meaning = f"{entry.meaning} (needs {needs})" if needs else entry.meaning
    if isinstance(entry, Note):
        return [f"`{entry.path}`", "", "", meaning, "", ""]
    named = [f"{{{name}: <{entry.of}>}}" if entry.by_name else name for name in entry.names]
    return [
        f"`{entry.path}`",
        entry.label,
        entry.unit,
        meaning,
        "yes" if entry.in_summary else "",
        ", ".join(f"`{name}`" for name in named) if entry.claimable else "",
    ]


def tables_page() -> str:
    """Return the page about the columns of the tables in a run folder."""
    from clustersim import records

    parts = [TABLES_HEAD]
    for name in ("replications", "incidents", "timeline", "strip"):
        columns = getattr(records, f"{name.removesuffix('s').upper()}_COLUMNS")
        rows = [[f"`{column.name}`", column.unit, column.meaning] for column in columns]
        parts.append(f"## `{name}.parquet`\n\n{table(('column', 'unit', 'meaning'), rows)}\n")
    return "\n".join(parts)


def commands_page() -> str:
    """Return the page about the commands, their options and exit codes: their help texts."""
    from clustersim.cli import main

    wide = {"terminal_width": HELP_WIDTH, "max_content_width": HELP_WIDTH}
    top = click.Context(main, info_name="clustersim", **(main.context_settings | wide))
    parts = [f"{NOTE}\n# Commands\n", help_text(main, top)]
    for name in main.list_commands(top):
        command = main.get_command(top, name)
        assert command is not None
        context = click.Context(command, top, name, **(command.context_settings | wide))
        parts.append(f"## clustersim {name}\n\n{help_text(command, context)}")
    return "\n".join(parts)


def help_text(command: click.Command, context: click.Context) -> str:
    """Return the help of a command as it prints on a terminal of a fixed width."""
    return f"```text\n{command.get_help(context)}\n```\n"


def python_page() -> str:
    """Return the page about the names that `import clustersim` offers."""
    import clustersim

    parts = [PYTHON_HEAD]
    parts += [entry(name, getattr(clustersim, name)) for name in clustersim.__all__]
    return "\n".join(parts)


def entry(name: str, thing: Any) -> str:
    """Return what there is to say about a function, class or value."""
    if inspect.isclass(thing):
        # What a dataclass of ours inherits from another is its own; what pydantic's blocks have is not.
        homes = [home for home in thing.__mro__ if home is thing or is_dataclass(home)]
        inherited = {key for base in thing.__bases__ if base not in homes for key in dir(base)}
        own = {key: value for home in reversed(homes) for key, value in vars(home).items()}
        members = [
            member(key, value)
            for key, value in own.items()
            if key not in inherited and not key.startswith("_")
        ]
        rows = [*field_rows(thing), *(row for row in members if row)]
        listed = f"\n{table(('member', 'meaning'), rows)}\n" if rows else ""
        return f"## {name}\n\n{inspect.getdoc(thing)}\n{listed}"
    if callable(thing):
        return f"## {name}\n\n```text\n{name}{signature(thing)}\n```\n\n{inspect.getdoc(thing)}\n"
    return f"## {name}\n\n`{thing!r}`\n"


def field_rows(thing: Any) -> Iterator[list[str]]:
    """Yield a row for each field of a dataclass whose type says what it is about."""
    hints = get_type_hints(thing, include_extras=True) if is_dataclass(thing) else {}
    for each in fields(thing) if hints else ():
        if about := getattr(hints[each.name], "__metadata__", ()):
            kind = inspect.formatannotation(get_args(hints[each.name])[0])
            yield [f"`{each.name}: {re.sub(r'[a-z_]+[.]', '', kind)}`", about[0]]


def member(name: str, value: Any) -> list[str]:
    """Return the row of a documented property or method; nothing for others."""
    function = (
        getattr(value, "fget", None) or getattr(value, "func", None) or getattr(value, "__func__", value)
    )
    if not inspect.isfunction(function) or not function.__doc__:
        return []
    call = "" if function is not value and not hasattr(value, "__func__") else signature(function)
    return [f"`{name}{call}`", inspect.cleandoc(function.__doc__).splitlines()[0]]


def signature(function: Any) -> str:
    """Return the arguments of a function as in its source, without self."""
    found = inspect.signature(function)
    kept = [argument for name, argument in found.parameters.items() if name not in ("self", "cls")]
    return str(found.replace(parameters=kept)).replace("'", "")


def schema_text() -> str:
    """Return the JSON Schema that editors read."""
    from clustersim.scenario import schema

    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def pages() -> dict[Path, str]:
    """Return every file that this program writes, with its text."""
    return {
        REFERENCE / "scenario.md": scenario_page(),
        REFERENCE / "summary.md": summary_page(),
        REFERENCE / "tables.md": tables_page(),
        REFERENCE / "commands.md": commands_page(),
        REFERENCE / "python.md": python_page(),
        ROOT / "scenarios" / "scenario.schema.json": schema_text(),
    }


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, "utf-8")
        print(path.relative_to(ROOT), file=sys.stderr)
