"""Shares as they are printed: they add up, with one precision, and nothing that takes no time is listed."""

from typing import Any

import numpy as np
import pytest

from clustersim.advice import largest_losses, verdict
from clustersim.engine.ledger import Entry
from clustersim.experiment import run
from clustersim.formatting import PrintedShares, largest_remainder
from clustersim.metrics.cells import parts
from clustersim.scenario import loads

PLAN = """
name: plan
cluster: {gpus: 800}
failures: {job: {per: job, mtbf: 5 h}, node: {per: node, mtbf: 1 y}}
checkpoint: {interval: 20 min, blocks: 20 s}
recovery: {stages: {detect: 1 min, restart: 8 min, warm: 4 min}}
simulation: {horizon: 20 d, replications: 8}
"""


def summary(margin: float | None = 0.001, **ledger: float) -> dict[str, Any]:
    """What the sentences read of a run with these losses."""
    shares = {entry.label: ledger.get(entry.label, 0.0) for entry in Entry}
    shares["productive"] = 1 - sum(ledger.values())
    margins = {"ettr": margin} | {
        f"ledger.{entry}": margin if share else 0.0 for entry, share in shares.items()
    }
    return {
        "name": "sample",
        "gpus": 1000,
        "ettr": {"mean": shares["productive"]},
        "half_width": margin,
        "no_progress": False,
        "scaling_efficiency": 1,
        "ledger": shares,
        "margins": margins,
    }


def test_parts_add_up_as_they_are_printed() -> None:
    rng = np.random.default_rng(7)
    for _ in range(300):
        shares = dict(enumerate(rng.dirichlet(np.full(9, 0.3))))
        named = {str(name): float(share) for name, share in shares.items()}
        for decimals in (0, 1):
            printed = PrintedShares.of(named, decimals, 1.0)
            texts = [printed.text(name).removesuffix(" %") for name in named]
            sums = sum(float(text) for text in texts if not text.startswith("<"))
            assert sums == pytest.approx(100)
            for name, share in named.items():
                assert abs(printed.share(name) - share) < 10.0 ** -(decimals + 2) + 1e-12


def test_a_joint_text_is_the_sum_of_the_texts() -> None:
    printed = PrintedShares.of({"a": 0.0524, "b": 0.0525, "c": 0.0002, "d": 0.0}, 1, 0.1051)
    assert [printed.text(name) for name in "abcd"] == ["5.2 %", "5.3 %", "<0.1 %", "0"]
    assert printed.text("a", "b") == "10.5 %"
    assert printed.text("unknown") == "0"
    assert largest_remainder({"a": 1.5, "b": 1.4}, 3) == {"a": 2, "b": 1}


def test_a_run_has_one_precision_and_all_its_tables_add_up() -> None:
    found = run(loads(PLAN), workers=1).summary
    ledger, stages, causes = (
        parts(found, family) for family in ("ledger", "recovery_stages", "waste_by_cause")
    )
    assert {ledger.decimals, stages.decimals, causes.decimals} == {1}
    assert sum(ledger.counts.values()) == 1000
    assert sum(stages.counts.values()) == ledger.counts["recovery"] > 0
    assert sum(causes.counts.values()) == 1000 - ledger.counts["productive"]
    assert all(f", {ledger.text(entry)}" in str(verdict(found)) for entry in largest_losses(found))


def test_shares_that_chance_moves_by_a_point_have_no_decimals() -> None:
    assert parts(summary(0.01, lost=0.2, recovery=0.1)).text("lost") == "20 %"
    assert parts(summary(None, lost=0.2, recovery=0.1)).text("lost") == "20 %"
    assert parts(summary(0.009, lost=0.2, recovery=0.1)).text("lost") == "20.0 %"


def test_causes_add_up_to_what_the_ledger_prints_as_not_productive() -> None:
    # 70.6, 14.7 and 14.7 % are printed as 70, 15 and 15: so 30 % are not productive, not 29.
    found = summary(0.02, lost=0.147, recovery=0.147)
    for node, printed in ((0.2, "30 %"), (0.2 + 5e-7, "30 %"), (0.2 + 5e-6, "29 %")):
        causes = found | {"waste_by_cause": {"node": node, "job": 0.094}}
        assert parts(causes, "waste_by_cause").text("node", "job") == printed


def test_saves_of_no_length_take_nothing() -> None:
    found = run(loads(PLAN.replace("blocks: 20 s", "blocks: 0 s")), workers=1).summary
    assert found["ledger"]["checkpoint"] == 0
    assert found["waste"]["checkpoint"] == {}
    assert parts(found).text("checkpoint") == "0"


@pytest.mark.parametrize(
    ("margin", "losses", "said"),
    [
        (0.001, {"lost": 0.07, "recovery": 0.04}, "most of the rest goes into work thrown away, 7.0 %"),
        (
            0.001,
            {"lost": 0.05, "recovery": 0.04, "waiting": 0.03},
            "the largest part of the rest goes into work",
        ),
        (
            0.001,
            {"lost": 0.06, "recovery": 0.0595},
            "the largest parts of the rest, which cannot be told apart, go",
        ),
        (
            0.004,
            {"lost": 0.06, "recovery": 0.053},
            "into work thrown away, 6.0 %, and recovery, 5.3 % of all",
        ),
        (None, {"lost": 0.052, "recovery": 0.0519}, "work thrown away, 5 %, and recovery, 5 % of all"),
        (
            0.02,
            {"lost": 0.06, "recovery": 0.05, "waiting": 0.04, "stall": 0.03},
            "no single part of the rest stands out",
        ),
        (0.001, {}, "nothing is lost"),
    ],
)
def test_the_verdict_says_most_only_of_what_is_most(margin: float | None, losses: Any, said: str) -> None:
    assert said in str(verdict(summary(margin, **losses)))
