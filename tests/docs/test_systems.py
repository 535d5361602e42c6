"""The page about the systems of the interviews says what the scenarios say, and what is simulated of them."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import pytest

from clustersim.scenario import load
from clustersim.scenario.values import values

REMEDY = "the stored figures are not those of the scenarios: run make systems, and say in the changelog why"


@pytest.fixture(scope="module")
def systems() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend("docs")
        return importlib.import_module("systems")


@pytest.fixture(scope="module")
def stored(systems: ModuleType) -> dict[str, Any]:
    found: dict[str, Any] = systems.stored()
    return found


def test_the_page_and_the_readme_are_current(systems: ModuleType) -> None:
    for path, text in systems.pages().items():
        assert path.read_text("utf-8") == text, f"{path.name} is out of date: run make docs"


def test_every_system_was_simulated_as_it_is_now(systems: ModuleType, stored: dict[str, Any]) -> None:
    hashes = {name: found["hash"] for name, found in stored["systems"].items()}
    assert hashes == {name: systems.of_inputs(load(name)) for name in systems.names()}, REMEDY


def test_every_figure_of_a_system_has_a_source_or_is_called_an_assumption(systems: ModuleType) -> None:
    bare = {
        f"{name}: {each.path}"
        for name in systems.names()
        for each in values(load(name))
        if each.source is None and not each.default
    }
    assert bare == set()


def test_the_quickest_system_gives_the_stored_figures_again(
    systems: ModuleType, stored: dict[str, Any]
) -> None:
    found = systems.system(load("supercomputers"))
    before = stored["systems"]["supercomputers"]
    assert found["ettr"] == pytest.approx(before["ettr"], rel=1e-9), REMEDY
    assert found["effective_gpus"] == pytest.approx(before["effective_gpus"], rel=1e-9), REMEDY


def test_what_the_page_says_of_size_holds(systems: ModuleType, stored: dict[str, Any]) -> None:
    """More nodes mean a lower ETTR, more reliable ones a larger best size; the fastest is the dearer."""
    best = []
    for life in ("10y", "50y", "250y"):
        line = [point for point in stored["decades"] if point["failures.node.mtbf"] == life]
        assert [point["ettr"] for point in line] == sorted((point["ettr"] for point in line), reverse=True)
        best.append(int(max(line, key=lambda point: point["effective_gpus"])["cluster.gpus"]))
    assert best == sorted(set(best))
    for name in systems.WAYS:
        line = [point for point in stored["tokens"] if point["scenario"] == name]
        fastest = max(line, key=lambda point: point["throughput.tokens_per_s"])
        assert int(min(line, key=systems.bill)["cluster.gpus"]) < int(fastest["cluster.gpus"])
        assert line[-1]["throughput.tokens_per_s"] < fastest["throughput.tokens_per_s"]
        assert all(systems.bill(each) > systems.bill(fastest) for each in line[line.index(fastest) + 1 :])


def test_words_between_quotation_marks_are_what_was_said(systems: ModuleType, stored: dict[str, Any]) -> None:
    """The design quotes the interview; what is not Chen's is not in his column as if it were."""
    said = dict(systems.stated(name) for name in systems.CHEN)
    assert list(said.values()) == [
        '"definitely fine"',
        '"only half"',
        '"doesn\'t have very high practical returns"',
    ]
    rows = [line for line in systems.answers(stored).splitlines() if line.startswith("| 1")]
    assert [row for row in rows if row.split(" | ")[1] not in said.values()] == [rows[-1]]
    assert "(our addition)" in rows[-1]


def test_the_answers_say_what_their_money_leaves_out(systems: ModuleType, stored: dict[str, Any]) -> None:
    """An effective card-hour of 10,000 cards is the card's price over its life and ETTR, no more."""
    ettr = stored["systems"]["chen-10k"]["ettr"]["mean"]
    assert systems.per_hour(stored["systems"]["chen-10k"]) == pytest.approx(
        65_000 / (4 * 365.25 * 24) / ettr, rel=1e-4
    )
    assert "65,000 CNY each, written off over 4 y: no power" in systems.answers(stored)
    assert "0.85 on 100,000, 0.73 on 1,000,000 cards" in systems.answers(stored)
