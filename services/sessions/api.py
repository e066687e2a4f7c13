"""The JSON endpoints: sessions and their steps, notes, transcripts, guides."""

from collections.abc import Sequence
from typing import Any, get_args
from uuid import uuid4

from fastapi import APIRouter, Request, Response

from services.sessions import room, store, store_room, uploads
from services.sessions.interviews import Session, State
from services.sessions.schemas import (
    AskedAnswer,
    Completion,
    GuideAnswer,
    NewGuide,
    NewNote,
    NewSession,
    NoteAnswer,
    SessionAnswer,
    Start,
    TranscriptAnswer,
    Turn,
)
from shared.contract.types import Id, Line
from shared.runtime import Limit, NoteTaker, Problem, Researcher, Tx, Viewer, known_already, not_found

router = APIRouter(prefix="/api/v1")

MEDIA_TYPES = {"vtt": "text/vtt", "srt": "application/x-subrip", "text": "text/plain"}
UPLOAD: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {media_type: {"schema": {"type": "string"}} for media_type in MEDIA_TYPES.values()},
    }
}


@router.get("/sessions", tags=["sessions"], summary="Sessions; planned ones soonest first, others newest first")
async def list_sessions(
    tx: Tx, _who: Viewer, state: State | None = None, limit: Limit = 100
) -> Sequence[SessionAnswer]:
    states = [state] if state else get_args(State)
    found = await store.list_sessions(tx.connection, states, limit=limit, soonest_first=state == "planned")
    return [SessionAnswer.model_validate(session) for session in found]


@router.post(
    "/sessions",
    tags=["sessions"],
    summary="Add a session without a booking",
    status_code=201,
    responses=known_already(SessionAnswer),
)
async def add_session(body: NewSession, response: Response, tx: Tx, _who: Researcher) -> SessionAnswer:
    wanted = Session(
        session_id=body.session_id or str(uuid4()),
        participant_id=body.participant_id,
        study_id=body.study_id,
        moderator_id=body.moderator_id,
        note_taker_id=body.note_taker_id,
        starts_at=body.starts_at or tx.now,
        ends_at=body.ends_at,
        timezone=body.timezone,
        questions=body.questions,
        segment=body.segment.model_dump(exclude_none=True),
    )
    session, new = await room.add(tx, wanted, given=frozenset(body.model_fields_set))
    response.status_code = 201 if new else 200
    return SessionAnswer.model_validate(session)


@router.get("/sessions/{session_id}", tags=["sessions"], summary="One session")
async def get_session(session_id: Id, tx: Tx, _who: Viewer) -> SessionAnswer:
    return SessionAnswer.model_validate(await room.find(tx, session_id))


@router.post("/sessions/{session_id}/start", tags=["sessions"], summary="Start; settles the guide")
async def start_session(session_id: Id, tx: Tx, _who: NoteTaker, body: Start | None = None) -> SessionAnswer:
    return SessionAnswer.model_validate(await room.start(tx, session_id, body.started_at if body else None))


@router.post("/sessions/{session_id}/complete", tags=["sessions"], summary="Complete; tells other services, once")
async def complete_session(
    session_id: Id, request: Request, tx: Tx, _who: NoteTaker, body: Completion | None = None
) -> SessionAnswer:
    body = body or Completion()
    session = await room.complete(
        tx,
        session_id,
        public_url=request.app.state.settings.public_url,
        completed_at=body.completed_at,
        moderator=body.moderator,
    )
    return SessionAnswer.model_validate(session)


@router.get("/sessions/{session_id}/asked", tags=["sessions"], summary="Which questions of the guide were asked")
async def get_asked(session_id: Id, tx: Tx, _who: Viewer) -> AskedAnswer:
    await room.find(tx, session_id)
    return AskedAnswer(asked=tuple(sorted(await store_room.asked_questions(tx.connection, session_id))))


@router.put("/sessions/{session_id}/asked/{number}", tags=["sessions"], summary="Tick a question")
async def tick(session_id: Id, number: int, tx: Tx, _who: NoteTaker) -> AskedAnswer:
    return AskedAnswer(asked=tuple(sorted(await room.mark_asked(tx, session_id, number, asked=True))))


