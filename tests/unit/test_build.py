"""How this copy of clustersim was built."""

from __future__ import annotations

from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec
from pathlib import Path

from clustersim.version import build

HOT = (
    "clustersim.streams",
    "clustersim.engine.events",
    "clustersim.engine.cluster",
    "clustersim.engine.journal",
)


def origins() -> list[str]:
    specs = [find_spec(name) for name in HOT]
    return [str(spec.origin) for spec in specs if spec is not None]


def test_what_it_says_of_itself_is_so() -> None:
    extensions = [origin.endswith(tuple(EXTENSION_SUFFIXES)) for origin in origins()]
    assert len(extensions) == len(HOT)
    assert extensions == [build() == "compiled"] * len(HOT)


def test_a_checkout_is_never_compiled() -> None:
    """An extension beside its source could be older than that; the editable install must hold none."""
    sim = Path(__file__).resolve().parents[2] / "sim"
    if Path(origins()[0]).is_relative_to(sim):
        assert build() == "pure Python"
    assert [path for suffix in EXTENSION_SUFFIXES for path in sim.rglob(f"*{suffix}")] == []


def test_the_provenance_says_it() -> None:
    import clustersim as cs

    run = cs.run("chen-10k", replications=1, horizon="1d", workers=1)
    assert run.provenance["build"] == build()
