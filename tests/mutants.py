"""Try mutants: `python tests/mutants.py` all rooms, `python tests/mutants.py ROOM` one.

A mutant is one small change to the code; it is killed where a test or the type checker notices.  Survivors
that change nothing worth noticing are explained in docs/background/mutants.md, known there by their function
and by the line that they change.  What is changed in a room, and which tests are run, stands in
pyproject.toml under `tool.mutants`.  `[ROOM] sample 400` tries that many of a room, chosen at random but
always the same.  Other words behind a room are mutmut's (`ROOM show NAME`, `ROOM run PATTERN`); `ROOM survey`
prints the table again.
"""

from __future__ import annotations

import ast
import gc
import os
import random
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from difflib import unified_diff
from functools import cache, partial
from importlib import import_module
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "background" / "mutants.md"
CHANGED = ROOT / "mutants"
TESTS, TYPES = ("killed", "timeout"), "caught by type check"
SOURCE = "sim"
SAMPLE = "--sample"
SEED = 14
"""Of the order in which mutants are chosen: any would do, but always the same."""
KILLED = (*TESTS, TYPES)
PATIENCE = 10.0
"""Seconds of tests that a mutant is given at first, by the clock of its process: nearly all that are killed
are killed sooner, and those that survive would else take most of the time of a room."""
ENCODINGS = ("ascii", "sha256", "utf-8", "utf-8-sig")
STRICT = re.compile(r",\s*(strict=\w+)?(?=\))")
LITERAL = re.compile(r'"([^"]*)"|\'([^\']*)\'')
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
        names = 2 if parts[-2].lstrip("_")[:1].isupper() else 1
        return ".".join(parts[:-names]), ".".join(parts[-names:])


def explained(page: str) -> list[Change]:
    """Return the survivors that the table of the *page* explains."""
    rows = (found.group("function", "was", "becomes") for found in ROW.finditer(page))
    return [Change(*(cell.replace(r"\|", "|") for cell in row)) for row in rows]


def module_of(mutant: str) -> str:
    """Return the module of a *mutant*, from `clustersim.engine` or `clustersim` on."""
    return mutant.rpartition(".")[0].removeprefix("clustersim.").removeprefix("engine.")


def unmangled(name: str) -> str:
    """Return the function, or the method of a class, of which a changed copy has that *name*."""
    mangled = name.rpartition("__mutmut_")[0]
    return mangled.removeprefix("x_") if mangled.startswith("x_") else ".".join(mangled.split("ǁ")[1:])


def function_of(mutant: str) -> str:
    """Return the function that a *mutant* changes, named as in `Change`."""
    return f"{module_of(mutant)}.{unmangled(mutant.rpartition('.')[2])}"


@cache
def functions_in(file: Path) -> dict[str, list[str]]:
    """Return the lines of all functions of a changed copy by their mangled names, with their own in them."""
    text = file.read_text("utf-8")
    lines = text.splitlines()
    made = [each for each in ast.walk(ast.parse(text)) if isinstance(each, ast.FunctionDef)]
    return {
        each.name: [
            line.strip().replace(each.name, unmangled(each.name).rpartition(".")[2])
            for line in lines[each.lineno - 1 : each.end_lineno]
        ]
        for each in made
    }


def change_of(mutant: str) -> Change:
    """Return what a *mutant* changes."""
    module, _, name = mutant.rpartition(".")
    file = CHANGED / SOURCE / module.replace(".", "/")
    functions = functions_in(file / "__init__.py" if file.is_dir() else file.with_suffix(".py"))
    before = functions[f"{name.rpartition('__mutmut_')[0]}__mutmut_orig"]
    lines = list(unified_diff(before, functions[name], n=0, lineterm=""))[2:]
    was, becomes = (" ".join(line[1:] for line in lines if line.startswith(sign)) for sign in "-+")
    return Change(function_of(mutant), was, becomes)


