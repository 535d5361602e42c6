"""What a terminal shows of a run: spares, tiers and replicas where there are any."""

from __future__ import annotations

from rich.console import Console

from clustersim.cli.screen import Screen
from clustersim.cli.show import show
from clustersim.studies.compare import Comparison
from tests.reports.cases import run
from tests.reports.fleets import everything


def shown(*names: str) -> dict[str, str]:
    """Return the figures of a run, or of a comparison, as the terminal prints them, by their names."""
    results = [everything() if name == "everything" else run(name) for name in names]
    console = Console(width=200, no_color=True)
    with console.capture() as captured:
        show(results[0] if len(results) == 1 else Comparison(results), Screen(console))
    pairs = (line.partition("   ") for line in captured.get().splitlines())
    return {name.strip(): text.strip() for name, _, text in pairs if text}


def test_a_run_shows_spares_tiers_and_replicas() -> None:
    found = shown("everything")
    assert found["Replicas"] == "8 (0.50 ± 0.03 of them down on average)"
    assert found["Nodes away"].endswith("or fewer for 99 % of the time)")
    assert found["Spare nodes"].startswith("6 (")
    assert found["Spare nodes"].endswith("would suffice for 99 % of the time)")
    assert found["Waiting for a node"] == "6.0 %"
    assert found["Checkpoint interval"] == "peer 60 s, storage 30 min"
    assert found["Copies loaded"].startswith("peer ")
    assert {"stall", "idle", "slow", "corrupted"} <= set(found)


def test_a_run_without_them_says_nothing_of_them() -> None:
    assert not {"Replicas", "Nodes away", "Spare nodes", "Copies loaded"} & set(shown("plain"))


def test_a_comparison_shows_them_in_short() -> None:
    found = shown("plain", "everything")
    assert found["Replicas"].split() == ["—", "8"]
    assert found["Spare nodes"].split() == ["—", "6"]
    assert "(" not in found["Nodes away"]
