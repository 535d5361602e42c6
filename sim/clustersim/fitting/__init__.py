"""Fitting a scenario to logs: what their failures are, how sure that is, and whether it behaves alike."""
