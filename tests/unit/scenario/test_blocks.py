"""How blocks are made: their keys, one value in place of a block, and what a block resolves to."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import TypeAdapter, ValidationError

from clustersim.scenario.keys.blocks import (
    MOST_GUESSES,
    Block,
    Kind,
    Resolved,
    Shorthand,
    key,
    strangers,
    unknown,
)
from clustersim.scenario.keys.logs import Recorded, Replay
from clustersim.scenario.kinds.retirement import Retire


class Pair(Block):
    """Two numbers, and their sum as what they resolve to."""

    low: int = key("the smaller one")
    high: int = key("the larger one")

    def resolve(self) -> int:
        """Return the sum."""
        return self.low + self.high


def test_a_key_has_its_meaning_its_unit_and_whether_its_default_is_listed() -> None:
    class Written(Block):
        """All there is of a key."""

        needed: int = key("the size")
        count: int = key("how many", 3, unit="nodes")
        wait: int = key("how long", 0, quiet=True)
        both: int = key("how many more", 0, unit="nodes", quiet=True)

    schema = Written.model_json_schema()
    assert schema["required"] == ["needed"]
    said = [
        {name: value for name, value in of.items() if name not in ("type", "title")}
        for of in schema["properties"].values()
    ]
    assert said == [
        {"description": "the size"},
        {"description": "how many", "default": 3, "x-unit": "nodes"},
        {"description": "how long", "default": 0, "x-quiet": True},
        {"description": "how many more", "default": 0, "x-unit": "nodes", "x-quiet": True},
    ]


def test_the_key_of_a_kind_says_what_it_does_and_may_be_left_out() -> None:
    class Stops(Kind):
        """Stops."""

        word, does, example = "stop", "stops all", "{at: 3}"

    assert (Stops.as_key().description, Stops.as_key().default) == ("stops all: {at: 3}", None)


@pytest.mark.parametrize(("count", "rest"), [(19, ""), (20, ""), (21, ", ...")])
def test_of_what_is_allowed_the_first_twenty_are_told(count: int, rest: str) -> None:
    names = [f"n{number}" for number in range(count)]
    assert unknown("else", names, "no such") == f"no such; allowed are {', '.join(names[:20])}{rest}"


@pytest.mark.parametrize("allowed", [["replica", "replicas"], ["replicas", "replica"]])
def test_of_several_names_that_are_near_the_nearest_is_told(allowed: list[str]) -> None:
    assert unknown("replcas", allowed) == 'unknown key; did you mean "replicas"?'


def twice(value: object) -> object:
    return {"low": value, "high": value}


PAIR = {"low": 1, "high": 2}


@pytest.mark.parametrize(
    ("kind", "written", "value"),
    [
        (Resolved(Pair), PAIR, 3),
        (Shorthand(twice, {}, Pair), 5, 10),
        (Shorthand(twice, {}, Pair), PAIR, 3),
        (Shorthand(twice, {}), 5, Pair(low=5, high=5)),
        (Shorthand(lambda one: [one], None, entries=list[Pair]), PAIR, [Pair(**PAIR)]),
        (Shorthand(lambda one: [one], None, entries=list[Pair]), [PAIR], [Pair(**PAIR)]),
    ],
)
def test_a_field_holds_what_its_block_comes_to(kind: object, written: object, value: object) -> None:
    reads: TypeAdapter[Any] = TypeAdapter(Annotated[Pair, kind])
    assert reads.validate_python(written) == value


def test_what_no_sentence_is_for_is_told_with_the_value() -> None:
    with pytest.raises(ValidationError) as caught:
        Pair.model_validate({"low": "x", "high": 2})
    (fault,) = caught.value.errors()
    assert (fault["loc"], fault["msg"]) == (("low",), '"x" is not understood here; give another value')


def test_rows_of_a_log_are_a_list_of_blocks() -> None:
    rows = TypeAdapter(Replay).validate_python([{"time": "1 min", "node": 3, "repair": "2 s"}])
    assert rows == (Recorded(60.0, 3, 2.0),)


def test_of_halves_of_two_rules_only_one_rule_is_asked_for() -> None:
    with pytest.raises(ValidationError, match=r"^1 validation error(.|\n)*two rules at once"):
        Retire.model_validate({"after": 3, "score": 3})


def test_only_so_many_strangers_are_compared_with_what_is_allowed() -> None:
    found = [why for _, why in strangers(["mtbx"] * (MOST_GUESSES + 2), ["mtbf"], "no such key")]
    assert ['did you mean "mtbf"' in why for why in found] == [True] * MOST_GUESSES + [False] * 2
