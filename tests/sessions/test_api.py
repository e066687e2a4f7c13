"""What the JSON endpoints of sessions and guides do, and refuse."""

import asyncio
from datetime import timedelta

import pytest

from services.sessions.guides import BUILT_IN
from shared.contract.events import SessionCompleted
from tests.sessions.examples import BOOKED, VTT, Desk, cancelled, scheduled
from tests.support.service import ServiceUnderTest

NOWHERE = "7b0c9d6e-0000-4000-8000-000000000000"

WRITES = [
    ("POST", "sessions"),
    ("POST", f"sessions/{NOWHERE}/start"),
    ("POST", f"sessions/{NOWHERE}/complete"),
    ("POST", f"sessions/{NOWHERE}/notes"),
    ("PUT", f"sessions/{NOWHERE}/transcript"),
    ("PUT", f"sessions/{NOWHERE}/asked/1"),
    ("DELETE", f"sessions/{NOWHERE}/asked/1"),
    ("PUT", "guides/study-1"),
]
READS = [
    ("GET", "sessions"),
    ("GET", f"sessions/{NOWHERE}"),
    ("GET", f"sessions/{NOWHERE}/notes"),
    ("GET", f"sessions/{NOWHERE}/asked"),
    ("GET", f"sessions/{NOWHERE}/transcript"),
    ("GET", f"sessions/{NOWHERE}/turns"),
    ("GET", "guides/study-1"),
]


@pytest.mark.parametrize(("method", "path"), WRITES + READS)
async def test_nothing_is_public(sessions: ServiceUnderTest, method: str, path: str) -> None:
    """Without a token every endpoint answers 401."""
    assert (await sessions.client.request(method, f"/api/v1/{path}")).status_code == 401


@pytest.mark.parametrize(("method", "path"), WRITES)
async def test_a_viewer_changes_nothing(sessions: ServiceUnderTest, method: str, path: str) -> None:
    """Every endpoint that writes answers a viewer with 403."""
    answer = await sessions.client.request(method, f"/api/v1/{path}", headers=sessions.headers("viewer"), json={})
    assert answer.status_code == 403


@pytest.mark.parametrize(("method", "path"), [("POST", "sessions"), ("PUT", "guides/study-1")])
async def test_a_note_taker_neither_adds_sessions_nor_guides(
    sessions: ServiceUnderTest, method: str, path: str
) -> None:
    """What decides about interviews is the researchers'; the room itself is open to note-takers."""
    headers = sessions.headers("note_taker")
    assert (await sessions.client.request(method, f"/api/v1/{path}", headers=headers, json={})).status_code == 403
    start = await sessions.client.post(f"/api/v1/sessions/{NOWHERE}/start", headers=headers)
    assert start.status_code == 404


async def test_an_unknown_session_is_not_found(desk: Desk) -> None:
    """Everything about a session that does not exist answers 404."""
    answers = [
        await desk.get(f"sessions/{NOWHERE}"),
        await desk.get(f"sessions/{NOWHERE}/notes"),
        await desk.get(f"sessions/{NOWHERE}/asked"),
        await desk.get(f"sessions/{NOWHERE}/transcript"),
        await desk.get(f"sessions/{NOWHERE}/turns"),
        await desk.post(f"sessions/{NOWHERE}/start"),
        await desk.post(f"sessions/{NOWHERE}/complete"),
        await desk.post(f"sessions/{NOWHERE}/notes", {"text": "x"}),
        await desk.put(f"sessions/{NOWHERE}/asked/1"),
        await desk.delete(f"sessions/{NOWHERE}/asked/1"),
        await desk.upload(NOWHERE, VTT),
    ]
    assert [status for status, _ in answers] == [404] * 11


async def test_an_interview_without_a_booking(sessions: ServiceUnderTest, desk: Desk) -> None:
    """An ad-hoc session is planned for now unless it says otherwise, and no event tells about it yet."""
    status, session = await desk.post("sessions", {"participant_id": "p-1", "segment": {"plan": "team"}})
    assert (status, session["state"], session["starts_at"]) == (201, "planned", "2026-03-02T09:00:00Z")
    assert session["segment"]["plan"] == "team"
    assert await sessions.published_types() == []


