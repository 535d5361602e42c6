"""The version of clustersim, and how this copy of it was built: the only place that states them."""

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from platform import python_version

VERSION = "0.2.0"
DECISIVE = ("numpy", "scipy", "simpy")
"""The libraries on which the numbers of a replication depend, beside the code itself."""


def build() -> str:
    """Return "compiled" where the engine was translated to C when this copy was built, else "pure Python".

    Both give the same bytes; the compiled one takes about half of the CPU time.  Nothing is imported but
    the package itself, so that `clustersim --version` stays quick.
    """
    streams = find_spec("clustersim.streams")
    is_source = streams is None or str(streams.origin).endswith(".py")
    return "pure Python" if is_source else "compiled"


@cache
def source() -> str:
    """Return a checksum of the source, the same for both builds.

    What another state of it has simulated is not taken for what this one would, though both call themselves
    by the same version.
    """
    here, state = Path(__file__).parent, hashlib.sha256()
    for path in sorted(here.rglob("*.py")):
        state.update(path.relative_to(here).as_posix().encode() + path.read_bytes())
    return state.hexdigest()[:16]


@cache
def state() -> Mapping[str, str]:
    """Return what two machines must have in common to simulate parts of one answer, by its name."""
    own = {"clustersim": VERSION, "source": source(), "build": build(), "Python": python_version()}
    return own | {name: version(name) for name in DECISIVE}
