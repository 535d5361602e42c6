"""YAML to plain data with places, and no text that does harm."""

from __future__ import annotations

import copy
import io
import math
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clustersim.scenario import ScenarioError, load, loads
from clustersim.scenario.loading import build
from clustersim.scenario.text.document import Document, Place, Problem, at, within
from clustersim.scenario.text.document import Path as Keys
from clustersim.scenario.text.reader import DEEPEST, read_file, read_stream, read_text, resolve, unspeakable
from clustersim.units import LARGEST_WHOLE
from tests.unit.scenario.everything import EVERYTHING

SMALL = """\
name: small
title: "a title"
cluster: {gpus: 64, spares: 2 %}
workload: {scaling_efficiency: {64: 1.0, 128: 0.9}, productive: 2 d}
failures:
  node: &node {per: node, mtbf: 50 d, repair: {lognormal: {median: 20 h, sigma: 2.5, at_most: 130 d}}}
  other: {per: node, rate: 3 / y, lifetime: {weibull: {shape: 0.7}}, over_time: {0 d: 3, 14 d: 1}}
checkpoint: {interval: daly, blocks: 5 s, load: 1 min}
recovery:
  stages: {detect: 30 s, nodes: wait, start: {over_gpus: {64: 10 s, 128: 20 s}, fails: 3 %}, load: checkpoint}
simulation: {horizon: 3 d}
expect: {ettr.p10: ">= 0.5"}
sources: {failures.node.mtbf: a guess}
"""


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10_000", 10_000),
        ("-5", -5),
        ("1e6", 1e6),
        ("2.43e12", 2.43e12),
        (".5", 0.5),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("no", "no"),
        ("on", "on"),
        ("12:30", "12:30"),
        ("0x10", "0x10"),
        ("2024-09-12", "2024-09-12"),
        ("4 min", "4 min"),
        ("1" * 5000, "1" * 5000),
    ],
)
def test_scalars_mean_what_they_mean_in_json(text: str, value: object) -> None:
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


def test_every_value_knows_its_place() -> None:
    document = read_text("a:\n  b: [x, y]\n  c: {d: 1}\n", "f.yaml")
    assert document.data == {"a": {"b": ["x", "y"], "c": {"d": 1}}}
    assert str(document.place(("a", "b", 1))) == "f.yaml:2:10"
    assert str(document.place(("a", "c", "d"))) == "f.yaml:3:10"
    assert str(document.place(("a", "c", "d"), of_key=True)) == "f.yaml:3:7"
    assert str(document.place(("a",))) == "f.yaml:1:1"
    assert str(document.place(("a", "missing"))) == "f.yaml:1:1"


def test_a_problem_is_told_at_its_value_or_where_the_key_is_wrong_at_the_key() -> None:
    document = read_text("a: {b: 1}\n", "f")
    assert str(document.problem(("a", "b"), "is odd")) == "f:1:8: a.b: is odd"
    assert str(document.problem(("a", "b"), "is odd", of_key=True)) == "f:1:5: a.b: is odd"
    assert str(Document({}).problem(("a",), "is odd")) == "<scenario>: a: is odd"


@pytest.mark.parametrize(("length", "told"), [(200, 200 * "x"), (201, 197 * "x" + "...")])
def test_a_path_is_told_up_to_two_hundred_characters(length: int, told: str) -> None:
    assert str(Problem(Place("f"), length * "x", "is odd")) == f"f: {told}: is odd"


@pytest.mark.parametrize(
    ("count", "rest"), [(20, []), (21, ["1 more problem; correct"]), (22, ["2 more problems; correct"])]
)
def test_twenty_problems_are_told_and_how_many_more_there_are(count: int, rest: list[str]) -> None:
    error = ScenarioError(Problem(Place("f"), f"x{number}", "is odd") for number in range(count))
    lines = [f"f: x{number}: is odd" for number in range(20)]
    assert str(error) == "\n".join([*lines, *(f"{each} these first" for each in rest)])
    assert len(error.problems) == count


