"""What every registered kind has to keep to, whoever adds it: one contract for each registry, inherited.

A kind brings its own example along, so a new one is tested by its line in the registry alone.
"""

from __future__ import annotations

import ast
import inspect
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
from ruamel.yaml import YAML

from clustersim.engine.replication import simulate
from clustersim.records import Records
from clustersim.scenario.json_schema import schema
from clustersim.scenario.keys.blocks import Block
from clustersim.scenario.kinds.effects import EFFECTS, Effect, EffectKind
from clustersim.scenario.kinds.intervals import INTERVALS, Interval, IntervalKind
from clustersim.scenario.kinds.retirement import Retire
from clustersim.scenario.model import Scenario
from clustersim.scenario.values import values
from tests.oracle.agreement import disagreements

ROOT = Path(__file__).resolve().parents[2]
SMALL: dict[str, Any] = {
    "name": "small",
    "cluster": {"gpus": 16, "gpus_per_node": 2, "spares": 2},
    "failures": {"any": {"per": "node", "mtbf": "20000 s", "repair": "700 s", "detect": "90 s"}},
    "checkpoint": {"interval": "300 s", "blocks": "5 s", "load": "20 s"},
    "recovery": {"stages": {"start": "60 s", "load": "checkpoint"}},
    "simulation": {"horizon": "60000 s", "seed": 7},
}


def example(text: str) -> Any:
    """Read what a kind gives as an example of its keys."""
    return YAML(typ="safe").load(text) if text else {}


class Contract:
    """What holds for each kind of a registry: the tests of a registry are a subclass of this."""

    kinds: ClassVar[Mapping[str, type[Block]]]
    block: ClassVar[type[Block]]
    """The block of the language under whose keys the kinds are given."""

    def scenario(self, kind: type[Block]) -> dict[str, Any]:
        """Return a small scenario in which the kind is at work."""
        raise NotImplementedError

    def works(self, kind: type[Block], records: Records) -> bool:
        """Return whether the records show the kind at work."""
        raise NotImplementedError

    def test_it_has_words_for_its_reader(self, kind: type[Block]) -> None:
        assert inspect.cleandoc(kind.__doc__ or "").endswith(".")
        for field in kind.model_fields.values():
            assert field.description

    def test_its_keys_are_in_the_schema(self, kind: type[Block]) -> None:
        named = str(schema()["$defs"])
        keys = kind.keys()
        assert all(f"'{key}'" in named for key in keys)

    def test_its_traits_are_plain(self, kind: type[Block]) -> None:
        """A trait is asked for as it stands: a boolean stays one, whatever the kind's values."""
        base = kind.__mro__[1]
        for name in base.__annotations__:
            if isinstance(inspect.getattr_static(base, name, None), bool):
                assert isinstance(getattr(kind, name), bool), name

    def test_its_example_is_read_written_and_explained(self, kind: type[Block]) -> None:
        found = Scenario.model_validate(self.scenario(kind))
        assert Scenario.model_validate(found.document).hash == found.hash
        assert all(value.text for value in values(found))

    def test_it_acts_and_the_books_close(self, kind: type[Block]) -> None:
        found = Scenario.model_validate(self.scenario(kind))
        records = simulate(found, 0)
        assert self.works(kind, records)
        due = records.wall_s * found.cluster.gpus
        assert math.fsum(records.ledger.values()) == pytest.approx(due, rel=1e-9)
        assert records.charges.sum() == pytest.approx(due - records.ledger["productive"], abs=1e-9 * due)

    @pytest.mark.parametrize("replication", range(3))
    def test_the_naive_simulator_agrees(self, kind: type[Block], replication: int) -> None:
        assert disagreements(Scenario.model_validate(self.scenario(kind)), replication) == []


class TestEffects(Contract):
    """Effects of failures."""

    kinds = EFFECTS
    block = Effect

    def scenario(self, kind: type[Block]) -> dict[str, Any]:
        """Return one with a mode of that effect: of nodes, or of what the effect asks for."""
        assert issubclass(kind, EffectKind)
        effect = {kind.word: example(kind.example)} if kind.needs_details() else kind.word
        unused = dict.fromkeys(kind.unused)
        mode = {**SMALL["failures"]["any"], "effect": effect} | unused
        mode |= {} if kind.nodes_leave or kind.lasts_for_repair else {"repair": None}
        mode |= {"per": "cluster", "mtbf": "3000 s"} if kind.lasts_for_repair else {}
        mode = {key: value for key, value in mode.items() if value is not None}
        crashes = {"per": "node", "mtbf": "40000 s"}
        return SMALL | {"failures": {"other": crashes, "any": mode}}

    def works(self, kind: type[Block], records: Records) -> bool:
        """Every effect strikes, and only those of the modes that stop training cost restarts."""
        assert issubclass(kind, EffectKind)
        stops = records.incidents["interruption"][records.incidents["mode"] == 1]
        return bool(len(stops) and (stops.any() or not kind.stops_training))

    def test_only_words_that_say_enough_are_read_alone(self, kind: type[EffectKind]) -> None:
        if kind.needs_details():
            with pytest.raises(ValueError, match="needs its details"):
                Effect.named(kind.word)
            assert kind.word in Effect.model_fields
        else:
            assert Effect.named(kind.word) == kind()


