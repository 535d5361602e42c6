"""`Block`: a mapping of the scenario language as a frozen pydantic model whose faults are our sentences."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from sim.scenario.errors import Path
from sim.units import shown

Finding = tuple[Path, str]


def refuse(findings: Iterable[Finding], kind: Literal["value", "key"] = "value") -> None:
    """Raise pydantic's error with one sentence per finding, each at its path below the block, if any.

    *kind* says whether the value or the key is at fault, and so which of the two is pointed at.
    """
    details = [InitErrorDetails(type=spoken(kind, why), loc=path, input=None) for path, why in findings]
    if details:
        raise ValidationError.from_exception_data("scenario", details)


def spoken(kind: Literal["value", "key"], why: str) -> PydanticCustomError:
    """Return pydantic's error for a sentence of ours, whatever braces the sentence holds."""
    return PydanticCustomError(kind, "{sentence}", {"sentence": why})


def key(about: str, default: Any = ..., *, name: str | None = None, unit: str = "") -> Any:
    """Return a key of a block: what it means, its default as in a file (none: needed), its written name.

    *unit* says what a bare number counts.
    """
    extra: dict[str, Any] = {"x-unit": unit} if unit else {}
    return Field(default, description=about, alias=name, json_schema_extra=extra or None)


def unknown(name: object, allowed: Iterable[str], what: str = "unknown key") -> str:
    """Return the sentence for a name that nobody knows: the nearest that is allowed, or the first ones."""
    names = list(allowed)
    if near := difflib.get_close_matches(str(name), names, n=1):
        return f'{what}; did you mean "{near[0]}"?'
    return f"{what}; allowed are {', '.join(names[:20])}{', ...' if names[20:] else ''}"


class Block(BaseModel):
    """A block of the scenario: known keys only, frozen, checked on its own and then for contradictions.

    `unbuilt` names the keys that the language will have and this version refuses, each with what to do
    meanwhile.  Defaults are written as in a file, `"0 s"`, and read like one.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, arbitrary_types_allowed=True
    )
    unbuilt: ClassVar[Mapping[str, str]] = {}

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
            raise cls._reworded(error, data) from None
        block.settle(data)
        refuse(block.contradictions())
        return block

    @classmethod
    def _reworded(cls, error: ValidationError, data: Mapping[str, Any]) -> ValidationError:
        """Return *error* with sentences of ours for all that pydantic found."""
        waiting = any(key in cls.unbuilt for key in data)
        details = error.errors(include_url=False)
        kept = [one for one in details if not (waiting and one["type"] == "missing" and len(one["loc"]) == 1)]
        return ValidationError.from_exception_data(
            "scenario",
            [InitErrorDetails(type=cls._sentence(one), loc=one["loc"], input=None) for one in kept],
        )

    @classmethod
    def _sentence(cls, detail: ErrorDetails) -> PydanticCustomError:
        context, path = detail.get("ctx", {}), detail["loc"]
        if detail["type"] == "extra_forbidden":
            return spoken("key", cls._unexpected(str(path[0])))
        if detail["type"] == "missing":
            return spoken("value", f"missing; give {cls._described(str(path[0]))}")
        if "sentence" in context:
            return spoken("key" if detail["type"] == "key" else "value", context["sentence"])
        if "error" in context:
            return spoken("value", str(context["error"]))
        return spoken(
            "value", _STANDARD.get(detail["type"], f"{shown(detail['input'])} is not understood here")
        )

    @classmethod
    def _unexpected(cls, key: str) -> str:
        if key in cls.unbuilt:
            return f"{key} is not built yet; {cls.unbuilt[key]}"
        return unknown(key, cls.keys())

    @classmethod
    def _described(cls, key: str) -> str:
        field = next(field for name, field in cls.model_fields.items() if key in (field.alias, name))
        return field.description or "it"


_STANDARD = {
    "too_short": "the list is empty; give at least one",
    "too_long": "the list is too long; give fewer",
}
