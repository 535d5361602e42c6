"""The page: one file, well formed, everything escaped, nothing asked from the network."""

from __future__ import annotations

import base64
import gzip
import itertools
import json
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from clustersim.results import Comparison, Results
from clustersim_reports import write_report
from clustersim_reports.page import MOST_DRAWN, render
from clustersim_reports.sheet import PLOTLY_CONFIG, tight, unique
from tests.reports.cases import CHANGES, HOSTILE, PLAIN, run

LIMIT = 2_500_000
VOID = {"meta", "link", "br", "hr", "img", "input"}


class Reader(HTMLParser):
    """Reads a page strictly: every element is closed by its own tag."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@cache
def page(*names: str) -> str:
    return render([run(name) for name in names], command=f"clustersim compare {HOSTILE}")


def read(*names: str) -> Reader:
    reader = Reader()
    reader.feed(page(*names))
    reader.close()
    return reader


def unpacked(html: str, name: str) -> str:
    found = re.search(rf'<script type="text/plain" id="{name}">([^<]*)</script>', html)
    assert found
    return gzip.decompress(base64.b64decode(found[1])).decode()


CASES = [("plain",), ("calm",), ("stuck",), ("hostile",), ("plain", "large", "stuck"), tuple(CHANGES)]


@pytest.mark.parametrize("names", CASES, ids="+".join)
def test_the_page_is_well_formed(names: tuple[str, ...]) -> None:
    reader = read(*names)
    assert reader.faults == []
    assert reader.open == []


@pytest.mark.parametrize("names", CASES, ids="+".join)
def test_headings_landmarks_and_anchors_are_in_order(names: tuple[str, ...]) -> None:
    reader = read(*names)
    levels = [int(tag[1]) for tag, _ in reader.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in itertools.pairwise(levels))
    assert len(reader.all("main")) == len(reader.all("header")) == len(reader.all("footer")) == 1
    anchors = [attributes["id"] for _, attributes in reader.elements if "id" in attributes]
    assert len(set(anchors)) == len(anchors)
    links = [str(attributes["href"]) for attributes in reader.all("a")]
    assert all(link.startswith("#") and link[1:] in anchors for link in links)
    assert {"answer", "side-by-side", "time", "failures", "certainty", "inputs", "making"} <= set(anchors)
    assert ("size" in anchors) == (len({run(name).summary["gpus"] for name in names}) > 1)


def test_every_figure_speaks_and_has_its_data() -> None:
    reader = read("plain", "large", "stuck")
    plots = [attributes for attributes in reader.all("div") if "data-figure" in attributes]
    assert len(plots) == 2 + 3 * 5
    assert all(len(str(plot["aria-label"])) > 20 and plot["role"] == "img" for plot in plots)
    figures = json.loads(unpacked(page("plain", "large", "stuck"), "payload"))["figures"]
    assert set(figures) == {plot["data-figure"] for plot in plots}
    for figure in figures.values():
        columns, rows = figure["table"]
        assert rows
        assert all(len(row) == len(columns) for row in rows)


def test_tables_have_headers_and_captions() -> None:
    reader = read("plain", "large")
    assert len(reader.all("caption")) == len(reader.all("table"))
    assert all(attributes.get("scope") in {"row", "col"} for attributes in reader.all("th"))


def test_markup_of_a_scenario_is_shown_as_text() -> None:
    html = page("hostile")
    reader = read("hostile")
    shown = " ".join(text for tag, text in reader.texts if tag not in {"script", "style"})
    assert shown.count(HOSTILE) >= 4
    visible = re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)
    assert "<script>alert" not in html
    assert "<b>bold" not in visible
    assert "evil.example" not in str(reader.all("a"))


def test_markup_in_names_is_text_in_figures_too() -> None:
    """The scenario language refuses such a name; the report does not rely on it."""
    result = run("plain")
    spec = result.scenario.model_copy(update={"name": "<img src=x onerror=alert(2)>"})
    summary = result.summary | {"name": spec.name}
    fake = Results(spec, summary, {}, records=result._records)
    html = render([fake, run("large")])
    payload = json.loads(unpacked(html, "payload"))
    drawn = json.dumps([[figure["data"], figure["layout"]] for figure in payload["figures"].values()])
    assert "<img" not in drawn
    assert "&lt;img src=x" in drawn
    assert "<img" not in html


@pytest.mark.parametrize("names", CASES, ids="+".join)
def test_the_page_is_small(names: tuple[str, ...]) -> None:
    assert len(page(*names).encode()) < LIMIT


def test_many_scenarios_stay_small_and_say_what_is_left_out() -> None:
    results = [run(name) for name in CHANGES] * 3
    html = render(results)
    assert len(html.encode()) < LIMIT
    assert f"{len(results) - MOST_DRAWN} more are in the tables" in html
    assert 'id="time-plain-2"' in html


def test_plotly_is_the_installed_one_and_there_once() -> None:
    from plotly.offline import get_plotlyjs

    html = page("plain", "large", "stuck")
    assert unpacked(html, "plotly") == get_plotlyjs()
    assert html.count('id="plotly"') == 1


def test_plotly_is_told_to_keep_to_itself() -> None:
    found = re.search(r'<script type="application/json" id="config">(.*?)</script>', page("plain"))
    assert found
    config: dict[str, Any] = json.loads(found[1])
    assert config == PLOTLY_CONFIG
    assert (config["showSendToCloud"], config["displaylogo"], config["plotlyServerURL"]) == (False, False, "")


def test_the_policy_allows_one_script_and_no_network() -> None:
    reader = read("plain")
    policy = next(str(meta["content"]) for meta in reader.all("meta") if "http-equiv" in meta)
    assert policy.startswith("default-src 'none'; script-src 'nonce-")
    scripts = [script for script in reader.all("script") if script.get("type") is None]
    assert [f"'nonce-{script['nonce']}'" in policy for script in scripts] == [True]
    handlers = [name for _, attributes in reader.elements for name in attributes if name.startswith("on")]
    assert handlers == []


def test_nothing_in_the_page_points_elsewhere() -> None:
    reader = read("plain", "large")
    for name in ("src", "href", "action", "data"):
        found = [str(attributes[name]) for _, attributes in reader.elements if name in attributes]
        assert [link for link in found if not link.startswith(("#", "data:"))] == []
    templates = Path(__file__).parents[2] / "reports" / "clustersim_reports" / "templates"
    assert [
        file.name
        for file in templates.iterdir()
        if "http" in file.read_text("utf-8").replace("http-equiv", "")
    ] == []


def test_the_same_results_give_the_same_page() -> None:
    results = [run("plain"), run("large")]
    assert render(results, Comparison(results)) == render(results, Comparison(results))
    assert render(results, command="a") != render(results, command="b")


def test_the_nonce_depends_on_what_is_shown() -> None:
    nonces = {re.search(r"nonce-([0-9a-f]+)", page(*names))[1] for names in CASES}  # type: ignore[index]
    assert len(nonces) == len(CASES)


def test_the_scenario_can_be_copied_and_runs_again() -> None:
    from clustersim.scenario import loads

    reader = Reader()
    reader.feed(page("hostile"))
    codes = [text for tag, text in reader.texts if tag == "code" and text.startswith("name:")]
    assert loads(codes[0]).document == run("hostile").scenario.document


def saved(name: str, folder: Path, *, incidents: bool = True) -> Results:
    result = run(name)
    copy = Results(result.scenario, result.summary, result.provenance, records=result._records)
    copy.save(folder, incidents=incidents)
    return Results.load(folder)


def test_a_report_of_finished_runs_is_that_of_fresh_ones(tmp_path: Path) -> None:
    assert render([saved("plain", tmp_path / "run")]) == render([run("plain")])


def test_a_run_without_incidents_is_reported_without_them(tmp_path: Path) -> None:
    html = render([saved("plain", tmp_path / "run", incidents=False)])
    assert 'data-figure="causes-plain"' in html
    assert 'data-figure="outages-plain"' not in html
    assert "kept no table of incidents" in html


def test_one_replication_is_a_report_too() -> None:
    html = render([run("plain", 1)])
    assert "one replication" in html
    shown = re.sub(r"<script.*?</script>|<style.*?</style>", "", html, flags=re.DOTALL)
    assert re.findall(r"\b(?:nan|None|inf)\b", shown) == []


def test_the_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    write_report([run("plain")], target, command="clustersim run")
    assert target.read_text("utf-8").rstrip().endswith("</html>")
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]
    with pytest.raises(OSError, match="nowhere"):
        write_report([run("plain")], tmp_path / "nowhere" / "report.html")


def test_no_results_are_no_report(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one run"):
        write_report([], tmp_path / "report.html")


def test_numbers_keep_their_units_and_signs_on_one_line() -> None:
    assert tight("0.5 ± 0.1 d of 3 h and 5 %") == "0.5\u00a0±\u00a00.1\u00a0d of 3\u00a0h and 5\u00a0%"
    assert tight("6 days, 3 Mode") == "6 days, 3 Mode"


def test_names_that_occur_twice_get_numbers() -> None:
    assert unique(["a", "b", "a", "a"]) == ["a", "b", "a-2", "a-3"]


def test_the_scenarios_of_these_tests_are_what_they_are_called() -> None:
    assert run("stuck").summary["no_progress"]
    assert not run("calm").summary["interruptions_total"]
    assert PLAIN["name"] == "plain"
