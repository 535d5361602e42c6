"""What `make mutants` found: numbers by module, and each survivor that nothing explains.

A mutant is one small change to the code; it is killed where a test or the type checker notices.  Survivors
that change nothing worth noticing are explained in docs/background/mutants.md, known there by their function
and by the line that they change.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "background" / "mutants.md"
TESTS, TYPES = ("killed", "timeout"), "caught by type check"
MUTMUT, SOURCE = "mutmut", "sim"
KILLED = (*TESTS, TYPES)
ROW = re.compile(
    r"^\| `(?P<function>[\w.]+)` \| `(?P<was>[^`]*)` \| `(?P<becomes>[^`]*)` \| .+ \|$", re.MULTILINE
)


class Change(NamedTuple):
    """What a mutant changes: a function, known and the text before and after.

    The function is known from `clustersim.engine` on, or from `clustersim` where it is none of the engine's.
    """

    function: str
    was: str
    becomes: str

    def split(self) -> tuple[str, str]:
        """Return the module, and the function or method in it."""
        parts = self.function.split(".")
        names = 2 if parts[-2][0].isupper() else 1
        return ".".join(parts[:-names]), ".".join(parts[-names:])


def explained(page: str) -> list[Change]:
    """Return the survivors that the table of the *page* explains."""
    return [Change(*found.group("function", "was", "becomes")) for found in ROW.finditer(page)]


def module_of(mutant: str) -> str:
    """Return the module of a *mutant*, from `clustersim.engine` or `clustersim` on."""
    return mutant.rpartition(".")[0].removeprefix("clustersim.").removeprefix("engine.")


def function_of(mutant: str) -> str:
    """Return the function that a *mutant* changes, named as in `Change`."""
    mangled = mutant.rpartition(".")[2].rpartition("__mutmut_")[0]
    name = mangled.removeprefix("x_") if mangled.startswith("x_") else ".".join(mangled.split("ǁ")[1:])
    return f"{module_of(mutant)}.{name}"


def change_of(mutant: str) -> Change:
    """Return what a *mutant* changes."""
    lines = ask("show", mutant).splitlines()
    parts = (
        " ".join(
            line[1:].strip() for line in lines if line.startswith(sign) and not line.startswith(sign * 3)
        )
        for sign in "-+"
    )
    return Change(function_of(mutant), *parts)


def ask(*arguments: str) -> str:
    """Return what mutmut answers."""
    command = [sys.executable, __file__, MUTMUT, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def mutmut(arguments: Sequence[str]) -> None:
    """Run mutmut, which takes modules for importable from the root of a checkout, or its folder `src`, alone.

    Ours lie in `sim`.
    """
    names, main = import_module("mutmut.utils.format_utils"), import_module("mutmut.__main__")
    strip = names.strip_prefix
    names.strip_prefix = lambda text, **rest: strip(text.removeprefix(f"{SOURCE}."), **rest)
    main.cli(arguments, prog_name="mutmut")


def verdicts() -> Iterator[tuple[str, str]]:
    """Yield each mutant that was tried, and what became of it."""
    for line in ask("results", "--all", "true").splitlines():
        mutant, _, verdict = line.strip().partition(": ")
        if verdict not in ("", "not checked"):
            yield mutant, verdict


def table(found: Iterable[tuple[str, str]], unexplained: Counter[str]) -> Iterator[str]:
    """Yield the numbers by module: tried, killed by tests and by types, explained and not."""
    count = Counter((module_of(mutant), verdict) for mutant, verdict in found)
    yield "| module | tried | killed by tests | killed by types | explained | unexplained |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for module in sorted({module for module, _ in count}):
        tried = sum(number for (of, _), number in count.items() if of == module)
        tests, types = sum(count[module, verdict] for verdict in TESTS), count[module, TYPES]
        alive, open_ = tried - tests - types, unexplained[module]
        yield f"| `{module}` | {tried} | {tests} | {types} | {alive - open_} | {open_} |"


def main() -> int:
    """Print the table and the survivors that are not explained; return 1 where there are any."""
    found, known = list(verdicts()), set(explained(PAGE.read_text("utf-8")))
    alive = [mutant for mutant, verdict in found if verdict not in KILLED]
    unexplained = {mutant: change for mutant in alive if (change := change_of(mutant)) not in known}
    print("\n".join(table(found, Counter(map(module_of, unexplained)))))
    for mutant, change in unexplained.items():
        print(f"\n{mutant}\n  {change.function}\n- {change.was}\n+ {change.becomes}")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(mutmut(sys.argv[2:]) if sys.argv[1:2] == [MUTMUT] else main())
