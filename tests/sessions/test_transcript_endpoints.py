"""Uploading a transcript, reading it back, and completing a session with it."""

import asyncio
from datetime import timedelta

import pytest

from shared.contract.events import SessionCompleted
from tests.sessions.examples import BOOKED, SRT, VTT, Desk, scheduled
from tests.support.service import ServiceUnderTest

VTT_SHA256 = "aed5b687d5382c6e9883571305b164eb4a8cd4ac65420da9df6fe296c83911be"


async def test_a_transcript_comes_back_byte_for_byte(sessions: ServiceUnderTest, desk: Desk) -> None:
    """The file is answered as it was uploaded, as a download that no browser takes for a page."""
    session_id = await desk.running()
    assert await desk.upload(session_id, VTT) == (
        200,
        {"format": "vtt", "sha256": VTT_SHA256, "speakers": ["Ana", "Customer"], "moderator": None, "turns": 2},
    )
    answer = await sessions.client.get(f"/api/v1/sessions/{session_id}/transcript", headers=sessions.headers("viewer"))
    assert answer.content == VTT
    assert answer.headers["content-type"] == "text/vtt"
    assert answer.headers["content-disposition"] == f'attachment; filename="{session_id}.vtt"'
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_turns_say_who_when_and_what(desk: Desk) -> None:
    """The parsed transcript lists speaker, seconds and words."""
    session_id = await desk.running()
    await desk.upload(session_id, VTT)
    assert await desk.get(f"sessions/{session_id}/turns") == (
        200,
        [
            {"speaker": "Ana", "start": 0.0, "end": 10.0, "text": "How do you export today?"},
            {"speaker": "Customer", "start": 10.0, "end": 50.0, "text": "I copy every row by hand."},
        ],
    )


@pytest.mark.parametrize(
    ("content", "kind", "file_format"),
    [
        (SRT, "application/x-subrip", "srt"),
        (SRT, "text/vtt", "srt"),
        (VTT, "text/plain; charset=utf-8", "vtt"),
        (b"Ana: Why?\nBo: Because.\n", "text/plain", "text"),
    ],
)
async def test_formats_of_transcripts(desk: Desk, content: bytes, kind: str, file_format: str) -> None:
    """WebVTT, SRT and plain text are kept as what they are."""
    status, read = await desk.upload(await desk.running(), content, kind)
    assert (status, read["format"]) == (200, file_format)


async def test_plain_text_has_turns_without_times(desk: Desk) -> None:
    """The turns of plain text say neither who nor when."""
    session_id = await desk.running()
    await desk.upload(session_id, b"Ana: Why?\n", "text/plain")
    assert (await desk.get(f"sessions/{session_id}/turns"))[1] == [
        {"speaker": None, "start": None, "end": None, "text": "Ana: Why?"}
    ]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "the file is empty"),
        (b"WEBVTT\n", "no cue with text"),
        (b"WEBVTT\n\n00:00:01 -> oops\n00:1x --> 00:02\nhi\n", "line 4"),
        (b"Ana: Why?", "line 1: not WebVTT"),
        (b"WEBVTT\n\n00:01.000 --> 00:02.000\nf\xff\xfe\n", "line 4: not UTF-8"),
    ],
)
async def test_a_broken_transcript_says_where(desk: Desk, content: bytes, says: str) -> None:
    """A file that cannot be read answers 422 with the line and the reason, and leaves an earlier one in place."""
    session_id = await desk.running()
    await desk.upload(session_id, VTT)
    status, problem = await desk.upload(session_id, content)
    assert status == 422
    assert says in problem["detail"]
    assert len((await desk.get(f"sessions/{session_id}/turns"))[1]) == 2


async def test_too_large_a_transcript_is_refused(desk: Desk) -> None:
    """More than 5 MB answer 422, more than the service takes at all 413."""
    session_id = await desk.running()
    status, problem = await desk.upload(session_id, VTT + b"\n" * (5 * 1024 * 1024))
    assert status == 422
    assert "5 MB" in problem["detail"]
    assert (await desk.upload(session_id, b"\n" * (6 * 1024 * 1024 + 1)))[0] == 413


@pytest.mark.parametrize("kind", ["application/json", "text/html", ""])
async def test_another_kind_of_file_is_refused(desk: Desk, kind: str) -> None:
    """Only the three media types of transcripts are taken."""
    assert (await desk.upload(await desk.running(), VTT, kind))[0] == 415


async def test_the_moderator_is_named_at_the_upload(desk: Desk) -> None:
    """The moderator's name is looked up among the speakers; a wrong one answers 422 and names them."""
    session_id = await desk.running()
    assert (await desk.upload(session_id, VTT, query="?moderator=ana"))[1]["moderator"] == "Ana"
    status, problem = await desk.upload(session_id, VTT, query="?moderator=Zoe")
    assert (status, problem["detail"]) == (
        422,
        "The transcript cannot be used: nobody in the transcript is called 'Zoe'; its speakers are Ana, Customer.",
    )
    assert (await desk.upload(session_id, VTT, query="?moderator=a%00b"))[0] == 422


