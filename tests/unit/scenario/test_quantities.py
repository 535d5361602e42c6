"""The values of the language by themselves: what each takes, what it says of others, and its JSON Schema."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from clustersim import units
from clustersim.scenario.keys.quantities import (
    LONGEST_DURATION,
    LONGEST_TEXT,
    Name,
    Reads,
    Text,
    Threshold,
    bounded,
    is_name,
    not_too_long,
    plain,
    quantity,
    table,
    whole,
    words,
)


def reads(name: str) -> Reads:
    """Return one of each kind; made for each test, to test how it is made too."""
    made = {
        "few": whole(1, 5),
        "many": whole(0, 2000),
        "part": plain(0, 1),
        "some": plain(0, 1, above=True),
        "word": words("hot", "cold"),
        "time": quantity(units.DURATION, bounded),
        "table": table(whole(1, 5000), plain(0, 1), "{8: 0.5}"),
    }
    return made[name]


NO_TIME = 'is not a duration; give a number and one of ms, s, min, h, d, wk, y, such as "5 min"'


@pytest.mark.parametrize(
    ("name", "written", "value"),
    [
        *(("few", count, count) for count in (1, 3, 5)),
        ("few", 4.0, 4),
        ("many", "1_000", 1000),
        *(("part", number, number) for number in (0, 0.5, 1)),
        ("some", 1, 1.0),
        ("word", "cold", "cold"),
        ("time", "5 min", 300.0),
        ("table", {"16": 1, 8: 0.5}, {8: 0.5, 16: 1}),
        ("table", dict.fromkeys(range(1, 1001), 0), dict.fromkeys(range(1, 1001), 0.0)),
    ],
)
def test_what_is_right_is_read(name: str, written: object, value: object) -> None:
    assert reads(name).parse(written) == value


@pytest.mark.parametrize(
    ("name", "written", "why"),
    [
        ("few", 0, "0 is out of range; 1 to 5 is allowed"),
        ("few", 6, "6 is out of range; 1 to 5 is allowed"),
        ("few", 2.5, '2.5 is not a whole number; give one such as "100_000"'),
        ("few", True, 'true is not a whole number; give one such as "100_000"'),
        ("part", -0.1, "-0.1 is out of range; 0 to 1 is allowed"),
        ("part", 1.1, "1.1 is out of range; 0 to 1 is allowed"),
        ("some", 0, "0 is out of range; above 0 to 1 is allowed"),
        ("part", math.inf, "inf is not finite; give a number"),
        ("part", True, "true is not a plain number; give one without unit"),
        ("part", "50 %", '"50 %" is not a plain number; give one without unit'),
        ("word", "warm", '"warm" is not known; allowed are hot, cold'),
        ("word", ["hot"], "a list is not known; allowed are hot, cold"),
        ("time", True, f"true {NO_TIME}"),
        ("time", ["5 min"], f"a list {NO_TIME}"),
        ("time", "0.5 ms", '"0.5 ms" is shorter than 1 ms; give 0 s, or 1 ms or more'),
        ("table", [0.5], "a list is not a table; give {8: 0.5}"),
        ("table", {}, "a block is not a table; give {8: 0.5}"),
        ("table", dict.fromkeys(range(1, 1002), 0), "1_001 entries, 1_000 are possible; give fewer"),
    ],
)
def test_what_is_wrong_is_told_with_what_to_do(name: str, written: object, why: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(why)}$"):
        reads(name).parse(written)


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("part", {"type": "number", "minimum": 0, "maximum": 1}),
        ("some", {"type": "number", "exclusiveMinimum": 0, "maximum": 1}),
        ("word", {"enum": ["hot", "cold"]}),
        ("time", {"pattern": units.DURATION.pattern}),
        (
            "few",
            {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 5}, {"pattern": units.COUNT.pattern}]},
        ),
        (
            "table",
            {
                "type": "object",
                "minProperties": 1,
                "maxProperties": 1000,
                "additionalProperties": {"type": "number", "minimum": 0, "maximum": 1},
            },
        ),
    ],
)
def test_editors_know_the_same_limits(name: str, schema: dict[str, Any]) -> None:
    assert reads(name).schema == schema


@pytest.mark.parametrize(
    ("text", "sign", "value"),
    [
        (">= 90 %", ">=", 0.9),
        ("<-1_000.5", "<", -1000.5),
        (f"> 0.{'3' * 56}", ">", 1 / 3),
    ],
)
def test_a_threshold_is_a_sign_and_a_number_of_sixty_characters_at_most(
    text: str, sign: str, value: float
) -> None:
    assert Threshold.parse(text) == Threshold(sign, value)
    with pytest.raises(ValueError, match="is not a threshold; write a sign and a number"):
        Threshold.parse(f"{text:<61}")


def test_a_text_has_so_many_characters_at_most() -> None:
    read = TypeAdapter(Text).validate_python
    assert read("x" * LONGEST_TEXT) == "x" * LONGEST_TEXT
    with pytest.raises(ValidationError, match="a text of 10_001 characters is too long; 10_000 are allowed"):
        read("x" * (LONGEST_TEXT + 1))


def test_each_row_of_a_table_that_is_wrong_is_told_at_its_name() -> None:
    with pytest.raises(ValidationError) as caught:
        reads("table").parse({None: 0, 2.5: 0, 8: 2, 16: 0, "16": 1})
    assert [error["loc"][0] for error in caught.value.errors()] == ["None", "2.5", 8, "16"]


def test_the_longest_duration_is_not_too_long() -> None:
    not_too_long(LONGEST_DURATION, "long")
    with pytest.raises(ValueError, match="longer"):
        not_too_long(LONGEST_DURATION * (1 + 1e-9), "longer")


def test_a_name_ends_in_no_space_and_is_a_text() -> None:
    assert (is_name("ab"), is_name("ab ")) == (True, False)
    with pytest.raises(ValidationError, match="7 is not a name; put it in quotes"):
        TypeAdapter(Name).validate_python(7)