async def test_adding_a_session_twice_adds_one(sessions: ServiceUnderTest, desk: Desk) -> None:
    """The same request again finds the session, also later and at the same moment; another content is a conflict."""
    body = {"session_id": "mine-1", "participant_id": "p-1", "questions": ["Why?"]}
    answers = await asyncio.gather(desk.post("sessions", body), desk.post("sessions", body))
    assert sorted(status for status, _ in answers) == [200, 201]
    sessions.now += timedelta(hours=1)
    assert await desk.post("sessions", body) == (200, answers[0][1])
    status, problem = await desk.post("sessions", body | {"participant_id": "p-2"})
    assert (status, problem["detail"]) == (
        409,
        "There is another session 'mine-1' that differs in participant_id; leave session_id out or choose another.",
    )


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "participant_id"),
        ({"participant_id": "<script>"}, "participant_id"),
        ({"participant_id": "p-1", "studyid": "x"}, "studyid"),
        ({"participant_id": "p-1", "questions": ["a\x00b"]}, "NUL"),
        ({"participant_id": "p-1", "questions": ["why?"] * 21}, "questions"),
        ({"participant_id": "p-1", "timezone": "Mars/Olympus"}, "Mars/Olympus"),
        ({"participant_id": "p-1", "ends_at": "2026-03-02T10:00:00Z"}, "ends_at needs starts_at"),
        (
            {"participant_id": "p-1", "starts_at": "2026-03-02T10:00:00Z", "ends_at": "2026-03-02T10:00:00Z"},
            "ends_at must be later",
        ),
        ({"participant_id": "p-1", "starts_at": "2026-03-02T10:00:00"}, "starts_at"),
        ({"participant_id": "p-1", "segment": {"plan": "x" * 301}}, "segment.plan"),
    ],
)
async def test_a_wrong_session_is_told_where(desk: Desk, body: dict[str, object], place: str) -> None:
    """A body that cannot be a session answers 422 and names the place."""
    status, problem = await desk.post("sessions", body)
    assert status == 422
    assert place in problem["detail"]


@pytest.mark.parametrize(
    "path",
    ["sessions/%00", "sessions/a b", "guides/a%2Fb", "sessions?limit=0", "sessions?limit=1001", "sessions?state=odd"],
)
async def test_a_wrong_address_is_no_fault_of_ours(desk: Desk, path: str) -> None:
    """An identifier or parameter that cannot be answers 422 or 404, never 500."""
    assert (await desk.get(path))[0] in {404, 422}


async def test_sessions_are_listed_by_state(sessions: ServiceUnderTest, desk: Desk) -> None:
    """Planned sessions come soonest first, others newest first; the limit holds."""
    for day in (5, 3, 4):
        body = {"session_id": f"day-{day}", "participant_id": "p-1", "starts_at": f"2026-03-0{day}T10:00:00Z"}
        await desk.post("sessions", body)
    await sessions.deliver(cancelled(interview_id="i-7"))
    assert [each["session_id"] for each in (await desk.get("sessions?state=planned"))[1]] == ["day-3", "day-4", "day-5"]
    newest = (await desk.get("sessions?limit=2"))[1]
    assert [each["session_id"] for each in newest] == ["day-5", "day-4"]
    assert [each["state"] for each in (await desk.get("sessions?state=cancelled"))[1]] == ["cancelled"]
    assert (await desk.get("sessions?state=running"))[1] == []


async def test_a_study_without_a_guide_has_the_built_in_one(desk: Desk) -> None:
    """A study's guide is the built-in one, version 0, until it has its own."""
    assert await desk.get("guides/study-1") == (
        200,
        {"study_id": "study-1", "version": 0, "questions": list(BUILT_IN.questions)},
    )


async def test_a_new_guide_is_a_new_version(desk: Desk) -> None:
    """Each change of a study's questions raises the version by one; the same questions again do not."""
    first = {"study_id": "study-1", "version": 1, "questions": ["Why?"]}
    assert await desk.put("guides/study-1", {"questions": ["  Why? "]}) == (200, first)
    assert await desk.put("guides/study-1", {"questions": ["Why?"]}) == (200, first)
    assert (await desk.put("guides/study-1", {"questions": ["Why?", "How?"]}))[1]["version"] == 2
    assert (await desk.get("guides/study-1"))[1]["questions"] == ["Why?", "How?"]
    assert (await desk.get("guides/study-2"))[1]["version"] == 0


async def test_guides_published_at_once_follow_each_other(desk: Desk) -> None:
    """Two researchers who publish at the same moment make two versions."""
    answers = await asyncio.gather(*(desk.put("guides/study-1", {"questions": [f"Why {n}?"]}) for n in range(3)))
    assert sorted(guide["version"] for _, guide in answers) == [1, 2, 3]


