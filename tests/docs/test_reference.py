"""The reference pages say what the code does: the generated ones are current, the others name every key."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EVERYTHING = {
    "name": "everything",
    "cluster": {"gpus": 64, "spares": 2},
    "workload": {"tokens_per_gpu_second": 100, "target": "1 G tokens"},
    "failures": {"node": {"per": "node", "mtbf": "10 d", "repair": "4 h"}},
    "checkpoint": {
        "tiers": {
            "peer": {"interval": "1 min", "blocks": "1 s", "survives": ["job", "node"]},
            "storage": {"interval": "1 h", "blocks": "10 s"},
        }
    },
    "recovery": {"replicas": 2, "overhead": "1 %"},
    "costs": {"gpu_hour": "2 USD"},
    "simulation": {"precision": "5 pp"},
}


@pytest.fixture(scope="module")
def pages() -> dict[str, tuple[Path, str]]:
    """The generated pages by name: where each lies, and what it should say."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return {path.name: (path, text) for path, text in module.pages().items()}


@pytest.mark.parametrize(
    "page", ["scenario.md", "summary.md", "tables.md", "commands.md", "python.md", "scenario.schema.json"]
)
def test_generated_pages_are_current(pages: dict[str, tuple[Path, str]], page: str) -> None:
    path, text = pages[page]
    assert path.read_text("utf-8") == text, f"{page} is out of date: run make docs"


def test_the_columns_of_the_tables_are_those_that_are_written() -> None:
    from clustersim import records, tables
    from clustersim.engine.replication import simulate
    from clustersim.scenario.model import Scenario

    scenario = Scenario.model_validate(EVERYTHING)
    done = [simulate(scenario, 0)]
    for name in ("replications", "incidents", "timeline", "strip"):
        documented = [column.name for column in getattr(records, f"{name.removesuffix('s').upper()}_COLUMNS")]
        written = list(tables.frame(scenario, done, name).columns)
        assert [key for key in documented if "<" not in key and key not in written] == []
        assert [key for key in written if key not in documented and not _from_pattern(key, name)] == []


def _from_pattern(column: str, table: str) -> bool:
    """Return whether a column is one of those that the page describes by a pattern."""
    from clustersim.engine.ledger import Entry

    if table == "replications":
        return column in {entry.label for entry in Entry}
    return table == "incidents" and column.endswith("_s")
