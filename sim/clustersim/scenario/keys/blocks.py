"""`Block`: a mapping of the scenario language as a frozen pydantic model whose faults are our sentences."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from clustersim.scenario.text.errors import Path
from clustersim.units import shown

KEY = "[key]"
MOST_NAMES = 1_000
"""The most entries of a mapping whose keys are the user's own names."""
NAMES = Field(max_length=MOST_NAMES)
MOST_GUESSES = 20
Finding = tuple[Path, str]


def refuse(findings: Iterable[Finding]) -> None:
    """Raise pydantic's error with one sentence per finding, if there is any.

    Each stands at its path below the block; a path that ends in KEY blames the key itself, not its value.
    """
    details = [InitErrorDetails(type=spoken(why), loc=path, input=None) for path, why in findings]
    if details:
        raise ValidationError.from_exception_data("scenario", details)


def spoken(why: str) -> PydanticCustomError:
    """Return pydantic's error for a sentence of ours, whatever braces the sentence holds."""
    return PydanticCustomError("fault", "{sentence}", {"sentence": why})


def key(
    about: str, default: Any = ..., *, name: str | None = None, unit: str = "", quiet: bool = False
) -> Any:
    """Return a key of a block: what it means, its default as in a file (none: needed), its written name.

    *unit* says what a bare number counts; a *quiet* default, which means that something is not used, is not
    listed among what went in.
    """
    extra: dict[str, Any] = {"x-unit": unit} if unit else {}
    extra |= {"x-quiet": True} if quiet else {}
    return Field(default, description=about, alias=name, json_schema_extra=extra or None)


def unknown(name: object, allowed: Iterable[str], what: str = "unknown key") -> str:
    """Return the sentence for a name that nobody knows: the nearest that is allowed, or the first ones."""
    names = list(allowed)
    if near := difflib.get_close_matches(str(name), names, n=1):
        return f'{what}; did you mean "{near[0]}"?'
    return f"{what}; allowed are {', '.join(names[:20])}{', ...' if names[20:] else ''}"


def too_many(count: int, most: int) -> str:
    """Return the sentence for so many entries where fewer are possible."""
    return f"{count:_} entries, {most:_} are possible; give fewer"


def strangers(names: Iterable[str], allowed: Sequence[str], what: str) -> Iterator[tuple[str, str]]:
    """Yield each of *names*, none of which is *allowed*, with its sentence.

    Only the first few are compared with all that is allowed: a thousand names with thousands took minutes.
    """
    for number, name in enumerate(names):
        near = number < MOST_GUESSES
        yield name, unknown(name, allowed, what) if near else f"{what}; take it out, or correct its name"


class Block(BaseModel):
    """A block of the scenario: known keys only, frozen, checked on its own and then for contradictions.

    `misplaced` names keys that belong elsewhere, with what to do; `derived` names keys whose default follows
    from other values, and is the attribute of that name.  A block with `one_value` reads as a single value.
    Defaults are written and read as in a file: `"0 s"`.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, arbitrary_types_allowed=True
    )
    one_value: ClassVar[bool] = False
    misplaced: ClassVar[Mapping[str, str]] = {}
    derived: ClassVar[frozenset[str]] = frozenset()

    def contradictions(self) -> Iterator[Finding]:
        """Yield what is wrong with values that are each right by themselves."""
        yield from ()

    def settle(self, document: Mapping[str, Any]) -> None:
        """Work out what follows from the values; *document* is the mapping as it was given."""

    @classmethod
    def keys(cls) -> list[str]:
        """Return the keys of the block as they are written."""
        return [field.alias or name for name, field in cls.model_fields.items()]

    @model_validator(mode="wrap")
    @classmethod
    def _in_sentences(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if isinstance(data, cls):
            return data
        if not isinstance(data, Mapping):
            raise ValueError(
                f"{shown(data)} is not a block; give {{key: value}} with {', '.join(cls.keys())}"
            )
        try:
            block = handler(data)
        except ValidationError as error:
            raise cls._reworded(error) from None
        block.settle(data)
        refuse(block.contradictions())
        return block

    @classmethod
    def _reworded(cls, error: ValidationError) -> ValidationError:
        """Return *error* with sentences of ours for all that pydantic found."""
        findings = [cls._finding(one) for one in error.errors(include_url=False)]
        lines = [InitErrorDetails(type=spoken(why), loc=path, input=None) for path, why in findings]
        return ValidationError.from_exception_data("scenario", lines)

    @classmethod
    def _finding(cls, detail: ErrorDetails) -> Finding:
        """Return path and sentence of what pydantic found; what is wrong inside a block has one already."""
        context, path = detail.get("ctx", {}), detail["loc"]
        if "sentence" in context:
            return path, str(context["sentence"])
        if "error" in context:
            return path, str(context["error"])
        if detail["type"] == "extra_forbidden":
            return (*path, KEY), cls._unexpected(str(path[0]))
        if detail["type"] == "missing":
            return path, f"missing; give {cls._described(str(path[0]))}"
        if detail["type"] == "too_long":
            return path, too_many(len(detail["input"]), context["max_length"])
        what = _SHAPES.get(detail["type"], "is not understood here; give another value")
        return path, f"{shown(detail['input'])} {what}"

    @classmethod
    def _unexpected(cls, key: str) -> str:
        return cls.misplaced.get(key) or unknown(key, cls.keys())

    @classmethod
    def _described(cls, key: str) -> str:
        field = next(field for name, field in cls.model_fields.items() if key in (field.alias, name))
        return field.description or "it"


_SHAPES = {
    "mapping_type": "is not a block; give {name: value}",
    "too_short": "is empty; give at least one value",
    "tuple_type": "is not a list; give [first, second]",
}
