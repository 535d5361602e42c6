"""The page of each kind of answer: its headline, its sentences, and its sections in their order.

A new section of a page is a file in `sections` and an entry in `RUNS`, `VALIDATION` or `STUDIES`.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from clustersim.advice import Advice, advise, verdict
from clustersim.estimate import in_words
from clustersim.fitting.answer import Fit, describe_window
from clustersim.formatting import (
    NOTHING,
    counted,
    duration,
    measured,
    money,
    percent,
    points,
    significant,
    whole,
)
from clustersim.metrics import cells
from clustersim.results import Results
from clustersim.scenario.describe import describe
from clustersim.studies.compare import Comparison
from clustersim.studies.levers import Levers
from clustersim.studies.sensitivity import SensitivityStudy, in_share, points_of
from clustersim.studies.solve import Solution
from clustersim.studies.study import ALIKE, Study
from clustersim.studies.sweep import Sweep
from clustersim.studies.tune import Tuning
from clustersim.units import format_duration
from clustersim.validation import Validation
from clustersim.validation.outcomes import evidence
from clustersim.version import VERSION
from clustersim_reports import blocks, inputs, page
from clustersim_reports.blocks import Fact, Facts, Page, Section, Table
from clustersim_reports.run import Run, Runs
from clustersim_reports.sections import (
    agreement,
    checks,
    estimator,
    failures,
    first_screen,
    ledger,
    recovery,
    size,
    spread,
    throughput,
    tuning,
)
from clustersim_reports.sections import fitting as fitted
from clustersim_reports.sections import levers as changes
from clustersim_reports.sections import sensitivity as unknowns
from clustersim_reports.sections import solve as crossing
from clustersim_reports.sections import sweep as grid

RUNS = [part.section for part in (ledger, size, throughput, failures, recovery, spread)]
VALIDATION = [agreement.section, checks.section, estimator.section, checks.cases]
"""The sections between the answer and what went in, by page; one that does not apply is left out."""
MOST, MOST_VERDICTS, MOST_BEST = 6, 3, 2
"""Sentences of the answer; scenarios with a verdict of their own, of more only the best and the worst; and
sentences on which scenario is best, in time and in money."""
MOST_NAMED = 6
"""Scenarios that the title of the browser's tab names."""
LIBRARIES = ("numpy", "scipy", "simpy", "pydantic", "plotly")


def write_report(
    results: Sequence[Results], path: Path, comparison: Comparison | None = None, command: str | None = None
) -> None:
    """Write the report of one run, or of several compared; raises ValueError without any, and OSError."""
    page.save(runs_page(results, comparison, command), path)


def runs_page(
    results: Sequence[Results], comparison: Comparison | None = None, command: str | None = None
) -> Page:
    """Return the report of *results*, the baseline first; *command* is shown as what made it.

    Raises ValueError without results.
    """
    runs = _runs(results, comparison)
    records = [
        {"seed": str(result.summary["seed"]), "scenario hash": result.scenario.hash[:16]}
        | dict(inputs.provenance(result.provenance))
        for result in results
    ]
    first, single = results[0].scenario, runs.single
    title, more = first.title or first.name, len(results) - MOST_NAMED
    heading = _heading(runs.runs[0])
    return Page(
        title=title
        if single
        else ", ".join(runs.names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else ""),
        eyebrow=title if single else f"{len(results)} scenarios compared",
        heading=heading if single else "Of the cards that are paid for, how many train?",
        about=(first.about or "") if single else "",
        head=first_screen.blocks(runs),
        answer=answer(runs),
        sections=[section(runs) for section in RUNS],
        given=[result.scenario for result in results],
        making=inputs.making(runs.names, records, command),
        look="single" if single else "several",
    )


