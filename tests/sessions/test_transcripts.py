from __future__ import annotations

import os
from pathlib import Path

import pytest

from services.sessions.transcripts import MAX_BYTES, TranscriptError, Turn, merge_turns, parse

DATA = Path(os.environ.get("EARSHOT_DATA", Path(__file__).resolve().parents[3] / "shared" / "data")) / "transcripts"
real_files = pytest.mark.skipif(not DATA.is_dir(), reason="no transcripts: set EARSHOT_DATA")


def vtt(*lines: str) -> list[Turn]:
    return parse("\n".join(["WEBVTT", "", *lines]).encode())


def said(turns: list[Turn]) -> list[tuple[str | None, str]]:
    return [(turn.speaker, turn.text) for turn in turns]


def test_zoom() -> None:
    """A Zoom export gives speakers by the name before the colon, without cue numbers."""
    assert vtt(
        "1", "00:00:01.000 --> 00:00:04.500", "Ada Lovelace: How did you plan it?", "",
        "2", "00:00:09.000 --> 00:00:12.250", "bob: On paper.", "",
        "3", "00:00:20.000 --> 00:00:21.000", "bob: Always.", "",
        "4", "00:00:30.000 --> 00:00:31.000", "bob: It works.", "",
    ) == [
        Turn("Ada Lovelace", 1.0, 4.5, "How did you plan it?"),
        Turn("bob", 9.0, 12.25, "On paper."),
        Turn("bob", 20.0, 21.0, "Always."),
        Turn("bob", 30.0, 31.0, "It works."),
    ]  # fmt: skip


def test_teams() -> None:
    """A Teams export gives speakers by voice tag, closed or not, on its own line or not, and no colon makes another."""
    guid = "0f2d6a1e-7a55-4b8e-9d7a-2f1f0f6c9b11/12-0"
    assert vtt(
        guid, "00:00:01.000 --> 00:00:04.000", "<v Ada Lovelace>Tell me: how was it?</v>", "",
        guid, "00:00:05.000 --> 00:00:08.000", "<v.first.loud Bob>", "Note: I was late.", "and tired", "",
        guid, "00:00:11.000 --> 00:00:12.000", "(door)", "",
    ) == [
        Turn("Ada Lovelace", 1.0, 4.0, "Tell me: how was it?"),
        Turn("Bob", 5.0, 8.0, "Note: I was late.\nand tired"),
        Turn(None, 11.0, 12.0, "(door)"),
    ]  # fmt: skip


def test_several_voices_in_one_cue() -> None:
    """Two voices in one cue are two turns at the cue's time."""
    assert vtt("00:01.000 --> 00:03.000", "<v Ada>Ready?</v> <v Bob>Yes.</v>") == [
        Turn("Ada", 1.0, 3.0, "Ready?"),
        Turn("Bob", 1.0, 3.0, "Yes."),
    ]


def test_srt_speaker_changes() -> None:
    """In SRT captions that name a speaker only at a change, the words until the next change are that speaker's."""
    content = (
        "1\r\n00:00:00,000 --> 00:00:04,799\r\nAlban: It is so nice to\r\nrecord this\r\n\r\n"
        "2\r\n00:00:04,799 --> 00:00:08,250\r\nshow. Kevin's got\r\n\r\n"
        "3\r\n00:00:08,500 --> 00:00:09,000\r\nideas. Kevin: I do.\r\n\r\n"
        "4\r\n00:01:00,000 --> 01:00:00,000\r\nKevin: Really.\r\n"
    )
    assert parse(content.encode()) == [
        Turn("Alban", 0.0, 9.0, "It is so nice to\nrecord this\nshow. Kevin's got\nideas. Kevin: I do."),
        Turn("Kevin", 60.0, 3600.0, "Really."),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "10:30 Meeting: we were late",
        "at 10:30 Meeting: we were late",
        "The thing is: it broke",
        "So, what I mean: no",
        "see https://example.org",
        "Is that so? Then: no",
        "Ada:",
        "Why:because",
    ],
)
def test_a_colon_alone_names_nobody(line: str) -> None:
    """Times, sentences and addresses with a colon are words, not speakers."""
    assert said(vtt("00:01.000 --> 00:02.000", line)) == [(None, line)]


@pytest.mark.parametrize(
    ("line", "speaker"),
    [
        ("Dr. Ada King: Hi", "Dr. Ada King"),
        ("Maria de la Cruz: Hi", "Maria de la Cruz"),
        ("Jean-Luc O’Neil (Acme): Hi", "Jean-Luc O’Neil (Acme)"),
        ("SPEAKER_1: Hi", "SPEAKER_1"),
        ("Zoë: Hi", "Zoë"),
        ("田中：Hi", "田中"),
        (">> Ada: Hi", "Ada"),
        ("- Ada: Hi", "Ada"),
        ("<b>Ada</b>: Hi", "Ada"),
    ],
)
def test_names_of_many_kinds(line: str, speaker: str) -> None:
    """Titles, particles, firms, numbers, other scripts and caption marks leave the name a name."""
    assert said(vtt("00:01.000 --> 00:02.000", line)) == [(speaker, "Hi")]


