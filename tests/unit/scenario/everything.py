"""A scenario with every key that the language has for tiers, replicas, effects, fleets and claims."""

EVERYTHING = """\
name: everything
cluster:
  gpus: 98_304
  nodes_per_rack: 4
  racks_per_pod: 64
  spares: 2 %
  spares_within: pod
  spare_kind: lent
  preempt: 5 min
  spare_choice: fewest_failures
  groups: {old: {nodes: 32}, new: {nodes: 10 %}}
workload: {step_time: 12 s}
failures:
  gpu:
    per: gpu
    rate: 0.167 / 1000 gpu-days
    transient: 40 %
    takes_down: node
    repair:
      automatic: 2 h
      escalates: 80 %
      manual: {exponential: {mean: 2 d}}
      false_fix: {automatic: 40 %, manual: 20 %}
      crews: 12
    lemons: {share: 5 %, factor: 8}
    relapse: {probability: 22 %, within: 1 d}
    spreads: {to: rack, probability: 3 %, share: 40 %}
    groups: {old: 5, new: 0.5}
  slow: {per: node, mtbf: 5 y, effect: {slow: {factor: 0.7}}, detect: 10 min, repair: 1 d}
  sdc: {per: gpu, mtbf: 1000 y, effect: {corrupt: {noticed_after: 2 h}}, repair: 1 d}
  flap: {per: node, mtbf: 1 y, effect: {flap: {stall: 40 s}}}
  lustre: {per: cluster, mtbf: 10 d, effect: storage, repair: 30 min}
  power: {per: rack, mtbf: 30 y, repair: 4 h}
  software: {per: job, mtbf: 21 h, clock: training}
  drain: {per: node, mtbf: 1 y, repair: 1 d, notice: 2 min}
checkpoint:
  state: 5.3 TB
  tiers:
    peer: {interval: daly, blocks: 0.3 s, durable_after: 5 s, load: 10 s, survives: [job, gpu, node], keep: 2}
    storage: {interval: 30 min, write: 1 TB/s, read: 2 GB/s per node, blocks: 5 s, unusable: 1 %}
recovery:
  stages:
    detect: 1 min
    nodes: wait
    start: {over_gpus: {16_384: 200 s, 98_304: 600 s}, fails: {over_gpus: {16_384: 1 %, 98_304: 3 %}}}
    load: checkpoint
    warm_up: 1 min
  misdiagnosis: 5 %
  missed: 2 %
  recurs_after: {exponential: {mean: 1 h}}
  retire: {after: 3, within: 30 d, replacement: 14 d}
  replicas: 12
  peer_load: 30 s
  stall: 3 min
  rejoin_stall: 100 s
  minimum: 8
  overhead: 1 %
maintenance: {every: 1 d, takes: 20 min, if_down: postpone, merge_within: 1 h}
simulation: {horizon: 90 d}
published:
  source: a paper
  assumes: [saves are as quick as they say]
  claims:
    time:
      says: half
      kind: band
      figure: ettr
      value: 0.5
      between: [0.4, 60 %]
      reads: of all cards
      change: {cluster.spares: 3 %}
      minus: {recovery.stages.warm_up: 2 min}
      unknown: {maintenance.takes: [10 min, 20 min]}
    sdc: {says: "3", kind: exact, figure: {incidents: sdc}, value: 3, tolerance: 10 %}
    outage: {says: short, kind: control, figure: longest_outage, at_most: 1 h}
"""
