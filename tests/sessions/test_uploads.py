from __future__ import annotations

import pytest

from services.sessions.transcripts import TranscriptError
from services.sessions.uploads import Passage, find_speaker, listening_in, read_transcript, speakers
from tests.sessions.examples import SRT, VTT


def test_the_content_decides_the_format() -> None:
    """A file is what it contains, whatever it is called; the digest is of its bytes."""
    vtt = read_transcript(VTT, plain=True)
    assert (vtt.format, vtt.sha256) == ("vtt", "aed5b687d5382c6e9883571305b164eb4a8cd4ac65420da9df6fe296c83911be")
    assert read_transcript(SRT, plain=False).format == "srt"
    assert read_transcript(b"\xef\xbb\xbf" + VTT, plain=False).format == "vtt"
    assert read_transcript(VTT.decode().encode("utf-16"), plain=False).format == "vtt"


def test_plain_text_has_lines_without_speakers_or_times() -> None:
    """Each line of plain text is a passage; blank ones and outer spaces go, and accents are composed."""
    read = read_transcript("Ana:  Why?\r\n\r\n Cafe\u0301 \n".encode(), plain=True)
    assert (read.format, read.passages) == (
        "text",
        (Passage(None, None, None, "Ana: Why?"), Passage(None, None, None, "Café")),
    )
    assert listening_in(read).moderator_talk_share is None


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "the file is empty; export the transcript again"),
        (b" \n\t\n", "the file is empty; export the transcript again"),
        (b"one\ntw\xff", "line 2: not UTF-8 text; save the transcript as UTF-8"),
        (b"a" * (5 * 1024 * 1024 + 1), "the file is larger than 5 MB; split it"),
    ],
)
def test_plain_text_that_cannot_be_read(content: bytes, says: str) -> None:
    """Empty, foreign and oversized text says what is wrong and where."""
    with pytest.raises(TranscriptError) as wrong:
        read_transcript(content, plain=True)
    assert str(wrong.value) == says


def test_text_without_times_must_be_wanted() -> None:
    """Where WebVTT or SRT is announced, plain text is refused instead of kept without times."""
    with pytest.raises(TranscriptError, match="plain text has no times"):
        read_transcript(b"Ana: Why?", plain=False)


def test_nul_does_not_reach_the_database() -> None:
    """PostgreSQL cannot store NUL, so plain text has a replacement character instead."""
    assert read_transcript(b"a\x00b", plain=True).passages[0].text == "a\ufffdb"


def test_the_moderator_is_one_of_the_speakers() -> None:
    """A moderator's name is found whatever its case and spaces; an unknown one is told who speaks."""
    read = read_transcript(VTT, plain=False, moderator="  aNA ")
    assert read.moderator == "Ana"
    assert speakers(read.passages) == ["Ana", "Customer"]
    with pytest.raises(
        TranscriptError, match="nobody in the transcript is called 'Zoe'; its speakers are Ana, Customer"
    ):
        find_speaker(read.passages, "Zoe")
    with pytest.raises(TranscriptError, match="names no speakers"):
        read_transcript(b"Ana: Why?", plain=True, moderator="Ana")


def test_an_error_does_not_name_a_crowd() -> None:
    """Of many speakers the error names ten and counts the rest."""
    crowd = [Passage(f"S{number}", 0, 1, "x") for number in range(12)]
    with pytest.raises(TranscriptError, match=r"S9 and 2 more$"):
        find_speaker(crowd, "Zoe")


def test_listening_is_measured_with_the_moderator() -> None:
    """Ten seconds of the moderator and forty of the customer make a share of a fifth and one question."""
    heard = listening_in(read_transcript(VTT, plain=False, moderator="Ana"))
    assert (heard.moderator_talk_share, heard.longest_monologue_seconds, heard.moderator_questions) == (0.2, 10.0, 1)
    assert listening_in(read_transcript(VTT, plain=False)).moderator_talk_share is None
