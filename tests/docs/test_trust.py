"""The page about trust says what the published cases say, and what the simulator says of them today."""

from __future__ import annotations

import importlib
from functools import cache
from types import ModuleType
from typing import Any

import pytest

from clustersim import validate
from clustersim.scenario.keys.remarks import Claim
from clustersim.validation.cases import find

REMEDY = "the stored figures are not those of the cases: run make validation, and say in the changelog why"
QUICK = ("no-failures", "fthsdp-sync", "fthsdp-replica", "training-clock", "rsc-mttf-16k", "byterobust-ettr")
"""Cases that take a moment; between them they save, fail, recover, wait, and recover by replica."""


@pytest.fixture(scope="module")
def trust() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend("docs")
        return importlib.import_module("trust")


@pytest.fixture(scope="module")
def rows(trust: ModuleType) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in trust.stored()["cases"]}


@cache
def shipped() -> dict[str, tuple[str, Claim]]:
    """Return every shipped claim by name, with where it was published."""
    return {
        case.name_of(name): (case.published.source, claim)
        for case in find()
        for name, claim in case.published.claims.items()
    }


def test_the_tables_are_current(trust: ModuleType) -> None:
    assert trust.PAGE.read_text("utf-8") == trust.page(), "trust.md is out of date: run make docs"


def test_every_claim_has_a_row_and_every_row_is_a_claim(rows: dict[str, Any]) -> None:
    assert set(rows) == set(shipped()), REMEDY


def test_what_was_published_is_what_the_cases_say(rows: dict[str, Any]) -> None:
    for name, (source, claim) in shipped().items():
        row = rows[name]
        assert (row["kind"], row["source"], row["published"]["says"]) == (claim.kind, source, claim.says), (
            REMEDY
        )
        ends = {end: row["published"][end] for end in ("value", "low", "high")}
        assert ends == {"value": claim.value, "low": claim.low, "high": claim.high}, f"{name}: {REMEDY}"
        assert row["unknown"] == (claim.unknown and claim.unknown[0]), REMEDY


def test_every_claim_came_out_as_it_should(rows: dict[str, Any]) -> None:
    assert {name for name, row in rows.items() if not row["passed"]} == set()
    verdicts = {"control": "differs"}
    for name, row in rows.items():
        assert row["verdict"] == verdicts.get(row["kind"], "agrees"), name


def test_the_quickest_cases_give_the_stored_figures_again(rows: dict[str, Any]) -> None:
    for row in validate(QUICK, workers=1).to_dict()["cases"]:
        stored = rows[row["name"]]["simulated"]
        assert row["simulated"] == pytest.approx(stored, rel=1e-9), f"{row['name']}: {REMEDY}"


def test_the_estimator_is_followed_to_a_million_cards_for_both_clusters(trust: ModuleType) -> None:
    found = {(row["cluster"], row["gpus"]) for row in trust.stored()["estimator"]}
    sizes = {16_384, 100_000, 1_000_000}
    assert {(cluster, size) for cluster in ("RSC-1", "RSC-2") for size in sizes} <= found