def notebook_runs(results: Sequence[Results], comparison: Comparison | None = None) -> str:
    """Return the first screen of one run, or the measures of several side by side, for a notebook."""
    runs = _runs(results, comparison)
    if runs.single:
        return page.snippet(_heading(runs.runs[0]), first_screen.blocks(runs))
    table = Table("Measures of each scenario", runs.names, ledger.measures(runs), "Measure")
    advice = runs.comparison.advice if runs.comparison else ()
    return page.snippet(f"{len(results)} scenarios compared", [table, *first_screen.blocks(runs)], advice)


def _runs(results: Sequence[Results], comparison: Comparison | None) -> Runs:
    if not results:
        raise ValueError("a report needs at least one run: give a run folder")
    if comparison is None and len(results) > 1:
        comparison = Comparison(results)
    names = blocks.anchors(result.scenario.name for result in results)
    return Runs(list(map(Run, names, results)), comparison)


def _heading(run: Run) -> str:
    return f"Of {whole(run.at('gpus'))} cards, {first_screen.train(run)} train."


def answer(runs: Runs) -> list[Advice]:
    """Return the sentences of one run, or of several compared.

    These begin with which is best and by how much; then come verdicts, what steps return, and what to do.
    """
    if runs.comparison is None or runs.single:
        return _alone(runs.runs[0])[:MOST]
    selected = list(runs.runs)
    if len(selected) > MOST_VERDICTS:
        ordered = sorted(selected, key=lambda run: float(run.at("effective_gpus")))
        selected = [ordered[-1], ordered[0]]
    advice, best = runs.comparison.advice, MOST_BEST if runs.comparison.best else 0
    sentences = [*advice[:best], *(_named_verdict(run) for run in selected), *advice[best:]][:MOST]
    for run in selected:
        more = advise(run.result.scenario, run.summary)
        sentences += [replace(sentence, text=f"{run.name}: {sentence.text}") for sentence in more]
    return sentences[:MOST]


def _named_verdict(run: Run) -> Advice:
    """Return the verdict on one run of several, which begins with its name."""
    sentence, name = verdict(run.summary), run.name
    if sentence.text.startswith(name):
        return sentence
    return replace(sentence, text=f"{name}: {sentence.text[0].lower()}{sentence.text[1:]}")


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
        still = cells.standing_still(run.summary)
        often = f"and not more often only because {still}" if still else f"every {every} on average"
        yield f"{what} is interrupted {rate} times a day, {often}."
    else:
        yield "No failure interrupted training."
    if run.at("days_to_target.mean") is not None:
        days, ideal = run.say("days_to_target.mean"), duration(run.at("target_s"), 0.0)
        yield f"The target is reached after {days} days; without any loss it would take {ideal}."
    path = "cost.per_effective_gpu_hour"
    paid = run.at("cost.per_gpu_hour")
    if paid and run.at(path) is not None and not run.at("no_progress"):
        price, width = run.at(path), run.margin(path)
        times = measured(price / paid, None if width is None else max(width / paid, 0.02))
        text = money(price, run.at("currency"), width)
        yield f"An effective card-hour costs {text}, {times} times the price of a card-hour."


class StudyPage(NamedTuple):
    """What the page of one kind of study says: its question, and what is made of the study's answer.

    A section is left out where it does not apply.
    """

    question: str
    headline: Callable[[Any], str]
    facts: Callable[[Any], Iterator[Fact]]
    method: Callable[[Any], Mapping[str, str]]
    sections: Sequence[Callable[[Any], Section]]


def write_study(study: Study, path: Path, command: str | None = None) -> None:
    """Write the page of a *study*; raises OSError where it cannot."""
    page.save(study_page(study, command, datetime.now(UTC).isoformat(timespec="seconds")), path)


