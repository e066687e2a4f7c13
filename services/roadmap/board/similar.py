"""What a person types, as searches compare it, and several rankings made one."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

MOST_WORDS = 16
"""Of a longer text the first words say what it is about."""

MOST_PIECES = 6
"""Of more words the longest say most."""

RECIPROCAL = 60
"""How much less the second place says than the first; Cormack, Clarke and Büttcher (2009) found 60 to serve well."""

_WORD = re.compile(r"\w+")
_UNSPACED = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]{2,}")
"""Runs of scripts that are written without spaces: Thai, Japanese, Chinese."""


def words_of(text: str) -> list[str]:
    """The different words of what was typed, as they stand between spaces."""
    return list(dict.fromkeys(text.replace("\x00", " ").split()))[:MOST_WORDS]


def lexemes_of(text: str) -> list[str]:
    """The longest of the different words, without punctuation, as full-text search knows them."""
    return _longest(_WORD.findall(text))


def pieces_of(text: str) -> list[str]:
    """What a similar title may contain: words of two letters or more, and pairs of neighbours where none has spaces."""
    pieces: dict[str, None] = {}
    for word in _WORD.findall(text)[:MOST_WORDS]:
        runs = _UNSPACED.findall(word)
        for run in runs:
            pieces |= dict.fromkeys(run[at : at + 2] for at in range(len(run) - 1))
        if not runs and len(word) > 1:
            pieces[word] = None
    return _longest(pieces)


def _longest(words: Iterable[str]) -> list[str]:
    return sorted(dict.fromkeys(words), key=len, reverse=True)[:MOST_PIECES]


def fused(rankings: Iterable[Sequence[str]]) -> list[str]:
    """The ids of all rankings in one order, by the sum of 1 / (60 + place): what several find near the top leads."""
    scores: dict[str, float] = defaultdict(float)
    for ranking in rankings:
        for place, found in enumerate(ranking, start=1):
            scores[found] += 1 / (RECIPROCAL + place)
    return sorted(scores, key=lambda found: (-scores[found], found))
