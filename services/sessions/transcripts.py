"""Reads the transcript files that meeting tools export, WebVTT and SRT, into who said what and when.

Tolerant of what tools write, strict where guessing would put words into the wrong mouth or at the wrong time.
WebVTT: https://www.w3.org/TR/webvtt1/. SRT has no standard; numbered cues with decimal commas.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import unescape
from itertools import groupby
from typing import NamedTuple, TypeAlias
from unicodedata import normalize

MAX_BYTES = 5 * 1024 * 1024
"""Largest file that is read."""

MERGE_GAP_SECONDS = 2.0
"""Longest pause within one turn."""

MIN_RECURRENCE = 3
"""How often a label that does not look like a name must open a line to be taken for one."""

_TIME = r"((?:\d{1,5}:){1,2}[0-5]?\d(?:[.,]\d{1,9})?|\d{1,7}[.,]\d{1,9})"
_CUE_TIMES = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?=\s|$)(.*)", re.ASCII)
_LIKE_CUE_TIMES = re.compile(r"\s*\d+:\S*\s*-->", re.ASCII)
_SETTINGS = re.compile(r"(\s+\w+:\S+)*\s*")
_ASIDE = re.compile(r"NOTE(\s|$)|(STYLE|REGION)\s*$")
_IDENTIFIER = re.compile(r"\s*(\d+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\S*)\s*", re.ASCII | re.IGNORECASE)

_VOICE = re.compile(r"<v(?:\.[^\s>]*)?(?:\s+([^<>]*))?>", re.IGNORECASE)
_MARKUP = re.compile(
    r"</?(?:b|c|font|i|lang|rt|ruby|u|v)(?:[.\s][^<>]*)?>|<\d[\d:.]*>|\{\\an?\d+\}", re.ASCII | re.IGNORECASE
)
_ENTITY = re.compile(r"&(?:#\d+|#x[0-9a-f]+|[a-z][a-z0-9]*);", re.ASCII | re.IGNORECASE)

_LABEL = re.compile(r"(?:-+\s*|>+\s*)?([^\W\d_][^:：]{0,59})(?::\s+|：\s*)(?=\S)")
_NAME_PARTICLES = frozenset(
    {"al", "and", "da", "de", "del", "den", "der", "di", "du", "la", "le", "of", "van", "von", "y"}
)
_NAME_WORDS = 6
_NO_NAME = re.compile(r"[?!;\"“”]")

_Line: TypeAlias = tuple[int, str]


class TranscriptError(ValueError):
    """A file that cannot be read as a transcript: what is wrong, in which line (from 1) if in one, and what to do."""

    def __init__(self, problem: str, line: int | None = None) -> None:
        super().__init__(problem if line is None else f"line {line}: {problem}")
        self.line = line


@dataclass(frozen=True, slots=True)
class Turn:
    """What one person said without another's turn or a long pause in between.

    Seconds from the recording's start, never ending before it starts; text in NFC, its lines parted by line feeds.
    The speaker is None where the file does not say.
    """

    speaker: str | None
    start: float
    end: float
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class _Cue:
    start: float
    end: float
    lines: list[str]


class _Part(NamedTuple):
    cue: _Cue
    speaker: str | None
    text: str


def parse(content: bytes) -> list[Turn]:
    """The turns of a WebVTT or SRT file, by start time; TranscriptError when it is neither or says nothing."""
    lines = _text(content).split("\n")
    blocks = list(_blocks(lines))
    if not blocks:
        raise TranscriptError("the file is empty; export the transcript again")
    turns = _turns(list(_cues(_without_header(blocks))))
    if not turns:
        raise TranscriptError("no cue with text: none such as '00:00:01.000 --> 00:00:04.000' with words below it")
    return merge_turns(sorted(turns, key=lambda turn: turn.start))


def merge_turns(turns: Iterable[Turn], gap_seconds: float = MERGE_GAP_SECONDS) -> list[Turn]:
    """Join neighbours of the same known speaker that lie at most the gap apart; turns ordered by start."""
    runs: list[list[Turn]] = []
    end = 0.0
    for turn in turns:
        goes_on = runs and turn.speaker is not None and turn.speaker == runs[-1][0].speaker
        if goes_on and turn.start - end <= gap_seconds:
            runs[-1].append(turn)
            end = max(end, turn.end)
        else:
            runs.append([turn])
            end = turn.end
    return [
        Turn(run[0].speaker, run[0].start, max(turn.end for turn in run), "\n".join(turn.text for turn in run))
        for run in runs
    ]


def _text(content: bytes) -> str:
    if len(content) > MAX_BYTES:
        megabytes, most = len(content) / 1024**2, MAX_BYTES // 1024**2
        raise TranscriptError(
            f"the file has {megabytes:.1f} MB and the most is {most} MB; split it, or strip its markup"
        )
    encoding = "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise TranscriptError("not UTF-8 text; save the transcript as UTF-8", line) from None
    # NUL is replaced as WebVTT says; it could not be stored either.
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "\ufffd")


def _blocks(lines: Sequence[str]) -> Iterator[list[_Line]]:
    """The runs of lines between blank ones, with their numbers."""
    block: list[_Line] = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            block.append((number, line))
        elif block:
            yield block
            block = []
    if block:
        yield block


def _without_header(blocks: list[list[_Line]]) -> list[list[_Line]]:
    first = blocks[0]
    number, line = first[0]
    if re.match(r"\s*WEBVTT(\s|$)", line):
        # Some tools leave out the blank line after the header.
        cue = next((at for at, (_, below) in enumerate(first) if _CUE_TIMES.match(below)), len(first))
        return [first[cue:], *blocks[1:]] if cue < len(first) else blocks[1:]
    if any("," in below and _CUE_TIMES.match(below) for _, below in first[:2]) or _numbered_cue(first):
        return blocks
    raise TranscriptError(
        "not WebVTT, which begins with the line WEBVTT, nor SRT, which begins with a number and, below it, a line such "
        "as '00:00:01,000 --> 00:00:04,000'; export the transcript as .vtt or .srt, because plain text has no times",
        number,
    )


def _numbered_cue(block: Sequence[_Line]) -> bool:
    return len(block) > 1 and block[0][1].strip().isdecimal() and _CUE_TIMES.match(block[1][1]) is not None


def _cues(blocks: Iterable[list[_Line]]) -> Iterator[_Cue]:
    cue: _Cue | None = None
    for block in blocks:
        if _is_aside(block):
            continue
        at = _times_at(block)
        if at is not None:
            if cue:
                yield cue
            *earlier, cue = _cues_of(block[at:])
            yield from earlier
        elif cue:
            # Tools write blank lines into cues: words below one belong to the cue above it.
            cue.lines.extend(line for _, line in block)
    if cue:
        yield cue


def _is_aside(block: Sequence[_Line]) -> bool:
    """Whether nobody said it: a comment, a style sheet, a region or a lone identifier."""
    first = block[0][1]
    if len(block) == 1:
        return bool(_ASIDE.match(first) or _IDENTIFIER.fullmatch(first))
    return bool(_ASIDE.match(first) and (first.startswith("NOTE") or not _CUE_TIMES.match(block[1][1])))


def _times_at(block: Sequence[_Line]) -> int | None:
    """Where in the block the cue times are: its first line, or its second below an identifier."""
    for at, (number, line) in enumerate(block[:2]):
        if _CUE_TIMES.match(line):
            return at
        if _LIKE_CUE_TIMES.match(line):
            raise TranscriptError(f"{line.strip()!r} should read like '00:00:01.000 --> 00:00:04.000'", number)
    return None


def _cues_of(block: Sequence[_Line]) -> list[_Cue]:
    """The cue that begins the block, and those that follow it without a blank line."""
    cues: list[_Cue] = []
    for _, line in block:
        times = _CUE_TIMES.match(line)
        if times and (not cues or _SETTINGS.fullmatch(times[3])):
            if cues and cues[-1].lines and _IDENTIFIER.fullmatch(cues[-1].lines[-1]):
                cues[-1].lines.pop()
            start = _seconds(times[1])
            cues.append(_Cue(start, max(start, _seconds(times[2])), []))
        else:
            cues[-1].lines.append(line)
    return cues


def _seconds(time: str) -> float:
    seconds = 0.0
    for part in time.replace(",", ".").split(":"):
        seconds = seconds * 60 + float(part)
    return round(seconds, 3)


def _turns(cues: Sequence[_Cue]) -> list[Turn]:
    tagged = any(_VOICE.search(line) for cue in cues for line in cue.lines)
    said = (part for part in (_by_voice if tagged else _by_label)(cues) if part.text)
    return [
        Turn(speaker, cue.start, cue.end, "\n".join(part.text for part in parts))
        for (cue, speaker), parts in groupby(said, key=lambda part: (part.cue, part.speaker))
    ]


def _by_voice(cues: Iterable[_Cue]) -> Iterator[_Part]:
    """Speakers from tags such as <v Ada>; several in one cue share its time."""
    for cue in cues:
        before, *voices = _VOICE.split("\n".join(cue.lines))
        yield _Part(cue, None, _plain(before))
        for speaker, text in zip(voices[::2], voices[1::2], strict=True):
            yield _Part(cue, " ".join(_plain(speaker or "").split()) or None, _plain(text))


def _by_label(cues: Iterable[_Cue]) -> Iterator[_Part]:
    """Speakers from lines such as "Ada: …"; who has spoken goes on until another is named."""
    lines = [(cue, _plain(line)) for cue in cues for line in cue.lines]
    recurring = Counter(label[1] for _, line in lines if (label := _LABEL.match(line)))
    speaker: str | None = None
    for cue, line in lines:
        label = _LABEL.match(line)
        if label and (_is_name(label[1]) or recurring[label[1]] >= MIN_RECURRENCE):
            speaker = label[1]
            yield _Part(cue, speaker, line[label.end() :])
        else:
            yield _Part(cue, speaker, line)


def _is_name(label: str) -> bool:
    """Words with capitals, or of scripts without: "Ada de la Cruz", "SPEAKER_1", "田中", but not "The thing is"."""
    words = re.sub(r"[(\[][^)\]]*[)\]]", "", label).split()
    return (
        0 < len(words) <= _NAME_WORDS
        and not _NO_NAME.search(label)
        and not words[0].islower()
        and all(not word[0].islower() or word.lower() in _NAME_PARTICLES for word in words)
    )


def _plain(text: str) -> str:
    """Without markup, entities decoded, spaces collapsed, blank lines dropped."""
    decoded = _ENTITY.sub(lambda entity: unescape(entity[0]), _MARKUP.sub("", text))
    lines = (" ".join(line.split()) for line in decoded.split("\n"))
    return normalize("NFC", "\n".join(line for line in lines if line))
