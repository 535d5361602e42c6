"""Write the page about the systems of the interviews: what was said, what is simulated, what is assumed.

`python docs/systems.py simulate` simulates them all (a few minutes) and keeps the figures in systems.json;
without the word the page is made anew from these figures and from the scenarios.
"""

from __future__ import annotations

import hashlib
import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from generate import ROOT, table, with_parts

from clustersim import library
from clustersim.experiment import run
from clustersim.formatting import NOTHING, duration, money, percent, plus_minus, significant, whole
from clustersim.scenario import load
from clustersim.scenario.model import Scenario
from clustersim.scenario.trials import REMARKS
from clustersim.scenario.values import values
from clustersim.studies.offers import own_changes
from clustersim.studies.sweep import sweep
from clustersim.units import DAY, HOUR

STORED = ROOT / "docs" / "systems.json"
PAGE, README = ROOT / "docs" / "systems.md", ROOT / "README.md"
PICTURE = ROOT / "docs" / "images" / "tokens.svg"
CHEN = ("chen-10k", "chen-100k", "chen-1m")
ANSWERS = ("cards", "Chen said", "simulated: of the cards train", "an effective card-hour", "10 T tokens in")
GROUP = "interviews"
KEPT = (
    "ettr",
    "half_width",
    "effective_gpus",
    "mtbf_s",
    "checkpoint_interval_s",
    "throughput",
    "days_to_target",
    "cost",
)
BOUNDED = ("effective_gpus", "cost.per_effective_gpu_hour")
"""Figures that are shown with their margin, or with what the uncertain inputs make of them."""
ASKED = ("ettr", "effective_gpus", "throughput.tokens_per_s", "cost.per_effective_gpu_hour")
HEADER = (
    "system",
    "cards",
    "a failure every",
    "ETTR",
    "effective cards",
    "300 G tokens in",
    "10 T tokens in",
    "an effective card-hour",
    "an effective card",
)
SMALL, LARGE = 300e9, 10e12
"""Tokens that GPT-3 was trained on (arXiv:2005.14165, Table 2.1), and those that Chen named for today."""
DECADES: dict[str, Any] = {
    "vary": {"cluster.gpus": "1k..10M:9log", "failures.node.mtbf": "10y,50y,250y"},
    "replications": 8,
}
TOKENS: dict[str, Any] = {"vary": {"cluster.gpus": "1k..1M:10log"}, "replications": 8, "horizon": "10 d"}
DIGITS, CURRENCY = 3, "CNY"
DRAWN = (("#b2182b", -6), ("#1b6ca8", 14), ("#6a3d9a", -2))
"""For each way of recovering its colour, and how far below the end of its line it is named."""
PERIOD = 90 * DAY
CLEAR = 10
"""So many half-widths of chance a range of inputs must be wide to be worth showing beside it."""
WAYS = {"tokens-10t": "cold restart", "chen-1m-hot-spare": "hot spares", "chen-1m-replicas": "replicas"}
"""Scenarios that differ, at the same number of cards, in their way of recovering alone."""


def names() -> list[str]:
    """Return the systems: the shipped scenarios of the group."""
    return [each.name for each in library.listing() if each.group == GROUP]


def simulated() -> dict[str, Any]:
    """Simulate every system, with each of its own levers, and the two sweeps; return what the page needs."""
    return {
        "systems": {name: system(load(name)) for name in names()},
        "decades": swept(["supercomputers"], DECADES),
        "tokens": swept(list(WAYS), TOKENS),
    }


def system(scenario: Scenario) -> dict[str, Any]:
    """Return the figures of a system, and ETTR with each of its own levers."""
    return {
        "hash": of_inputs(scenario),
        **_kept(scenario),
        "levers": {each.name: _kept(each.of(scenario)) for each in own_changes(scenario)},
    }


def of_inputs(scenario: Scenario) -> str:
    """Return a hash of what the figures of a system depend on: its levers too, no words about it."""
    words = {*REMARKS, "name", "title", "about"} - {"levers"}
    inputs = {key: value for key, value in scenario.document.items() if key not in words}
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


def _kept(scenario: Scenario) -> dict[str, Any]:
    summary = run(scenario).summary
    kept = {key: summary[key] for key in KEPT if summary.get(key) is not None}
    return kept | {
        key: {path: summary.get(key, {}).get(path) for path in BOUNDED} for key in ("margins", "inputs")
    }