async def test_another_transcript_replaces_the_first(desk: Desk) -> None:
    """Before the session is completed, the last upload holds."""
    session_id = await desk.running()
    await desk.upload(session_id, VTT)
    await desk.upload(session_id, SRT)
    assert len((await desk.get(f"sessions/{session_id}/turns"))[1]) == 1


async def test_completing_tells_everything_once(sessions: ServiceUnderTest, desk: Desk) -> None:
    """SessionCompleted carries the ids, the transcript's address and digest, and how well was listened."""
    await sessions.deliver(scheduled())
    await desk.upload(BOOKED, VTT, query="?moderator=Ana")
    await desk.post(f"sessions/{BOOKED}/start")
    sessions.now += timedelta(minutes=45)
    first = await desk.post(f"sessions/{BOOKED}/complete")
    sessions.now += timedelta(minutes=1)
    assert await desk.post(f"sessions/{BOOKED}/complete", {"moderator": "Customer"}) == first
    (event,) = await sessions.published(SessionCompleted)
    assert event.model_dump(mode="json") == {
        "session_id": BOOKED,
        "interview_id": "i-1",
        "request_id": "r-1",
        "study_id": "study-1",
        "participant_id": "p-1",
        "moderator_id": "ana",
        "started_at": "2026-03-02T09:00:00Z",
        "completed_at": "2026-03-02T09:45:00Z",
        "transcript": {
            "url": f"http://test/sessions/api/v1/sessions/{BOOKED}/transcript",
            "format": "vtt",
            "sha256": VTT_SHA256,
        },
        "listening": {
            "moderator_talk_share": 0.2,
            "longest_monologue_seconds": 10.0,
            "moderator_questions": 1,
        },
        "segment": {"plan": "business", "region": None, "age_band": None, "usage": None, "loyalty": None},
    }
    assert first[1]["listening"]["longest_story_seconds"] == 40.0


async def test_completing_at_the_same_moment_tells_once(sessions: ServiceUnderTest, desk: Desk) -> None:
    """Two who complete at once get the same answer, and one event is published."""
    session_id = await desk.running()
    answers = await asyncio.gather(*(desk.post(f"sessions/{session_id}/complete") for _ in range(3)))
    assert [status for status, _ in answers] == [200, 200, 200]
    assert len(await sessions.published(SessionCompleted)) == 1


async def test_an_interview_without_a_transcript_completes(sessions: ServiceUnderTest, desk: Desk) -> None:
    """Without a transcript nothing is measured, and the event says that there is none."""
    _, session = await desk.post(f"sessions/{await desk.running()}/complete")
    assert session["listening"] is None
    (event,) = await sessions.published(SessionCompleted)
    assert event.transcript is None
    assert event.listening.model_dump() == {
        "moderator_talk_share": None,
        "longest_monologue_seconds": None,
        "moderator_questions": None,
    }


async def test_the_moderator_is_named_at_the_end(sessions: ServiceUnderTest, desk: Desk) -> None:
    """The moderator may be told when completing; a wrong name answers 422 and completes nothing."""
    session_id = await desk.running()
    assert (await desk.post(f"sessions/{session_id}/complete", {"moderator": "Ana"}))[0] == 422
    await desk.upload(session_id, VTT)
    assert (await desk.post(f"sessions/{session_id}/complete", {"moderator": "Zoe"}))[0] == 422
    assert (await desk.session(session_id))["state"] == "running"
    _, session = await desk.post(f"sessions/{session_id}/complete", {"moderator": "customer"})
    assert session["listening"]["moderator_talk_share"] == 0.8
    assert len(await sessions.published(SessionCompleted)) == 1


async def test_only_a_running_session_completes(desk: Desk) -> None:
    """Completing a planned session is a conflict that says what to do."""
    _, session = await desk.post("sessions", {"participant_id": "p-1"})
    status, problem = await desk.post(f"sessions/{session['session_id']}/complete")
    assert (status, problem["detail"]) == (
        409,
        "The session is planned; only a running one can be completed, so start it first.",
    )


async def test_after_completing_the_transcript_stays(sessions: ServiceUnderTest, desk: Desk) -> None:
    """A completed session takes no other transcript, but a repeated upload of the same file is no error."""
    session_id = await desk.running()
    await desk.upload(session_id, VTT)
    await desk.post(f"sessions/{session_id}/complete")
    assert (await desk.upload(session_id, VTT))[0] == 200
    status, problem = await desk.upload(session_id, SRT)
    assert status == 409
    assert "must be uploaded before" in problem["detail"]
    assert len(await sessions.published(SessionCompleted)) == 1
