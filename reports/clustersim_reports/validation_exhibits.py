"""The figures of a validation with their words: published against simulated, and the estimator's roads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from clustersim.digits import whole
from clustersim_reports.exhibits import Exhibit, Key, exhibit, slug
from clustersim_reports.figures.agreement import (
    FAMILIES,
    SYMBOLS,
    AgreementData,
    agreement_data,
    agreement_figure,
    agreement_table,
)
from clustersim_reports.figures.roads import RoadsData, crossing, roads_data, roads_figure, roads_table, said

if TYPE_CHECKING:
    from clustersim.validation import Validation

FEWEST = 3
SIGNS = {"exact": "dot", "band": "square", "control": "cross-blue", "plumbing": "ring"}


def agreement(validation: Validation) -> list[Exhibit]:
    """Return a figure for shares, one for times and one for counts, where there are checks enough to see."""
    if len(validation.cases) < FEWEST:
        return []
    return [_agreement(data) for data in agreement_data(validation)]


def _agreement(data: AgreementData) -> Exhibit:
    count = len(data.dots)
    off = [dot.name for dot in data.dots if not dot.passed]
    spoken = f"{count} checks, " + (
        f"not as they should be: {', '.join(off)}" if off else "all as they should be"
    )
    words = (FAMILIES[data.family], f"{count} check{'s' * (count > 1)}", spoken)
    return exhibit(f"agreement-{data.family}", words, [], agreement_figure(data), agreement_table(data))


def agreement_keys(validation: Validation) -> list[Key]:
    """Return the legend that those figures have in common."""
    kinds = {case.kind for case in validation.cases}
    keys = [Key(SIGNS[kind], kind) for kind in SYMBOLS if kind in kinds]
    return [
        *keys,
        Key("whisker", "95 % interval, mostly smaller than the sign"),
        Key("accepted", "accepted range"),
        Key("dash", "published = simulated"),
    ]


def roads(validation: Validation) -> list[Exhibit]:
    """Return one figure for each way to save, as far as the estimator was followed."""
    return [_roads(data) for data in roads_data(validation.roads)]


def _roads(data: RoadsData) -> Exhibit:
    first, second = (road.cluster for road in data.roads)
    keys = [
        Key("dot", f"{first}, simulated"),
        Key("diamond", f"{second}, simulated"),
        Key("line-two", "Daly's exact formula"),
        Key("dash-two", "Meta's first-order estimator"),
        Key("whisker", "95 % interval"),
    ]
    title = f"{data.policy[:1].upper()}{data.policy[1:]}"
    words = (title, _roads_caption(data), _spoken_roads(data))
    return exhibit(f"roads-{slug(data.policy)}", words, keys, roads_figure(data), roads_table(data))


def _roads_caption(data: RoadsData) -> str:
    rates = " and ".join(f"{road.cluster} {road.rate:g}" for road in data.roads)
    return f"Failures per 1000 node-days: {rates}. The shaded ground is below zero, where no ETTR can be."


def _spoken_roads(data: RoadsData) -> str:
    crossings: Sequence[str] = [
        f"{road.cluster} below zero from {whole(place)} cards"
        for road in data.roads
        if (place := crossing(road))
    ]
    marks = [
        f"{road.cluster} at {whole(mark.gpus)} cards: estimator {mark.estimator:.2f}, simulated {said(mark)}"
        for road in data.roads
        for mark in road.marks[::2]
    ]
    return "; ".join([*crossings, *marks])
