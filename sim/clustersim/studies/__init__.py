"""Studies: questions about a scenario that take variants of it, simulated on common random numbers.

Each study is a file of its own, with its question, its answer and its sentences: `tune`, `levers`.  Common to
all are changes (`change`), how variants are simulated (`simulating`), and the shape of an answer (`study`).
"""
