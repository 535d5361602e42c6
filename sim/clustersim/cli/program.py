"""The program behind all commands: it loads them when called, and turns what goes wrong into exit codes."""

from __future__ import annotations

import difflib
import errno
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any

import click
from click.core import ParameterSource

from clustersim import library
from clustersim.cli import console, defaults
from clustersim.units import visible_lines

HELP = {"help_option_names": ["-h", "--help"]}
LONG = 1000
"""Characters: no first sentence of a help is as long."""
OK, FAILED, MISUSED, UNMET, INTERRUPTED = 0, 1, 2, 3, 130
DEFAULTS = (
    ("environment", "CLUSTERSIM_WORKERS=4 stands for --workers 4, CLUSTERSIM_FORMAT=csv for --format csv"),
    (defaults.FILE, "workers = 4, for all commands; below [tune] for one; -v says what was taken from where"),
    (defaults.PROJECT, "the same in [tool.clustersim]"),
)
COMPLETION = (
    ("bash, zsh", 'eval "$(_CLUSTERSIM_COMPLETE=bash_source clustersim)", or zsh_source'),
    ("fish", "_CLUSTERSIM_COMPLETE=fish_source clustersim | source"),
)
MISSING = {
    "SCENARIO": "Name a file, or a scenario that clustersim list shows",
    "RUN": "Name a folder that clustersim runs shows",
}
"""What to give in place of an argument that is missing."""
EXIT_CODES = (
    (OK, "all well"),
    (FAILED, "a file could not be read or written, or an internal error"),
    (MISUSED, "wrong usage, or an invalid scenario"),
    (UNMET, "an `expect` threshold, or a published claim, is not met"),
    (INTERRUPTED, "interrupted; finished replications are kept, and --resume goes on from them"),
)


class Command(click.Command):
    """A command whose help begins with examples and ends with the exit codes."""

    def __init__(
        self, *args: Any, examples: Sequence[str] = (), judges: bool = False, **settings: Any
    ) -> None:
        super().__init__(*args, **({"context_settings": HELP} | settings))
        self.examples = examples
        self.judges = judges

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Return the context in which it runs, with the defaults of the environment and of the project."""
        plain = extra.get("resilient_parsing") or {"-h", "--help"}.intersection(args)
        if plain or parent is None or not isinstance(parent.command, Program):
            return super().make_context(info_name, args, parent, **extra)
        commands = parent.command.loaded(parent)
        found = defaults.defaults_of(str(info_name), commands)
        parent.meta[defaults.META] = found
        extra["default_map"] = {name: default.value for name, default in found.items()}
        try:
            context = super().make_context(info_name, args, parent, **extra)
        except click.BadParameter as error:
            raise _with_remedy(error, found) from None
        for sentence in defaults.mistyped(commands):
            console.say(sentence)
        taken = defaults.in_effect(context)
        if taken and (console.manner.is_verbose or info_name == "check"):
            console.say(f"Defaults: {', '.join(map(str, taken))}")
        return context

    @property
    def codes(self) -> list[tuple[str, str]]:
        """The exit codes that it can end with, and what they mean.

        Only who *judges* what is simulated has one for what is not met, and only where there is --resume is
        anything kept.
        """
        keeps = isinstance(self, click.Group) or any(each.name == "resume" for each in self.params)
        meanings = dict(EXIT_CODES) | ({} if keeps else {INTERRUPTED: "interrupted"})
        judges = isinstance(self, click.Group) or self.judges
        return [(str(code), meaning) for code, meaning in meanings.items() if code != UNMET or judges]

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples as they are typed, then the usual, then what each exit code means."""
        with formatter.section("Examples"):
            for example in self.examples:
                formatter.write(f"  {example}\n")
        formatter.write("\n")
        super().format_help(ctx, formatter)
        with formatter.section("Exit codes"):
            formatter.write_dl(self.codes)


def _with_remedy(error: click.BadParameter, found: Mapping[str, defaults.Default]) -> click.UsageError:
    """Return the error for a missing argument or a bad value with what to do, and where a default stands."""
    if error.param is None or error.ctx is None:
        return error
    if isinstance(error, click.MissingParameter):
        what = str(error.param.metavar).rstrip(".")
        return click.UsageError(f"which {what}? {MISSING[what]}", error.ctx) if what in MISSING else error
    name = str(error.param.name)
    if error.ctx.get_parameter_source(name) is not ParameterSource.DEFAULT_MAP:
        return error
    key, value, source = found[name]
    remedy = f"change it there, or give --{key}"
    return click.UsageError(f"{source}: {key} = {value}: {error.message.rstrip('.')}; {remedy}", error.ctx)


