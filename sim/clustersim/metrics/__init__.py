"""The catalogue of metrics: each is written once; what computes, names or shows a metric reads it here.

`catalogue` holds the entries: the path in `summary.json`, a label, a unit, a meaning, how the figure comes
out of the `replications`, and how a table shows it.  To add a metric, add an entry: the summary, the
terminal, the report, `expect`, claims and the documentation follow.  A study asks `catalogue.figures_of` for
the figure of a path, keeps its rows, and takes estimates and paired differences from them.

The room stands above the scenario, whose `expect` and claims name metrics before anything is simulated; what
a metric takes from a scenario reaches it as `ScenarioFacts`.
"""
