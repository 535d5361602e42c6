"""The types of numpy's arrays: `Array` holds numbers of any kind, `Floats` holds floating-point ones.

They say explicitly that they are aliases, as mypyc sees no numpy and would take them for variables.  `dot` is
the sum of products, the same to the last bit on any number of cores.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Floats: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]


def dot(one: Array, other: Array) -> float:
    """Return the sum of the products of two arrays of one length.

    `@` would leave it to BLAS, which shares more than 10,000 numbers out among the cores that it finds: the
    last bits would depend on their number.
    """
    return float((one * other).sum())
