"""What people do with a session, the same from a page as over the API: add, start, tick, note, transcribe, complete."""

import asyncio
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from services.sessions import interviews, store, store_room, uploads
from services.sessions.guides import Guide
from services.sessions.interviews import Session
from services.sessions.store_room import Note
from services.sessions.transcripts import TranscriptError
from services.sessions.uploads import Transcript
from shared.contract import events, parts
from shared.contract.types import Segment
from shared.runtime import Transaction, conflict, not_found, unprocessable


async def find(tx: Transaction, session_id: str) -> Session:
    session = await store.find_session(tx.connection, session_id)
    if session is None:
        raise not_found("session", session_id)
    return session


async def add(tx: Transaction, session: Session, *, given: frozenset[str]) -> tuple[Session, bool]:
    """Add an ad-hoc session; says whether it is new.

    A repeated request finds the session that is there, if it agrees in the `given` fields.
    """
    await store.lock(tx.connection, f"participant {session.participant_id}", f"session {session.session_id}")
    present = await store.find_session(tx.connection, session.session_id)
    if present is not None:
        differing = sorted(name for name in given if getattr(present, name) != getattr(session, name))
        if differing:
            raise conflict(
                f"There is another session {session.session_id!r} that differs in {', '.join(differing)}; "
                "leave session_id out or choose another."
            )
        return present, False
    if await store.erased_at(tx.connection, session.participant_id):
        raise conflict("The participant asked to be forgotten; no session may be added.")
    await store.save_session(tx.connection, session)
    return session, True


async def start(tx: Transaction, session_id: str, started_at: datetime | None = None) -> Session:
    """Start the session with the guide that is current now; a running one stays as it is."""
    session = await _locked(tx, session_id)
    if session.state == "running":
        return session
    at = started_at or tx.now
    _refuse(interviews.start_problem(session, at, tx.now))
    session = interviews.started(session, at, await store_room.current_guide(tx.connection, session.study_id))
    await store.save_session(tx.connection, session)
    return session


async def mark_asked(tx: Transaction, session_id: str, number: int, *, asked: bool) -> set[int]:
    """Tick or untick a question of the guide; gives the numbers of all that were asked."""
    session = await _locked(tx, session_id)
    _refuse(interviews.question_problem(session, number))
    if asked:
        await store_room.tick(tx.connection, session_id, number, tx.now)
    else:
        await store_room.untick(tx.connection, session_id, number)
    return await store_room.asked_questions(tx.connection, session_id)


async def add_note(
    tx: Transaction,
    session_id: str,
    *,
    author: str,
    kind: store_room.NoteKind,
    text: str,
    note_id: str | None = None,
    at_seconds: float | None = None,
) -> tuple[Note, bool]:
    """Add a note; says whether it is new. Without a time of its own it gets the present one while the session runs."""
    session = await _locked(tx, session_id)
    _refuse(interviews.note_problem(session))
    at = interviews.seconds_into(session, tx.now) if at_seconds is None else at_seconds
    note = Note(note_id or str(uuid4()), session_id, author, kind, text, at, tx.now)
    present = await store_room.add_note(tx.connection, note)
    if present is None:
        return note, True
    repeated = replace(note, written_at=present.written_at)
    if at_seconds is None:
        repeated = replace(repeated, at_seconds=present.at_seconds)
    if repeated != present:
        raise conflict(f"There is another note {note.note_id!r}; leave note_id out or choose another.")
    return present, False


async def attach_transcript(
    tx: Transaction, session_id: str, content: bytes, *, plain: bool, moderator: str | None, author: str
) -> Transcript:
    """Keep a transcript's file with what was read from it, in place of an earlier one."""
    try:
        # Reading megabytes takes long enough to keep other requests waiting.
        transcript = await asyncio.to_thread(uploads.read_transcript, content, plain=plain, moderator=moderator)
    except TranscriptError as wrong:
        raise unprocessable(f"The transcript cannot be used: {wrong}.") from None
    session = await _locked(tx, session_id)
    present = await store_room.find_transcript(tx.connection, session_id)
    if present is not None and present.sha256 == transcript.sha256 and moderator in {None, present.moderator}:
        return present
    _refuse(interviews.transcript_problem(session))
    await store_room.save_transcript(tx.connection, session_id, transcript, author=author, now=tx.now)
    return transcript


async def complete(
    tx: Transaction,
    session_id: str,
    *,
    public_url: str,
    completed_at: datetime | None = None,
    moderator: str | None = None,
) -> Session:
    """Complete the session, measure how well was listened, and tell the other services once.

    `moderator` is the moderator's name in the transcript.
    """
    session = await _locked(tx, session_id)
    if session.state == "completed":
        return session
    at = completed_at or tx.now
    _refuse(interviews.completion_problem(session, at, tx.now))
    transcript = await _transcript_with(tx, session_id, moderator)
    listening = await asyncio.to_thread(uploads.listening_in, transcript) if transcript else None
    session = interviews.completed(session, at, listening)
    await store.save_session(tx.connection, session)
    await tx.publish(_completion(session, transcript, public_url))
    return session


async def publish_guide(tx: Transaction, study_id: str, questions: tuple[str, ...], author: str) -> Guide:
    """Make these the study's questions from now on; the same ones again make no new version."""
    await store.lock(tx.connection, f"guide {study_id}")
    current = await store_room.current_guide(tx.connection, study_id)
    if current.questions == questions and current.version > 0:
        return current
    guide = Guide(current.version + 1, questions)
    await store_room.add_guide(tx.connection, study_id, guide, author=author, now=tx.now)
    return guide


async def _locked(tx: Transaction, session_id: str) -> Session:
    session = await store.lock_session(tx.connection, session_id)
    if session is None:
        raise not_found("session", session_id)
    return session


def _refuse(problem: str | None) -> None:
    if problem is not None:
        raise conflict(problem)


async def _transcript_with(tx: Transaction, session_id: str, moderator: str | None) -> Transcript | None:
    transcript = await store_room.find_transcript(tx.connection, session_id)
    if moderator is None:
        return transcript
    if transcript is None:
        raise unprocessable("There is no transcript to find the moderator in; upload it first or leave moderator out.")
    try:
        speaker = uploads.find_speaker(transcript.passages, moderator)
    except TranscriptError as wrong:
        raise unprocessable(f"The moderator is not known: {wrong}.") from None
    await store_room.set_moderator(tx.connection, session_id, speaker)
    return replace(transcript, moderator=speaker)


def _completion(session: Session, transcript: Transcript | None, public_url: str) -> events.SessionCompleted:
    assert session.completed_at is not None
    address = f"{public_url.rstrip('/')}/sessions/api/v1/sessions/{session.session_id}/transcript"
    heard = session.listening
    return events.SessionCompleted(
        session_id=session.session_id,
        interview_id=session.interview_id,
        request_id=session.request_id,
        study_id=session.study_id,
        participant_id=session.participant_id,
        moderator_id=session.moderator_id,
        started_at=session.started_at,
        completed_at=session.completed_at,
        transcript=parts.Transcript(url=address, format=transcript.format, sha256=transcript.sha256)
        if transcript
        else None,
        listening=parts.Listening(
            moderator_talk_share=heard.moderator_talk_share,
            longest_monologue_seconds=heard.longest_monologue_seconds,
            moderator_questions=heard.moderator_questions,
        )
        if heard
        else parts.Listening(),
        segment=Segment.model_validate(session.segment),
    )
