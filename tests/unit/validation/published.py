"""A small case with a claim of each kind, and what becomes of each."""

from typing import Any

from clustersim.scenario import Scenario, loads

TEXT = """
name: random
title: 64 cards
cluster: {gpus: 64}
failures: {any: {per: node, mtbf: 2 d}}
checkpoint: {interval: 10 min, blocks: 30 s}
recovery: {stages: {restart: 5 min}}
simulation: {horizon: 2 d, replications: 8}
published:
  source: "a paper, section 1"
  assumes: ["nothing else fails"]
  claims:
    time: {says: over half the time, kind: band, figure: ettr, at_least: 0.5}
    count: {says: 8 failures, kind: plumbing, figure: incidents, value: 8, tolerance: 50 %}
    wrong: {says: all the time, kind: control, figure: ettr, at_least: 99 %, reads: nobody believes it}
    cheaper:
      says: cheaper saves gain a few points
      kind: band
      figure: ettr
      between: [1 pp, 6 pp]
      change: {checkpoint.blocks: 0 s}
      minus: {checkpoint.blocks: 30 s}
    saves:
      says: over 0.7
      kind: band
      figure: ettr
      at_least: 0.7
      unknown: {checkpoint.blocks: [10 min, 10 s]}
"""


def random(**overrides: Any) -> Scenario:
    """Return the case, with values by path where `__` stands for a dot."""
    return loads(TEXT, overrides={name.replace("__", "."): value for name, value in overrides.items()})