def study_page(study: Study, command: str | None = None, finished: str = "") -> Page:
    """Return the page of a study of one scenario: the answer to its question; *finished* says when it was."""
    kind, given = STUDIES[type(study)], study.given
    headline, name = kind.headline(study), given.title or given.name
    return Page(
        title=f"{headline} {name}",
        eyebrow=f"{name} · {kind.question}",
        heading=headline,
        about=given.about or "",
        head=[Facts(list(kind.facts(study)), "facts")],
        answer=study.advice,
        sections=[section(study) for section in kind.sections],
        given=[given],
        making=_making(study, kind.method(study), command, finished),
    )


def notebook_study(study: Study) -> str:
    """Return the answer of a study with its numbers, its sentences and its tables, for a notebook."""
    kind = STUDIES[type(study)]
    shown = blocks.every(block for section in kind.sections for block in section(study).blocks)
    tables = [block for block in shown if isinstance(block, Table)]
    return page.snippet(kind.headline(study), [Facts(list(kind.facts(study))), *tables], study.advice)


def _making(study: Study, method: Mapping[str, str], command: str | None, finished: str) -> Section:
    """Return how a *study* was made: the *method*, the seed, what it ran on, and when it was *finished*."""
    items = {
        **method,
        "length of each": duration(study.scenario.end_s, 0.0),
        "seed": str(study.scenario.simulation.seed),
        "scenario hash": study.given.hash[:16],
        "run time": duration(study.wall_s),
        "version": VERSION,
        "python": platform.python_version(),
        "platform": sys.platform,
        "libraries": ", ".join(f"{name} {version(name)}" for name in LIBRARIES),
        "finished (UTC)": finished or NOTHING,
    }
    return inputs.making([study.given.name], [items], command)


def interval_to_use(study: Tuning) -> str:
    """Return the answer of a tuning in a few words."""
    if study.recommended_s is None:
        return "Nothing fails: save as often as other reasons require."
    if study.no_progress:
        return "The job makes no progress at any interval."
    return f"Save{study.within} about every {format_duration(study.recommended_s, 3)}."


def _tuning_facts(study: Tuning) -> Iterator[Fact]:
    """Yield what matters most: the best range, the ETTR, the gain; or what would have to change."""
    if study.ettr_at_best is None or study.range_s is None:
        return
    ettr = in_words(study.ettr_at_best)
    if study.no_progress:
        yield Fact("ETTR at the best interval", ettr, "almost no card-time is productive")
        yield from _needed(study)
        return
    if study.ettr_at_best.half_width is not None:
        near = " to ".join(map(duration, study.range_s))
        yield Fact("Best range", near, "indistinguishable from the best at 95 %")
    if study.near_best_s is not None:
        yield Fact("Within 0.5 pp of the best", " to ".join(map(duration, study.near_best_s)), "of ETTR")
    yield Fact("ETTR with it", ettr, "productive share of all card-time")
    for gain in (gain for gain in study.gains if gain.over == "now"):
        label = f"Gain over today's {duration(gain.interval_s, 0.0)}"
        if gain.distinguishable:
            yield Fact(label, in_words(gain.worth.ettr, points), gain.worth.in_cards())
        else:
            yield Fact(label, ALIKE, "no gain beyond chance")


def _needed(study: Tuning) -> Iterator[Fact]:
    """Yield what would let half of the cards train, one change or the other."""
    restart, mtbf = describe(study.scenario).restart_s, study.scenario.mtbf
    needed = (
        ("Half of the cards would train if a restart took", "restart_s", "from failure to training", restart),
        ("Half of the cards would train with an MTBF of", "mtbf_s", "between failures", mtbf),
    )
    for label, name, meaning, now in needed:
        if name in study.needed:
            yield Fact(label, duration(study.needed[name]), f"{meaning}; now {duration(now, 0.0)}")


def _tuning_method(study: Tuning) -> dict[str, str]:
    if not study.curve:
        return {"intervals": "none, because nothing fails"}
    shared = "outages simulated once, every interval scored on them (exact here)"
    return {
        "intervals": str(len(study.curve)),
        "method": f"each simulated in full: {study.simulated}" if study.simulated else shared,
        "replications": f"{study.replications} to choose, {study.fresh_replications} fresh ones to judge",
    }


