"""What people think of a feature: each person counts once, however often they spoke."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .model import Sentiment


@dataclass(frozen=True, slots=True)
class Opinions:
    """How many people hold which opinion; the five numbers add up to `people`."""

    negative: int = 0
    mixed: int = 0
    neutral: int = 0
    positive: int = 0
    unstated: int = 0

    @property
    def people(self) -> int:
        return self.negative + self.mixed + self.neutral + self.positive + self.unstated


def count(said: Iterable[tuple[str, Sentiment | None]]) -> Opinions:
    """Count the opinions of the people in (participant, sentiment of one insight) pairs.

    Who spoke both for and against is mixed; neutral words beside an opinion leave it as it is.
    """
    sentiments: dict[str, set[Sentiment]] = {}
    for participant, sentiment in said:
        own = sentiments.setdefault(participant, set())
        if sentiment is not None:
            own.add(sentiment)
    held = [_opinion(own) for own in sentiments.values()]
    return Opinions(**{name: held.count(name) for name in Opinions.__dataclass_fields__})


def _opinion(sentiments: set[Sentiment]) -> str:
    if "mixed" in sentiments or {"negative", "positive"} <= sentiments:
        return "mixed"
    for opinion in ("negative", "positive", "neutral"):
        if opinion in sentiments:
            return opinion
    return "unstated"
