"""Which features the failures of one cause have: only those without which chance cannot explain the log.

From the exponential, features are added one by one, the least probable by chance first, as long as the
likelihood ratio of one is beyond the level; one that the others have made needless goes again.  So a relapse
is tested beside the lemons that look like it, and a lifetime beside the burn-in.  The level is 5 % over the
number of all tests of all causes (Bonferroni), so that a log without any feature shows one in at most 5 % of
cases.

Twice the log of the ratio is chi squared with one degree of freedom; where the place of a parameter was
searched too (until when, within what time, from new or not), the chance is that of the best of so many tries.
A share of relapses cannot be negative, which halves it; lemons, with a share and a factor that mean nothing
without each other, are compared with two degrees of freedom, which is more than they need (measured by
`benchmarks/fitting.py`).

Pooled gaps of a log nearly always look like infant mortality, because a repair that failed looks like a short
life and a node that is worse than others like a young one.  So a lifetime has to show beyond the first week
after a repair as well, and beside lemons, from spells whose age is known.  What shows within that week alone
is a relapse.

What befell many nodes in one week looks like parts that wear out together.  So lifetimes that hardly differ
are none, and one that counts from when nodes are first seen is not claimed beside a trend: that age is the
day of the log, or nearly so, and a hazard that rises until a day and falls there is an event of those days.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import chdtrc

from clustersim.fitting.likelihood import EXPONENTIAL, LAWS, SPREADS, Maximum, Model, maximise
from clustersim.fitting.spells import Spells
from clustersim.units import DAY

LEVEL = 0.05
LIFETIME, LEMONS, RELAPSE, TREND = "lifetime", "lemons", "relapse", "trend"
FEATURES = (LIFETIME, LEMONS, RELAPSE, TREND)
FEWEST: Mapping[str, int] = {LIFETIME: 20, LEMONS: 20, RELAPSE: 10, TREND: 10}
"""Failures (of a relapse, repairs) without which a feature is not looked for: no test would be its size."""
NESTED = "weibull"
"""The law that is tested against the exponential, a special case of it; others are compared with it."""
CLEARLY = 4.0
"""By so much another law's criterion has to be smaller (Burnham and Anderson, Model Selection and Multimodel
Inference, 2nd edition, 2002, section 2.6): laws that nobody can tell apart would be chosen by chance."""
WITHINS = (DAY, 3 * DAY, 7 * DAY)
UNTILS = (7 * DAY, 14 * DAY, 30 * DAY, 60 * DAY, 90 * DAY, 180 * DAY)
STEEPEST = 0.5
"""A smaller shape is no infant mortality (failures of nodes have 0.7 to 0.8: Schroeder and Gibson, IEEE
Transactions on Dependable and Secure Computing 7(4), 2010) but repairs that fail."""
LEAST_SPREAD = 0.15
"""Standard deviation of lifetimes over their mean below which they are none but an event that many nodes had
in common: a Weibull shape of 8.  Parts wear out with shapes of 1 to 4, above which it is rapid (Abernethy,
The New Weibull Handbook, 5th edition, 2006), and fans with 3 (Sidharth and Sundaram, ITherm 2004)."""
LONGEST_BURN_IN = 0.8
"""Of the window: a change beyond it would be a claim about the last days alone."""


@dataclass(frozen=True)
class Selection:
    """The features found: the `best` model, and the chance of each feature (`p_values`) beside the others.

    `exponential` is the model without any feature.  A feature that was not tested has no chance, nor has one
    that is refused: `refused` are lifetimes that are none, where others would be more probable than chance.
    """

    best: Maximum
    exponential: Maximum
    p_values: Mapping[str, float]
    level: float
    refused: Maximum | None = None

    def has(self, feature: str) -> bool:
        """Whether the model has a *feature*."""
        return feature in features_of(self.best.model)


def features_of(model: Model) -> tuple[str, ...]:
    """Return the features that a *model* has."""
    there = {
        LIFETIME: model.law != EXPONENTIAL,
        LEMONS: model.lemons,
        RELAPSE: model.within is not None,
        TREND: model.until is not None,
    }
    return tuple(feature for feature in FEATURES if there[feature])


def testable(spells: Spells, nodes: int, window_s: float) -> tuple[str, ...]:
    """Return the features that can be looked for in the failures of one cause, of so many *nodes*."""
    repairs = int(spells.repaired.sum())
    seen = {
        LIFETIME: spells.count,
        LEMONS: spells.count if nodes > 1 else 0,
        RELAPSE: repairs if nodes > 1 else 0,
        TREND: spells.count if list(_untils(window_s)) else 0,
    }
    return tuple(feature for feature in FEATURES if seen[feature] >= FEWEST[feature])


def _untils(window_s: float) -> Iterator[float]:
    yield from (until for until in UNTILS if until <= LONGEST_BURN_IN * window_s)


def select(spells: Spells, features: tuple[str, ...], window_s: float, tests: int) -> Selection:
    """Return which of the *features* the failures have, where so many *tests* are made in all."""
    start = maximise(spells, Model(), {"mtbf_s": spells.total / max(spells.count, 1)})
    search = _Search(spells, window_s)
    level, best = LEVEL / max(tests, 1), start
    seen: set[Model] = set()
    while best.model not in seen:
        seen.add(best.model)
        tried = [
            search.added(best, feature) for feature in features if feature not in features_of(best.model)
        ]
        likeliest = min(tried, key=lambda trial: trial.p_value, default=None)
        if likeliest is None or likeliest.p_value >= level:
            break
        best = search.without_needless(likeliest.found, level)
        if best.top <= start.top:
            break
    if best.model.law != EXPONENTIAL:
        best = search.without_needless(search.best_law(best), level)
    trials = search.trials(best, features)
    chances = {trial.feature: trial.p_value for trial in trials if not trial.refused}
    refused = (trial.found for trial in trials if trial.refused and trial.feature == LIFETIME)
    return Selection(best, start, chances, level, next(refused, None))


@dataclass(frozen=True)
class _Trial:
    """What a model is with one feature more, and the chance of so large a gain without it.

    It is `refused`, as if it gained nothing, where it gains more than by chance and its lifetimes are none,
    or where there is something that it must not stand beside.
    """

    feature: str
    found: Maximum
    p_value: float
    refused: bool = False


class _Search:
    """Models of one cause, each fitted once."""

    def __init__(self, spells: Spells, window_s: float) -> None:
        self._spells, self._window_s = spells, window_s
        self._fitted: dict[Model, Maximum] = {}
        repairs = int(spells.repaired.sum()) >= FEWEST[RELAPSE]
        self._late = spells.beyond(max(WITHINS)) if repairs else spells
        self._gains: dict[Model, float] = {}
        self._several = len(np.unique(spells.node)) > 1

    def fitted(self, model: Model, near: Mapping[str, float]) -> Maximum:
        """Return the most probable parameters of a *model*."""
        if model not in self._fitted:
            self._fitted[model] = maximise(self._spells, model, near)
        return self._fitted[model]

    def added(self, base: Maximum, feature: str) -> _Trial:
        """Return *base* with one *feature* more."""
        models = list(self._with(base.model, feature))
        if not models:
            return _Trial(feature, base, 1.0, refused=True)
        found = max((self.fitted(model, base.values) for model in models), key=lambda each: each.top)
        return self._trial(feature, found, base, len(models))

    def _trial(self, feature: str, found: Maximum, base: Maximum, tries: int) -> _Trial:
        """Return *found*, one of so many *tries*, with the chance of what it gains over *base*."""
        chance = _chance(feature, 2 * (found.top - base.top), tries)
        if chance <= LEVEL and _are_no_lifetimes(found):
            return _Trial(feature, found, 1.0, refused=True)
        if feature == LIFETIME and chance <= LEVEL:
            model = replace(found.model, within=None, lemons=self._several)
            if model not in self._gains:
                self._gains[model] = self._gain_of_ages(model)
            chance = max(chance, _chance(feature, 2 * self._gains[model], tries))
        return _Trial(feature, found, chance)

    def _gain_of_ages(self, model: Model) -> float:
        """Return what the lifetime of a *model* gains where relapses are over and ages known."""
        spells = self._late
        if not model.new:
            spells = spells.part(~spells.first)
        if not spells.count:
            return 0.0
        near = {"mtbf_s": spells.total / spells.count}
        base = maximise(spells, replace(model, law=EXPONENTIAL), near)
        return maximise(spells, model, base.values).top - base.top

    def _with(self, model: Model, feature: str) -> Iterator[Model]:
        if feature == LIFETIME:
            yield from (replace(model, law=NESTED, new=new) for new in _ages(model))
        elif feature == LEMONS:
            yield replace(model, lemons=True)
        elif feature == RELAPSE:
            yield from (replace(model, within=within) for within in WITHINS)
        elif not model.new:
            yield from (replace(model, until=until) for until in _untils(self._window_s))

    def without(self, found: Maximum, feature: str) -> _Trial:
        """Return *found* without one of its features, with the chance of that feature beside all others."""
        nothing = Model()
        keys = {LIFETIME: ("law", "new"), LEMONS: ("lemons",), RELAPSE: ("within",), TREND: ("until",)}
        plain = {key: getattr(nothing, key) for key in keys[feature]}
        simpler = self.fitted(replace(found.model, **plain), found.values)
        tries = len(list(self._with(simpler.model, feature)))
        return replace(self._trial(feature, found, simpler, tries), found=simpler)

    def without_needless(self, found: Maximum, level: float) -> Maximum:
        """Return *found* without the features that the others have made needless."""
        while len(features_of(found.model)) > 1:
            trials = [self.without(found, feature) for feature in features_of(found.model)]
            worst = max(trials, key=lambda trial: trial.p_value)
            if worst.p_value < level:
                break
            found = worst.found
        return found

    def best_law(self, found: Maximum) -> Maximum:
        """Return *found* with the law that Akaike's criterion clearly prefers, or with the tested one."""
        laws = [law for law in LAWS if law != EXPONENTIAL]
        models = [replace(found.model, law=law, new=new) for law in laws for new in _ages(found.model)]
        fits = [self.fitted(model, found.values) for model in models]
        sound = (fit for fit in fits if not _are_no_lifetimes(fit))
        return min(sound, key=lambda fit: fit.aic + CLEARLY * (fit.model.law != NESTED), default=found)

    def trials(self, best: Maximum, features: tuple[str, ...]) -> list[_Trial]:
        """Return each of the *features* beside the others of the *best* model."""
        has = features_of(best.model)
        return [
            self.without(best, feature) if feature in has else self.added(best, feature)
            for feature in features
        ]


def _ages(model: Model) -> tuple[bool, ...]:
    """Return whether nodes may have been new when first seen, where a *model* gets a lifetime."""
    return (False, True) if model.until is None else (False,)


def _are_no_lifetimes(found: Maximum) -> bool:
    """Return whether its lifetimes are too much infant mortality to be any, or hardly differ."""
    law = found.model.law
    if law == EXPONENTIAL:
        return False
    shape = found.values["shape"]
    return (law != "lognormal" and shape < STEEPEST) or SPREADS[law](shape) < LEAST_SPREAD


def _chance(feature: str, gain: float, tries: int) -> float:
    """Return the chance of so large a *gain* (twice the log of the ratio) by the best of so many *tries*."""
    one = float(chdtrc(2 if feature == LEMONS else 1, max(gain, 0.0)))
    times = {LIFETIME: float(tries), LEMONS: 1.0, RELAPSE: tries / 2, TREND: float(tries)}
    return min(one * times[feature], 1.0)