def test_quoted_scalars_are_texts() -> None:
    assert read_text("a: '5'\nb: \"null\"\nc: |\n  12\n", "f").data == {"a": "5", "b": "null", "c": "12\n"}


def test_anchors_and_aliases_are_values() -> None:
    assert read_text("a: &x {b: 1}\nc: *x\n", "f").data == {"a": {"b": 1}, "c": {"b": 1}}


def test_of_a_key_given_twice_the_first_counts_and_keeps_its_place() -> None:
    document = read_text("a: {x: 1}\na: {x: 2, y: 3}\n", "f")
    assert document.data == {"a": {"x": 1}}
    assert str(document.place(("a", "x"))) == "f:1:8"
    assert [(str(problem.place), problem.path) for problem in document.problems] == [("f:2:1", "a")]


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    file = tmp_path / "bom.yaml"
    file.write_bytes(b"\xef\xbb\xbfname: x\n")
    assert read_file(file, "bom.yaml").data == {"name": "x"}


def stream(raw: bytes) -> Document:
    return read_stream(io.BytesIO(raw), "f")


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_byte_that_is_not_utf_8_is_found_behind_characters_and_a_byte_order_mark(mark: bytes) -> None:
    with pytest.raises(ScenarioError, match=r"^f:2:5: byte 0xff is not UTF-8"):
        stream(mark + "a: 1\n显卡: ".encode() + b"\xff")
    with pytest.raises(ScenarioError, match=r"^f:1:1: byte 0xfe is not UTF-8"):
        stream(mark + b"\xfe")


@pytest.mark.parametrize(("text", "place"), [("\x01", "1:1"), ("\n\x01", "2:1"), ("a: 1\n\nb: \x01", "3:4")])
def test_a_character_that_is_not_allowed_is_found(text: str, place: str) -> None:
    with pytest.raises(ScenarioError, match=rf"^f:{place}: character U\+0001"):
        read_text(text, "f")


def test_a_stream_is_read_whole_up_to_a_limit_and_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in ("LARGEST_LOGS", "LARGEST_FILE"):
        monkeypatch.setattr(f"clustersim.scenario.text.reader.{limit}", 9)
    assert stream(b"a: 123456").data == {"a": 123_456}
    with pytest.raises(ScenarioError, match=r"is too large \(0.01 KB\); a scenario has at most 0.009 KB"):
        stream(b"a: 123456" * 9)


class Endless(io.RawIOBase):
    """Bytes without end, of which nobody may ask for all."""

    def read(self, size: int = -1) -> bytes:
        """Return as many as are asked for."""
        assert size > 0
        return b"x" * size


