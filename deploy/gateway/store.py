"""All of the gateway's SQL: sessions and used sign-in links."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from shared.runtime.database import Connection, Pool

Asked: TypeAlias = "Connection | Pool"

SEEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Session:
    """Who is signed in, and by which cookie."""

    digest: bytes
    subject: str
    role: str
    name: str | None
    seen_at: datetime


async def add_session(
    connection: Asked,
    digest: bytes,
    *,
    subject: str,
    role: str,
    name: str | None,
    id_token: str | None,
    now: datetime,
    expires_at: datetime,
) -> None:
    """Begin a session, and forget what ended long ago."""
    await connection.execute("DELETE FROM sessions WHERE expires_at <= $1", now)
    await connection.execute(
        """
        INSERT INTO sessions (digest, subject, role, name, id_token, started_at, seen_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $6, $7)
        """,
        digest,
        subject,
        role,
        name,
        id_token,
        now,
        expires_at,
    )


async def find_session(connection: Asked, digest: bytes, *, now: datetime, idle: timedelta) -> Session | None:
    """The session, unless it ended or nobody used it for as long as `idle`."""
    row = await connection.fetchrow(
        """
        SELECT digest, subject, role, name, seen_at FROM sessions
        WHERE digest = $1 AND expires_at > $2 AND seen_at > $3
        """,
        digest,
        now,
        now - idle,
    )
    return Session(**row) if row else None


async def touch_session(connection: Asked, session: Session, *, now: datetime) -> None:
    """Note that the session is used; at most once a minute."""
    if now - session.seen_at >= SEEN_EVERY:
        await connection.execute("UPDATE sessions SET seen_at = $2 WHERE digest = $1", session.digest, now)


async def end_session(connection: Asked, digest: bytes) -> str | None:
    """End the session; gives the ID token it began with, if it has one."""
    id_token: str | None = await connection.fetchval(
        "DELETE FROM sessions WHERE digest = $1 RETURNING id_token", digest
    )
    return id_token


async def count_sessions(connection: Asked) -> int:
    return int(await connection.fetchval("SELECT count(*) FROM sessions"))


async def link_was_used(connection: Asked, link: str) -> bool:
    return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM used_links WHERE link = $1)", link))


async def use_link(connection: Asked, link: str, *, now: datetime, expires_at: datetime) -> bool:
    """Whether this is the link's first use, at whichever gateway."""
    await connection.execute("DELETE FROM used_links WHERE expires_at <= $1", now)
    first = await connection.fetchval(
        "INSERT INTO used_links (link, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING true",
        link,
        expires_at,
    )
    return bool(first)
