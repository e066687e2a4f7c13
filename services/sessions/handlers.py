"""What bookings and erasures do to sessions; late, repeated and reordered events change nothing that is newer."""

from uuid import uuid4

from services.sessions import interviews, store
from services.sessions.interviews import Booking, Session
from shared.contract.events import (
    BookedInterview,
    Interview,
    InterviewCancelled,
    InterviewRescheduled,
    InterviewScheduled,
    ParticipantErased,
)
from shared.runtime import Handlers, Person, Received, Rejected, Transaction, erasure

handlers = Handlers()


@handlers.on(InterviewScheduled)
async def plan(tx: Transaction, event: Received[InterviewScheduled]) -> None:
    await _book(tx, event.data)


@handlers.on(InterviewRescheduled)
async def move(tx: Transaction, event: Received[InterviewRescheduled]) -> None:
    # Complete in itself, so it plans the session too when it comes before the first booking.
    await _book(tx, event.data)


@handlers.on(InterviewCancelled)
async def cancel(tx: Transaction, event: Received[InterviewCancelled]) -> None:
    session = await _session_of(tx, event.data)
    if interviews.is_stale(session, event.data.version):
        return
    await store.save_session(tx.connection, interviews.cancelled(session, event.data.version))


@handlers.on(ParticipantErased)
async def forget(tx: Transaction, event: Received[ParticipantErased]) -> None:
    participant_id = event.data.participant_id
    await store.lock(tx.connection, f"participant {participant_id}")
    await store.record_erasure(tx.connection, participant_id, event.data.erased_at)
    sessions = await store.lock_sessions_of(tx.connection, participant_id)
    # One for all sessions, so that they still count as one person's.
    anonymous_id = f"erased-{uuid4()}"
    for session in sessions:
        await store.save_session(tx.connection, interviews.erased(session, anonymous_id, event.data.erased_at))
    removed = await store.remove_contents(tx.connection, [session.session_id for session in sessions])
    await erasure.complete(
        tx,
        Person((participant_id,)),
        event.data.erased_at,
        removed={"sessions": len(sessions), **removed},
        kept={
            "sessions": "that they took place, when, and how the moderator listened, under a random id",
            "asked_questions": "which questions of the guide were asked",
            "erasures": "a hash of the id, so that nothing late brings the person back",
        },
    )


async def _book(tx: Transaction, interview: BookedInterview) -> None:
    if interview.ends_at <= interview.starts_at:
        raise Rejected(
            f"interview {interview.interview_id} ends at {interview.ends_at.isoformat()}, not after it starts; "
            "correct ends_at and send it again"
        )
    session = await _session_of(tx, interview)
    overtaken = interviews.was_overtaken(session, interview.version)
    if interviews.is_stale(session, interview.version) and not overtaken:
        return
    booking = Booking(
        version=interview.version,
        moderator_id=interview.moderator_id,
        note_taker_id=interview.note_taker_id,
        starts_at=interview.starts_at,
        ends_at=interview.ends_at,
        timezone=interview.timezone,
        questions=interview.questions,
        segment=interview.segment.model_dump(exclude_none=True),
    )
    await store.save_session(tx.connection, interviews.booked(session, booking))


async def _session_of(tx: Transaction, interview: Interview) -> Session:
    """The interview's session, locked; a new one, not stored yet, where this is the first event about it."""
    session_id = interviews.session_id_of(interview.interview_id)
    # The participant too: an erasure that comes at the same moment must see this session or be seen here.
    await store.lock(tx.connection, f"participant {interview.participant_id}", f"session {session_id}")
    present = await store.lock_session(tx.connection, session_id)
    if present is not None:
        return present
    session = Session(
        session_id=session_id,
        participant_id=interview.participant_id,
        interview_id=interview.interview_id,
        request_id=interview.request_id,
        study_id=interview.study_id,
    )
    erased_at = await store.erased_at(tx.connection, interview.participant_id)
    return interviews.erased(session, f"erased-{uuid4()}", erased_at) if erased_at else session
