"""The simulator: one replication is `replication.simulate(scenario, number)`, a pure function.

`failures` say when what breaks, `cluster` who holds which slot, `repair` when nodes come back.  `job` trains,
and goes through the `restart` of `recovery`; `checkpoints` say what a segment of training was worth.  What
happens goes into the `journal`, and `audit` makes the `ledger` and the tables from it.
"""