@pytest.mark.parametrize("questions", [[], [""], [" "], ["x" * 301], ["a\x00b"], ["Why?"] * 51])
async def test_a_guide_has_real_questions(desk: Desk, questions: list[str]) -> None:
    """No, empty, endless or unstorable questions make no guide."""
    assert (await desk.put("guides/study-1", {"questions": questions}))[0] == 422


async def test_a_session_keeps_the_guide_of_its_start(desk: Desk) -> None:
    """A guide published while the interview runs is not the guide of that interview."""
    await desk.put("guides/study-1", {"questions": ["Why?"]})
    session_id = await desk.running()
    await desk.put("guides/study-1", {"questions": ["How?"]})
    session = await desk.session(session_id)
    assert (session["guide_version"], session["guide_questions"]) == (1, ["Why?"])


async def test_starting_twice_starts_once(sessions: ServiceUnderTest, desk: Desk) -> None:
    """A started session has its start from the first request."""
    session_id = await desk.running()
    sessions.now += timedelta(minutes=5)
    status, session = await desk.post(f"sessions/{session_id}/start")
    assert (status, session["state"], session["started_at"]) == (200, "running", "2026-03-02T09:00:00Z")


async def test_an_interview_held_elsewhere_has_its_own_times(sessions: ServiceUnderTest, desk: Desk) -> None:
    """Start and end can be told afterwards, in order and not in the future."""
    await sessions.deliver(scheduled())
    sessions.now += timedelta(hours=3)
    late = await desk.post(f"sessions/{BOOKED}/start", {"started_at": "2026-03-02T12:00:01Z"})
    assert late[0] == 409
    await desk.post(f"sessions/{BOOKED}/start", {"started_at": "2026-03-02T10:02:00Z"})
    early = await desk.post(f"sessions/{BOOKED}/complete", {"completed_at": "2026-03-02T10:01:00Z"})
    assert early[0] == 409
    await desk.post(f"sessions/{BOOKED}/complete", {"completed_at": "2026-03-02T10:40:00Z"})
    (event,) = await sessions.published(SessionCompleted)
    assert event.started_at is not None
    assert (event.started_at.isoformat(), event.completed_at.isoformat()) == (
        "2026-03-02T10:02:00+00:00",
        "2026-03-02T10:40:00+00:00",
    )


async def test_a_cancelled_interview_does_not_start(sessions: ServiceUnderTest, desk: Desk) -> None:
    """Starting, noting and transcribing what is cancelled is a conflict."""
    await sessions.deliver(scheduled(), cancelled())
    assert (await desk.post(f"sessions/{BOOKED}/start"))[0] == 409
    assert (await desk.post(f"sessions/{BOOKED}/notes", {"text": "x"}))[0] == 409
    assert (await desk.upload(BOOKED, VTT))[0] == 409


async def test_questions_are_ticked_off(desk: Desk) -> None:
    """Questions of the guide are ticked and unticked, each once however often it is said."""
    await desk.put("guides/study-1", {"questions": ["Why?", "How?", "Who?"]})
    session_id = await desk.running()
    for number in (3, 1, 3):
        await desk.put(f"sessions/{session_id}/asked/{number}")
    assert await desk.get(f"sessions/{session_id}/asked") == (200, {"asked": [1, 3]})
    assert await desk.delete(f"sessions/{session_id}/asked/3") == (200, {"asked": [1]})
    assert await desk.delete(f"sessions/{session_id}/asked/3") == (200, {"asked": [1]})


@pytest.mark.parametrize("number", ["0", "4", "99999999999999999999"])
async def test_only_the_guides_questions_are_ticked(desk: Desk, number: str) -> None:
    """A number that the guide does not have is a conflict, and so is any before the start."""
    await desk.put("guides/study-1", {"questions": ["Why?", "How?", "Who?"]})
    assert (await desk.put(f"sessions/{await desk.running()}/asked/{number}"))[0] == 409
    _, planned = await desk.post("sessions", {"participant_id": "p-2"})
    assert (await desk.put(f"sessions/{planned['session_id']}/asked/1"))[0] == 409


async def test_the_pulse_counts_sessions(sessions: ServiceUnderTest, desk: Desk) -> None:
    """The pulse tells how many sessions are planned, running and completed."""
    await sessions.deliver(scheduled(), scheduled(interview_id="i-2"))
    await desk.running()
    await desk.post(f"sessions/{await desk.running()}/complete")
    assert await desk.get("pulse") == (200, {"planned": 2, "running": 1, "completed": 1})
