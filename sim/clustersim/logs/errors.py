"""What is wrong with a log as a whole, with the place and the remedy."""

from __future__ import annotations

from typing import Self

from clustersim.logs.history import UnreadRow


class LogError(ValueError):
    """A log, or what was said about it, that cannot be used; `problems` are its places with the reasons."""

    def __init__(self, *problems: UnreadRow) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))

    @classmethod
    def at(cls, reason: str, file: str = "", line: int = 0) -> Self:
        """Return the error of one *reason*, in a line of a file where these are known."""
        return cls(UnreadRow(file, line, reason))
