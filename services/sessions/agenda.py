"""A day's view of sessions: what runs, what is due today, what comes later, what waits to be tidied up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from services.sessions.interviews import Session


@dataclass(frozen=True, slots=True)
class Agenda:
    """Sessions that are not over, by when they are due; `missed` were planned for an earlier day."""

    running: tuple[Session, ...]
    today: tuple[Session, ...]
    upcoming: tuple[Session, ...]
    missed: tuple[Session, ...]


def arrange(sessions: Sequence[Session], now: datetime, zone: tzinfo) -> Agenda:
    """Sort running and planned sessions by their day in the reader's zone; each group keeps the order given."""
    day = now.astimezone(zone).date()
    planned = [
        (session, session.starts_at.astimezone(zone).date())
        for session in sessions
        if session.state == "planned" and session.starts_at is not None
    ]
    return Agenda(
        running=tuple(session for session in sessions if session.state == "running"),
        today=tuple(session for session, due in planned if due == day),
        upcoming=tuple(session for session, due in planned if due > day),
        missed=tuple(session for session, due in planned if due < day),
    )
