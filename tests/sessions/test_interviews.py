from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.sessions import interviews
from services.sessions.agenda import arrange
from services.sessions.guides import BUILT_IN, Guide
from services.sessions.interviews import Booking, Session, State

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
GUIDE = Guide(3, ("Why?",))


def booking(version: int, questions: tuple[str, ...] = ("What now?",)) -> Booking:
    return Booking(version, "ana", None, NOON, NOON + timedelta(hours=1), "UTC", questions, {})


def session_in(state: State) -> Session:
    session = Session("s-1", "p-1", interview_id="i-1", interview_version=1, starts_at=NOON)
    if state == "cancelled":
        return interviews.cancelled(session, 1)
    if state == "planned":
        return session
    session = interviews.started(session, NOON, GUIDE)
    return session if state == "running" else interviews.completed(session, NOON, None)


def test_the_session_of_an_interview_never_changes() -> None:
    """An interview leads to the same session id today and after a replay in years."""
    assert interviews.session_id_of("i-1") == "acfa1981-e69b-5b1a-a1fc-3f343777e45d"


@pytest.mark.parametrize(
    ("before", "after"),
    [("planned", "planned"), ("cancelled", "planned"), ("running", "running"), ("completed", "completed")],
)
def test_a_booking_plans_what_has_not_begun(before: State, after: State) -> None:
    """A booking reopens a cancelled session and leaves one that took place as it is."""
    assert interviews.booked(session_in(before), booking(2)).state == after


@pytest.mark.parametrize(
    ("before", "after"),
    [("planned", "cancelled"), ("cancelled", "cancelled"), ("running", "running"), ("completed", "completed")],
)
def test_a_cancellation_ends_only_what_has_not_begun(before: State, after: State) -> None:
    """What took place cannot be cancelled afterwards."""
    assert interviews.cancelled(session_in(before), 2).state == after


def test_a_version_is_applied_once() -> None:
    """The same or an earlier version of a booking is stale, a later one is not; an ad-hoc session knows none."""
    session = interviews.booked(session_in("planned"), booking(4))
    assert [interviews.is_stale(session, version) for version in (3, 4, 5)] == [True, True, False]
    assert not interviews.is_stale(Session("s-1", "p-1"), 1)


def test_erasing_leaves_nothing_that_leads_back() -> None:
    """The participant, the request and the customer's questions go, and later bookings bring none back."""
    session = interviews.erased(interviews.booked(session_in("planned"), booking(2)), "erased-1", NOON)
    assert (session.participant_id, session.request_id, session.questions) == ("erased-1", None, ())
    assert interviews.booked(session, booking(3)).questions == ()


@pytest.mark.parametrize(("state", "possible"), [("planned", True), ("cancelled", False), ("completed", False)])
def test_only_a_planned_session_starts(state: State, possible: bool) -> None:  # noqa: FBT001 - a parameter of the table
    """A cancelled or completed session says why it cannot start."""
    assert (interviews.start_problem(session_in(state), NOON, NOON) is None) is possible


def test_nothing_happens_in_the_future() -> None:
    """A start or an end later than now is refused."""
    later = NOON + timedelta(seconds=1)
    assert interviews.start_problem(session_in("planned"), later, NOON) is not None
    assert interviews.completion_problem(session_in("running"), later, NOON) is not None


@pytest.mark.parametrize("state", ["planned", "cancelled", "completed"])
def test_only_a_running_session_completes(state: State) -> None:
    """What does not run cannot be completed."""
    assert interviews.completion_problem(session_in(state), NOON, NOON) is not None


def test_a_session_does_not_end_before_it_starts() -> None:
    """An end before the start is refused, one at the start is not."""
    session = session_in("running")
    assert interviews.completion_problem(session, NOON - timedelta(seconds=1), NOON) is not None
    assert interviews.completion_problem(session, NOON, NOON) is None


def test_the_guide_settles_at_the_start() -> None:
    """Before the start no question can be ticked, afterwards only those of the guide."""
    assert interviews.question_problem(session_in("planned"), 1) is not None
    assert [interviews.question_problem(session_in("running"), number) is None for number in (0, 1, 2)] == [
        False,
        True,
        False,
    ]


def test_a_note_knows_how_far_the_session_is() -> None:
    """While a session runs its clock counts from the start, never below zero; otherwise there is none."""
    running = session_in("running")
    assert interviews.seconds_into(running, NOON + timedelta(minutes=2)) == 120.0
    assert interviews.seconds_into(running, NOON - timedelta(minutes=2)) == 0.0
    assert interviews.seconds_into(session_in("completed"), NOON) is None


def test_the_built_in_guide_is_open() -> None:
    """The built-in guide has seven questions, each one sentence or two that end in a question mark or ask to tell."""
    assert len(BUILT_IN.questions) == 7
    assert [question for question in BUILT_IN.questions if question.startswith(("Do ", "Would ", "Is ", "Are "))] == []


def test_the_day_is_the_readers() -> None:
    """What is due today depends on the reader's zone; running, later and missed sessions stand apart."""
    evening = Session("evening", "p", starts_at=datetime(2026, 3, 2, 23, 30, tzinfo=UTC))
    morning = Session("morning", "p", starts_at=datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
    yesterday = Session("yesterday", "p", starts_at=datetime(2026, 3, 1, 9, 0, tzinfo=UTC))
    running = session_in("running")
    everything = [yesterday, morning, running, evening]
    in_utc = arrange(everything, NOON, UTC)
    assert (in_utc.running, in_utc.today, in_utc.upcoming, in_utc.missed) == (
        (running,),
        (morning, evening),
        (),
        (yesterday,),
    )
    in_berlin = arrange(everything, NOON, ZoneInfo("Europe/Berlin"))
    assert (in_berlin.today, in_berlin.upcoming) == ((morning,), (evening,))
