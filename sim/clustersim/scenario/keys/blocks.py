"""`Block`: a mapping of the scenario language as a frozen pydantic model whose problems are our sentences."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import CoreSchema, ErrorDetails, InitErrorDetails, PydanticCustomError, core_schema

from clustersim.scenario.text.document import Path
from clustersim.units import shown

V = TypeVar("V")
KEY = "[key]"
MOST_NAMES = 1_000
"""The most entries of a mapping whose keys are the user's own names."""
NAMES = Field(max_length=MOST_NAMES)
MOST_GUESSES = 20
Finding = tuple[str | Path, str]
"""What is wrong, in a sentence, and where: a key of the block, or a path below it."""


def refuse(findings: Iterable[Finding]) -> None:
    """Raise pydantic's error with one sentence per finding, if there is any.

    A path that ends in KEY blames the key itself, not its value.
    """
    details = []
    for path, why in under((), findings):
        # The sentence is put into a template of pydantic's, as it may hold braces itself.
        spoken = PydanticCustomError("problem", "{sentence}", {"sentence": why})
        details.append(InitErrorDetails(type=spoken, loc=path, input=None))
    if details:
        raise ValidationError.from_exception_data("scenario", details)


def refused(error: ValidationError) -> Iterator[tuple[Path, str, bool]]:
    """Yield what `refuse` said in an *error*: path and sentence, and whether the key itself is blamed."""
    for detail in error.errors():
        path, of_key = detail["loc"], detail["loc"][-1:] == (KEY,)
        yield path[:-1] if of_key else path, detail["ctx"]["sentence"], of_key


def under(block: Path, findings: Iterable[Finding]) -> Iterator[tuple[Path, str]]:
    """Yield what is wrong with a block with paths from further above, where the block stands at *block*."""
    for path, why in findings:
        yield (*block, *((path,) if isinstance(path, str) else path)), why


def key(about: str, default: Any = ..., *, unit: str = "", quiet: bool = False) -> Any:
    """Return a key of a block: what it means, and its default as in a file (none: needed).

    *unit* says what a bare number counts; a *quiet* default, which means that something is not used, is not
    listed among what went in.
    """
    extra: dict[str, Any] = {"x-unit": unit} if unit else {}
    extra |= {"x-quiet": True} if quiet else {}
    return Field(default, description=about, json_schema_extra=extra or None)


def unknown(name: object, allowed: Iterable[str], what: str = "unknown key") -> str:
    """Return the sentence for a name that nobody knows: the nearest that is allowed, or the first ones."""
    names = list(allowed)
    if near := difflib.get_close_matches(str(name), names):
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
    """A block of the scenario as it is written: known keys only, each read, then checked for contradictions.

    Defaults are written and read as in a file: `"0 s"`.  A block of which more follows than it says resolves
    to a value; any other, such as `Maintenance`, is one: it is frozen, in seconds, cards and shares of 1.
    `misplaced` names keys that belong elsewhere, with what to do; a block with `one_value` reads as one.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, arbitrary_types_allowed=True
    )
    one_value: ClassVar[bool] = False
    misplaced: ClassVar[Mapping[str, str]] = {}

    def contradictions(self) -> Iterator[Finding]:
        """Yield what is wrong with values that are each right by themselves."""
        yield from ()

    def resolve(self) -> Any:
        """Return the value that follows from the block by itself."""
        return self

    @classmethod
    def keys(cls) -> list[str]:
        """Return the keys of the block."""
        return list(cls.model_fields)

    def default(self, key: str) -> Any:
        """Return what holds where the key is left out, as it is written; None where nothing does."""
        return type(self).model_fields[key].default

    def given(self, *names: str) -> list[str]:
        """Return which of these keys have a value."""
        return [name for name in names if getattr(self, name) is not None]

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
            # This raises, as pydantic found something.
            refuse([cls._finding(detail) for detail in error.errors()])
            raise
        refuse(block.contradictions())
        return block

    @classmethod
    def _finding(cls, detail: ErrorDetails) -> tuple[Path, str]:
        """Return path and sentence of what pydantic found; what is wrong inside a block has one already."""
        context, path = detail.get("ctx", {}), detail["loc"]
        if "sentence" in context:
            return path, str(context["sentence"])
        if "error" in context:
            return path, str(context["error"])
        if detail["type"] == "extra_forbidden":
            name = str(path[0])
            return (*path, KEY), cls.misplaced.get(name) or unknown(name, cls.keys())
        if detail["type"] == "missing":
            return path, f"missing; give {cls.meaning(str(path[0]))}"
        if detail["type"] == "too_long":
            return path, too_many(len(detail["input"]), context["max_length"])
        what = _SHAPES.get(detail["type"], "is not understood here; give another value")
        return path, f"{shown(detail['input'])} {what}"

    @classmethod
    def meaning(cls, key: str) -> str:
        """Return what the key means."""
        return str(cls.model_fields[key].description)


class OneOf(Block):
    """A block that gives exactly one of its `alternatives`: of all of its keys, if these are not named."""

    alternatives: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def allowed(cls) -> list[str]:
        """Return the words of all that may be given, with a block or without."""
        return list(cls.alternatives or cls.model_fields)

    def chosen(self) -> list[str]:
        """Return which alternatives are given."""
        return self.given(*(self.alternatives or type(self).model_fields))

    def contradictions(self) -> Iterator[Finding]:
        """Ask for exactly one alternative."""
        if len(given := self.chosen()) != 1:
            got = " and ".join(given) or "none"
            yield (), f"{got} given; give exactly one of {', '.join(self.allowed())}"


class Kind(Block):
    """One kind among several: its `word` in a file, and an `example` of its keys, if it has any.

    What it `does` is said where that is not what everybody expects.
    """

    one_value = True
    word: ClassVar[str]
    does: ClassVar[str] = ""
    example: ClassVar[str] = ""

    @classmethod
    def needs_details(cls) -> bool:
        """Return whether its word alone does not say enough."""
        return any(field.is_required() for field in cls.model_fields.values())

    @classmethod
    def as_key(cls) -> Any:
        """Return the key of a choice that bears the kind's word."""
        return key(f"{cls.does}: {cls.example}", None)


