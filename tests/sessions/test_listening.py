from __future__ import annotations

import pytest

from services.sessions.listening import Listening, measure
from services.sessions.transcripts import Turn

MODERATOR = ["Ada"]


def test_measures_of_an_interview() -> None:
    """A short interview gives the shares, stretches, waits and questions counted by hand."""
    turns = [
        Turn("Ada", 10.0, 20.0, "Thanks for coming. How do you plan a week?"),
        Turn("Bob", 22.0, 52.0, "On paper, mostly."),
        Turn("Ada", 56.0, 58.0, "Why? What for??"),
        Turn("Bob", 58.0, 98.0, "Well?"),
        Turn("Ada", 93.0, 101.0, "I see."),
    ]
    assert measure(turns, MODERATOR) == Listening(
        moderator_talk_share=17.5 / 85.0,
        moderator_seconds=20.0,
        others_seconds=70.0,
        overlap_seconds=5.0,
        unattributed_seconds=0.0,
        longest_monologue_seconds=10.0,
        longest_story_seconds=40.0,
        longest_silence_seconds=4.0,
        patience_seconds=2.0,
        moderator_questions=3,
    )


def test_overlap_counts_once() -> None:
    """Where both speak at once, each has half of it, so that the two shares make one."""
    turns = [Turn("Ada", 0.0, 10.0, "a"), Turn("Bob", 5.0, 15.0, "b")]
    measured = measure(turns, MODERATOR)
    assert (measured.moderator_talk_share, measured.overlap_seconds) == (0.5, 5.0)
    assert measure(turns, ["Bob"]).moderator_talk_share == 0.5


def test_cues_of_one_speaker_that_overlap_count_once() -> None:
    """Captions that repeat a speaker's time do not add to it."""
    turns = [Turn("Ada", 0.0, 10.0, "a"), Turn("Ada", 0.0, 10.0, "a"), Turn("Bob", 20.0, 50.0, "b")]
    assert measure(turns, MODERATOR).moderator_talk_share == 0.25


def test_silence_is_no_part_of_the_talk() -> None:
    """A long silence leaves the share as it is and is the longest silence."""
    turns = [Turn("Ada", 0.0, 10.0, "a"), Turn("Bob", 110.0, 140.0, "b")]
    measured = measure(turns, MODERATOR)
    assert (measured.moderator_talk_share, measured.longest_silence_seconds) == (0.25, 100.0)


def test_two_moderators_are_one_side() -> None:
    """Moderator and note-taker together are set against everybody else, named in any case and spacing."""
    turns = [
        Turn("Ada", 0.0, 10.0, "a"), Turn("Cy  King", 0.0, 10.0, "c"),
        Turn("Bob", 10.0, 30.0, "b"), Turn("Di", 30.0, 40.0, "d"),
    ]  # fmt: skip
    assert measure(turns, ["ADA", " cy king"]).moderator_talk_share == 0.25


def test_a_monologue_ends_with_another_turn_or_a_long_pause() -> None:
    """Short pauses go on with a monologue; a long one, or somebody else's turn, ends it."""
    turns = [
        Turn("Ada", 0.0, 10.0, "a"), Turn("Ada", 12.0, 20.0, "b"), Turn("Ada", 22.5, 40.0, "c"),
        Turn("Bob", 40.0, 41.0, "mm"), Turn("Ada", 41.0, 58.0, "d"),
    ]  # fmt: skip
    assert measure(turns, MODERATOR).longest_monologue_seconds == 20.0


def test_without_speakers_only_silence_and_speech_are_known() -> None:
    """A transcript that names nobody gives no share, no monologue and no questions."""
    turns = [Turn(None, 0.0, 10.0, "How?"), Turn(None, 15.0, 20.0, "So.")]
    assert measure(turns, MODERATOR) == Listening(
        None, None, None, None, 15.0, None, None, 5.0, None, None
    )  # fmt: skip


def test_an_unknown_moderator_is_not_taken_for_a_silent_one() -> None:
    """When nobody of the transcript is a moderator the share is unknown, not zero."""
    measured = measure([Turn("Bob", 0.0, 10.0, "How?")], MODERATOR)
    assert (measured.moderator_talk_share, measured.moderator_questions) == (None, None)


def test_without_times_only_questions_are_known() -> None:
    """Turns without length give no share, though the moderator's questions can be counted."""
    measured = measure([Turn("Ada", 0.0, 0.0, "How? Why?"), Turn("Bob", 0.0, 0.0, "So.")], MODERATOR)
    assert measured == Listening(None, None, None, None, None, None, None, None, None, 2)


def test_unnamed_speech_is_part_of_no_share() -> None:
    """Speech without a speaker is reported apart and leaves the share as it is."""
    turns = [Turn("Ada", 0.0, 10.0, "a"), Turn(None, 10.0, 70.0, "x"), Turn("Bob", 70.0, 100.0, "b")]
    measured = measure(turns, MODERATOR)
    assert (measured.moderator_talk_share, measured.unattributed_seconds) == (0.25, 60.0)


def test_nothing_said() -> None:
    """No turns give no measures."""
    assert measure([], MODERATOR) == Listening(None, None, None, None, None, None, None, None, None, None)


@pytest.mark.parametrize(
    ("text", "questions"),
    [
        ("How? And why?!", 2),
        ("Really???", 1),
        ("See https://example.org/?q=1.", 0),
        ("なぜ？どうして？", 2),
        ("كيف؟", 1),
        ("and how did you do it", None),
        ("So.", 0),
    ],
)
def test_questions(text: str, questions: int | None) -> None:
    """Questions are counted by their marks in any script, and unknown where the text has no punctuation at all."""
    assert measure([Turn("Ada", 0.0, 1.0, text)], MODERATOR).moderator_questions == questions


def test_an_interruption_is_no_wait() -> None:
    """Speaking before the other has ended waits zero seconds, and what nobody waited for is unknown."""
    turns = [Turn("Bob", 0.0, 10.0, "b"), Turn("Ada", 8.0, 12.0, "a")]
    assert measure(turns, MODERATOR).patience_seconds == 0.0
    assert measure(turns, ["Bob"]).patience_seconds is None
