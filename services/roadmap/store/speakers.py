"""The SQL of who speaks at the board: people, their contact details, sign-in links and sessions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from .connection import Connection

Kind = Literal["customer", "prospect", "anonymous"]
Trust = Literal["new", "trusted", "blocked"]


@dataclass(frozen=True, slots=True)
class Speaker:
    """Somebody who signed in at the board or is blocked there; `email` is None for whom we cannot write to."""

    person_id: str
    kind: Kind
    segment: dict[str, Any]
    trust: Trust
    approved: int
    joined_at: datetime
    name: str | None
    email: str | None
    language: str | None
    wants_mail: bool


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session; `is_next` says that the browser showed the secret that replaces the stored one."""

    person_id: str
    embedded: bool
    renewed_at: datetime
    is_next: bool


@dataclass(frozen=True, slots=True)
class Link:
    """A sign-in link that can still be used; `leads_to` is the page of ours that whoever signs in with it sees."""

    email: str
    visitor_id: str | None
    language: str
    leads_to: str


_SPEAKER = """
    SELECT person_id, kind, segment, trust, approved, joined_at, name, email, language,
           coalesce(wants_mail, false) AS wants_mail
      FROM speakers LEFT JOIN contacts USING (person_id)
"""


async def find_speaker(connection: Connection, person_id: str) -> Speaker | None:
    row = await connection.fetchrow(f"{_SPEAKER} WHERE person_id = $1", person_id)
    return Speaker(**row) if row else None


async def _hold_address(connection: Connection, email: str) -> None:
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('earshot address ' || $1, 0))", email)


async def speaker_at(connection: Connection, email: str) -> Speaker | None:
    """Whoever has this address; until the end of the transaction nobody else asks who has it, to take it."""
    await _hold_address(connection, email)
    row = await connection.fetchrow(f"{_SPEAKER} WHERE email = $1", email)
    return Speaker(**row) if row else None


async def keep_speaker(
    connection: Connection, person_id: str, kind: Kind, segment: dict[str, Any] | None, now: datetime
) -> None:
    """Note who somebody is; trust and what they wrote stay. Without a segment the known one stays too."""
    await connection.execute(
        """
        INSERT INTO speakers (person_id, kind, segment, joined_at) VALUES ($1, $2, coalesce($3, '{}'::jsonb), $4)
        ON CONFLICT (person_id) DO UPDATE SET kind = excluded.kind, segment = coalesce($3, speakers.segment)
        """,
        person_id,
        kind,
        segment,
        now,
    )


async def keep_contact(
    connection: Connection, person_id: str, email: str, name: str | None, language: str, unsubscribe: str
) -> None:
    """Note how somebody is reached; whoever else had the address has it no more."""
    await connection.execute("DELETE FROM contacts WHERE email = lower($1) AND person_id <> $2", email, person_id)
    await connection.execute(
        """
        INSERT INTO contacts (person_id, email, name, language, unsubscribe) VALUES ($1, lower($2), $3, $4, $5)
        ON CONFLICT (person_id) DO UPDATE
           SET email = excluded.email, name = coalesce(excluded.name, contacts.name), language = excluded.language
        """,
        person_id,
        email,
        name,
        language,
        unsubscribe,
    )


async def rename(connection: Connection, person_id: str, name: str | None, language: str) -> None:
    await connection.execute(
        "UPDATE contacts SET name = $2, language = $3 WHERE person_id = $1", person_id, name, language
    )


async def set_trust(connection: Connection, person_id: str, trust: Trust, now: datetime) -> Trust:
    """Trust or block somebody, known or not; gives what held before."""
    before: Trust | None = await connection.fetchval(
        """
        INSERT INTO speakers (person_id, kind, trust, joined_at) VALUES ($1, 'anonymous', $2, $3)
        ON CONFLICT (person_id) DO UPDATE SET trust = excluded.trust
        RETURNING old.trust
        """,
        person_id,
        trust,
        now,
    )
    return before or "new"


async def count_approval(connection: Connection, person_id: str, change: int, enough: int) -> None:
    """One more, or one fewer, of their texts was published; whoever has enough of them is trusted."""
    await connection.execute(
        """
        UPDATE speakers
           SET approved = greatest(approved + $2, 0),
               trust = CASE WHEN trust = 'new' AND approved + $2 >= $3 THEN 'trusted' ELSE trust END
         WHERE person_id = $1
        """,
        person_id,
        change,
        enough,
    )


async def give_account(connection: Connection, person_id: str, account_id: str) -> None:
    """Count somebody to an account whose value is known; others mean nothing yet."""
    await connection.execute(
        """
        INSERT INTO account_people (person_id, account_id)
        SELECT $1, account_id FROM accounts WHERE account_id = $2
        ON CONFLICT (person_id) DO UPDATE SET account_id = excluded.account_id
        """,
        person_id,
        account_id,
    )


