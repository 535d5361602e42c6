"""What holds for every page and for every figure, whatever it shows."""

from __future__ import annotations

import copy
import itertools
import json
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest

from clustersim_reports import page as writer
from clustersim_reports import theme
from clustersim_reports.blocks import Figure, Table
from tests.reports.cases import HOSTILE
from tests.reports.pages import PAGES, blocks, figures, html, page, read, unpacked

LIMIT = 2_500_000
MARKUP = re.compile(r"</?b>|<br>|<extra></extra>")
UNITS = {"%": 0.01, "pp": 0.01, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}

every_page = pytest.mark.parametrize("name", PAGES)


@every_page
def test_a_page_is_well_formed_and_its_parts_are_in_order(name: str) -> None:
    reader = read(name)
    assert (reader.faults, reader.open) == ([], [])
    levels = [int(tag[1]) for tag, _ in reader.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in itertools.pairwise(levels))
    assert len(reader.all("main")) == len(reader.all("header")) == len(reader.all("footer")) == 1
    anchors = [attributes["id"] for _, attributes in reader.elements if "id" in attributes]
    assert len(set(anchors)) == len(anchors)
    links = [str(attributes["href"]) for attributes in reader.all("a")]
    assert all(link.startswith("#") and link[1:] in anchors for link in links)
    named = [str(attributes["id"]) for attributes in reader.all("section") if "aria-labelledby" in attributes]
    assert [f"#{anchor}" for anchor in named] == links[1 : 1 + len(named)]
    assert named[0] == "answer"
    assert named[-1] == "making"


@every_page
def test_a_table_has_a_caption_heads_and_as_many_cells_in_every_row(name: str) -> None:
    reader = read(name)
    assert len(reader.all("caption")) == len(reader.all("table"))
    assert all(attributes.get("scope") in {"row", "col"} for attributes in reader.all("th"))
    for table in (block for block in blocks(name) if isinstance(block, Table)):
        assert {len(row.cells) for row in table.rows} <= {1, len(table.columns)}
        if table.first == "Measure":
            silent = [row.head for row in table.rows for cell in row.cells if cell[:2] == ("—", "")]
            assert silent == []


@every_page
def test_a_page_shows_no_python(name: str) -> None:
    words = read(name).words.replace(HOSTILE, "")
    assert re.findall(r"\b(?:nan|None|inf|True|False)\b|Traceback|<clustersim", words) == []


@every_page
def test_markup_of_a_scenario_is_text(name: str) -> None:
    text = html(name)
    assert "<script>alert" not in text
    assert "evil.example" not in str(read(name).all("a"))
    if "hostile" in name:
        assert read(name).words.count(HOSTILE) >= 3


@every_page
def test_one_script_runs_and_nothing_asks_the_network(name: str) -> None:
    reader = read(name)
    policy = next(str(meta["content"]) for meta in reader.all("meta") if "http-equiv" in meta)
    assert policy.startswith("default-src 'none'; script-src 'nonce-")
    scripts = [script for script in reader.all("script") if script.get("type") is None]
    assert [f"'nonce-{script['nonce']}'" in policy for script in scripts] == [True]
    assert [word for _, attributes in reader.elements for word in attributes if word.startswith("on")] == []
    for attribute in ("src", "href", "action", "data"):
        found = [str(attributes[attribute]) for _, attributes in reader.elements if attribute in attributes]
        assert [link for link in found if not link.startswith(("#", "data:"))] == []
    templates = "".join(path.read_text("utf-8") for path in writer.FOLDER.iterdir())
    assert "http" not in templates.replace("http-equiv", "")


@every_page
def test_a_page_is_small_and_the_same_for_the_same_results(name: str) -> None:
    assert len(html(name).encode()) < LIMIT
    assert html(name).count('id="plotly"') == 1
    assert writer.render(PAGES[name]()) == html(name)


def test_the_nonce_depends_on_what_is_shown() -> None:
    nonces = {re.findall(r"nonce-([0-9a-f]+)", html(name))[0] for name in PAGES}
    assert len(nonces) == len(PAGES)
    again = writer.render(page("plain")._replace(heading="Another"))
    assert re.findall(r"nonce-([0-9a-f]+)", again)[0] not in nonces


def test_plotly_keeps_to_itself() -> None:
    found = re.search(r'<script type="application/json" id="config">(.*?)</script>', html("plain"))
    assert found
    config: dict[str, Any] = json.loads(found[1])
    assert config == writer.PLOTLY_CONFIG
    assert (config["showSendToCloud"], config["displaylogo"], config["plotlyServerURL"]) == (False, False, "")


