"""The figures that a published claim may be about, and how its values, ranges and missing inputs are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from clustersim import units
from clustersim.metrics.catalogue import CLAIMABLE
from clustersim.metrics.metric import FAMILIES
from clustersim.scenario.keys.blocks import unknown
from clustersim.scenario.keys.quantities import Reads
from clustersim.units import shown

SHARE, SECONDS = "share", "s"
LARGEST = 1e15


def amount(unit: str, written: object) -> float:
    """Return *written* in the unit of a figure; ValueError where it is none."""
    if unit == SECONDS or isinstance(written, str):
        return _quantity(unit, str(written))
    if isinstance(written, bool) or not isinstance(written, int | float) or not abs(written) <= LARGEST:
        raise ValueError(
            f"{shown(written)} is not a possible figure; give one such as {_EXAMPLES.get(unit, '419')}"
        )
    if unit == SHARE and abs(written) > 1:
        raise ValueError(f"{shown(written)} is more than the whole; give a share such as 0.9 or 90 %")
    return float(written)


def _quantity(unit: str, text: str) -> float:
    if unit == SECONDS:
        return units.DURATION.parse(text)
    if unit != SHARE:
        raise ValueError(f"{shown(text)} is not a plain number ({unit}); give one such as 419")
    return units.POINTS.parse(text) if text.endswith("pp") else units.SHARE.parse(text)


_EXAMPLES = {SHARE: "0.9, 90 % or 5 pp", SECONDS: "18 min"}
_NUMBER = {"type": "number"}
_TEXT = {"type": "string", "pattern": rf"^{units.NUMBER}.*$"}


def _number(written: object) -> object:
    if isinstance(written, bool) or not isinstance(written, int | float | str):
        raise ValueError(f"{shown(written)} is not a figure; give a number, with its unit where it has one")
    return written


def _pair(written: object) -> tuple[object, object]:
    if not isinstance(written, list | tuple) or len(written) != 2:
        raise ValueError(f"{shown(written)} is not a range; give its two ends, such as [0.45, 0.60]")
    return _number(written[0]), _number(written[1])


def _figure(written: object) -> tuple[str, str | None]:
    """Return the word and what stands beside it: `ettr`, or `{share: checkpoint}`."""
    word, of = written, None
    if isinstance(written, Mapping) and len(written) == 1:
        ((word, of),) = written.items()
    if not isinstance(word, str):
        raise ValueError(
            f"{shown(word)} is not a figure; give a word, such as ettr, or {{share: checkpoint}}"
        )
    if word not in CLAIMABLE:
        raise ValueError(unknown(word, CLAIMABLE, f"{shown(word)} is no figure that can be compared"))
    metric = CLAIMABLE[word]
    if of is not None and not metric.of:
        raise ValueError(f"{word} is one figure; write figure: {word}")
    if of is None and metric.by_name:
        raise ValueError(f"{word} is that of {FAMILIES[metric.of]}; say which, such as {{share: checkpoint}}")
    return word, None if of is None else str(of)


def _unknown(written: object) -> tuple[str, tuple[Any, ...]]:
    if not isinstance(written, Mapping) or len(written) != 1:
        raise ValueError(
            "one input can be missing at a time; give its path and values, such as"
            " {checkpoint.blocks: [5 s, 30 s]}"
        )
    ((path, values),) = written.items()
    if not isinstance(values, list | tuple) or not values:
        raise ValueError(
            f"{shown(values)} is not a list; give the values that are tried, such as [5 s, 30 s]"
        )
    return str(path), tuple(values)


_WORDS_OF_FIGURES = {"enum": list(CLAIMABLE)}
_ONE_OF = {
    "type": "object",
    "minProperties": 1,
    "maxProperties": 1,
    "propertyNames": {"enum": [word for word, metric in CLAIMABLE.items() if metric.of]},
    "additionalProperties": {"type": "string"},
}
_UNKNOWN = {
    "type": "object",
    "minProperties": 1,
    "maxProperties": 1,
    "additionalProperties": {"type": "array", "minItems": 1},
}
_AMOUNT = {"anyOf": [_NUMBER, _TEXT]}
Amount = Annotated[Any, Reads(_number, _AMOUNT)]
Range = Annotated[Any, Reads(_pair, {"type": "array", "items": _AMOUNT, "minItems": 2, "maxItems": 2})]
Compared = Annotated[tuple[str, str | None], Reads(_figure, {"anyOf": [_WORDS_OF_FIGURES, _ONE_OF]})]
Missing = Annotated[tuple[str, tuple[Any, ...]], Reads(_unknown, _UNKNOWN)]
