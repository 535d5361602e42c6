"""Arrow columns from numpy arrays and words, made from their bytes.

Arrow's own conversion imports pandas, half a second that a run on the command line has no use for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

Array = np.ndarray[Any, np.dtype[Any]]


def table(columns: Mapping[str, Array | pa.Array]) -> pa.Table:
    """Return a table of *columns*; numpy arrays become numbers, where NaN is null, or truth values."""
    arrays = [column if isinstance(column, pa.Array) else numbers(column) for column in columns.values()]
    return pa.table(arrays, names=list(columns))


def numbers(values: Array) -> pa.Array:
    """Return a column of numbers (NaN is null) or of truth values."""
    valid = None
    if values.dtype.kind == "f" and np.isnan(values).any():
        valid = _bits(~np.isnan(values))
    data = _bits(values) if values.dtype == np.bool_ else pa.py_buffer(np.ascontiguousarray(values))
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), [valid, data])


def words(texts: Sequence[str]) -> pa.Array:
    """Return a column of texts."""
    encoded = [text.encode() for text in texts]
    ends = np.cumsum([0, *map(len, encoded)]).astype(np.int32)
    return pa.Array.from_buffers(
        pa.string(), len(encoded), [None, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))]
    )


def chosen(indices: Array, texts: Sequence[str]) -> pa.DictionaryArray:
    """Return a column of texts, each given by its index in *texts*."""
    return pa.DictionaryArray.from_arrays(numbers(indices.astype(np.int16)), words(texts))


def _bits(truth: Array) -> pa.Buffer:
    return pa.py_buffer(np.packbits(truth, bitorder="little"))