class Choice(OneOf):
    """A value that is one of several registered kinds: a word, or exactly one kind with what it needs.

    `effect: hang` is a word; `effect: {slow: {factor: 0.7}}` is a kind with what it needs.  A kind is
    registered by its place among the `kinds` and, where it has keys, by the key that bears its word.
    Everything else about it (messages, schema, reference) follows from there.
    """

    kinds: ClassVar[tuple[type[Kind], ...]] = ()

    @classmethod
    def allowed(cls) -> list[str]:
        """Return the words of all kinds, in the order of the registry."""
        return [kind.word for kind in cls.kinds]

    @classmethod
    def words_alone(cls) -> list[str]:
        """Return the words that say enough by themselves."""
        return [kind.word for kind in cls.kinds if not kind.needs_details()]

    @classmethod
    def named(cls, word: object) -> Any:
        """Return the kind that a word stands for."""
        if not isinstance(word, str) or word not in cls.allowed():
            raise ValueError(f"{shown(word)} is not known; allowed are {', '.join(cls.allowed())}")
        kind = next(kind for kind in cls.kinds if kind.word == word)
        if kind.needs_details():
            raise ValueError(f"{word} needs its details; write {{{word}: {kind.example}}}")
        return kind()

    def resolve(self) -> Any:
        """Return the kind that was chosen, with its values."""
        return getattr(self, self.chosen()[0])


@dataclass(frozen=True, slots=True, eq=False)
class Shorthand:
    """A block that may be written as one value, which *expand* turns into the block's mapping.

    A field that is annotated with a *block* holds what that block resolves to; *expand* may also return such
    a value itself.  *schema* is the JSON Schema of the one value.  Where there are *entries*, a list of
    these is written instead of a mapping; without a *schema* the one value is one of them by itself.
    """

    expand: Callable[[Any], Any]
    schema: dict[str, Any] | None
    block: type[Block] | None = None
    entries: Any = None

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        whole = self.block or self.entries
        inner = handler.generate_schema(whole) if whole else handler(source)
        return core_schema.no_info_wrap_validator_function(self._read, inner)

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: Any) -> dict[str, Any]:
        made = handler(core)
        return {"anyOf": [made["items"] if self.schema is None else self.schema, made]}

    def _read(self, value: object, block: Callable[[Any], Any]) -> object:
        written = list if self.entries else Mapping
        expanded = value if isinstance(value, written) else self.expand(value)
        if not isinstance(expanded, written):
            return expanded
        return block(expanded).resolve() if self.block else block(expanded)


@dataclass(frozen=True, slots=True, eq=False)
class Resolved:
    """The field holds what its *block* resolves to."""

    block: type[Block]

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        inner = handler.generate_schema(self.block)
        return core_schema.no_info_after_validator_function(self.block.resolve, inner)


def fill(kind: type[V], block: Block, **others: Any) -> V:
    """Return a value of that *kind*: *others*, and for its other fields the block's keys of these names."""
    names = [field.name for field in fields(cast(Any, kind)) if field.name not in others]
    return kind(**{name: getattr(block, name) for name in names}, **others)


_SHAPES = {
    "mapping_type": "is not a block; give {name: value}",
    "too_short": "is empty; give at least one value",
    "tuple_type": "is not a list; give [first, second]",
}