def swept(scenarios: Sequence[str], how: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the points of a sweep: where they lie, and the figures that are asked about."""
    first, *designs = scenarios
    found = sweep(first, designs=designs, metrics=["ettr"], **how).body()
    return [
        {path: value["text"] for path, value in point["at"].items()}
        | {path: point["metrics"][path]["mean"] for path in ASKED if path in point["metrics"]}
        for point in found["points"]
    ]


def stored() -> dict[str, Any]:
    """Return what `make systems` wrote."""
    found: dict[str, Any] = json.loads(STORED.read_text("utf-8"))
    return found


def pages() -> dict[Path, str]:
    """Return this page and the README with their tables made anew, the rest of them as it is."""
    found = stored()
    parts = {
        "overview": table(HEADER, [row(load(name), found["systems"][name]) for name in names()]),
        "systems": "\n".join(about(load(name), found["systems"][name]) for name in names()),
        "decades": decades(found["decades"]),
        "tokens": tokens(found["tokens"]),
    }
    readme = with_parts(README, {"answers": answers(found)})
    return {PAGE: with_parts(PAGE, parts), README: readme, PICTURE: picture(found["tokens"])}


def answers(found: Mapping[str, Any]) -> str:
    """Return what Chen said of each size, and what is simulated; and the million cards with hot spares."""
    rows = [
        [
            *stated(name),
            percent(each["ettr"]["mean"], each["half_width"]),
            *worth(per_hour(each), speed(each)),
        ]
        for name, each in ((name, found["systems"][name]) for name in CHEN)
    ]
    hot = next(
        point
        for point in found["tokens"]
        if point["scenario"] == "chen-1m-hot-spare" and point["cluster.gpus"] == "1000000"
    )
    price, tokens_per_s = hot["cost.per_effective_gpu_hour"], hot["throughput.tokens_per_s"]
    rows.append(
        [whole(1e6), "(our addition) with hot spares", percent(hot["ettr"]), *worth(price, tokens_per_s)]
    )
    best = {way: max(line, key=speed_of) for way, line in by_way(found["tokens"]).items()}
    cold, hot_spares = told(best["cold restart"]), told(best["hot spares"])
    sizes = len(sizes_of(found["tokens"]))
    sentence = (
        f"Of the {sizes} sizes that were tried, 10 T tokens are trained fastest on {cold} where all are"
        f" restarted cold, and on {hot_spares} with hot spares: more cards take as long or longer,"
        " and cost more."
    )
    return f"{table(ANSWERS, rows)}\n\n{counted(load(CHEN[-1]))}\n\n{sentence}"


def counted(scenario: Scenario) -> str:
    """Return what the money of the answers is, and what their days count beside failures."""
    costs, slower = scenario.written.costs, scenario.workload.scaling_efficiency
    assert costs is not None
    assert costs.card is not None
    assert costs.life is not None
    assert isinstance(slower, Mapping)
    speeds = ", ".join(f"{share:g} on {whole(size)}" for size, share in slower.items() if share < 1)
    price = f"{whole(costs.card.amount)} {costs.card.currency}"
    return (
        f"Money is the price of the cards alone, {price} each, written"
        f" off over {duration(costs.life)}: no power, no building, no staff. Price and days also count that a"
        f" card is slower among more, by assumption: its speed is {speeds} cards."
    )


def stated(name: str) -> tuple[str, str]:
    """Return the size of one of Chen's clusters, and what he said of it."""
    case = load(f"published/{name}")
    assert case.published
    (claim,) = case.published.claims.values()
    return whole(case.cluster.gpus), f'"{claim.says}"'


def worth(price: float, tokens_per_s: float) -> tuple[str, str]:
    """Return what an effective card-hour costs, and how long 10 T tokens take."""
    return f"{significant(price, DIGITS)} {CURRENCY}", days(LARGE, tokens_per_s)


def per_hour(found: Mapping[str, Any]) -> float:
    """Return what an effective card-hour of a system costs."""
    return float(found["cost"]["per_effective_gpu_hour"])


def speed(found: Mapping[str, Any]) -> float:
    """Return the tokens that a system trains in a second."""
    return float(found["throughput"]["tokens_per_s"])


def row(scenario: Scenario, found: Mapping[str, Any]) -> list[str]:
    """Return the row of a system in the overview."""
    return [
        f"[`{scenario.name}`](#{scenario.name})",
        whole(scenario.cluster.gpus),
        duration(found["mtbf_s"]),
        ettr_text(found),
        plus_minus(found["effective_gpus"], found["margins"]["effective_gpus"]),
        *(days(tokens, found["throughput"]["tokens_per_s"]) for tokens in (SMALL, LARGE)),
        *prices(scenario, found),
    ]


def ettr_text(found: Mapping[str, Any]) -> str:
    """Return ETTR with its interval by chance, and what the uncertain inputs make of it."""
    text, inputs = plus_minus(found["ettr"]["mean"], found["half_width"]), found["ettr"].get("inputs")
    if not inputs or inputs["p95"] - inputs["p5"] < CLEAR * found["half_width"]:
        return text
    return f"{text}; inputs {significant(inputs['p5'], 2)} to {significant(inputs['p95'], 2)}"


def outcome(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield ETTR, the interval between saves, and the days in which half, and 90 %, reach the target."""
    interval, until = found.get("checkpoint_interval_s"), found.get("days_to_target") or {}
    yield ettr_text(found)
    yield duration(interval) if interval else "never"
    yield from (f"{significant(until[end], 3)} d" if until.get(end) else NOTHING for end in ("p50", "p90"))


def days(tokens: float, per_s: float | None) -> str:
    """Return how long so many *tokens* take; nothing where nobody says how fast a card is."""
    return duration(tokens / per_s) if per_s else NOTHING


def prices(scenario: Scenario, found: Mapping[str, Any]) -> Iterator[str]:
    """Yield what an effective card-hour costs, and an effective card over the card's life."""
    costs, written = scenario.costs, scenario.written.costs
    if costs is None or written is None or written.life is None:
        yield from (NOTHING, NOTHING)
        return
    hourly = found["cost"]["per_effective_gpu_hour"]
    ends = found["inputs"]["cost.per_effective_gpu_hour"]
    for hours in (1.0, written.life / HOUR):
        text = f"{significant(hourly * hours, DIGITS)} {costs.currency}"
        if ends:
            low, high = (significant(ends[end] * hours, DIGITS) for end in ("p5", "p95"))
            text += f" ({low} to {high})"
        yield text


def about(scenario: Scenario, found: Mapping[str, Any]) -> str:
    """Return the section of a system: what was said, what its own levers would do, what is assumed."""
    lines = [f"### {scenario.name}", "", f"{scenario.title}. {(scenario.about or '').strip()}", ""]
    rows = [[name, *outcome(each)] for name, each in {"as it is": found, **found["levers"]}.items()]
    lines += [table(("", "ETTR", "a save each", "half are done in", "nine of ten in"), rows), ""]
    known = [f"- `{each.path}` {each.text}: {each.source}" for each in values(scenario) if not each.default]
    lines += ["<details><summary>Every figure, with its source or as an assumption</summary>", "", *known]
    lines += ["", "</details>", ""]
    return "\n".join(lines)


def decades(points: Sequence[Mapping[str, Any]]) -> str:
    """Return ETTR by size and by how reliable a node is, and the size that yields most at each."""
    sizes, lives = (list(dict.fromkeys(point[path] for point in points)) for path in DECADES["vary"])
    rows = []
    for life in lives:
        line = [point for point in points if point["failures.node.mtbf"] == life]
        most = max(line, key=lambda point: point["effective_gpus"])
        yields = f"{count(most['cluster.gpus'])} ({significant(most['effective_gpus'], 2)} effective)"
        rows.append([life, *(significant(point["ettr"], 2) for point in line), yields])
    return table(("a node fails once in", *(count(size) for size in sizes), "yields most"), rows)


def tokens(points: Sequence[Mapping[str, Any]]) -> str:
    """Return days and money to 10 T tokens by size and way of recovering, and which size is best at each."""
    sizes = sizes_of(points)
    lines = by_way(points)
    rows = [
        [count(size), *(time_and_money(line[place]) for line in lines.values())]
        for place, size in enumerate(sizes)
    ]
    best = []
    for way, line in lines.items():
        fastest = max(line, key=speed_of)
        cheapest = min(line, key=bill)
        best.append(f"- {way}: cheapest on {told(cheapest)}, fastest on {told(fastest)}")
    return "\n".join([table(("cards", *lines), rows), "", *best])


def by_way(points: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Return the points of each way of recovering, by size."""
    return {way: [point for point in points if point["scenario"] == name] for name, way in WAYS.items()}


def sizes_of(points: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the sizes of a sweep, in their order."""
    return list(dict.fromkeys(point["cluster.gpus"] for point in points))


def speed_of(point: Mapping[str, Any]) -> float:
    """Return the tokens that are trained in a second at a point of the sweep."""
    return float(point["throughput.tokens_per_s"])


def told(point: Mapping[str, Any]) -> str:
    """Return a size of the sweep with the days and the money that 10 T tokens take."""
    return f"{count(point['cluster.gpus'])} cards ({time_and_money(point)})"


def time_and_money(point: Mapping[str, Any]) -> str:
    """Return the days and the money that 10 T tokens take at a point of the sweep."""
    return f"{days(LARGE, point['throughput.tokens_per_s'])}, {money(bill(point), CURRENCY)}"


def picture(points: Sequence[Mapping[str, Any]]) -> str:
    """Return a drawing of data scale against machine scale: tokens in 90 days over cards, by recovery."""
    left, top, wide, high = 70, 20, 480, 340
    across = (3.0, 6.0)  # log10 of the cards
    upwards = (11.0, 15.0)  # log10 of the tokens

    def at(cards: float, tokens: float) -> str:
        x = left + wide * (math.log10(cards) - across[0]) / (across[1] - across[0])
        y = top + high * (upwards[1] - max(math.log10(tokens), upwards[0])) / (upwards[1] - upwards[0])
        return f"{x:.1f},{y:.1f}"

    def text(place: str, words: str, more: str = "") -> str:
        x, y = place.split(",")
        return f'<text x="{x}" y="{y}" {more}>{words}</text>'

    parts = [f'<rect x="{left}" y="{top}" width="{wide}" height="{high}" fill="none" stroke="#888"/>']
    for power, name in ((3, "1,000"), (4, "10,000"), (5, "100,000"), (6, "1,000,000")):
        parts.append(text(at(10**power, 10 ** upwards[0]), name, 'dy="18" text-anchor="middle"'))
    for power, name in ((11, "100 G"), (12, "1 T"), (13, "10 T"), (14, "100 T"), (15, "1,000 T")):
        parts.append(text(at(10 ** across[0], 10**power), name, 'dx="-8" dy="4" text-anchor="end"'))
    for tokens, name in ((SMALL, "300 G, GPT-3"), (LARGE, "10 T, the data at hand")):
        ends = f"{at(10 ** across[0], tokens)} {at(10 ** across[1], tokens)}"
        parts.append(f'<polyline points="{ends}" stroke="#888" stroke-dasharray="5 4" fill="none"/>')
        parts.append(text(at(10 ** across[0], tokens), name, 'dx="6" dy="-5" fill="#555"'))
    for (way, line), (colour, below) in zip(by_way(points).items(), DRAWN, strict=True):
        places = [at(int(each["cluster.gpus"]), speed_of(each) * PERIOD) for each in line]
        parts.append(
            f'<polyline points="{" ".join(places)}" stroke="{colour}" stroke-width="2.5" fill="none"/>'
        )
        parts.append(text(places[-1], way, f'dx="8" dy="{below}" fill="{colour}"'))
    label = text(
        f"{left},{top}", "tokens trained in 90 days, by number of cards", 'dx="6" dy="16" font-weight="bold"'
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 660 400"'
        ' font-family="sans-serif" font-size="13">\n'
        '<rect width="660" height="400" fill="#fff"/>\n' + "\n".join([*parts, label]) + "\n</svg>\n"
    )


def bill(point: Mapping[str, Any]) -> float:
    """Return what 10 T tokens cost at a point of the sweep."""
    hours = LARGE / point["throughput.tokens_per_s"] / HOUR
    return float(point["cost.per_effective_gpu_hour"] * point["effective_gpus"] * hours)


def count(text: str) -> str:
    """Return a number of cards with thousands in groups."""
    return whole(int(text.replace("_", "")))


if __name__ == "__main__":
    if sys.argv[1:] == ["simulate"]:
        STORED.write_text(json.dumps(simulated(), indent=1) + "\n", "utf-8")
    for path, text in pages().items():
        path.write_text(text, "utf-8")
        print(path.relative_to(ROOT), file=sys.stderr)
