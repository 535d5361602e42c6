"""Names of nodes as schedulers write them: `gpu-[012-014,020],login1` are five nodes."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from clustersim.units import shown

MOST_HOSTS = 100_000
"""More nodes in one cell are a mistake."""
LONGEST_LIST = 100_000
_PART = re.compile(r"(?:[^,\[\]]|\[[^\[\]]*\])+")
_RANGE = re.compile(r"([0-9]{1,12})(?:-([0-9]{1,12}))?")
_WHOLE = re.compile(r"([0-9]{1,15})\.0*")


def hosts_of(cell: str) -> list[str]:
    """Return the names that *cell* holds; raises ValueError with a sentence where it cannot be read."""
    if "[" not in cell and "]" not in cell and "," not in cell:
        return [_plain(cell)]
    if len(cell) > LONGEST_LIST:
        raise ValueError(f"{shown(cell)} is too long for a list of nodes")
    parts = _PART.findall(cell)
    if "".join(parts).replace(",", "") != cell.replace(",", "") or ",".join(parts) != cell.strip(","):
        raise ValueError(f"{shown(cell)} is no list of nodes; write gpu-[012-014,020], or gpu-012,gpu-013")
    names = list(itertools.islice(itertools.chain.from_iterable(map(_expanded, parts)), MOST_HOSTS + 1))
    if len(names) > MOST_HOSTS:
        raise ValueError(f"{shown(cell)} are more than {MOST_HOSTS:,} nodes; give fewer")
    return list(dict.fromkeys(name for name in names if name))


def _plain(name: str) -> str:
    """Return a name; libraries for tables write the number 12 as 12.0 where other cells are empty."""
    whole = _WHOLE.fullmatch(name)
    return whole[1] if whole else name


def _expanded(part: str) -> Iterator[str]:
    pieces = re.split(r"\[([^\]]*)\]", part.strip())
    choices = [_numbers(piece) if number % 2 else (piece,) for number, piece in enumerate(pieces)]
    return map(_plain, map("".join, _product(choices)))


def _product(choices: list[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    many = 1
    for choice in choices:
        many *= len(choice)
    if many > MOST_HOSTS:
        raise ValueError(f"a list of nodes names more than {MOST_HOSTS:,}; give fewer")
    return itertools.product(*choices)


def _numbers(ranges: str) -> tuple[str, ...]:
    """Return the numbers of `012-014,020`, as wide as they are written."""
    names: list[str] = []
    for text in ranges.split(","):
        match = _RANGE.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"{shown(text)} in a list of nodes is no range; write [012-014,020]")
        low, high = match[1], match[2] or match[1]
        if int(high) < int(low):
            raise ValueError(f"{shown(text)} in a list of nodes runs backwards; write [{high}-{low}]")
        if int(high) - int(low) + len(names) >= MOST_HOSTS:
            raise ValueError(f"a list of nodes names more than {MOST_HOSTS:,}; give fewer")
        names += [f"{number:0{len(low)}d}" for number in range(int(low), int(high) + 1)]
    return tuple(names)


def natural(name: str) -> list[tuple[int, str]]:
    """Return by what names are sorted so that gpu-9 comes before gpu-10."""
    return [
        (int(piece), piece) if number % 2 else (0, piece)
        for number, piece in enumerate(re.split(r"([0-9]{1,15})", name))
    ]
