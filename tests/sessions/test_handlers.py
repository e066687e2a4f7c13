"""What bookings and erasures do to sessions, however late, often and mixed up they come."""

import asyncio

import pytest

from shared.contract.events import SessionCompleted
from tests.sessions.examples import (
    BOOKED,
    MONDAY_TEN,
    VTT,
    Desk,
    cancelled,
    erased,
    rescheduled,
    scheduled,
)
from tests.support.service import ServiceUnderTest


async def test_a_booked_interview_is_a_planned_session(sessions: ServiceUnderTest, desk: Desk) -> None:
    """InterviewScheduled plans a session with all that is known about the interview."""
    await sessions.deliver(scheduled())
    assert await desk.session() == {
        "session_id": "acfa1981-e69b-5b1a-a1fc-3f343777e45d",
        "state": "planned",
        "interview_id": "i-1",
        "request_id": "r-1",
        "study_id": "study-1",
        "participant_id": "p-1",
        "moderator_id": "ana",
        "note_taker_id": "ben",
        "starts_at": "2026-03-02T10:00:00Z",
        "ends_at": "2026-03-02T11:00:00Z",
        "timezone": "Europe/Berlin",
        "questions": ["Can I export to a spreadsheet?"],
        "segment": {"plan": "business", "region": None, "age_band": None, "usage": None, "loyalty": None},
        "started_at": None,
        "completed_at": None,
        "guide_version": None,
        "guide_questions": None,
        "listening": None,
        "erased_at": None,
    }


async def test_a_repeated_event_changes_nothing(sessions: ServiceUnderTest, desk: Desk) -> None:
    """The same event again, with its id or with another, leaves the session as it was."""
    event = sessions.record(scheduled())
    await sessions.deliver(event)
    before = await desk.session()
    await sessions.deliver(event)
    await sessions.deliver(scheduled())
    assert await desk.session() == before
    assert len((await desk.get("sessions"))[1]) == 1


async def test_a_rescheduled_interview_moves(sessions: ServiceUnderTest, desk: Desk) -> None:
    """InterviewRescheduled gives the session its new time."""
    await sessions.deliver(scheduled())
    await sessions.deliver(rescheduled(moderator_id="zoe"))
    session = await desk.session()
    assert (session["starts_at"], session["moderator_id"]) == ("2026-03-03T10:00:00Z", "zoe")


async def test_a_change_may_overtake_its_booking(sessions: ServiceUnderTest, desk: Desk) -> None:
    """A rescheduling that comes first plans the session, and the booking that comes late does not move it back."""
    await sessions.deliver(rescheduled(2))
    await sessions.deliver(scheduled(1))
    assert (await desk.session())["starts_at"] == "2026-03-03T10:00:00Z"


async def test_a_cancelled_interview_does_not_take_place(sessions: ServiceUnderTest, desk: Desk) -> None:
    """InterviewCancelled cancels the planned session."""
    await sessions.deliver(scheduled())
    await sessions.deliver(cancelled())
    assert (await desk.session())["state"] == "cancelled"


async def test_a_cancellation_that_overtakes_is_remembered(sessions: ServiceUnderTest, desk: Desk) -> None:
    """A cancellation that comes before its booking keeps the late booking from planning the session, not its times."""
    await sessions.deliver(cancelled(2))
    session = await desk.session()
    assert (session["state"], session["participant_id"], session["starts_at"]) == ("cancelled", "p-1", None)
    await sessions.deliver(scheduled(1))
    session = await desk.session()
    assert (session["state"], session["starts_at"]) == ("cancelled", "2026-03-02T10:00:00Z")
    await sessions.deliver(rescheduled(1))
    assert await desk.session() == session


async def test_a_stale_cancellation_changes_nothing(sessions: ServiceUnderTest, desk: Desk) -> None:
    """A cancellation older than the booking is ignored."""
    await sessions.deliver(rescheduled(3))
    await sessions.deliver(cancelled(2))
    assert (await desk.session())["state"] == "planned"


async def test_a_later_booking_reopens(sessions: ServiceUnderTest, desk: Desk) -> None:
    """An interview booked again after its cancellation is planned again."""
    await sessions.deliver(scheduled(1), cancelled(2), rescheduled(3))
    assert (await desk.session())["state"] == "planned"


async def test_what_took_place_is_not_cancelled(sessions: ServiceUnderTest, desk: Desk) -> None:
    """A cancellation of an interview that already runs leaves it running."""
    await sessions.deliver(scheduled())
    await desk.post(f"sessions/{BOOKED}/start")
    await sessions.deliver(cancelled())
    assert (await desk.session())["state"] == "running"