@router.delete("/sessions/{session_id}/asked/{number}", tags=["sessions"], summary="Untick a question")
async def untick(session_id: Id, number: int, tx: Tx, _who: NoteTaker) -> AskedAnswer:
    return AskedAnswer(asked=tuple(sorted(await room.mark_asked(tx, session_id, number, asked=False))))


@router.get("/sessions/{session_id}/notes", tags=["notes"], summary="A session's notes, as they were written")
async def list_notes(session_id: Id, tx: Tx, _who: Viewer, limit: Limit = 1000) -> Sequence[NoteAnswer]:
    await room.find(tx, session_id)
    return [NoteAnswer.model_validate(note) for note in await store_room.list_notes(tx.connection, session_id, limit)]


@router.post(
    "/sessions/{session_id}/notes",
    tags=["notes"],
    summary="Write a note",
    status_code=201,
    responses=known_already(NoteAnswer),
)
async def add_note(session_id: Id, body: NewNote, response: Response, tx: Tx, who: NoteTaker) -> NoteAnswer:
    note, new = await room.add_note(
        tx,
        session_id,
        author=who.subject,
        kind=body.kind,
        text=body.text,
        note_id=body.note_id,
        at_seconds=body.at_seconds,
    )
    response.status_code = 201 if new else 200
    return NoteAnswer.model_validate(note)


@router.put(
    "/sessions/{session_id}/transcript",
    tags=["transcripts"],
    summary="Upload the transcript: WebVTT, SRT or plain text, at most 5 MB",
    openapi_extra=UPLOAD,
)
async def put_transcript(
    session_id: Id, request: Request, tx: Tx, who: NoteTaker, moderator: Line | None = None
) -> TranscriptAnswer:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in MEDIA_TYPES.values():
        accepted = ", ".join(MEDIA_TYPES.values())
        raise Problem(415, "Not a transcript", f"The Content-Type is {media_type!r}; send one of {accepted}.")
    transcript = await room.attach_transcript(
        tx,
        session_id,
        await request.body(),
        plain=media_type == MEDIA_TYPES["text"],
        moderator=moderator,
        author=who.subject,
    )
    return TranscriptAnswer(
        format=transcript.format,
        sha256=transcript.sha256,
        speakers=tuple(uploads.speakers(transcript.passages)),
        moderator=transcript.moderator,
        turns=len(transcript.passages),
    )


@router.get(
    "/sessions/{session_id}/transcript",
    tags=["transcripts"],
    summary="The transcript's bytes as they were uploaded",
    response_class=Response,
    responses={200: {"content": {media_type: {} for media_type in MEDIA_TYPES.values()}}},
)
async def get_transcript(session_id: Id, tx: Tx, _who: Viewer) -> Response:
    file = await store_room.find_file(tx.connection, session_id)
    if file is None:
        raise not_found("transcript of session", session_id)
    file_format, content = file
    ending = "txt" if file_format == "text" else file_format
    headers = {
        # As it is: Starlette would add a charset to text types, and the bytes say theirs themselves.
        "Content-Type": MEDIA_TYPES[file_format],
        "Content-Disposition": f'attachment; filename="{session_id}.{ending}"',
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, headers=headers)


@router.get("/sessions/{session_id}/turns", tags=["transcripts"], summary="Who said what, and when")
async def get_turns(session_id: Id, tx: Tx, _who: Viewer) -> Sequence[Turn]:
    transcript = await store_room.find_transcript(tx.connection, session_id)
    if transcript is None:
        raise not_found("transcript of session", session_id)
    return [Turn.model_validate(passage) for passage in transcript.passages]


@router.get("/guides/{study_id}", tags=["guides"], summary="A study's current guide, or the built-in one")
async def get_guide(study_id: Id, tx: Tx, _who: Viewer) -> GuideAnswer:
    guide = await store_room.current_guide(tx.connection, study_id)
    return GuideAnswer(study_id=study_id, version=guide.version, questions=guide.questions)


@router.put("/guides/{study_id}", tags=["guides"], summary="Replace a study's guide with a new version")
async def put_guide(study_id: Id, body: NewGuide, tx: Tx, who: Researcher) -> GuideAnswer:
    guide = await room.publish_guide(tx, study_id, body.questions, who.subject)
    return GuideAnswer(study_id=study_id, version=guide.version, questions=guide.questions)
