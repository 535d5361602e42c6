"""The report of one run, or of several compared: a headline for each, and the sections in their order."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from clustersim.advice import Advice, advise, verdict
from clustersim.formatting import duration, measured, money, whole
from clustersim.metrics import cells
from clustersim.results import Results
from clustersim.studies.compare import Comparison
from clustersim_reports import inputs, page, theme
from clustersim_reports.blocks import (
    Block,
    Cell,
    Fact,
    Facts,
    Group,
    Items,
    Page,
    Picture,
    Text,
    anchors,
    key,
)
from clustersim_reports.run import Run, Runs
from clustersim_reports.sections import failures, ledger, recovery, size, spread, throughput

SECTIONS = [part.section for part in (ledger, size, throughput, failures, recovery, spread)]
"""What the page shows between the answer and what went in; a section that does not apply is left out."""
MOST, MOST_VERDICTS = 6, 3
"""Sentences of the answer, and scenarios with a verdict of their own: of more only the best and the worst."""
SQUARES, PER_ROW, PITCH, SIDE = 100, 20, 20, 17
"""Squares of a headline, in a row, and their distance and size in the picture."""


def write_report(
    results: Sequence[Results], path: Path, comparison: Comparison | None = None, command: str | None = None
) -> None:
    """Write the report of one run, or of several compared; raises ValueError without any, and OSError."""
    page.save(page_of(results, comparison, command), path)


def page_of(
    results: Sequence[Results], comparison: Comparison | None = None, command: str | None = None
) -> Page:
    """Return the report of *results*, the baseline first; *command* is shown as what made it.

    Raises ValueError without results.
    """
    if not results:
        raise ValueError("a report needs at least one run: give a run folder")
    if comparison is None and len(results) > 1:
        comparison = Comparison(results)
    names = anchors(result.scenario.name for result in results)
    runs = Runs(list(map(Run, names, results)), comparison)
    records = [
        {"seed": str(result.summary["seed"]), "scenario hash": result.scenario.hash[:16]}
        | dict(inputs.provenance(result.provenance))
        for result in results
    ]
    first, single = results[0].scenario, runs.single
    title = first.title or first.name
    heading = f"Of {whole(runs.runs[0].at('gpus'))} cards, {_train(runs.runs[0])} train."
    return Page(
        title=title if single else ", ".join(runs.names),
        eyebrow=title if single else f"{len(results)} scenarios compared",
        heading=heading if single else "Of the cards that are paid for, how many train?",
        about=(first.about or "") if single else "",
        head=_head(runs),
        answer=answer(runs),
        sections=[section(runs) for section in SECTIONS],
        given=[result.scenario for result in results],
        making=inputs.making(runs.names, records, command),
        look="single" if single else "several",
    )


def _head(runs: Runs) -> list[Block]:
    """Return a headline for each run (its number, a hundred squares, its ETTR), and what the squares mean."""
    headlines, first = [], runs.runs[0]
    for run in runs.runs:
        title, stuck = run.result.scenario.title or run.name, run.at("no_progress")
        name = "" if runs.single or title == run.name else f"{run.name}: "
        number = Facts([Fact(title, _train(run), f"of {whole(run.at('gpus'))} train")], "number")
        words = f"{name}ETTR {cells.ettr(run.summary).text}{' · no progress' if stuck else ''}"
        blocks: list[Block] = [picture(run.at("ledger")), Text(words, "stuck" if stuck else "meaning")]
        blocks = blocks if runs.single else [number, *blocks]
        headlines.append(Group(blocks, Cell(""), f"scenario-{run.anchor}", "headline"))
    keys = [
        key(entry, f"{entry} {first.share(f'ledger.{entry}')}" if runs.single else entry)
        for entry in runs.entries
    ]
    return [
        Group(headlines, look=f"headlines {'one' if runs.single else 'many'}"),
        Items([*keys, Cell("one square = 1 % of the cards")], "legend"),
    ]


def _train(run: Run) -> str:
    """Return how many cards train."""
    ettr, width, cards = run.at("ettr.mean"), run.margin("ettr"), run.at("gpus")
    if run.at("no_progress"):
        return "almost none" if ettr else "none"
    return measured(cards * ettr, None if width is None else cards * width)


def squares(shares: Mapping[str, float]) -> dict[str, int]:
    """Return how many of a hundred squares each ledger entry has, in the ledger's order.

    Shares are rounded by largest remainder, so that the squares always number a hundred.
    """
    exact = {entry: SQUARES * float(shares[entry]) for entry in theme.STYLES if shares.get(entry)}
    counts = {entry: math.floor(share + 1e-9) for entry, share in exact.items()}
    order = sorted(exact, key=lambda entry: counts[entry] - exact[entry])
    for entry in order[: SQUARES - sum(counts.values())]:
        counts[entry] += 1
    return counts


def picture(shares: Mapping[str, float]) -> Picture:
    """Return a hundred squares, filled row by row, as one SVG path for each ledger entry."""
    filled = [entry for entry, count in squares(shares).items() for _ in range(count)]
    paths = dict.fromkeys(filled, "")
    for place, entry in enumerate(filled):
        row, column = divmod(place, PER_ROW)
        paths[entry] += f"M{column * PITCH} {row * PITCH}h{SIDE}v{SIDE}h-{SIDE}z"
    spoken = f"{filled.count('productive')} of 100 squares are filled: the share of the cards that trains"
    return Picture(list(paths.items()), spoken, "waffle", 397, 97)


def answer(runs: Runs) -> list[Advice]:
    """Return the sentences of one run, or of several compared: verdicts, what steps return, what to do."""
    if runs.comparison is None or runs.single:
        return _alone(runs.runs[0])[:MOST]
    selected = list(runs.runs)
    if len(selected) > MOST_VERDICTS:
        ordered = sorted(selected, key=lambda run: float(run.at("effective_gpus")))
        selected = [ordered[-1], ordered[0]]
    sentences = [verdict(run.summary) for run in selected]
    sentences += runs.comparison.advice[: MOST - len(sentences)]
    for run in selected:
        advice = advise(run.result.scenario, run.summary)
        sentences += [replace(sentence, text=f"{run.name}: {sentence.text}") for sentence in advice]
    return sentences[:MOST]


def _alone(run: Run) -> list[Advice]:
    advice = sorted(advise(run.result.scenario, run.summary), key=lambda sentence: not sentence.warning)
    warnings = sum(sentence.warning for sentence in advice)
    facts = [Advice(text) for text in _facts(run)]
    return [verdict(run.summary), *advice[:warnings], *facts, *advice[warnings:]]


def _facts(run: Run) -> Iterator[str]:
    """Yield how often training is interrupted, when the target is reached, and what a card-hour costs."""
    if run.at("interruptions_total"):
        what = "Training, of one replica or of all," if "replicas" in run.summary else "Training"
        rate, every = run.say("interruptions_per_day"), run.say("mtti_s", duration)
        yield f"{what} is interrupted {rate} times a day, every {every} on average."
    else:
        yield "No failure interrupted training."
    if run.at("days_to_target.mean") is not None:
        days, ideal = run.say("days_to_target.mean"), duration(run.at("target_s"), 0.0)
        yield f"The target is reached after {days} days; without any loss it would take {ideal}."
    path = "cost.per_effective_gpu_hour"
    if run.at(path) is not None and not run.at("no_progress"):
        price, paid, width = run.at(path), run.at("cost.per_gpu_hour"), run.margin(path)
        times = measured(price / paid, None if width is None else max(width / paid, 0.02))
        text = money(price, run.at("currency"), width)
        yield f"An effective card-hour costs {text}, {times} times the price of a card-hour."