class Program(Command, click.Group):
    """The commands by name, each in a module, its *home*, which is loaded when it is asked for."""

    def __init__(self, *args: Any, homes: Mapping[str, str], **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.homes = homes

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, in the order in which one needs them."""
        return list(self.homes)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command."""
        if cmd_name not in self.homes:
            return None
        home = import_module(f"{__package__}.{self.homes[cmd_name]}")
        command: click.Command = getattr(home, cmd_name)
        return command

    def loaded(self, ctx: click.Context) -> dict[str, click.Command]:
        """Return all commands by name."""
        found = {name: self.get_command(ctx, name) for name in self.homes}
        return {name: command for name, command in found.items() if command}

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is called; for a name that none has, say which may be meant."""
        name = args[0]
        if ctx.resilient_parsing or name in self.homes or name.startswith("-"):
            return super().resolve_command(ctx, args)
        near = difflib.get_close_matches(name, self.homes, n=1)
        meant = f"did you mean clustersim {near[0]}?" if near else "clustersim --help lists them"
        if library.path(name) or os.path.isfile(name):
            meant = f"did you mean clustersim run {name}?"
        raise click.UsageError(f'no command is called "{name}"; {meant}', ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, each with the whole first sentence of its help."""
        with formatter.section("Commands"):
            loaded = self.loaded(ctx).items()
            formatter.write_dl([(name, command.get_short_help_str(LONG)) for name, command in loaded])
        with formatter.section("Defaults of options"):
            formatter.write_dl(DEFAULTS)
        with formatter.section(
            "Completion of commands, options and scenarios, in the start-up file of a shell"
        ):
            formatter.write_dl(COMPLETION)

    def main(self, args: Sequence[str] | None = None, *_: Any, **settings: Any) -> Any:
        """Run a command line and exit with one of the codes of the help; never with a traceback."""
        console.manner.begin()
        arguments = list(sys.argv[1:] if args is None else args)
        settings |= {"prog_name": "clustersim", "standalone_mode": False, "obj": tuple(arguments)}
        sys.exit(guarded(lambda: super(Program, self).main(arguments, **settings)))


def guarded(command: Callable[[], Any]) -> int:
    """Return the exit code of *command*, with one sentence on standard error where it is not 0."""
    try:
        _refuse_lost_folder()
        code = command()
        with console.standard_output():
            pass
    except click.ClickException as error:
        vars(error)["message"] = visible_lines(error.message)
        with suppress(OSError):
            error.show()
        return MISUSED
    except (KeyboardInterrupt, click.Abort) as stop:
        console.complain(f"clustersim: {str(stop.__cause__ or stop) or 'interrupted'}")
        return INTERRUPTED
    except BrokenPipeError:
        _hush()
        return FAILED
    except Exception as error:
        return _explained(error)
    return code if isinstance(code, int) else OK


def _refuse_lost_folder() -> None:
    """Raise OSError with its path where the current directory has been deleted: nothing works there."""
    try:
        os.getcwd()
    except FileNotFoundError:
        where, why = os.environ.get("PWD", "."), "this directory is gone; change to another"
        raise OSError(errno.ENOENT, why, where) from None


def _hush() -> None:
    """Let nothing more be written to a standard output that nobody reads."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _explained(error: Exception) -> int:
    """Say in one sentence what went wrong, and return the exit code for it."""
    from clustersim.logs import LogError
    from clustersim.scenario import ScenarioError
    from clustersim.store import RunError

    if isinstance(error, ScenarioError | LogError):
        console.complain(str(error))
        return MISUSED
    if isinstance(error, RunError):
        console.complain(f"clustersim: {error}")
        return error.exit_code
    if console.manner.is_verbose or os.environ.get(console.TRACEBACK):
        console.complain(traceback.format_exc())
    console.complain(f"clustersim: {_sentence(error)}")
    return FAILED


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, MemoryError):
        return "out of memory; try fewer --workers, or --no-incidents"
    what = " ".join(f"{type(error).__name__}: {error}".split())[:200]
    return f"internal error ({what}); please report it, with what {console.TRACEBACK}=1 or -v shows"
