"""The rooms of the house: each imports only from those above it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {"clustersim": "sim", "clustersim_reports": "reports"}
"""Each package of the project, and the folder that is its source root."""
ROOMS = [
    "version",
    "signals",
    "units",
    "arrays",
    "streams",
    "theory",
    "distributions",
    "formatting",
    "failure",
    "records",
    "events",
    "environment",
    "checkpoints",
    "journal",
    "ledger",
    "segments",
    "incidents",
    "spares",
    "fleet",
    "cluster",
    "estimate",
    "metrics",
    "logs",
    "library",
    "scenario",
    "origins",
    "world",
    "failures",
    "repair",
    "stops",
    "pools",
    "racks",
    "recovery",
    "activity",
    "work",
    "restart",
    "undetected",
    "replicas",
    "timeline",
    "audit",
    "replication",
    "engine",
    "store",
    "settings",
    "report_hook",
    "tables",
    "folders",
    "results",
    "workers",
    "dask_workers",
    "experiment",
    "advice",
    "expectations",
    "studies",
    "fitting",
    "headline",
    "validation",
    "shards",
    "cli",
]
REPORTS_MAY_IMPORT = {
    "arrays",
    "version",
    "units",
    "formatting",
    "records",
    "scenario",
    "estimate",
    "metrics",
    "results",
    "advice",
    "expectations",
    "headline",
    "logs",
    "studies",
    "fitting",
    "validation",
}
HEAVY = {"numpy", "pandas", "scipy", "plotly", "pyarrow", "pydantic", "simpy", "ruamel", "jinja2", "rich"}


class Edge(NamedTuple):
    """One import, wherever it stands: the module that imports, what it imports, and the place."""

    importer: str
    imported: str
    place: str


def module_name(path: Path, root: Path = ROOT) -> str:
    """Return the dotted name of a source file of the project, which lies below one of its source roots."""
    parts = path.relative_to(root).with_suffix("").parts[1:]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def sources(*packages: str) -> list[Path]:
    """Return the Python files of the given packages."""
    return sorted(path for package in packages for path in (ROOT / PACKAGES[package] / package).rglob("*.py"))


def edges(path: Path, root: Path = ROOT) -> Iterator[Edge]:
    """Yield every import of a module of the project in the file, inside functions and for types too."""
    tree = ast.parse(path.read_text("utf-8"))
    importer = module_name(path, root)
    package = importer if path.name == "__init__.py" else importer.rpartition(".")[0]
    for node in ast.walk(tree):
        for imported in _imported(node, package):
            if imported.split(".")[0] in PACKAGES:
                where = f"{path.relative_to(root)}:{getattr(node, 'lineno', 0)}"
                yield Edge(importer, imported, where)


def _imported(node: ast.AST, package: str) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    base = node.module or ""
    if node.level:
        parts = package.split(".")[: len(package.split(".")) - node.level + 1]
        base = ".".join([*parts, base] if base else parts)
    return [_module(base, alias.name) for alias in node.names]


def _module(base: str, name: str) -> str:
    """Return the module that `from base import name` loads: base itself, or the module of that name in it."""
    inner = ROOT.joinpath(PACKAGES.get(base.split(".")[0], ""), *base.split("."), name)
    is_module = inner.is_dir() or inner.with_suffix(".py").is_file()
    return f"{base}.{name}" if is_module or base in PACKAGES else base


def room(module: str) -> str:
    """Return the room of a module: the second name, or the third in the engine, which has rooms."""
    parts = module.split(".")
    if parts[1:2] == ["engine"] and len(parts) > 2:
        return parts[2]
    return parts[1] if len(parts) > 1 else ""


def every_edge(*packages: str) -> list[Edge]:
    return [edge for path in sources(*packages) for edge in edges(path)]


@pytest.mark.parametrize("name", sorted({room(module_name(path)) for path in sources("clustersim")} - {""}))
def test_every_module_has_a_room(name: str) -> None:
    assert name in ROOMS or name == "__main__", f"{name} has no place in the order of rooms: {ROOMS}"


def test_the_page_has_all_rooms_in_their_order() -> None:
    page = (ROOT / "docs/background/architecture.md").read_text("utf-8")
    table = re.findall(r"^\| (`.+?`) \|", page.partition("\nEach room imports")[0], re.MULTILINE)
    top = {path.stem for path in (ROOT / "sim/clustersim").iterdir() if not path.name.startswith(("_", "."))}
    assert re.findall(r"`(\w+)/?`", " ".join(table)) == [room for room in ROOMS if room in top]


@pytest.mark.parametrize("room", ["engine", "studies", "fitting", "logs"])
def test_the_page_names_every_file_of_a_room(room: str) -> None:
    page = (ROOT / "docs/background/architecture.md").read_text("utf-8")
    words = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`\n]+)`", page))))
    files = {path.stem for path in (ROOT / "sim/clustersim" / room).rglob("*.py")} - {"__init__"}
    assert files - words == set()


def test_rooms_import_only_from_those_above() -> None:
    faults = [
        f"{edge.place}: {room(edge.importer)} imports {room(edge.imported)}, which is not above it"
        for edge in every_edge("clustersim")
        if edge.imported.startswith("clustersim.") and room(edge.importer) in ROOMS
        if not _is_above(room(edge.imported), room(edge.importer))
    ]
    assert faults == []


def _is_above(imported: str, importer: str) -> bool:
    return imported in ROOMS and ROOMS.index(imported) <= ROOMS.index(importer)


def test_no_module_imports_itself_through_others() -> None:
    """No ring of files, within a room either: what is imported late or for its types counts like the rest."""
    modules = {module_name(path) for path in sources(*PACKAGES)}
    graph: dict[str, set[str]] = {module: set() for module in modules}
    for edge in every_edge(*PACKAGES):
        if edge.imported in modules:
            graph[edge.importer].add(edge.imported)
    TopologicalSorter(graph).prepare()


def test_nothing_in_the_simulator_imports_its_reports() -> None:
    faults = [
        edge.place for edge in every_edge("clustersim") if edge.imported.split(".")[0] == "clustersim_reports"
    ]
    assert faults == []


def test_reports_never_touch_the_engine() -> None:
    faults = [
        f"{edge.place}: imports {edge.imported}"
        for edge in every_edge("clustersim_reports")
        if edge.imported.split(".")[0] == "clustersim" and room(edge.imported) not in REPORTS_MAY_IMPORT
    ]
    assert faults == []


def test_the_reader_of_imports_sees_what_it_should(tmp_path: Path) -> None:
    package = tmp_path / "sim" / "clustersim" / "scenario"
    package.mkdir(parents=True)
    source = package / "reader.py"
    late = "def f():\n    import clustersim_reports\nif TYPE_CHECKING:\n    from . import loading\n"
    source.write_text(f"from .. import units\nfrom . import model\n{late}")
    assert {edge.imported for edge in edges(source, tmp_path)} == {
        "clustersim.units",
        "clustersim.scenario.model",
        "clustersim_reports",
        "clustersim.scenario.loading",
    }


def loaded_after(code: str) -> set[str]:
    """Return the top-level packages that a fresh interpreter holds after the code ran."""
    program = f"{code}\nimport sys\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_importing_clustersim_is_light() -> None:
    assert loaded_after("import clustersim") & HEAVY == set()


def test_asking_for_help_is_light() -> None:
    code = "import clustersim.cli\ntry:\n    clustersim.cli.main(['--help'])\nexcept SystemExit:\n    pass"
    assert loaded_after(code) & HEAVY == set()


def test_a_worker_does_without_the_heavy_libraries() -> None:
    loaded = loaded_after("import clustersim.engine.replication, clustersim.scenario.model")
    assert loaded & {"pandas", "pyarrow", "plotly", "rich", "jinja2"} == set()
    assert "simpy" in loaded
