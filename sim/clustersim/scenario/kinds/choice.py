"""`Choice`: a value of the language that is one of several registered kinds, by its word or with its keys.

`effect: hang` is a word; `effect: {slow: {factor: 0.7}}` is a kind with what it needs.  A kind is a block of
its own.  It is registered by its place among the `kinds` of the choice and, where it has keys, by the key of
the choice that bears its word.  Everything else about it (messages, schema, reference) follows from there.
"""

from __future__ import annotations

from typing import Any, ClassVar

from clustersim.scenario.keys.blocks import Block, OneOf, key
from clustersim.units import shown


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
    """A word, or exactly one kind with what it needs."""

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
