"""What a person types, as searches compare it, and several rankings made one."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence

MOST_WORDS = 16
"""Of a longer text the first words say what it is about."""

MOST_PIECES = 6
"""Of more words the longest say most."""

RECIPROCAL = 60
"""How much less the second place says than the first; Cormack, Clarke and Büttcher (2009) found 60 to serve well."""

SHORT = 2
"""Letters; so short a word in Latin letters is looked for where a word begins, since too many contain it."""

_UNSPACED = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
"""Runs of scripts that are written without spaces: Thai, Japanese, Chinese."""


def words_of(text: str) -> list[str]:
    """The different words of what was typed, as they stand between spaces."""
    return list(dict.fromkeys(text.replace("\x00", " ").split()))[:MOST_WORDS]


def pieces_of(text: str) -> list[str]:
    """What a similar title may contain: words of two letters or more, and pairs of neighbours where none has spaces."""
    pieces: dict[str, None] = {}
    for word in _bare(text).split()[:MOST_WORDS]:
        runs = _UNSPACED.findall(word)
        for run in runs:
            pieces |= dict.fromkeys(run[at : at + 2] for at in range(max(len(run) - 1, 1)))
        if not runs and len(word) > 1:
            pieces[word] = None
    return longest(pieces)


def longest(words: Iterable[str]) -> list[str]:
    """Of different words those that say most, the longest first."""
    return sorted(dict.fromkeys(words), key=len, reverse=True)[:MOST_PIECES]


def begins_words(word: str) -> bool:
    """Whether the word is so short that it is looked for at the beginnings of words alone."""
    return len(word) <= SHORT and word.isascii() and word.isalnum()


def _bare(text: str) -> str:
    """The text without punctuation; the marks that belong to letters, as in Hindi and Thai, stay."""
    return "".join(sign if unicodedata.category(sign)[0] in "LMN" else " " for sign in text)


def fused(rankings: Iterable[Sequence[str]]) -> list[str]:
    """The ids of all rankings in one order, by the sum of 1 / (60 + place): what several find near the top leads."""
    scores: dict[str, float] = defaultdict(float)
    for ranking in rankings:
        for place, found in enumerate(ranking, start=1):
            scores[found] += 1 / (RECIPROCAL + place)
    return sorted(scores, key=lambda found: (-scores[found], found))