def test_two_speakers_in_the_lines_of_one_cue() -> None:
    """Each line that begins with a name is that speaker's."""
    assert said(vtt("00:01.000 --> 00:02.000", "Ada: Ready?", "Bob: Yes,", "I am.")) == [
        ("Ada", "Ready?"),
        ("Bob", "Yes,\nI am."),
    ]


def test_pauses_part_turns() -> None:
    """Cues of one speaker up to two seconds apart are one turn, those further apart two."""
    turns = [
        Turn("Ada", 0.0, 5.0, "one"), Turn("Ada", 1.0, 2.0, "two"), Turn("Ada", 7.0, 8.0, "three"),
        Turn("Ada", 10.001, 11.0, "four"), Turn("Bob", 11.0, 12.0, "five"), Turn("Ada", 12.0, 13.0, "six"),
    ]  # fmt: skip
    assert merge_turns(turns) == [
        Turn("Ada", 0.0, 8.0, "one\ntwo\nthree"),
        Turn("Ada", 10.001, 11.0, "four"),
        Turn("Bob", 11.0, 12.0, "five"),
        Turn("Ada", 12.0, 13.0, "six"),
    ]


def test_unnamed_speakers_are_not_taken_for_one() -> None:
    """Cues without a speaker stay apart, since nobody knows that one person said them."""
    assert said(vtt("00:01.000 --> 00:02.000", "Yes.", "", "00:02.000 --> 00:03.000", "No.")) == [
        (None, "Yes."),
        (None, "No."),
    ]


@pytest.mark.parametrize(
    "times",
    [
        "00:00:01.500 --> 00:01:02.000",
        "00:01.500 --> 01:02.000",
        "1.500 --> 1:02.000",
        "0:00:01.5 --> 0:01:02",
        "00:00:01,500 --> 00:01:02,000",
        "00:00:01.500-->00:01:02.000",
        "\t00:01.500\t-->\t01:02.000 align:start position:0%",
        "00:01.500 --> 01:02.000 align: start",
    ],
)
def test_forms_of_cue_times(times: str) -> None:
    """Hours and minutes may be left out, a comma does for the point, and settings after the times are ignored."""
    assert vtt(times, "Hi") == [Turn(None, 1.5, 62.0, "Hi")]


def test_times_beyond_a_day() -> None:
    """Hours go on counting past 99."""
    assert vtt("120:00:00.000 --> 120:00:01.000", "Hi") == [Turn(None, 432000.0, 432001.0, "Hi")]


def test_cues_out_of_order() -> None:
    """Turns come by start time, and a cue that ends before it starts has no length but keeps its words."""
    assert vtt("00:05.000 --> 00:04.000", "second", "", "00:01.000 --> 00:02.000", "first") == [
        Turn(None, 1.0, 2.0, "first"),
        Turn(None, 5.0, 5.0, "second"),
    ]


def test_arrows_are_words_within_a_cue() -> None:
    """An arrow that somebody dictated, times around it or not, ends no cue."""
    lines = ["we go from a --> b", "10:30 --> 11:00 works for me"]
    assert said(vtt("00:01.000 --> 00:02.000", *lines)) == [(None, "\n".join(lines))]


def test_cues_without_a_blank_line_between() -> None:
    """A line of cue times begins a new cue even when the blank line before it, or its number's, is missing."""
    turns = parse(
        b"WEBVTT\n00:01.000 --> 00:02.000\none\n2\n00:05.000 --> 00:06.000\ntwo\n00:09.000 --> 00:10.000\nthree 3"
    )
    assert said(turns) == [(None, "one"), (None, "two"), (None, "three 3")]


def test_a_blank_line_within_a_cue() -> None:
    """Words below a blank line belong to the cue above it, and a lone cue number to nobody."""
    assert said(
        vtt("00:01.000 --> 00:02.000", "<v Ada>one", "", "two", "", "7", "", "00:03.000 --> 00:04.000", "x")
    ) == [
        ("Ada", "one\ntwo"),
        (None, "x"),
    ]


def test_what_nobody_said() -> None:
    """Header, comments, style sheets and regions are no words, while the same words in a cue are."""
    assert said(
        vtt(
            "Kind: captions", "", "STYLE", "::cue { color: red }", "", "REGION", "id:a", "", "NOTE", "check this", "",
            "NOTE 00:00:00.000 --> 00:00:09.000 was cut", "", "NOTE", "00:00.000 --> 00:01.000", "cut", "",
            "00:01.000 --> 00:02.000", "NOTE that we", "STYLE", "",
            "NOTE to self", "", "STYLE", "00:03.000 --> 00:04.000", "in a cue named STYLE",
        )
    ) == [(None, "NOTE that we\nSTYLE"), (None, "in a cue named STYLE")]  # fmt: skip