def tools() -> dict[str, Any]:
    """Return what pyproject.toml says of tools: `mutmut` for all rooms, `mutants` for each."""
    tables: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]
    return tables


def settings(room: str) -> dict[str, Any]:
    """Return the settings of mutmut for a *room*: those of all, and its own."""
    common, own = tools()["mutmut"], tools()["mutants"][room]
    files = [str(file.relative_to(ROOT)) for glob in own["only_mutate"] for file in sorted(ROOT.glob(glob))]
    return {**common, **own, "type_check_command": [*common["type_check_command"], *files]}


def ask(room: str, *arguments: str) -> str:
    """Return what mutmut answers."""
    command = [sys.executable, __file__, room, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=True).stdout


def mutmut(room: str, arguments: Sequence[str]) -> None:
    """Run mutmut with the settings of a *room*, on changed copies of nothing else.

    Mutmut takes modules for importable from the root of a checkout, or its folder `src`, alone: ours lie in
    `sim`.  With names of mutants it runs all tests of the room, each time in a process that has imported
    nothing yet: of what a fixture of a whole module has done it takes only the first test for affected, and
    what is made by an import is else made before a mutant is chosen.
    """
    reader, names = import_module("mutmut.configuration"), import_module("mutmut.utils.format_utils")
    strip, given = names.strip_prefix, settings(room)
    names.strip_prefix = lambda text, **rest: strip(text.removeprefix(f"{SOURCE}."), **rest)
    if mutants := [each for each in arguments if "__mutmut_" in each]:
        given["forkserver_warmup"] = "none"
    reader._config_reader = lambda: given.get
    if not mutants:
        collect_once()
    mark = CHANGED / "room"
    if CHANGED.exists() and not (mark.exists() and mark.read_text("utf-8") == room):
        shutil.rmtree(CHANGED)
    CHANGED.mkdir(exist_ok=True)
    mark.write_text(room, "utf-8")
    program = import_module("mutmut.__main__")
    if mutants:
        program.collect_or_load_stats = partial(with_all_tests, mutants, program.collect_or_load_stats)
    if SAMPLE in arguments:
        *arguments, _, number = arguments
        program.collect_source_file_mutation_data = partial(
            sampled, int(number), program.collect_source_file_mutation_data
        )
    program.cli(arguments, prog_name="mutmut")


def collect_once() -> None:
    """Let mutmut try mutants in forks of a process that has collected the tests.

    Mutmut alone imports the tests once, but collects them for each mutant, which takes longer than most
    tests.  Here the loop that hands out mutants runs where pytest would run the tests that it has collected.
    """
    harness, isolation = import_module("mutmut.runners.harness"), import_module("mutmut.workers.isolation")
    runner, server = harness.PytestRunner, isolation.ForkServerRunner

    class Loop:
        def __init__(self, hand_out: Callable[[], None]) -> None:
            self.hand_out = hand_out

        def pytest_runtestloop(self, session: Any) -> bool:
            with TemporaryDirectory() as folder:
                runner.run_tests = lambda _, tests, **keywords: run_collected(session, set(tests), folder)
                gc.freeze()  # else every fork would go through all of it, and copy what it touches
                self.hand_out()
            return True

    def collect(self: Any, work: int, result: int) -> None:
        tests = self.test_runner_class(**self.test_runner_args)
        # Mutmut itself leaves files open, which would fail the first test; the second try notices others.
        plain = ["-q", "-p", "no:cacheprovider", "-p", "no:unraisableexception"]
        selected = [*tests._pytest_add_cli_args_test_selection, *plain]
        with harness.change_cwd(CHANGED.name), redirect_stdout(StringIO()):
            tests.execute_pytest(selected, plugins=[Loop(partial(hand_out, self, work, result))])

    hand_out, server._forkserver_main = server._forkserver_main, collect
    runner.warm_up = lambda self: None