@pytest.mark.parametrize("read", [read_file, lambda _, name: read_stream(Endless(), name)])  # type: ignore[arg-type]
def test_of_what_does_not_end_no_more_is_read_than_the_limit(
    read: Callable[[Path, str], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x.yaml").touch()
    monkeypatch.setattr(Path, "open", lambda *_: Endless())
    with pytest.raises(ScenarioError, match=r"^f: is too large \(10 MB\); a scenario has at most 256 KB$"):
        read(tmp_path / "x.yaml", "f")


def test_a_file_of_just_the_limit_is_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clustersim.scenario.text.reader.LARGEST_LOGS", 9)
    (tmp_path / "x.yaml").write_text("a: 123456")
    assert read_file(tmp_path / "x.yaml", "f").data == {"a": 123_456}


def test_rows_of_a_log_do_not_count_for_the_size_of_a_scenario_up_to_a_limit_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of these 65 bytes all but 5 are rows."""
    text = b"a: |\n" + 10 * b"  1,2\n"
    monkeypatch.setattr("clustersim.scenario.text.reader.LARGEST_FILE", 9)
    monkeypatch.setattr("clustersim.scenario.text.reader.LARGEST_LOGS", 65)
    assert stream(text).data == {"a": 10 * "1,2\n"}
    monkeypatch.setattr("clustersim.scenario.text.reader.LARGEST_LOGS", 64)
    with pytest.raises(ScenarioError, match="is too large"):
        stream(text)


def test_windows_line_ends_are_line_ends() -> None:
    document = read_text("a: 1\r\nb: 2\r\n", "f")
    assert document.data == {"a": 1, "b": 2}
    assert str(document.place(("b",))) == "f:2:4"


def test_yaml_of_another_version_is_read_the_same() -> None:
    assert read_text("%YAML 1.1\n---\na: no\nb: 012\n", "f").data == {"a": "no", "b": 12}


@pytest.mark.parametrize("text", ["[" * 5000, "{a: " * 3000, "- " * 3000, "? " * 3000, "a:\n" + " b:" * 3000])
def test_deep_nesting_is_refused_at_once(text: str) -> None:
    with pytest.raises(ScenarioError):
        read_text(text, "f")


def outcome(make: Callable[[], object]) -> list[str]:
    """Return the messages of the problems that *make* raises; any other error fails the test."""
    try:
        make()
    except ScenarioError as error:
        return [problem.message for problem in error.problems] or ["a ScenarioError without problems"]
    return []


def in_words(messages: list[str]) -> bool:
    """Whether every message is a sentence of ours."""
    return all(re.search(r"; |\?$|\(", message) and "Input should" not in message for message in messages)


def test_the_text_that_is_mutated_is_a_scenario() -> None:
    assert loads(SMALL).name == "small"


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes_are_refused_in_words(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    file = tmp_path_factory.mktemp("raw") / "raw.yaml"
    file.write_bytes(raw)
    assert in_words(outcome(lambda: load(file)))


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="a1:{}[]\"'#&*!|>-?,% \n\t\\.@`~", max_size=60))
def test_yaml_like_texts_are_scenarios_or_faults(text: str) -> None:
    assert in_words(outcome(lambda: loads(text)))


@settings(max_examples=250, deadline=None)
@given(
    st.integers(0, len(SMALL) - 1),
    st.integers(0, 12),
    st.sampled_from(
        ["", "0", "-1", ":", "{", "]", "null", "x", "\n", " ", "5 s", "'", "*node", "&a ", "1e309", "%"]
    ),
)
def test_mutated_scenarios_are_scenarios_or_faults(at: int, length: int, new: str) -> None:
    text = SMALL[:at] + new + SMALL[at + length :]
    assert in_words(outcome(lambda: loads(text)))


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["none", "5 s", "daly", "x", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["mean", "per", "a"]), inner, max_size=3)
    ),
    max_leaves=4,
)
PATHS = [
    ("cluster", "gpus"),
    ("cluster", "spares"),
    ("workload",),
    ("workload", "scaling_efficiency"),
    ("failures",),
    ("failures", "node"),
    ("failures", "node", "lifetime"),
    ("failures", "node", "repair"),
    ("failures", "node", "effect"),
    ("failures", "node", "over_time"),
    ("checkpoint",),
    ("checkpoint", "interval"),
    ("recovery", "stages"),
    ("recovery", "stages", "start"),
    ("simulation", "horizon"),
    ("expect",),
    ("sources",),
]


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(PATHS), VALUES)
def test_any_value_anywhere_is_accepted_or_refused_in_words(path: tuple[str, ...], value: object) -> None:
    data = read_text(SMALL, "small.yaml").data
    block = data
    for name in path[:-1]:
        block = block[name]
    block[path[-1]] = value
    assert in_words(outcome(lambda: build(Document(data))))


WHOLE = read_text(EVERYTHING, "everything.yaml").data
DEEP = [path for path in within(WHOLE) if path]


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(DEEP), VALUES)
def test_any_value_in_everything_is_accepted_or_refused_in_words(path: Keys, value: object) -> None:
    data = copy.deepcopy(WHOLE)
    at(data, path[:-1])[path[-1]] = value
    assert in_words(outcome(lambda: build(Document(data))))


SELF: dict[str, object] = {}
SELF["a"], SELF["b"] = SELF, [SELF]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (SELF, "nested more than 20 levels"),
        ([SELF], "nested more than 20 levels"),
        ({"x": "\ud800"}, r"sources\.x: character U\+D800 is not allowed"),
        ({"x": ["\x1b[2J"]}, "U\\+001B"),
        ({"\x9b": "x"}, "U\\+009B"),
        ({True: "x"}, "true is not a key"),
        ({(1, 2): "x"}, "is not a key"),
        ({"x": 10**5000}, "more than 60 digits is out of range"),
        ([0] * 200_000, "more than 100_000 values"),
        (math.nan, "nan"),
    ],
    ids=lambda value: str(type(value)),
)
def test_what_no_text_can_say_is_refused_from_a_program_too(value: object, why: str) -> None:
    with pytest.raises(ScenarioError, match=why):
        load("chen-10k", {"sources": value})
    with pytest.raises(ScenarioError, match=why.replace(r"sources\.", "")):
        build(Document({"name": "x", "sources": value}))


def test_quotes_hide_no_character_that_is_not_allowed() -> None:
    for text in ('"\\ud800"', '"\\e[2J"', '{"\\a": 1}', '["\\0"]'):
        with pytest.raises(ScenarioError, match=r"f:1:\d: .*character U\+"):
            read_text(text, "f")


@pytest.mark.parametrize(
    ("data", "path"), [({"a": "\ud800", "b": {"c": 1}}, ("a",)), ({"a": ["\ud800", [1]]}, ("a", 0))]
)
def test_what_no_text_can_say_is_found_beside_what_is_read_first(data: object, path: Keys) -> None:
    assert [found for found, _ in unspeakable(data)] == [path]


def test_data_of_a_program_may_be_as_deep_as_a_text() -> None:
    data: object = 1
    for _ in range(DEEPEST):
        data = {"a": data}
    assert not list(unspeakable(data))
    assert [path for path, _ in unspeakable({"a": data})] == [("a", "a", "a")]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1_000", 1000),
        ("1_0.5e1", 105.0),
        ("1" * 60, int("1" * 60)),
        ("1" * 61, "1" * 61),
        (f".{'1' * 59}", 1 / 9),
        (f".{'1' * 60}", f".{'1' * 60}"),
    ],
)
def test_a_number_has_up_to_sixty_characters(text: str, value: object) -> None:
    found = resolve(text)
    assert type(found) is type(value)
    assert found == value


def test_the_largest_whole_number_is_out_of_range() -> None:
    assert list(unspeakable({"a": LARGEST_WHOLE - 1})) == []
    assert [path for path, _ in unspeakable({"a": -LARGEST_WHOLE})] == [("a",)]


KEY = "a key is a plain word or number; write name: value"


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        # Each pair leaves one bracket open; the sixty-first that is open at once is one too many to look at.
        ("x: " + "[[]," * 61, "1:241", "nested more than 20 levels deep"),
        # As many as may be looked at: it is the value behind twenty keys that is too deep.
        ("x: []\ny: " + "[" * 60, "2:24: y.0.0", "nested more than 20 levels deep"),
        ("a: {!!str b: 1}", "1:5: a", KEY),
        ("a: {&b b: 1}", "1:5: a", KEY),
        ("a: {? [b] : 1}", "1:7: a", KEY),
    ],
)
def test_what_is_refused_while_reading_is_told_at_its_place(text: str, place: str, what: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        read_text(text, "f")
    assert str(caught.value).startswith(f"f:{place}: {what}")


def test_as_many_values_as_the_limit_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clustersim.scenario.text.reader.MOST_VALUES", 4)
    assert read_text("a: [1, 2]", "f").data == {"a": [1, 2]}
    with pytest.raises(ScenarioError, match=r"^f:1:11: more than "):
        read_text("a: [1, 2, 3]", "f")
