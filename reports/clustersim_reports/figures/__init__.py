"""The figures of the report: for each, plain data from results, a drawing of it, and its table."""
