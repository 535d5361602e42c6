"""What a failure does: it stops the job, slows it, corrupts its work, makes it stumble, bars its storage."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Final

from pydantic import Field, PrivateAttr

from clustersim.scenario.keys.blocks import Block, Finding, key
from clustersim.scenario.keys.laws import Time
from clustersim.scenario.keys.quantities import Name, Shorthand, plain, words

CRASH, HANG, SLOW, CORRUPT, FLAP, STORAGE = "crash", "hang", "slow", "corrupt", "flap", "storage"
EFFECTS: Final = (CRASH, HANG, SLOW, CORRUPT, FLAP, STORAGE)
WITH_DETAILS = {
    SLOW: "{slow: {factor: 0.7}}",
    CORRUPT: "{corrupt: {noticed_after: 2 h}}",
    FLAP: "{flap: {stall: 40 s}}",
}


class Slow(Block):
    """A straggler: the whole job trains at its pace until it is noticed."""

    factor: Annotated[float, plain(0, 1, above=True)] = key("the job's pace meanwhile, such as 0.7")

    def contradictions(self) -> Iterator[Finding]:
        """Refuse a straggler that is none."""
        if self.factor == 1:
            yield ("factor",), "a factor of 1 slows nothing; give less"


class Corrupt(Block):
    """Silent corruption: all that is trained and saved from then on is worthless."""

    noticed_after: Time = key("time until it shows; the job falls back to an older copy, such as 2 h")


class Flap(Block):
    """A link that comes back by itself."""

    stall: Time = key("how long everyone stands still, such as 40 s; nothing is lost")


class Outage(Block):
    """Storage that cannot be reached for the repair time: no copy becomes durable there, nothing loads."""

    tiers: Annotated[tuple[Name, ...], Field(min_length=1)] | None = key(
        "names of the tiers concerned; all that survive everything if left out", None
    )


class Effect(Block):
    """What the failure does: a word, or exactly one kind with what it needs."""

    one_value: ClassVar[bool] = True
    slow: Slow | None = key("the job trains at this pace until it is noticed: {factor: 0.7}", None)
    corrupt: Corrupt | None = key("silent, noticed later: {noticed_after: 2 h}", None)
    flap: Flap | None = key("the link comes back by itself: {stall: 40 s}", None)
    storage: Outage | None = key("for its repair time tiers are out of reach: {tiers: [storage]}", None)
    _word: str = PrivateAttr("")

    @classmethod
    def named(cls, word: object) -> Effect:
        """Return the effect that a word stands for."""
        if isinstance(word, str) and word in WITH_DETAILS:
            raise ValueError(f"{word} needs its details; write {WITH_DETAILS[word]}")
        name = WORDS.parse(word)
        effect = cls.model_construct(storage=Outage() if name == STORAGE else None)
        effect._word = name
        return effect

    @property
    def word(self) -> str:
        """The kind of effect."""
        return self._word or next(kind for kind in EFFECTS[2:] if getattr(self, kind) is not None)

    def contradictions(self) -> Iterator[Finding]:
        """Ask for exactly one kind."""
        given = [kind for kind in EFFECTS[2:] if getattr(self, kind) is not None]
        if len(given) != 1:
            yield (), f"{' and '.join(given) or 'none'} given; give exactly one of {', '.join(EFFECTS)}"


WORDS = words(*EFFECTS)
PLAIN_WORDS = {"enum": [word for word in EFFECTS if word not in WITH_DETAILS]}
Effects = Annotated[Effect, Shorthand(Effect.named, PLAIN_WORDS)]
