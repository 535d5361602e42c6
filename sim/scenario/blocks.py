"""`Block`: a mapping of the scenario language as a frozen pydantic model whose faults are sentences of our own."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from sim.scenario.errors import Path
from sim.units import shown

Finding = tuple[Path, str]


def refuse(findings: Iterable[Finding], value: object = None) -> None:
    """Raise pydantic's error with one sentence per finding, each at its path below the block; none, no error."""
    details = [
        InitErrorDetails(
            type=PydanticCustomError("fault", "{sentence}", {"sentence": why}), loc=path, input=value
        )
        for path, why in findings
    ]
    if details:
        raise ValidationError.from_exception_data("scenario", details)


def unknown(key: object, allowed: Iterable[str]) -> str:
    """Return the sentence for a key that nobody knows: the nearest one that is allowed, or all of them."""
    names = list(allowed)
    near = difflib.get_close_matches(str(key), names, n=1)
    return (
        f'unknown key; did you mean "{near[0]}"?'
        if near
        else f"unknown key; allowed here: {', '.join(names)}"
    )


class Block(BaseModel):
    """A block of the scenario: known keys only, frozen, checked on its own and then for contradictions.

    `unbuilt` names the keys that the language will have and this version refuses, each with what to do meanwhile.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)
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
            refuse(cls._findings(error, data))
            raise
        block.settle(data)
        refuse(block.contradictions())
        return block

    @classmethod
    def _findings(cls, error: ValidationError, data: Mapping[str, Any]) -> Iterator[Finding]:
        waiting = any(key in cls.unbuilt for key in data)
        for detail in error.errors(include_url=False):
            path = detail["loc"]
            if detail["type"] == "extra_forbidden" and len(path) == 1:
                yield path, cls._unexpected(str(path[0]))
            elif detail["type"] != "missing" or len(path) > 1:
                yield path, sentence(detail)
            elif not waiting:
                yield path, f"missing; {cls._describe(str(path[0]))}"

    @classmethod
    def _unexpected(cls, key: str) -> str:
        if key in cls.unbuilt:
            return f"{key} is not built yet; {cls.unbuilt[key]}"
        return unknown(key, cls.keys())

    @classmethod
    def _describe(cls, key: str) -> str:
        field = next(field for name, field in cls.model_fields.items() if key in (field.alias, name))
        return field.description or "give it"


def sentence(detail: Mapping[str, Any]) -> str:
    """Return our sentence for one of pydantic's findings."""
    context = detail.get("ctx", {})
    if "sentence" in context:
        return str(context["sentence"])
    if "error" in context:
        return str(context["error"])
    return f"{shown(detail['input'])} is not understood here"
