"""What a terminal shows of an answer, as lines to look at."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console

from clustersim.advice import Advice
from clustersim.cli.screen import Screen
from clustersim.cli.show import show

SIGNS = {"": " ", "bold": "#", "dim": "~", "yellow": "!", "bold yellow": "?"}


class Page(Screen):
    """A screen whose lines are kept, each after a sign for its style; those that are empty are left out."""

    def __init__(self, width: int = 100) -> None:
        super().__init__(Console(width=width, no_color=True))
        self.lines: list[str] = []

    def text(self, words: str, style: str = "", depth: int = 0, *, whole_lines: bool = False) -> None:
        with self._console.capture() as captured:
            super().text(words, style, depth, whole_lines=whole_lines)
        found = captured.get().splitlines()
        self.lines += [f"{SIGNS.get(style, style)} {line}".rstrip() for line in found if line.strip()]

    def advice(self, sentences: Iterable[Advice]) -> None:
        """Keep how each begins."""
        self.lines += [
            f"{'!' if each.warning else ' '} {' '.join(str(each).split()[:3])}" for each in sentences
        ]


def page(answer: object, width: int = 100) -> str:
    """Return what is printed of an answer, as its lines."""
    screen = Page(width)
    show(answer, screen)
    return "\n".join(["", *screen.lines, ""])