def run_collected(session: Any, reached: set[str], folder: str) -> int:
    """Run the tests of a *session* of pytest that are *reached*, and return 1 after the first that fails.

    If one of them has a fixture of the whole file, the others that have one are run too: of what it has done,
    mutmut takes only the first test for affected.  What kills is remembered in the *folder*, by function.
    What survives for `PATIENCE` is left to the second try, of all tests.
    """
    function = os.environ["MUTANT_UNDER_TEST"].partition("__mutmut_")[0]
    sharing = [item for item in session.items if shares_a_fixture(item)]
    files = {file_of(item.nodeid) for item in sharing if item.nodeid in reached}
    tests = reached | {item.nodeid for item in sharing if file_of(item.nodeid) in files}
    durations = import_module("mutmut.state").state().duration_by_test
    order = promising(function, reached, durations, Path(folder))
    items = sorted(
        (item for item in session.items if item.nodeid in tests), key=lambda item: order(item.nodeid)
    )
    end = process_time() + PATIENCE
    with TemporaryDirectory(dir=folder) as own:
        os.environ["PYTEST_DEBUG_TEMPROOT"] = own
        for item, following in zip(items, [*items[1:], None], strict=True):
            session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.testsfailed:
                with (Path(folder) / function).open("a", encoding="utf-8") as killers:
                    killers.write(f"{item.nodeid}\n")
                return 1
            if process_time() > end:
                break
    return 0


def promising(
    function: str, reached: set[str], durations: Mapping[str, float], folder: Path
) -> Callable[[str], tuple[Any, ...]]:
    """Return what sorts tests by how soon they are likely to kill a mutant of the *function*.

    First come those that killed another one of it, by what is written in the *folder*, then the file named
    after the module, then the files that take the least time for what they have killed, and in a file the
    tests that *reached* it, quickest first, by their *durations* in seconds.
    """
    killers = {each.name: each.read_text("utf-8").splitlines() for each in folder.glob("clustersim.*")}
    kills = Counter(file_of(test) for tests in killers.values() for test in tests)
    time: Counter[str] = Counter()
    for test, seconds in durations.items():
        time[file_of(test)] += seconds
    first, nearest = killers.get(function, []), f"/test_{function.split('.')[-2]}.py"

    def place(test: str) -> tuple[Any, ...]:
        file = file_of(test)
        worth, seconds = time[file] / (1 + kills[file]), durations.get(test, 0.0)
        return test not in first, not file.endswith(nearest), worth, file, test not in reached, seconds

    return place


def file_of(test: str) -> str:
    """Return the file of a *test*."""
    return test.partition("::")[0]


def shares_a_fixture(item: Any) -> bool:
    """Return whether a test has a fixture of ours, not of pytest itself, made once for several tests."""
    fixtures = [each[-1] for each in item._fixtureinfo.name2fixturedefs.values()]
    return any(each.baseid and each.scope != "function" for each in fixtures)


def sampled(number: int, collect: Callable[..., Any], **keywords: Any) -> Any:
    """Let mutmut *collect* the mutants, and return so many of them; a larger sample holds a smaller one.

    Each has its place by its own name, so that a change of one function leaves the others in the sample.
    """
    mutants, by_path = collect(**keywords)
    return sorted(mutants, key=lambda each: random.Random(f"{SEED}/{each[1]}").random())[:number], by_path


def with_all_tests(mutants: Sequence[str], collect: Callable[..., None], *args: Any, **keywords: Any) -> None:
    """Let mutmut *collect* which tests reach which functions, and take all for tests of these *mutants*."""
    collect(*args, **keywords)
    state = import_module("mutmut.state").state()
    every = set(state.duration_by_test)
    state.tests_by_mangled_function_name = {each.partition("__mutmut_")[0]: every for each in mutants}


def verdicts(room: str) -> Iterator[tuple[str, str]]:
    """Yield each mutant of the *room* that was tried, and what became of it."""
    for line in ask(room, "results", "--all", "true").splitlines():
        mutant, _, verdict = line.strip().partition(": ")
        if verdict not in ("", "not checked"):
            yield mutant, verdict


