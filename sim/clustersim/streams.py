"""Random numbers, each known by (seed, replication, name, index), never by the order of calls."""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from clustersim.arrays import Array

Sampler = Callable[[np.random.Generator, int], Array]

FIRST_CHUNK, LAST_CHUNK = 64, 4096
"""Draws at a time: few for a stream that is hardly used, many later, as each call of numpy costs time."""


class Streams:
    """The generators of one replication, each known by its name and independent of all others.

    The only place that makes a generator: a seed sequence spawned by the replication and the name's bytes.
    """

    def __init__(self, seed: int, replication: int) -> None:
        self.seed = seed
        self.replication = replication
        self._handed_out: list[tuple[str, np.random.Generator]] = []
        self._has_drawn = False

    def __repr__(self) -> str:
        return f"Streams(seed={self.seed}, replication={self.replication})"

    def __getitem__(self, name: str) -> np.random.Generator:
        rng = self._made(name)
        self._handed_out.append((name, rng))
        return rng

    def first(self, name: str, count: int) -> list[float]:
        """Return the first *count* numbers in [0, 1) of a stream of which nothing else is drawn.

        Its generator is not kept, so that there may be as many such streams as failures.
        """
        self._has_drawn = True
        numbers: list[float] = self._made(name).random(count).tolist()
        return numbers

    @property
    def drawn(self) -> bool:
        """Whether a number has been drawn so far: a generator that gave one is no longer as it was made.

        That is seen, not worked out from the scenario, so whatever is random cannot be forgotten here.
        """
        return self._has_drawn or any(
            rng.bit_generator.state != self._made(name).bit_generator.state for name, rng in self._handed_out
        )

    def _made(self, name: str) -> np.random.Generator:
        data = name.encode()
        key = (self.replication, len(data), zlib.crc32(data), zlib.adler32(data))
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=key))


class Draws:
    """The k-th draw of a named stream, for k = 0, 1, 2, ...; drawn in chunks when first asked for."""

    def __init__(self, streams: Streams, name: str, sampler: Sampler) -> None:
        self._streams = streams
        self._name = name
        self._sampler = sampler
        self._rng: np.random.Generator | None = None
        # Numbers side by side: as objects, each of the millions that a stream may have takes 32 bytes.
        self._values = array("d")
        self._chunk = FIRST_CHUNK

    def __repr__(self) -> str:
        return f"Draws({self._name!r}, {len(self._values)} drawn)"

    def __getitem__(self, index: int) -> float:
        while index >= len(self._values):
            self._extend()
        return self._values[index]

    def __iter__(self) -> Iterator[float]:
        """Yield draw after draw, for ever, without keeping them."""
        rng, chunk = self._streams[self._name], FIRST_CHUNK
        while True:
            yield from self._sampler(rng, chunk).tolist()
            chunk = min(2 * chunk, LAST_CHUNK)

    def _extend(self) -> None:
        if self._rng is None:
            self._rng = self._streams[self._name]
        self._values.frombytes(self._sampler(self._rng, self._chunk).astype(np.float64).tobytes())
        self._chunk = min(2 * self._chunk, LAST_CHUNK)


def happens(draws: Any, key: Any, share: float) -> bool:
    """Return whether the draw of *key*, in [0, 1), is below *share*; what is certain is not drawn."""
    return share >= 1.0 or (share > 0.0 and bool(draws[key] < share))


def uniform(rng: np.random.Generator, size: int) -> Array:
    """Return *size* numbers in [0, 1)."""
    return rng.random(size)
