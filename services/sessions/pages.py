"""The pages: the list of sessions, and the interview room of each."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from starlette.datastructures import UploadFile

from services.sessions import agenda, room, store, store_room, uploads
from services.sessions.guides import Guide
from services.sessions.interviews import Session
from services.sessions.store_room import NoteKind
from shared.contract.types import Id, Line, Paragraph
from shared.runtime import NoteTaker, Principal, Problem, Researcher, Transaction, Tx, Viewer
from shared.ui import FieldError, Pages, field_id, parse_form, redirect
from shared.ui.formats import reader_of

router = APIRouter(include_in_schema=False)
pages = Pages("sessions", Path(__file__).parent / "pages")

SHOWN = 200
"""Sessions of one kind on the list, notes in the room."""

UNPROCESSABLE = 422


class SessionForm(BaseModel):
    participant_id: Annotated[Id, Field(title="Participant")]
    study_id: Annotated[Id | None, Field(title="Study")] = None


class NoteForm(BaseModel):
    note_id: Id | None = None
    kind: NoteKind = "note"
    text: Annotated[Paragraph | None, Field(title="Note")] = None


class TickForm(BaseModel):
    asked: bool


class CompletionForm(BaseModel):
    moderator: Annotated[Line | None, Field(title="Moderator in the transcript")] = None


@router.get("/")
async def sessions_page(request: Request, tx: Tx, who: Viewer) -> Response:
    return await _list(request, tx, who)


@router.post("/sessions")
async def add_session(request: Request, tx: Tx, who: Researcher) -> Response:
    typed = await request.form()
    form, errors = parse_form(SessionForm, typed)
    if form is None:
        return await _list(request, tx, who, typed, errors)
    wanted = Session(
        session_id=str(uuid4()),
        participant_id=form.participant_id,
        study_id=form.study_id,
        moderator_id=who.id,
        starts_at=tx.now,
    )
    session, _ = await room.add(tx, wanted, given=frozenset())
    return redirect(request, f"/sessions/{session.session_id}", "The session is added; start it when you are ready.")


@router.get("/sessions/{session_id}")
async def room_page(session_id: Id, request: Request, tx: Tx, who: Viewer) -> Response:
    return await _room(request, tx, who, session_id)


@router.post("/sessions/{session_id}/start")
async def start(session_id: Id, request: Request, tx: Tx, _who: NoteTaker) -> Response:
    await room.start(tx, session_id)
    return redirect(request, f"/sessions/{session_id}")


@router.post("/sessions/{session_id}/asked/{number}")
async def mark_asked(session_id: Id, number: int, request: Request, tx: Tx, _who: NoteTaker) -> Response:
    form, _errors = parse_form(TickForm, await request.form())
    await room.mark_asked(tx, session_id, number, asked=form is None or form.asked)
    return redirect(request, f"/sessions/{session_id}")


@router.post("/sessions/{session_id}/notes")
async def add_note(session_id: Id, request: Request, tx: Tx, who: NoteTaker) -> Response:
    typed = await request.form()
    form, errors = parse_form(NoteForm, typed)
    if form is not None and form.text is None and form.kind != "bookmark":
        errors = [FieldError("text", "Write what was said or seen.", field_id("text"), "Note")]
    if form is None or errors:
        return await _room(request, tx, who, session_id, typed, errors)
    await room.add_note(tx, session_id, author=who.subject, kind=form.kind, text=form.text or "", note_id=form.note_id)
    return redirect(request, f"/sessions/{session_id}")


@router.post("/sessions/{session_id}/transcript")
async def upload_transcript(session_id: Id, request: Request, tx: Tx, who: NoteTaker) -> Response:
    typed = await request.form()
    file = typed.get("file")
    try:
        if not isinstance(file, UploadFile) or not file.filename:
            raise Problem(UNPROCESSABLE, "No file", "Choose the transcript's file.")
        plain = file.filename.lower().endswith(".txt")
        read = await room.attach_transcript(
            tx, session_id, await file.read(), plain=plain, moderator=None, author=who.subject
        )
    except Problem as wrong:
        if wrong.status != UNPROCESSABLE:
            raise
        errors = [FieldError("file", wrong.detail, field_id("file"), "File")]
        return await _room(request, tx, who, session_id, {}, errors)
    return redirect(request, f"/sessions/{session_id}", f"The transcript is kept: {len(read.passages)} turns.")


@router.post("/sessions/{session_id}/complete")
async def complete(session_id: Id, request: Request, tx: Tx, who: NoteTaker) -> Response:
    typed = await request.form()
    form, errors = parse_form(CompletionForm, typed)
    if form is None:
        return await _room(request, tx, who, session_id, typed, errors)
    public_url = request.app.state.settings.public_url
    await room.complete(tx, session_id, public_url=public_url, moderator=form.moderator)
    return redirect(request, f"/sessions/{session_id}", "The interview is completed, and the other services know.")


async def _list(
    request: Request,
    tx: Transaction,
    who: Principal,
    form: Mapping[str, object] | None = None,
    errors: Sequence[FieldError] = (),
) -> Response:
    due = await store.list_sessions(tx.connection, ["running", "planned"], limit=SHOWN, soonest_first=True)
    return pages.render(
        request,
        "sessions.html",
        status=UNPROCESSABLE if errors else 200,
        agenda=agenda.arrange(due, tx.now, reader_of(request).zone),
        completed=await store.list_sessions(tx.connection, ["completed"], limit=SHOWN),
        now=tx.now,
        may_add=who.role not in {"viewer", "note_taker"},
        form=form or {},
        errors=errors,
    )


async def _room(
    request: Request,
    tx: Transaction,
    who: Principal,
    session_id: str,
    form: Mapping[str, object] | None = None,
    errors: Sequence[FieldError] = (),
) -> Response:
    session = await room.find(tx, session_id)
    asked = await store_room.asked_questions(tx.connection, session_id)
    guide = await _guide(tx, session)
    transcript = await store_room.find_transcript(tx.connection, session_id)
    return pages.render(
        request,
        "room.html",
        status=UNPROCESSABLE if errors else 200,
        session=session,
        guide=guide,
        asked=asked,
        current=next((number for number in range(1, len(guide.questions) + 1) if number not in asked), None),
        notes=await store_room.list_notes(tx.connection, session_id, SHOWN),
        transcript=transcript,
        speakers=[(name, name) for name in uploads.speakers(transcript.passages)] if transcript else [],
        note_id=str(uuid4()),
        now=tx.now,
        may_write=who.role != "viewer",
        form=form or {},
        errors=errors,
    )


async def _guide(tx: Transaction, session: Session) -> Guide:
    """The guide the session followed; before its start the one it would follow."""
    if session.guide_questions is None or session.guide_version is None:
        return await store_room.current_guide(tx.connection, session.study_id)
    return Guide(session.guide_version, session.guide_questions)
