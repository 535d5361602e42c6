"""The types of numpy's arrays: `Array` holds numbers of any kind, `Floats` holds floating-point ones.

They say explicitly that they are aliases, as mypyc sees no numpy and would take them for variables.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Floats: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
