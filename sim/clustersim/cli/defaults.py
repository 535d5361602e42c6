"""Defaults of options that are not typed each time: from the environment, and from a file of the project.

`CLUSTERSIM_WORKERS=4` stands for `--workers 4` wherever a command has it; so does `workers = 4` in
`clustersim.toml`, or in the table `[tool.clustersim]` of `pyproject.toml`, of the current folder or the
nearest one above it.  A table of a command's name holds for that command alone.  The command line goes over
the environment, and that over the file.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import click

PREFIX = "CLUSTERSIM_"
FILE, PROJECT = "clustersim.toml", "pyproject.toml"
NO_DEFAULT = {"help", "output", "write", "force"}
"""Options of one call: where its result goes, and what may be written over."""
OTHERS = {"CLUSTERSIM_TRACEBACK", "CLUSTERSIM_PURE"}
"""Variables of the same prefix that are no options."""
META = "clustersim.defaults"
Commands = Mapping[str, click.Command]


class Default(NamedTuple):
    """The value of an option, by its name in the file, and where it was found."""

    key: str
    value: Any
    source: str

    def __str__(self) -> str:
        return f"{self.key} = {self.value} ({self.source})"


def options_of(command: click.Command) -> dict[str, str]:
    """Return the options of a command that may have a default: the parameter by the option's name."""
    return {
        key: str(each.name)
        for each in command.params
        if isinstance(each, click.Option) and not each.multiple
        for key in [max(each.opts, key=len).lstrip("-")]
        if key not in NO_DEFAULT
    }


def defaults_of(name: str, commands: Commands) -> dict[str, Default]:
    """Return the defaults of the command called *name*, by parameter; raises UsageError for a faulty file."""
    known, found = options_of(commands[name]), {}
    for key, default in (*_from_file(name, commands), *_from_environment(known)):
        if key in known:
            found[known[key]] = default
    return found


def _from_environment(known: Mapping[str, str]) -> Iterator[tuple[str, Default]]:
    for key in known:
        variable = PREFIX + key.upper().replace("-", "_")
        if value := os.environ.get(variable):
            yield key, Default(key, value, variable)


def _from_file(name: str, commands: Commands) -> Iterator[tuple[str, Default]]:
    """Yield what the nearest file says for all commands, then what it says for this one."""
    found = _nearest()
    if found is None:
        return
    file, table = found
    _refuse_unknown(file, table, commands)
    for part, where in ((table, file), (table.get(name, {}), f"{file}, [{name}]")):
        for key, value in part.items():
            if not isinstance(value, Mapping):
                option = key.replace("_", "-")
                yield option, Default(option, value, where)


def _nearest() -> tuple[str, Mapping[str, Any]] | None:
    """Return the nearest file with defaults in the current folder or above it, with its table."""
    try:
        here = Path.cwd()
    except OSError:  # The folder is gone: whoever needs it says so.
        return None
    for path in (parent / name for parent in (here, *here.parents) for name in (FILE, PROJECT)):
        if path.is_file():
            shown = str(path.relative_to(here) if path.parent == here else path)
            if (table := _table(path, shown)) is not None:
                return shown, table
    return None


def _table(path: Path, shown: str) -> Mapping[str, Any] | None:
    """Return the table in a file; None where a project's file has none."""
    import tomllib

    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise click.UsageError(f"{shown}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        if path.name == PROJECT:
            return None
        raise click.UsageError(f"{shown}: not TOML: {error}; write lines such as workers = 4") from None
    table = data if path.name == FILE else data.get("tool", {}).get("clustersim")
    return table if isinstance(table, Mapping) else None


def _refuse_unknown(file: str, table: Mapping[str, Any], commands: Commands) -> None:
    """Raise UsageError for a key that is neither a command's table nor an option that may have a default."""
    every = {key for command in commands.values() for key in options_of(command)}
    for key, value in table.items():
        if isinstance(value, Mapping):
            if key not in commands:
                raise click.UsageError(_unknown(f"{file}: [{key}]", key, commands, "is no command"))
            own = options_of(commands[key])
            for inner in value:
                if inner.replace("_", "-") not in own:
                    where = f"{file}, [{key}]: {inner}"
                    raise click.UsageError(
                        _unknown(where, inner, own, f"is no option of {key} with a default")
                    )
        elif key.replace("_", "-") not in every:
            raise click.UsageError(_unknown(f"{file}: {key}", key, every, "is no option with a default"))


def _unknown(where: str, name: str, known: Any, what: str) -> str:
    near = difflib.get_close_matches(name.replace("_", "-"), list(known), n=1)
    return f"{where} {what}; {f'did you mean {near[0]}?' if near else 'take it out'}"


def mistyped(commands: Commands) -> Iterator[str]:
    """Yield a sentence for each variable that is nearly one of an option's, and none."""
    strange = {name for name in os.environ if name.startswith(PREFIX)} - OTHERS
    if not strange:
        return
    keys = {key for command in commands.values() for key in options_of(command)}
    variables = [PREFIX + key.upper().replace("-", "_") for key in keys]
    for name in sorted(strange.difference(variables)):
        for near in difflib.get_close_matches(name, variables, n=1, cutoff=0.85):
            yield f"{name} stands for no option; did you mean {near}?"


def in_effect(context: click.Context) -> list[Default]:
    """Return the defaults that the command under way has taken."""
    defaults: Mapping[str, Default] = context.meta.get(META, {})
    taken = click.core.ParameterSource.DEFAULT_MAP
    return [each for name, each in defaults.items() if context.get_parameter_source(name) is taken]
