"""How well the interviewers listened: who held the floor, for how long, and what silence they left.

Measured only from turns with speakers and times; what cannot be known is None, never a guess from the words.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from services.sessions.transcripts import Turn, merge_turns

_QUESTION = re.compile(r"\?+(?!\w)|[？؟]+")
_PUNCTUATION = re.compile(r"[.!?。！？؟](?!\w)")

_Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Listening:
    """Measures of one session; seconds, but for the share (0..1) and the count.

    The moderator's are None when no turn is known to be a moderator's, and what needs times when no turn has a length.
    """

    moderator_talk_share: float | None
    """Of the time in which somebody known speaks; where both sides speak at once, half of it is the moderator's."""

    moderator_seconds: float | None
    others_seconds: float | None
    overlap_seconds: float | None
    """Both sides at once: part of the two above."""

    unattributed_seconds: float | None
    """Speech whose speaker the transcript does not name: part of no share."""

    longest_monologue_seconds: float | None
    """The moderator's longest stretch without another's turn or a long pause."""

    longest_story_seconds: float | None
    """The same for the others: the longest that one of them was left to tell."""

    longest_silence_seconds: float | None
    """The longest time between the first word and the last in which nobody speaks."""

    patience_seconds: float | None
    """Median wait from the end of another's turn to the moderator's that follows it, 0 for an interruption."""

    moderator_questions: int | None
    """None when the moderator's words carry no punctuation to tell questions by."""


def measure(turns: Sequence[Turn], moderators: Collection[str]) -> Listening:
    """The measures of a session's turns; moderators by the names of the transcript, whatever their case and spaces."""
    names = {_key(name) for name in moderators}
    merged = merge_turns(sorted(turns, key=lambda turn: turn.start))
    ours = [turn for turn in merged if turn.speaker is not None and _key(turn.speaker) in names]
    others = [turn for turn in merged if turn.speaker is not None and _key(turn.speaker) not in names]
    unnamed = [turn for turn in merged if turn.speaker is None]
    timed = any(turn.start < turn.end for turn in merged)
    known = timed and bool(ours)

    moderator, other = _seconds(ours), _seconds(others)
    # Rounding must not push the share out of 0..1.
    overlap = min(max(moderator + other - _seconds([*ours, *others]), 0.0), moderator, other)
    together = moderator + other - overlap
    return Listening(
        moderator_talk_share=(moderator - overlap / 2) / together if known and together else None,
        moderator_seconds=moderator if known else None,
        others_seconds=other if known else None,
        overlap_seconds=overlap if known else None,
        unattributed_seconds=_seconds(unnamed) if timed else None,
        longest_monologue_seconds=_longest(ours) if known else None,
        longest_story_seconds=_longest(others) if known and others else None,
        longest_silence_seconds=_longest_silence(merged) if timed else None,
        patience_seconds=_patience(merged, names) if known else None,
        moderator_questions=_questions(ours),
    )


def _key(name: str) -> str:
    return " ".join(name.split()).casefold()


def _seconds(turns: Iterable[Turn]) -> float:
    """How long at least one of the turns goes on."""
    return sum(end - start for start, end in _joined(turns))


def _joined(turns: Iterable[Turn]) -> list[_Interval]:
    joined: list[_Interval] = []
    for start, end in sorted((turn.start, turn.end) for turn in turns):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def _longest(turns: Iterable[Turn]) -> float:
    return max(turn.end - turn.start for turn in turns)


def _longest_silence(turns: Iterable[Turn]) -> float:
    spoken = _joined(turns)
    return max((after[0] - before[1] for before, after in pairwise(spoken)), default=0.0)


def _patience(turns: Sequence[Turn], names: Collection[str]) -> float | None:
    waits = [
        max(0.0, turn.start - before.end)
        for before, turn in pairwise(turns)
        if before.speaker is not None and _key(before.speaker) not in names
        if turn.speaker is not None and _key(turn.speaker) in names
    ]
    return median(waits) if waits else None


def _questions(turns: Iterable[Turn]) -> int | None:
    words = [turn.text for turn in turns]
    if not any(_PUNCTUATION.search(text) for text in words):
        return None
    return sum(len(_QUESTION.findall(text)) for text in words)
