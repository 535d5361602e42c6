"""Logs of what failed in a real cluster, from a file of any dress to a `History` that can be counted."""