def is_wording(change: Change) -> bool:
    """Return whether a *change* leaves all as it was but the look of a text of several words.

    Mutmut puts XX around a text, or writes it in capitals.  No test asks how a sentence is spelt, and Python
    takes the name of an encoding in any letters.
    """
    before, after = (
        [next(filter(None, quoted), "") for quoted in LITERAL.findall(text)]
        for text in (change.was, change.becomes)
    )
    if len(before) != len(after) or LITERAL.sub("", change.was) != LITERAL.sub("", change.becomes):
        return False
    changed = [(text, other) for text, other in zip(before, after, strict=True) if text != other]
    return all(
        (" " in text and text.lower() == other.replace("XX", "").lower())
        or (text in ENCODINGS and text.upper() == other)
        for text, other in changed
    )


def is_guard(change: Change) -> bool:
    """Return whether a *change* only lets lists of unlike lengths be paired, of which there are none."""
    return STRICT.sub("", change.was) == STRICT.sub("", change.becomes) != change.was


def table(found: Iterable[tuple[str, str]], spelt: Counter[str], unexplained: Counter[str]) -> Iterator[str]:
    """Yield the numbers by module: tried, killed by tests and by types, and of what survives why it does."""
    count = Counter((module_of(mutant), verdict) for mutant, verdict in found)
    yield "| module | tried | killed by tests | killed by types | spelling | explained | unexplained |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for module in sorted({module for module, _ in count}):
        tried = sum(number for (of, _), number in count.items() if of == module)
        tests, types = sum(count[module, verdict] for verdict in TESTS), count[module, TYPES]
        spelling, open_ = spelt[module], unexplained[module]
        known = tried - tests - types - spelling - open_
        yield f"| `{module}` | {tried} | {tests} | {types} | {spelling} | {known} | {open_} |"


def survivors(found: Iterable[tuple[str, str]]) -> tuple[dict[str, Change], dict[str, Change]]:
    """Return what survives of the mutants *found*: what is only spelt otherwise, and what nobody explains."""
    known = set(explained(PAGE.read_text("utf-8")))
    alive = {mutant: change_of(mutant) for mutant, verdict in found if verdict not in KILLED}
    spelt = {mutant: change for mutant, change in alive.items() if is_wording(change) or is_guard(change)}
    return spelt, {
        mutant: change for mutant, change in alive.items() if mutant not in spelt and change not in known
    }


def survey(room: str) -> int:
    """Print the table and the survivors of the *room* that are not explained, and return how many."""
    found = list(verdicts(room))
    spelt, unexplained = survivors(found)
    print("\n".join(table(found, Counter(map(module_of, spelt)), Counter(map(module_of, unexplained)))))
    for mutant, change in unexplained.items():
        print(f"\n{mutant}\n  {change.function}\n- {change.was}\n+ {change.becomes}")
    return len(unexplained)


def main(rooms: Sequence[str], sample: Sequence[str] = ()) -> int:
    """Try the mutants of the *rooms* or a sample, unexplained survivors twice; return 1 where one is left."""
    open_ = 0
    for room in rooms:
        run = [sys.executable, __file__, room, "run", "--max-children", "2"]
        subprocess.run([*run, *sample], cwd=ROOT, check=True)
        if unexplained := survivors(verdicts(room))[1]:
            subprocess.run([*run, *unexplained], cwd=ROOT, check=True)
        open_ += survey(room)
    return 1 if open_ else 0


if __name__ == "__main__":
    place = 1 if sys.argv[1:2] == ["sample"] else 2  # a sample may be one of each room
    chosen, words = sys.argv[1:place], sys.argv[place:]
    if words == ["survey"]:
        sys.exit(bool(survey(chosen[0])))
    if words[:1] == ["sample"]:
        sys.exit(main(chosen or list(tools()["mutants"]), [SAMPLE, *words[1:]]))
    sys.exit(mutmut(chosen[0], words) if words else main(chosen or list(tools()["mutants"])))
