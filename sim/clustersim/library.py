"""The scenarios that come with the package: `chen-base`, `llama3-16k`, `recovery/...`, `published/...`.

This loads nothing else, so that a shell can complete their names in no time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_PACKAGE = Path(__file__).resolve().parent
SUFFIX = ".yaml"
CASES = "published/"
SCENARIO, CASE, BASE = "scenario", "case", "base"
"""Kinds of shipped files: to run, to validate (or run), and to inherit from, which is no scenario alone."""
_TITLE = re.compile(r'^title: +("?)(.+?)\1$', re.MULTILINE)
_GROUP = re.compile(r"^group: +(.+)$", re.MULTILINE)
_REMARK = re.compile(r"\A(?:# yaml-language-server.*\n)?((?:#.*\n)+)")
_SENTENCE = re.compile(r"(.+?)(?:\.\s|:\s*$|\.?$)")


class ShippedScenario(NamedTuple):
    """A shipped file: its name, its kind, what it is in one line, and the group that it belongs to."""

    name: str
    kind: str
    title: str
    group: str | None


def folder() -> Path:
    """Return the folder of shipped scenarios: `shipped/` once installed, `scenarios/` in a checkout."""
    installed = _PACKAGE / "shipped"
    return installed if installed.is_dir() else _PACKAGE.parents[1] / "scenarios"


def names() -> list[str]:
    """Return the names of all shipped scenarios, in order: the path below the folder without its suffix."""
    files = folder().rglob(f"*{SUFFIX}")
    return sorted(file.relative_to(folder()).with_suffix("").as_posix() for file in files)


def cases() -> list[str]:
    """Return the names of the cases of `clustersim validate`; what they share is in folders below."""
    return [name for name in names() if name.startswith(CASES) and name.count("/") == 1]


def path(name: str) -> Path | None:
    """Return the file of the shipped scenario *name*, or None where there is none of that name."""
    name = name.removesuffix(SUFFIX)
    return folder() / f"{name}{SUFFIX}" if name in names() else None


def listing() -> Iterator[ShippedScenario]:
    """Yield every shipped file with its title, or else the first sentence of the remark at its head."""
    for name in names():
        text = (folder() / f"{name}{SUFFIX}").read_text("utf-8")
        own = re.search(r"^name:", text, re.MULTILINE)
        kind = BASE if not own else CASE if name.startswith(CASES) else SCENARIO
        group = _GROUP.search(text)
        yield ShippedScenario(name, kind, _title(text), group[1] if group else None)


def _title(text: str) -> str:
    if stated := _TITLE.search(text):
        return stated[2]
    remark = _REMARK.match(text)
    words = " ".join(line.lstrip("# ") for line in remark[1].splitlines()) if remark else ""
    sentence = _SENTENCE.match(words)
    return sentence[1] if sentence else words
