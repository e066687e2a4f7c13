"""The SQL of what lies on the interview room's table: guides, asked questions, notes and transcripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from services.sessions.guides import BUILT_IN, Guide
from services.sessions.uploads import Format, Passage, Transcript

if TYPE_CHECKING:
    import asyncpg

    from services.sessions.store import Connection

NoteKind = Literal["note", "quote", "bookmark"]


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody on our side wrote down; `at_seconds` from the session's start."""

    note_id: str
    session_id: str
    author: str
    kind: NoteKind
    text: str
    at_seconds: float | None
    written_at: datetime


async def current_guide(connection: Connection, study_id: str | None) -> Guide:
    """The study's newest guide; the built-in one where there is none."""
    row = await connection.fetchrow(
        "SELECT version, questions FROM guides WHERE study_id = $1 ORDER BY version DESC LIMIT 1", study_id
    )
    return Guide(row["version"], tuple(row["questions"])) if row else BUILT_IN


async def add_guide(connection: Connection, study_id: str, guide: Guide, *, author: str, now: datetime) -> None:
    await connection.execute(
        """
        INSERT INTO guides (study_id, version, questions, published_by, published_at)
        VALUES ($1, $2, $3, $4, $5)
        """,
        study_id,
        guide.version,
        list(guide.questions),
        author,
        now,
    )


async def asked_questions(connection: Connection, session_id: str) -> set[int]:
    """The numbers, from 1, of the guide's questions that were asked."""
    rows = await connection.fetch("SELECT number FROM asked_questions WHERE session_id = $1", session_id)
    return {row["number"] for row in rows}


async def tick(connection: Connection, session_id: str, number: int, now: datetime) -> None:
    await connection.execute(
        "INSERT INTO asked_questions (session_id, number, asked_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        session_id,
        number,
        now,
    )


async def untick(connection: Connection, session_id: str, number: int) -> None:
    await connection.execute("DELETE FROM asked_questions WHERE session_id = $1 AND number = $2", session_id, number)


async def add_note(connection: Connection, note: Note) -> Note | None:
    """Add the note; where its id is taken, change nothing and give the note that has it."""
    added = await connection.fetchval(
        """
        INSERT INTO notes (note_id, session_id, author, kind, text, at_seconds, written_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (note_id) DO NOTHING
        RETURNING true
        """,
        note.note_id,
        note.session_id,
        note.author,
        note.kind,
        note.text,
        note.at_seconds,
        note.written_at,
    )
    if added:
        return None
    row = await connection.fetchrow(
        "SELECT note_id, session_id, author, kind, text, at_seconds, written_at FROM notes WHERE note_id = $1",
        note.note_id,
    )
    return _note(row) if row else None


async def list_notes(connection: Connection, session_id: str, limit: int) -> list[Note]:
    """The session's first notes, in the order they were written."""
    rows = await connection.fetch(
        """
        SELECT note_id, session_id, author, kind, text, at_seconds, written_at
          FROM notes
         WHERE session_id = $1
         ORDER BY written_at, note_id
         LIMIT $2
        """,
        session_id,
        limit,
    )
    return [_note(row) for row in rows]


async def save_transcript(
    connection: Connection, session_id: str, transcript: Transcript, *, author: str, now: datetime
) -> None:
    """Keep the transcript in place of an earlier one."""
    await connection.execute(
        """
        INSERT INTO transcripts (session_id, format, content, sha256, passages, moderator, uploaded_by, uploaded_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (session_id) DO UPDATE
           SET format = excluded.format, content = excluded.content, sha256 = excluded.sha256,
               passages = excluded.passages, moderator = excluded.moderator,
               uploaded_by = excluded.uploaded_by, uploaded_at = excluded.uploaded_at
        """,
        session_id,
        transcript.format,
        transcript.content,
        transcript.sha256,
        [asdict(passage) for passage in transcript.passages],
        transcript.moderator,
        author,
        now,
    )


async def set_moderator(connection: Connection, session_id: str, moderator: str | None) -> None:
    await connection.execute("UPDATE transcripts SET moderator = $2 WHERE session_id = $1", session_id, moderator)


async def find_transcript(connection: Connection, session_id: str) -> Transcript | None:
    row = await connection.fetchrow(
        "SELECT format, content, sha256, passages, moderator FROM transcripts WHERE session_id = $1", session_id
    )
    if row is None:
        return None
    return Transcript(row["format"], row["content"], row["sha256"], _passages(row["passages"]), row["moderator"])


async def find_file(connection: Connection, session_id: str) -> tuple[Format, bytes] | None:
    """The transcript's file as it was uploaded, without the cost of what was read from it."""
    row = await connection.fetchrow("SELECT format, content FROM transcripts WHERE session_id = $1", session_id)
    return (row["format"], row["content"]) if row else None


def _note(row: asyncpg.Record) -> Note:
    return Note(**dict(row))


def _passages(stored: Sequence[Mapping[str, Any]]) -> tuple[Passage, ...]:
    return tuple(Passage(**passage) for passage in stored)