async def add_link(connection: Connection, digest: bytes, link: Link, now: datetime, expires_at: datetime) -> None:
    await connection.execute(
        """
        INSERT INTO sign_in_links (digest, email, visitor_id, language, leads_to, asked_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        digest,
        link.email,
        link.visitor_id,
        link.language,
        link.leads_to,
        now,
        expires_at,
    )


async def links_since(connection: Connection, email: str, since: datetime) -> int:
    """How many links were sent there; until the end of the transaction nobody else counts them, to send one."""
    await _hold_address(connection, email)
    found: int = await connection.fetchval(
        "SELECT count(*) FROM sign_in_links WHERE email = $1 AND asked_at > $2", email, since
    )
    return found


async def find_link(connection: Connection, digest: bytes, now: datetime) -> Link | None:
    row = await connection.fetchrow(
        """
        SELECT email, visitor_id, language, leads_to FROM sign_in_links
         WHERE digest = $1 AND used_at IS NULL AND expires_at > $2
        """,
        digest,
        now,
    )
    return Link(**row) if row else None


async def use_link(connection: Connection, digest: bytes, now: datetime) -> Link | None:
    """The link, which nobody can use again."""
    row = await connection.fetchrow(
        """
        UPDATE sign_in_links SET used_at = $2 WHERE digest = $1 AND used_at IS NULL AND expires_at > $2
        RETURNING email, visitor_id, language, leads_to
        """,
        digest,
        now,
    )
    return Link(**row) if row else None


async def use_token(connection: Connection, digest: bytes, expires_at: datetime) -> bool:
    """Whether the identity token was not used before."""
    status = await connection.execute(
        "INSERT INTO used_tokens (digest, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING", digest, expires_at
    )
    return status == "INSERT 0 1"


async def begin_session(
    connection: Connection, digest: bytes, person_id: str, *, embedded: bool, now: datetime, expires_at: datetime
) -> None:
    await connection.execute(
        """
        INSERT INTO board_sessions (digest, person_id, embedded, renewed_at, expires_at) VALUES ($1, $2, $3, $4, $5)
        """,
        digest,
        person_id,
        embedded,
        now,
        expires_at,
    )


async def find_session(connection: Connection, digest: bytes, now: datetime) -> SessionRow | None:
    row = await connection.fetchrow(
        """
        SELECT person_id, embedded, renewed_at, digest <> $1 AS is_next FROM board_sessions
         WHERE (digest = $1 OR next_digest = $1) AND expires_at > $2
        """,
        digest,
        now,
    )
    return SessionRow(**row) if row else None


async def offer_secret(connection: Connection, digest: bytes, following: bytes) -> None:
    await connection.execute("UPDATE board_sessions SET next_digest = $2 WHERE digest = $1", digest, following)


async def renew_session(connection: Connection, following: bytes, now: datetime) -> None:
    """From now on the new secret alone counts."""
    await connection.execute(
        """
        UPDATE board_sessions SET digest = next_digest, next_digest = NULL, renewed_at = $2 WHERE next_digest = $1
        """,
        following,
        now,
    )


async def end_session(connection: Connection, digest: bytes) -> None:
    await connection.execute("DELETE FROM board_sessions WHERE digest = $1 OR next_digest = $1", digest)


async def end_sessions(connection: Connection, person_id: str) -> None:
    await connection.execute("DELETE FROM board_sessions WHERE person_id = $1", person_id)


async def tidy_speakers(connection: Connection, now: datetime) -> None:
    """Remove what has expired."""
    for table in ("sign_in_links", "used_tokens", "board_sessions"):
        await connection.execute(f"DELETE FROM {table} WHERE expires_at < $1::timestamptz - interval '1 hour'", now)  # noqa: S608


async def forget_speaker(connection: Connection, person_id: str) -> dict[str, int]:
    """Remove everything about somebody who spoke at the board; gives how many records of which table went."""
    statements = {
        "sign_in_links": """
            DELETE FROM sign_in_links WHERE visitor_id = $1
                OR email = (SELECT email FROM contacts WHERE contacts.person_id = $1)
        """,
        **{
            table: f"DELETE FROM {table} WHERE {column} = $1"  # noqa: S608 - the names below
            for table, column in (
                ("contacts", "person_id"),
                ("speakers", "person_id"),
                ("board_sessions", "person_id"),
                ("subscriptions", "person_id"),
                ("notices", "person_id"),
                ("anonymous_votes", "voter_id"),
                ("arrivals", "person_id"),
                ("decisions", "subject_id"),
            )
        },
        "imported": "DELETE FROM imported WHERE kind = 'person' AND own_id = $1",
    }
    removed = {}
    for table, statement in statements.items():
        removed[table] = int((await connection.execute(statement, person_id)).removeprefix("DELETE "))
    return removed