@every_page
def test_every_figure_of_a_page_is_in_its_payload(name: str) -> None:
    plots = [attributes for attributes in read(name).all("div") if "data-figure" in attributes]
    assert all(len(str(plot["aria-label"])) > 20 and plot["role"] == "img" for plot in plots)
    drawn = unpacked(html(name))["figures"]
    assert list(drawn) == [plot["data-figure"] for plot in plots] == list(figures(name))
    assert {key: one["table"] for key, one in drawn.items()} == {
        key: json.loads(json.dumps(one.data.table)) for key, one in figures(name).items()
    }


@every_page
def test_the_data_of_a_figure_are_plain_and_rectangular(name: str) -> None:
    for one in figures(name).values():
        data = one.data
        assert data.rows
        assert all(list(row) == data.columns for row in data.rows)
        cells = [cell for row in data.rows for cell in row.values()]
        assert {type(cell) for cell in cells} <= {str, int, float, bool, type(None)}
        assert all(math.isfinite(cell) for cell in cells if isinstance(cell, float))
        assert all(column == column.strip() and " " not in column for column in data.columns[1:])


@every_page
def test_a_drawing_is_known_to_plotly_and_holds_no_template(name: str) -> None:
    for one in figures(name).values():
        drawn = go.Figure(copy.deepcopy(one.drawing)).to_plotly_json()
        assert len(drawn["data"]) == len(one.drawing["data"]) > 0
        assert "template" not in one.drawing["layout"]
        assert 100 < one.height < 2000


@every_page
def test_every_label_stands_inside_its_axes(name: str) -> None:
    """plotly hides a label outside its axis without a word, be it by a rounding."""
    for one in figures(name).values():
        layout = one.drawing["layout"]
        for note in layout["annotations"]:
            for way in "xy":
                ref = note.get(f"{way}ref", way)
                axis = {} if "domain" in ref or ref == "paper" else layout[f"{way}axis{ref[1:]}"]
                low, high = sorted(axis.get("range", (0, 1)))
                assert low <= note[way] <= high, (one.name, note["text"])


@every_page
def test_every_colour_of_a_drawing_has_a_dark_partner(name: str) -> None:
    for one in figures(name).values():
        used = set(_colours(one.drawing))
        assert used
        assert used <= set(theme.partners())


def _colours(value: object, key: str = "") -> Iterator[object]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _colours(inner, name)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _colours(inner, key)
    elif key.endswith("color"):
        yield value


@every_page
def test_no_text_in_a_drawing_is_markup_but_ours(name: str) -> None:
    for one in figures(name).values():
        texts = [text for text in _texts(one.drawing) if "<" in MARKUP.sub("", text)]
        assert texts == []


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value


@every_page
def test_the_words_of_a_figure_hold_its_numbers(name: str) -> None:
    for one in figures(name).values():
        assert one.title
        assert one.caption
        held = [
            float(cell) for row in one.data.rows for cell in row.values() if isinstance(cell, int | float)
        ]
        totals = [sum(one.data[name]) for name in ("outages",) if name in one.data.columns]
        held += [float(len(one.data.rows)), *totals]
        said = [*_numbers(one.spoken), *_numbers(one.caption)]
        assert [a for a, off in said for b in held if abs(a - b) <= off + 1e-9], (said, one.spoken)


def _numbers(words: str) -> Iterator[tuple[float, float]]:
    """Yield the numbers in *words*, shares and durations in their units, and how far rounding may be off."""
    for sign, text, unit in re.findall(r"([−-]?)(\d[\d,]*(?:\.\d+)?)(?: ?([%a-zA-Z]+))?", words):
        scale = UNITS.get(unit, 1.0)
        digits = len(text.partition(".")[2])
        number = float(text.replace(",", "")) * (-1 if sign else 1)
        off = 0.5 * 10.0**-digits if "." in text or not text.endswith("0") else 0.05 * abs(number)
        yield number * scale, off * scale
        yield number, off


def drawn(one: Figure, trace: int, axis: str = "y") -> list[Any]:
    """Return what a trace shows, without what has no place."""
    return known(one.drawing["data"][trace][axis])


def known(values: list[Any]) -> list[Any]:
    return [value for value in values if value is not None]


def bars(one: Figure, times: float) -> list[float]:
    """Return the length of all bars of a drawing, row by row."""
    rows = range(len(one.drawing["data"][0]["x"]))
    return [sum(bar["x"][row] for bar in one.drawing["data"]) / times for row in rows]


