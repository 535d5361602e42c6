"""Studies: questions about a scenario that take variants of it, simulated on common random numbers.

Each study is a file of its own, with its question, its answer and its sentences: `tune`, `levers`, `compare`.
`study` has what they share; `change` and `offers` the variants; `search` finds the best interval.
"""
