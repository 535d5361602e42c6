"""The simulator: one replication is `replication.simulate(scenario, number)`, a pure function.

`failures` say when what breaks, `cluster` who holds which slot, `repair` when nodes come back.  `job` trains,
and goes through the `chain` of `recovery`; `checkpoints` say what a stretch of training was worth.  What
happens goes into the `journal`, and `audit` makes the `ledger` and the tables from it.
"""
