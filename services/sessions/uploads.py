"""What an uploaded transcript file becomes: its format, its digest and the passages in it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from unicodedata import normalize

from services.sessions.listening import Listening, measure
from services.sessions.transcripts import MAX_BYTES, TranscriptError, Turn, parse

Format = Literal["vtt", "srt", "text"]

MOST_NAMED = 10
"""How many speakers an error names."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a transcript; seconds from the recording's start. Plain text tells neither speakers nor times."""

    speaker: str | None
    start: float | None
    end: float | None
    text: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """A transcript as it was uploaded and what was read from it; `moderator` is the moderator's name in it."""

    format: Format
    content: bytes
    sha256: str
    passages: tuple[Passage, ...]
    moderator: str | None


def read_transcript(content: bytes, *, plain: bool, moderator: str | None = None) -> Transcript:
    """Read a file; `plain` allows text without times, of which every line becomes a passage.

    Raises:
        TranscriptError: the file cannot be read, or does not know the moderator; says where and what to do.
    """
    file_format = _format(content)
    if file_format == "text" and plain:
        passages = _lines(content)
    else:
        passages = tuple(Passage(turn.speaker, turn.start, turn.end, turn.text) for turn in parse(content))
    if moderator is not None:
        moderator = find_speaker(passages, moderator)
    return Transcript(file_format, content, hashlib.sha256(content).hexdigest(), passages, moderator)


def speakers(passages: Iterable[Passage]) -> list[str]:
    """Everybody who is named, in the order of their first words."""
    return list(dict.fromkeys(passage.speaker for passage in passages if passage.speaker is not None))


def find_speaker(passages: Iterable[Passage], name: str) -> str:
    """The speaker of this name, whatever its case and spaces; TranscriptError, naming who there is, if none."""
    named = speakers(passages)
    if not named:
        raise TranscriptError("the transcript names no speakers; leave the moderator out")
    found = next((speaker for speaker in named if _key(speaker) == _key(name)), None)
    if found is None:
        more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
        raise TranscriptError(
            f"nobody in the transcript is called {name!r}; its speakers are {', '.join(named[:MOST_NAMED])}{more}"
        )
    return found


def listening_in(transcript: Transcript) -> Listening:
    """The listening measures; those that need what the file does not tell are None."""
    turns = [
        Turn(passage.speaker, passage.start, passage.end, passage.text)
        for passage in transcript.passages
        if passage.start is not None and passage.end is not None
    ]
    return measure(turns, [transcript.moderator] if transcript.moderator else [])


def _format(content: bytes) -> Format:
    # Tools label files freely, so the content decides; UTF-16 has a zero byte beside every letter of these marks.
    text = content.replace(b"\x00", b"")
    if text.lstrip(b"\xef\xbb\xbf\xff\xfe\r\n\t ").startswith(b"WEBVTT"):
        return "vtt"
    return "srt" if b"-->" in text else "text"


def _lines(content: bytes) -> tuple[Passage, ...]:
    if len(content) > MAX_BYTES:
        raise TranscriptError(f"the file is larger than {MAX_BYTES // 1024**2} MB; split it")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise TranscriptError("not UTF-8 text; save the transcript as UTF-8", line) from None
    # PostgreSQL cannot store NUL.
    lines = (" ".join(line.split()) for line in normalize("NFC", text.replace("\x00", "\ufffd")).splitlines())
    passages = tuple(Passage(None, None, None, line) for line in lines if line)
    if not passages:
        raise TranscriptError("the file is empty; export the transcript again")
    return passages


def _key(name: str) -> str:
    return " ".join(name.split()).casefold()