async def test_an_impossible_booking_is_refused_with_its_reason(sessions: ServiceUnderTest, desk: Desk) -> None:
    """A booking that ends before it starts goes to the dead letters; the one behind it is handled."""
    outcome = await sessions.deliver(scheduled(ends_at=MONDAY_TEN, interview_id="i-2"), scheduled())
    assert [refused.reason for refused in outcome.refused] == [
        "interview i-2 ends at 2026-03-02T10:00:00+00:00, not after it starts; correct ends_at and send it again"
    ]
    assert (await desk.session())["state"] == "planned"


async def test_an_interview_has_one_session_even_at_the_same_moment(sessions: ServiceUnderTest, desk: Desk) -> None:
    """Booking, change and cancellation handled at once by several consumers end as the latest says."""
    await asyncio.gather(
        sessions.deliver(scheduled(1)), sessions.deliver(rescheduled(2)), sessions.deliver(cancelled(3))
    )
    _, found = await desk.get("sessions")
    assert [session["state"] for session in found] == ["cancelled"]


async def test_a_forgotten_participant_leaves_nothing_behind(sessions: ServiceUnderTest, desk: Desk) -> None:
    """ParticipantErased removes transcript, notes and questions and makes the ids anonymous; the state stays."""
    await sessions.deliver(
        scheduled(), scheduled(interview_id="i-2"), scheduled(interview_id="i-3", participant_id="p-2")
    )
    await desk.post(f"sessions/{BOOKED}/start")
    await desk.post(f"sessions/{BOOKED}/notes", {"text": "she sighs"})
    await desk.upload(BOOKED, VTT)
    await sessions.deliver(erased("p-1"))
    session = await desk.session()
    assert session["participant_id"].startswith("erased-")
    assert (session["state"], session["request_id"], session["questions"], session["erased_at"]) == (
        "running",
        None,
        [],
        "2026-03-02T10:00:00Z",
    )
    assert (await desk.get(f"sessions/{BOOKED}/notes"))[1] == []
    assert (await desk.get(f"sessions/{BOOKED}/turns"))[0] == 404
    _, found = await desk.get("sessions")
    assert sorted(each["participant_id"][:7] for each in found) == ["erased-", "erased-", "p-2"]
    assert len({each["participant_id"] for each in found}) == 2


async def test_nothing_is_kept_about_a_forgotten_participant(sessions: ServiceUnderTest, desk: Desk) -> None:
    """After an erasure no note, transcript or session of the participant is accepted; the interview can be closed."""
    session_id = await desk.running()
    await sessions.deliver(erased("p-1"))
    assert (await desk.post(f"sessions/{session_id}/notes", {"text": "x"}))[0] == 409
    assert (await desk.upload(session_id, VTT))[0] == 409
    assert (await desk.post("sessions", {"participant_id": "p-1"}))[0] == 409
    assert (await desk.post(f"sessions/{session_id}/complete"))[0] == 200
    (completed,) = await sessions.published(SessionCompleted)
    assert completed.participant_id.startswith("erased-")
    assert (completed.request_id, completed.transcript) == (None, None)


@pytest.mark.parametrize("late", [scheduled(2), rescheduled(2), cancelled(2)])
async def test_a_late_event_brings_nobody_back(sessions: ServiceUnderTest, desk: Desk, late: object) -> None:
    """An event about a forgotten participant's interview, seen for the first time, is kept without the participant."""
    await sessions.deliver(erased("p-1"))
    await sessions.deliver(late)  # type: ignore[arg-type]
    session = await desk.session()
    assert session["participant_id"].startswith("erased-")
    assert (session["request_id"], session["questions"]) == (None, [])


async def test_an_erasure_at_the_same_moment_misses_nothing(sessions: ServiceUnderTest, desk: Desk) -> None:
    """Bookings handled while the participant is forgotten leave no trace of the participant."""
    bookings = [sessions.deliver(scheduled(interview_id=f"i-{number}")) for number in range(3)]
    await asyncio.gather(*bookings, sessions.deliver(erased("p-1")))
    _, found = await desk.get("sessions")
    assert [(each["participant_id"][:7], each["questions"]) for each in found] == [("erased-", [])] * 3


async def test_an_erasure_of_nobody_is_no_error(sessions: ServiceUnderTest) -> None:
    """ParticipantErased for somebody unknown is handled, and again when repeated."""
    outcome = await sessions.deliver(erased("p-9"), erased("p-9"))
    assert (len(outcome.applied), outcome.refused) == (2, [])
