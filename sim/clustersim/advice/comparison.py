"""What a comparison says: each difference, or what the cards between two sizes return."""

from __future__ import annotations

from clustersim.advice.words import Advice, Topic
from clustersim.estimate import Estimate
from clustersim.formatting import measured, plus_minus, points, whole
from clustersim.results import Comparison, Difference, SizeStep


def compared(comparison: Comparison) -> list[Advice]:
    """Return what a comparison says: each step in size, or each difference where all have the same size."""
    sizes = {one.scenario.cluster.gpus for one in comparison.results}
    if len(sizes) > 1:
        return [_stepped(step) for step in comparison.steps]
    return [differs(difference) for difference in comparison.differences]


def differs(difference: Difference) -> Advice:
    """Return the sentence about one difference."""
    estimate = difference.ettr
    numbers = {"ettr": estimate.mean, "effective_gpus": difference.effective_gpus.mean}
    text = f"{difference.name} against {difference.baseline}: ETTR {_points(estimate)}"
    text = f"{text}, {_signed(difference.effective_gpus)} effective cards"
    if estimate.half_width is None:
        text = f"{text}, in one replication, which does not tell how sure that is."
    elif estimate.distinguishable:
        text = f"{text}."
    else:
        text = (
            f"{difference.name} and {difference.baseline} are not distinguishable (ETTR {_points(estimate)})."
        )
    return Advice(Topic.DIFFERENCE, text, numbers)


def _points(estimate: Estimate) -> str:
    return points(estimate.mean, estimate.half_width)


def _signed(estimate: Estimate) -> str:
    return ("+" if estimate.mean > 0 else "") + plus_minus(estimate.mean, estimate.half_width)


def _cards(estimate: Estimate) -> str:
    return plus_minus(abs(estimate.mean), estimate.half_width)


def _stepped(step: SizeStep) -> Advice:
    """Return the sentence about what the cards between two sizes return."""
    estimate = step.extra_effective_gpus
    numbers = {"extra_gpus": step.extra_gpus, "extra_effective_gpus": estimate.mean}
    start = f"From {step.smaller} to {step.larger} the extra {whole(step.extra_gpus)} cards"
    if estimate.half_width is not None and not estimate.distinguishable:
        return Advice(Topic.MARGINAL_RETURN, f"{start} make no distinguishable difference.", numbers)
    if estimate.mean < 0:
        text = f"{start} cost {_cards(estimate)} effective cards."
        return Advice(Topic.MARGINAL_RETURN, text, numbers, warning=True)
    each = measured(step.marginal_return.mean, step.marginal_return.half_width)
    text = f"{start} add {_cards(estimate)} effective cards, {each} each."
    return Advice(Topic.MARGINAL_RETURN, text, numbers)