def change_to_make(study: Levers) -> str:
    """Return the answer of levers in a few words."""
    if not study.levers:
        return "No change is on offer."
    best = " or ".join(lever.name for lever in study.first) or "no change gains anything beyond chance"
    return f"{best[:1].upper()}{best[1:]}."


def _lever_facts(study: Levers) -> Iterator[Fact]:
    yield Fact("ETTR as it is", in_words(study.ettr), "productive share of all card-time")
    for worth in (lever.worth for lever in study.first[:1]):
        yield Fact("Gain of the first change", in_words(worth.ettr, points), "of ETTR, by itself")
        yield Fact("In effective cards", in_words(worth.effective_gpus), "cards that train all the time")
        for amount in worth.in_words[2:]:
            yield Fact("In money", amount, "over the run")


def _lever_method(study: Levers) -> dict[str, str]:
    return {"changes": str(len(study.levers)), "replications": f"{study.replications} of each, paired"}


def best_point(study: Sweep) -> str:
    """Return the answer of a sweep in a few words."""
    path = study.chosen[0]
    if path not in study.found.best:
        return f"{study.metrics[path].label} at {counted(len(study.grid), 'point')}."
    return f"{study.best_point(path)}."


def _sweep_facts(study: Sweep) -> Iterator[Fact]:
    for path in study.chosen[:MOST_VERDICTS]:
        label, best = study.metrics[path].label, study.found.best.get(path)
        if best is not None:
            alike = len(best.indistinguishable) - 1
            as_good = f"{counted(alike, 'other point')} indistinguishable from it"
            as_good = as_good if alike else "no other point is indistinguishable from it"
            told = as_good if study.replications > 1 else study.grid.say(best.point)
            yield Fact(f"{label}, at best", study.words(path, best.point), told)
        yield Fact(f"{label}, as it is", study.words(path), "the scenario as it is given")


def _sweep_method(study: Sweep) -> dict[str, str]:
    interval = "the best of each point" if study.retune else "as the scenario gives it"
    each = f"{study.replications} at each point, paired"
    return {"points": str(len(study.grid)), "replications": each, "checkpoint interval": interval}


def value_to_reach(study: Solution) -> str:
    """Return the answer of `solve` in a few words."""
    if study.value is not None:
        bound = "at most" if study.direction == "at_most" else "at least"
        return f"{study.path}: {bound} {study.say(study.value)}."
    if study.reachable:
        return f"{study.path}: every value that was tried."
    return f"{study.until}: out of reach."


def _solution_facts(study: Solution) -> Iterator[Fact]:
    if study.value is not None:
        yield Fact(study.path, study.say(study.value), f"95 %: {study.interval}")
    if study.now is not None:
        yield Fact("Today", study.say(study.now.value), f"{study.metric} {study.words(study.now)}")
    yield Fact("The best of all that was tried", study.words(study.best), study.say(study.best.value))


def _solution_method(study: Solution) -> dict[str, str]:
    return {
        "values": str(len(study.evaluations)),
        "replications": f"{study.replications} of each value, on the same failures",
        "checkpoint interval": "the best of each value" if study.retune else "as the scenario gives it",
    }


def input_to_measure(study: SensitivityStudy) -> str:
    """Return the answer of a sensitivity study in a few words."""
    if study.first is not None:
        return f"Measure {study.first} first."
    if any(index.distinguishable for index in study.found.indices):
        return "No input comes first."
    return "Too few samples to say." if study.found.indices else "Nothing makes a difference."


def _sensitivity_facts(study: SensitivityStudy) -> Iterator[Fact]:
    for index in study.found.indices[:2]:
        yield Fact(index.path, in_share(index.total), "of the variance by inputs")
    variance = study.found.variance
    if variance.total > 0:
        share = percent(variance.chance / variance.total)
        what = "one run of this length" if study.together == 1 else f"{study.label} of {study.together} runs"
        yield Fact("Chance", share, f"of the variance of {what}")


