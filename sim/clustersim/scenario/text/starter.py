"""The scenario that `clustersim init` writes: small, complete, and explained line by line."""

from __future__ import annotations

SCHEMA = "clustersim.schema.json"
"""The JSON Schema beside a first scenario, by whose first line editors find it without a network."""
_STARTER = """\
# yaml-language-server: $schema=./{schema}
# A cluster, the job on it, and the question how much of it really trains.  Change the numbers to yours, then:
#
#   clustersim check {file}     what these values mean, and a first estimate
#   clustersim run {file}       simulate, and write runs/{name}/
#
# Every quantity has its unit: ms s min h d wk y, %, TB, USD.  Keys that you leave out have defaults.
name: {name}
title: 1,024 cards, one job

cluster:
  gpus: 1_024                        # cards that the job trains on
  gpus_per_node: 8                   # a node leaves the job as a whole
  spares: 2                          # nodes that stand by; or a share, 2 %

workload:
  tokens_per_gpu_second: 400         # what one card trains; leave it out if you do not know
  # step_time: 6 s                   # saves and losses then fall on whole steps
  # target: 1 T tokens               # the run then ends when so much is trained

# What fails, under names of your own: how often one such part fails, and for how long its node is then away.
failures:
  gpu:
    per: gpu                         # gpu | node | rack | pod | cluster | job
    rate: 0.2 / 1000 gpu-days        # or mtbf: 13.7 y
    transient: 40 %                  # after so many of them a restart is enough
    repair: {{lognormal: {{median: 20 h, sigma: 1.5, at_most: 60 d}}}}
  host: {{per: node, mtbf: 3 y, repair: 8 h}}
  software: {{per: job, mtbf: 4 d}}    # costs no node
  hang: {{per: job, mtbf: 10 d, effect: hang, detect: 10 min}}     # unnoticed until its timeout

checkpoint:
  interval: daly                     # or a duration such as 10 min, or young, optimal, 50 steps
  blocks: 10 s                       # for how long a save stops training
  durable_after: 1 min               # until it can be loaded; 0 s is a synchronous save
  load: 1 min

# From a failure to training again, in this order; the names are yours but for detect, nodes and load.
recovery:
  stages:
    detect: 30 s
    nodes: wait                      # until every failed node is replaced
    restart: 3 min
    load: checkpoint                 # takes checkpoint.load

costs: {{gpu_hour: 2 USD}}

simulation:
  horizon: 90 d
  replications: 32                   # independent histories; or precision: 0.5 pp
  seed: 1

expect:                              # `clustersim run` ends with code 3 where it does not hold
  ettr: ">= 0.80"

# Where values come from.  The report marks what has no entry here as an assumption.
sources:
  failures.gpu.rate: "assumption: about the order of what large clusters report"
"""


def starter(name: str = "first") -> str:
    """Return the text of a first scenario called *name*."""
    return _STARTER.format(name=name, file=f"{name}.yaml", schema=SCHEMA)
