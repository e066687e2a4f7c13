"""What here follows from other services' events, and can be derived from them again."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from services.sessions.store import Connection

TABLES: Mapping[str, str] = MappingProxyType(
    {
        "sessions": "SELECT * FROM sessions",
        "guides": "SELECT * FROM guides",
        "asked_questions": "SELECT * FROM asked_questions",
        "notes": "SELECT * FROM notes",
        "transcripts": "SELECT * FROM transcripts",
        "erasures": "SELECT * FROM erasures",
    }
)


async def empty(connection: Connection) -> None:
    """Booked sessions that nobody has worked with go; where somebody has, or was forgotten, the session stays."""
    await connection.execute(
        """
        DELETE FROM sessions
         WHERE interview_id IS NOT NULL AND erased_at IS NULL AND state IN ('planned', 'cancelled')
           AND session_id NOT IN (SELECT session_id FROM notes)
           AND session_id NOT IN (SELECT session_id FROM transcripts)
        """
    )