def _sensitivity_method(study: SensitivityStudy) -> dict[str, str]:
    ends = f"{study.replications} at both ends of each input, paired"
    return {"points": points_of(study), "replications": ends, "inputs": str(len(study.ranges))}


def rate_of_log(study: Fit) -> str:
    """Return the answer of a fit in a few words."""
    rate = significant(study.rate.mean or 0.0, 3)
    return f"{rate} failures per 1000 node-days."


def _fit_facts(study: Fit) -> Iterator[Fact]:
    history, judged = study.history, [each for each in study.checked if each.inside is not None]
    yield Fact("Failures", whole(len(history.time_s)), f"in {counted(history.nodes, 'node')}")
    days = f"{whole(history.node_days)} node-days"
    yield Fact("Watched", days, describe_window(history))
    if judged:
        inside = f"{whole(len(judged) - len(study.outside))} of {whole(len(judged))}"
        yield Fact("Figures as in the log", inside, "within 95 % of simulated histories of the fitted fleet")


def _fit_method(study: Fit) -> dict[str, str]:
    return {"histories": f"{study.replications} of the fitted fleet, to compare the log with"}


STUDIES: Mapping[type[Study], StudyPage] = {
    Tuning: StudyPage(
        "how often to save",
        interval_to_use,
        _tuning_facts,
        _tuning_method,
        [tuning.curve, tuning.other_values],
    ),
    Levers: StudyPage(
        "what to improve first", change_to_make, _lever_facts, _lever_method, [changes.section]
    ),
    Solution: StudyPage(
        "how far it has to go", value_to_reach, _solution_facts, _solution_method, [crossing.section]
    ),
    SensitivityStudy: StudyPage(
        "what to measure first",
        input_to_measure,
        _sensitivity_facts,
        _sensitivity_method,
        [unknowns.section],
    ),
    Fit: StudyPage(
        "what the log says", rate_of_log, _fit_facts, _fit_method, [fitted.causes, fitted.fleet, fitted.check]
    ),
    Sweep: StudyPage("what the values change", best_point, _sweep_facts, _sweep_method, [grid.section]),
}
"""The page of each kind of study."""


def write_validation(validation: Validation, path: Path, command: str | None = None) -> None:
    """Write the page of *validation*; raises OSError where it cannot."""
    page.save(validation_page(validation, command), path)


def validation_page(validation: Validation, command: str | None = None) -> Page:
    """Return the page of *validation*, the same for the same validation and command."""
    record = {name: value for name, value in validation.made.items() if name != "command"}
    seed = record.get("seed")
    items = {"seeds": f"{seed} for all" if seed is not None else "those of the scenarios"}
    facts = [
        Fact(kind.heading, f"{whole(passed)} of {whole(len(cases))}", kind.passed)
        for kind, cases, passed in checks.groups(validation)
    ]
    return Page(
        title=f"{headline(validation)} Validation",
        eyebrow=f"clustersim {VERSION} · simulated against theory and against published clusters",
        heading=headline(validation),
        about="",
        head=[Facts(facts, "facts")],
        answer=[*validation.advice, *estimator.sentence(validation.curves)],
        sections=[section(validation) for section in VALIDATION],
        given=(),
        making=inputs.making(["All cases"], [items | dict(inputs.provenance(record))], command),
    )


def headline(validation: Validation) -> str:
    """Return how many checks pass; those of plumbing and with fitted inputs count only where they fail."""
    cases = evidence(validation.cases)
    passed = sum(case.passed for case in cases)
    if passed < len(cases):
        return f"{whole(passed)} of {whole(len(cases))} checks pass."
    return f"All {whole(passed)} checks pass." if passed > 1 else "The check passes."