class TestRules(Contract):
    """Rules by which repeat offenders retire."""

    kinds: ClassVar = {rule.__name__: rule for rule in Retire.rules}
    block = Retire

    def scenario(self, kind: type[Block]) -> dict[str, Any]:
        """Return one in which nodes fail often enough to retire by the rule's example."""
        recovery = SMALL["recovery"] | {"retire": example(kind.example) | {"replacement": "1000 s"}}  # type: ignore[attr-defined]
        modes = {"any": SMALL["failures"]["any"] | {"mtbf": "9000 s"}}
        return SMALL | {"recovery": recovery, "failures": modes}

    def works(self, kind: type[Block], records: Records) -> bool:
        """A node retires: one comes that has a higher number than all that there were."""
        return bool(records.incidents["node"].max() >= 10)

    def test_half_of_it_is_refused(self, kind: type[Block]) -> None:
        first, *rest = kind.model_fields
        half = {first: example(kind.example)[first]}  # type: ignore[attr-defined]
        with pytest.raises(ValueError, match=f"half a rule: {first} without {rest[0]}"):
            Retire.model_validate(half)


class TestIntervals(Contract):
    """Ways to choose the interval between saves."""

    kinds = INTERVALS
    block = Interval

    def scenario(self, kind: type[Block]) -> dict[str, Any]:
        """Return one that saves at such intervals, in steps so that all kinds can be tried."""
        assert issubclass(kind, IntervalKind)
        stated: Any = kind.word if kind.word in Interval.words_alone() else kind.example
        if kind.word in Interval.model_fields:
            stated = {kind.word: example(kind.example)}
        saves = SMALL["checkpoint"] | {"interval": stated}
        return SMALL | {"checkpoint": saves, "workload": {"step_time": "4 s"}}

    def works(self, kind: type[Block], records: Records) -> bool:
        """Each save costs time, and what is lost in a failure is less than all of the work."""
        return records.ledger["checkpoint"] > 0 and records.ledger["lost"] < records.ledger["productive"]

    def test_its_interval_is_known_before_anything_happens(self, kind: type[Block]) -> None:
        (tier,) = Scenario.model_validate(self.scenario(kind)).tiers
        assert 10.0 < tier.interval < 3600.0
        if tier.adapts is not None:
            assert tier.adapts.interval(0, 0.0) == tier.interval

    @pytest.mark.parametrize("how", ["replicas", "tiers"])
    def test_it_serves_every_kind_of_work(self, kind: type[Block], how: str) -> None:
        """A plain job is that of the other tests."""
        document = self.scenario(kind)
        saves = document["checkpoint"]
        if how == "replicas":
            document["recovery"] = document["recovery"] | {
                "replicas": 2,
                "stall": "30 s",
                "rejoin_stall": "20 s",
            }
            document["failures"] = document["failures"] | {"job": {"per": "job", "mtbf": "9000 s"}}
        else:
            quick = saves | {"blocks": "1 s", "survives": ["node"]}
            document["checkpoint"] = {"tiers": {"quick": quick, "sure": saves}}
            document["failures"] = document["failures"] | {"all": {"per": "cluster", "mtbf": "9000 s"}}
        assert disagreements(Scenario.model_validate(document)) == []


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test of a contract on every kind of its registry."""
    if metafunc.cls is not None and "kind" in metafunc.fixturenames:
        kinds = metafunc.cls.kinds
        metafunc.parametrize("kind", kinds.values(), ids=list(kinds))


REGISTERED = [
    kind for contract in (TestEffects, TestIntervals, TestRules) for kind in contract.kinds.values()
]
CLASSES = {kind.__name__ for kind in REGISTERED}
WORDS = {kind.word for kind in (*EFFECTS.values(), *Interval.kinds)}


def asked_by_name(source: str) -> list[int]:
    """Return the lines of a source that compare with a kind's word, or import a kind's class."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        names: set[object] = set()
        if isinstance(node, ast.Compare | ast.MatchValue):
            names = WORDS & {part.value for part in ast.walk(node) if isinstance(part, ast.Constant)}
        elif isinstance(node, ast.ImportFrom) and ".kinds." in f"{node.module}.":
            names = CLASSES & {alias.name for alias in node.names}
        lines += [node.lineno] if names else []  # type: ignore[attr-defined]
    return lines


OUTSIDE = [
    path
    for package in ("sim", "reports")
    for path in sorted((ROOT / package).rglob("*.py"))
    if path.parent.name != "kinds"
]


@pytest.mark.parametrize("path", OUTSIDE, ids=lambda path: str(path.relative_to(ROOT)))
def test_nobody_asks_for_a_kind_by_name(path: Path) -> None:
    assert asked_by_name(path.read_text("utf-8")) == []


def test_the_rule_sees_who_does() -> None:
    assert asked_by_name('if mode.effect.word == "flap":\n    pass\n') == [1]
    assert asked_by_name('a = effect in ("slow", "corrupt")\n') == [1]
    assert asked_by_name('match word:\n    case "storage":\n        pass\n') == [2]
    assert asked_by_name("from clustersim.scenario.kinds.effects import Slow\n") == [1]
    assert asked_by_name('costs = of(scenario, "slow")\n') == []