def gathered(shares: list[float], drawn: list[float]) -> list[float]:
    """Return *shares* with those together for which there is only the last bar of what is *drawn*."""
    last = len(drawn) - 1
    return [*shares[:last], sum(shares[last:])]


def columns(one: Figure) -> tuple[list[float], list[float]]:
    """Return what a trace shows, and the column of numbers that it is, or a hundred times that column."""
    for trace, name, times in itertools.product(one.drawing["data"], one.data.columns, (1, 100)):
        column = known(one.data[name])
        if column and all(type(value) in (int, float) for value in column):
            for axis in ("y", "x"):
                shown, held = known(list(trace[axis])), [times * value for value in column]
                if shown == pytest.approx(held, rel=1e-4, abs=1e-4):
                    return shown, held
    return [], [math.nan]


def lanes(one: Figure) -> tuple[list[float], list[float]]:
    """Return the seconds of all activities together."""
    starts, ends = one.data["start_s"], one.data["end_s"]
    unit = (max(ends) - min(starts)) / one.drawing["layout"]["xaxis"]["range"][1]
    return [unit * sum(x for bar in one.drawing["data"] for x in bar["x"])], [sum(ends) - sum(starts)]


def on_the_curve(one: Figure) -> tuple[list[float], list[float]]:
    line = next(trace for trace in one.drawing["data"] if trace["mode"] == "lines+markers")
    low, high = line["x"][0] * 0.999, line["x"][-1] * 1.001
    points = zip(one.data["interval_s"], one.data["ettr"], strict=True)
    return line["y"], [ettr for interval, ettr in points if low <= interval <= high]


def at_each_point(one: Figure) -> tuple[list[float], list[float]]:
    """Return what a sweep shows of its metric: the heights of a map, or the points of all curves."""
    traces = one.drawing["data"]
    maps = [value for trace in traces for line in trace.get("z", ()) for value in line]
    curves = [value for trace in traces if "markers" in trace.get("mode", "") for value in trace["y"]]
    return maps or curves, one.data[one.data.columns[one.data.columns.index("low") - 1]]


def by_entry(one: Figure) -> list[float]:
    """Return the shares of a ledger, first all scenarios of one entry."""
    count = len(set(one.data["scenario"]))
    shares = one.data["share_of_card_hours"]
    return [
        100 * share
        for entry in range(len(shares) // count)
        for share in shares[entry :: len(shares) // count]
    ]


PROBES: dict[str, Callable[[Figure], tuple[list[Any], list[Any]]]] = {
    "ledger": lambda one: ([x for bar in one.drawing["data"] for x in bar["x"]], by_entry(one)),
    "strip": lanes,
    "causes": lambda one: (bars(one, 100), gathered(one.data["share_of_card_hours"], bars(one, 100))),
    "outages": lambda one: (drawn(one, 0), [100 * n / sum(one.data["outages"]) for n in one.data["outages"]]),
    "curve": on_the_curve,
    "sweep": at_each_point,
    "levers": lambda one: (
        sorted(x for bar in one.drawing["data"] for x in bar["x"]),
        sorted(100 * gain for gain in one.data["ettr_gain"]),
    ),
    "tornado": lambda one: (
        [bar["base"][0] + bar["x"][0] for bar in one.drawing["data"] if bar["type"] == "bar"],
        one.data["at_95_percent"],
    ),
    "sobol": lambda one: (
        [bar["x"][0] for bar in one.drawing["data"] if bar["type"] == "bar"],
        [100 * share for share in one.data["total"]],
    ),
    "roads": lambda one: (drawn(one, 2) + drawn(one, 5), one.data["simulated"]),
    "agreement": lambda one: (
        [y for trace in one.drawing["data"] if trace["mode"] == "markers" for y in trace["y"]],
        next(one.data[name] for name in one.data.columns if name.startswith("simulated")),
    ),
}
"""By the beginning of their names, figures that draw no column as it is: what they show, and their data."""


@every_page
def test_a_drawing_shows_the_numbers_of_its_data(name: str) -> None:
    for one in figures(name).values():
        probe = next((found for prefix, found in PROBES.items() if one.name.startswith(prefix)), columns)
        shown, held = probe(one)
        assert shown
        assert shown == pytest.approx(held, rel=1e-4, abs=1e-4)


def test_a_page_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    writer.save(page("plain"), tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text("utf-8") == html("plain")
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]
    with pytest.raises(OSError, match="nowhere"):
        writer.save(page("plain"), tmp_path / "nowhere" / "report.html")
