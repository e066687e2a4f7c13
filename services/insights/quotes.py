"""Finding a quote in what was said, so that every quote is verbatim."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from unicodedata import normalize


@dataclass(frozen=True, slots=True)
class Turn:
    """What one person said in one go; seconds from the start. Plain text tells neither speaker nor times."""

    speaker: str | None
    start: float | None
    end: float | None
    text: str


def locate(quote: str, text: str) -> tuple[int, int] | None:
    """Where the quote stands in the text, as code point offsets (start, end); None where it does not.

    The text must be in NFC. White space counts as one space however much there is and of whatever kind; everything else
    must be the same, because a quote is not a paraphrase.
    """
    words = " ".join(normalize("NFC", quote).split())
    # Linear in both lengths, which a pattern for white space between the words is not.
    kept = [at for at, letter in enumerate(text) if not (letter.isspace() and text[at - 1 : at].isspace())]
    found = "".join(" " if text[at].isspace() else text[at] for at in kept).find(words) if words else -1
    return None if found < 0 else (kept[found], kept[found + len(words) - 1] + 1)


def marked(text: str, spans: Iterable[tuple[int, int]]) -> list[tuple[str, bool]]:
    """The text in pieces, each with whether it lies in one of the spans; spans may overlap or reach beyond the end."""
    inside = [False] * len(text)
    for start, end in spans:
        inside[start:end] = [True] * len(inside[start:end])
    edges = [0, *(at for at in range(1, len(text)) if inside[at] != inside[at - 1]), len(text)]
    return [(text[start:end], inside[start]) for start, end in pairwise(edges) if start < end]
