"""Notes: written live, kept once, shown as written."""

import asyncio
from datetime import timedelta

import pytest

from tests.sessions.examples import Desk
from tests.support.service import ServiceUnderTest

HOSTILE = [
    "<script>alert(1)</script>",
    "'; DROP TABLE notes; --",
    "{{ 7 * 7 }} {% raw %}",
    "👩‍👩‍👧 naïve مرحبا بالعالم",
    "line one\nline two",
    "x" * 20_000,
]


async def test_a_note_gets_the_time_of_the_interview(sessions: ServiceUnderTest, desk: Desk) -> None:
    """A note without a time of its own is as late as the running session is."""
    session_id = await desk.running()
    sessions.now += timedelta(seconds=90)
    status, note = await desk.post(f"sessions/{session_id}/notes", {"text": "she sighs"})
    note_id = note.pop("note_id")
    assert (status, note) == (
        201,
        {
            "session_id": session_id,
            "author": "ana",
            "kind": "note",
            "text": "she sighs",
            "at_seconds": 90.0,
            "written_at": "2026-03-02T09:01:30Z",
        },
    )
    assert await desk.get(f"sessions/{session_id}/notes") == (200, [{"note_id": note_id} | note])


async def test_a_note_before_or_after_the_interview_has_no_such_time(sessions: ServiceUnderTest, desk: Desk) -> None:
    """Notes may be written before the start and after the end, then without seconds."""
    _, session = await desk.post("sessions", {"participant_id": "p-1"})
    path = f"sessions/{session['session_id']}"
    before = await desk.post(f"{path}/notes", {"text": "prepare"})
    await desk.post(f"{path}/start")
    await desk.post(f"{path}/complete")
    sessions.now += timedelta(minutes=1)
    after = await desk.post(f"{path}/notes", {"text": "reflect", "at_seconds": 12.5})
    assert [(status, note["at_seconds"]) for status, note in (before, after)] == [(201, None), (201, 12.5)]
    assert [note["text"] for note in (await desk.get(f"{path}/notes"))[1]] == ["prepare", "reflect"]
    assert [note["text"] for note in (await desk.get(f"{path}/notes?limit=1"))[1]] == ["prepare"]


async def test_what_was_asked_stays_when_the_session_is_completed(desk: Desk) -> None:
    """After the end no question can be ticked or unticked, and the answer says why."""
    path = f"sessions/{await desk.running()}"
    await desk.put(f"{path}/asked/1", {})
    await desk.post(f"{path}/complete")
    status, problem = await desk.put(f"{path}/asked/2", {})
    assert (status, problem["detail"]) == (
        409,
        "The session is completed; which questions were asked stays as it is.",
    )
    assert (await desk.get(f"{path}/asked"))[1] == {"asked": [1]}


async def test_a_note_sent_twice_is_one(sessions: ServiceUnderTest, desk: Desk) -> None:
    """A repeated note finds the first, later and at the same moment; another content under its id is a conflict."""
    session_id = await desk.running()
    body = {"note_id": "0d0e7b2a-9a4c-4c57-9d49-6a8d0c3f1b11", "text": "she sighs", "kind": "quote"}
    answers = await asyncio.gather(*(desk.post(f"sessions/{session_id}/notes", body) for _ in range(2)))
    assert sorted(status for status, _ in answers) == [200, 201]
    sessions.now += timedelta(seconds=30)
    assert await desk.post(f"sessions/{session_id}/notes", body) == (200, answers[0][1])
    assert len((await desk.get(f"sessions/{session_id}/notes"))[1]) == 1
    for change in ({"text": "she laughs"}, {"kind": "note"}, {"at_seconds": 5}):
        assert (await desk.post(f"sessions/{session_id}/notes", body | change))[0] == 409
    another = Desk(sessions, "note_taker", "ben")
    assert (await another.post(f"sessions/{session_id}/notes", body))[0] == 409


@pytest.mark.parametrize("text", HOSTILE)
async def test_a_note_is_kept_as_it_was_written(desk: Desk, text: str) -> None:
    """Markup, SQL, templates, emoji, right-to-left text and the longest note come back unchanged."""
    session_id = await desk.running()
    assert (await desk.post(f"sessions/{session_id}/notes", {"text": text}))[0] == 201
    assert [note["text"] for note in (await desk.get(f"sessions/{session_id}/notes"))[1]] == [text]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": ""},
        {"text": "  "},
        {"text": "a\x00b"},
        {"text": "x" * 20_001},
        {"text": "x", "kind": "song"},
        {"text": "x", "at_seconds": -1},
        {"text": "x", "at_seconds": "soon"},
        {"text": "x", "note_id": "a b"},
        {"text": "x", "author": "zoe"},
    ],
)
async def test_a_wrong_note_is_refused(desk: Desk, body: dict[str, object]) -> None:
    """Empty, unstorable, too long or misspelt notes answer 422."""
    assert (await desk.post(f"sessions/{await desk.running()}/notes", body))[0] == 422


async def test_a_bookmark_needs_no_words(desk: Desk) -> None:
    """A bookmark marks a moment without text."""
    status, note = await desk.post(f"sessions/{await desk.running()}/notes", {"kind": "bookmark"})
    assert (status, note["text"], note["at_seconds"]) == (201, "", 0.0)