def test_markup_and_entities() -> None:
    """Markup goes, entities become characters once, and what only looks like either stays."""
    assert said(
        vtt(
            "00:01.000 --> 00:02.000",
            "<i>a</i> <c.red>b</c> <00:00:01.500>c <lang en>d</lang> {\\an8}<font color='red'>e</font>",
            "R&amp;D &lt;b&gt; 1 < 2 &nbsp;&#8364; &amp;lt; AT&T &copy <laughs>",
        )
    ) == [(None, "a b c d e\nR&D <b> 1 < 2 € &lt; AT&T &copy <laughs>")]


def test_text_is_composed() -> None:
    """Words and names are in Unicode's composed form whichever the file used."""
    assert said(vtt("00:01.000 --> 00:02.000", "<v Zoe\u0308>Cafe\u0301 e&#769;")) == [("Zo\u00eb", "Caf\u00e9 \u00e9")]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_newlines_and_encodings(newline: str, encoding: str) -> None:
    """Every newline and Unicode encoding with its mark gives the same turns."""
    content = newline.join(["", "WEBVTT - Interview", "", "00:01.000 --> 00:02.000", "Zoë: Hé", "là\x00", ""])
    assert parse(content.encode(encoding)) == [Turn("Zoë", 1.0, 2.0, "Hé\nlà\ufffd")]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "the file is empty"),
        (b"\xef\xbb\xbf\r\n", "the file is empty"),
        (b"\nAda 00:01\nHi", "line 2: not WebVTT"),
        (b"WEBVTTX\n\n00:01.000 --> 00:02.000\nHi", "line 1: not WebVTT"),
        (b"00:01.000 --> 00:02.000\nHi", "line 1: not WebVTT"),
        (b"WEBVTT", "no cue with text"),
        (b"WEBVTT\n\n00:01.000 --> 00:02.000\n\n", "no cue with text"),
        (b"WEBVTT\n\n1\n00:0a:01.000 --> 00:02.000\nHi", "line 4: '00:0a:01.000 --> 00:02.000'"),
        (b"WEBVTT\n\n00:01.000 --> 00:02.000\nHi\n\n00:000.000 --> 00:02.000\nx", "line 6: '00:000.000 --> 00:02.000'"),
        (b"WEBVTT\n\n00:01.000 --> 00:02\x00.000\nHi", "line 3: "),
        (b"WEBVTT\n\n00:01.000 --> 00:02.000\nH\xff", "line 4: not UTF-8"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_line(content: bytes, problem: str) -> None:
    """A file that is no transcript, has no words or has unreadable times is refused with the line and the reason."""
    with pytest.raises(TranscriptError) as refused:
        parse(content)
    assert str(refused.value).startswith(problem)


def test_the_line_of_a_problem_is_given() -> None:
    """The line number is there for a page to point at."""
    with pytest.raises(TranscriptError) as refused:
        parse(b"plain text")
    assert refused.value.line == 1


def test_a_file_too_large_is_refused() -> None:
    """One byte over the limit is refused, the limit itself is read."""
    start = b"WEBVTT\n\n00:01.000 --> 00:02.000\n"
    assert len(parse(start + b"x" * (MAX_BYTES - len(start)))) == 1
    with pytest.raises(TranscriptError, match="most is 5 MB"):
        parse(start + b"x" * (MAX_BYTES - len(start) + 1))


@real_files
@pytest.mark.parametrize(
    ("file", "turns", "speakers", "end"),
    [
        ("multiformat/buzzcast.srt", 34, {"Alban", "Dave", "Kevin", "Tom", "Travis"}, 1684.46),
        ("multiformat/podnews_daily_2024-01-25.vtt", 2, {"SPEAKER_1"}, 225.62),
    ],
)
def test_published_transcripts(file: str, turns: int, speakers: set[str], end: float) -> None:
    """Real transcripts give a turn for each of their labels or long pauses, every speaker, and the last cue's end."""
    read = parse((DATA / file).read_bytes())
    assert (len(read), {turn.speaker for turn in read}, read[-1].end) == (turns, speakers, end)


@real_files
def test_every_conforming_file_of_the_webvtt_suite_is_read() -> None:
    """No file of vtt.js's cue text suite is refused."""
    files = sorted((DATA / "webvtt-vttjs" / "cuetext").rglob("*.vtt"))
    assert files
    assert all(parse(file.read_bytes()) for file in files)
