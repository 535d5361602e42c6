"""The scenarios that come with the package: `chen-base`, `llama3-16k`, `recovery/...`, `published/...`."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[2]
SUFFIX = ".yaml"
CASES = "published/"


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
