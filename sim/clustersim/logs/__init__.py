"""Logs of what failed in a real cluster, from a file of any dress to a `History` that can be counted."""

from clustersim.logs.errors import LogError
from clustersim.logs.history import History
from clustersim.logs.reading import read_history

__all__ = ["History", "LogError", "read_history"]
