"""The SQL of who is told of what: subscriptions, what changed, and who waits for the news."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from services.roadmap.ideas import Status

if TYPE_CHECKING:
    from .connection import Connection


@dataclass(frozen=True, slots=True)
class Followed:
    """An idea somebody is told of, because they asked for it or voted for it."""

    feature_id: str
    title: str


@dataclass(frozen=True, slots=True)
class Change:
    """A change of an idea that nobody has been told of; `is_first` where it began on its place."""

    feature_id: str
    status: Status
    status_version: int
    known: Status
    changed_at: datetime
    is_first: bool


@dataclass(frozen=True, slots=True)
class Notice:
    """One change that one person is to be told of; `status_name` is the company's own, None for one without a name.

    `through` is the title of the absorbed idea that makes them a follower, None for who follows the idea itself.
    """

    feature_id: str
    status_version: int
    title: str
    status: Status
    status_name: str | None
    note: str | None
    through: str | None


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who waits for news, and how they are reached."""

    person_id: str
    email: str
    name: str | None
    language: str
    unsubscribe: str


# Whether a person asked not to hear of one of `ideas`, or of what it was merged into by the time they asked.
_REFUSED = """
    EXISTS (SELECT FROM subscriptions AS said
             WHERE said.person_id = follower.person_id AND NOT said.wanted
               AND said.changed_at >= (
                   WITH RECURSIVE above (feature_id, since) AS (
                       SELECT ideas.feature_id, '-infinity'::timestamptz
                       UNION ALL
                       SELECT into_id, merged_at FROM above JOIN merges USING (feature_id)
                        WHERE unmerged_at IS NULL
                   )
                   SELECT since FROM above WHERE above.feature_id = said.feature_id))
"""

FOLLOWERS = f"""
    SELECT coalesce(merged_into, ideas.feature_id) AS feature_id, person_id
      FROM ideas JOIN subscriptions AS follower USING (feature_id)
     WHERE wanted AND NOT {_REFUSED}
    UNION
    SELECT follower.feature_id, person_id
      FROM standing_votes AS follower JOIN ideas ON coalesce(merged_into, ideas.feature_id) = follower.feature_id
           JOIN votes ON (votes.feature_id, votes.voter_id) = (ideas.feature_id, follower.person_id)
     WHERE follower.vote = 'up' AND votes.vote = 'up' AND NOT {_REFUSED}
"""  # noqa: S608 - made of constants
"""Everybody who asked for it or has voted for it without asking not to hear of it, by the surviving idea.

Of ideas that are merged whoever follows one follows the survivor. Whoever refuses a survivor refuses all that was
merged into it by then; each follows what is their own again when the ideas are parted.
"""


async def subscribe(connection: Connection, feature_id: str, person_id: str, *, wanted: bool, now: datetime) -> None:
    await connection.execute(
        """
        INSERT INTO subscriptions (feature_id, person_id, wanted, changed_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (feature_id, person_id) DO UPDATE SET wanted = excluded.wanted, changed_at = excluded.changed_at
        """,
        feature_id,
        person_id,
        wanted,
        now,
    )


async def followed(connection: Connection, person_id: str) -> list[Followed]:
    """The ideas somebody is told of, by their titles."""
    rows = await connection.fetch(
        f"""
        SELECT feature_id, title FROM ({FOLLOWERS}) AS follower JOIN ideas USING (feature_id)
         WHERE person_id = $1 AND status_version > 0 ORDER BY lower(title), feature_id
        """,  # noqa: S608 - the query above
        person_id,
    )
    return [Followed(**row) for row in rows]


async def follows(connection: Connection, feature_id: str, person_id: str) -> bool:
    found: bool = await connection.fetchval(
        f"SELECT EXISTS (SELECT FROM ({FOLLOWERS}) AS follower WHERE (feature_id, person_id) = ($1, $2))",  # noqa: S608
        feature_id,
        person_id,
    )
    return found


async def move_subscriptions(connection: Connection, before: str, after: str) -> None:
    """What one id of a person subscribed to is the other's; what the other said stays."""
    await connection.execute(
        """
        INSERT INTO subscriptions (feature_id, person_id, wanted, changed_at)
        SELECT feature_id, $2, wanted, changed_at FROM subscriptions WHERE person_id = $1
        ON CONFLICT DO NOTHING
        """,
        before,
        after,
    )
    await connection.execute("DELETE FROM subscriptions WHERE person_id = $1", before)


async def person_of(connection: Connection, unsubscribe: str) -> str | None:
    """Whose mails carry this link."""
    person: str | None = await connection.fetchval("SELECT person_id FROM contacts WHERE unsubscribe = $1", unsubscribe)
    return person


async def want_mail(connection: Connection, person_id: str, *, wanted: bool) -> None:
    await connection.execute("UPDATE contacts SET wants_mail = $2 WHERE person_id = $1", person_id, wanted)


async def changes(connection: Connection) -> list[Change]:
    """The ideas that stand elsewhere than their people know, held so that nobody else tells of them.

    What is merged waits until it stands for itself again.
    """
    rows = await connection.fetch(
        """
        SELECT feature_id, ideas.status, status_version, coalesce(told.status, 'new') AS known,
               status_changed_at AS changed_at, told.status IS NULL AND status_version = 1 AS is_first
          FROM ideas LEFT JOIN told USING (feature_id)
         WHERE status_version > 0 AND merged_into IS NULL AND ideas.status <> coalesce(told.status, 'new')
         ORDER BY feature_id LIMIT 100 FOR UPDATE OF ideas SKIP LOCKED
        """
    )
    return [Change(**row) for row in rows]


async def expect_notices(connection: Connection, change: Change) -> None:
    """Have everybody who follows the idea told of the change, instead of one that they have not been told of yet.

    Whoever knows the status already, since it came back before they were told of another, hears nothing.
    """
    await connection.execute(
        f"""
        WITH gone AS (
            DELETE FROM notices WHERE feature_id = $1 AND mail_id IS NULL RETURNING person_id, known
        ), heard AS (
            SELECT DISTINCT ON (person_id) person_id, status FROM notices
             WHERE feature_id = $1 AND mail_id IS NOT NULL ORDER BY person_id, status_version DESC
        )
        INSERT INTO notices (feature_id, status_version, person_id, status, known, changed_at)
        SELECT feature_id, $2, person_id, $3, coalesce(gone.known, heard.status, $4), $5
          FROM ({FOLLOWERS}) AS follower JOIN contacts USING (person_id)
               LEFT JOIN gone USING (person_id) LEFT JOIN heard USING (person_id)
         WHERE feature_id = $1 AND wants_mail AND coalesce(gone.known, heard.status, $4) <> $3
        ON CONFLICT DO NOTHING
        """,  # noqa: S608 - the query above
        change.feature_id,
        change.status_version,
        change.status,
        change.known,
        change.changed_at,
    )


async def settle_change(connection: Connection, change: Change) -> None:
    """Its people know, or will be told, that the idea stands there."""
    await connection.execute(
        """
        INSERT INTO told (feature_id, status) VALUES ($1, $2)
        ON CONFLICT (feature_id) DO UPDATE SET status = excluded.status
        """,
        change.feature_id,
        change.status,
    )


async def waiting_readers(
    connection: Connection, quiet_since: datetime, at_latest: datetime, limit: int
) -> list[Reader]:
    """Who is to be written to now: nothing of theirs moved since `quiet_since`, or something waits from `at_latest`."""
    rows = await connection.fetch(
        """
        SELECT person_id, email, name, language, unsubscribe FROM contacts
         WHERE wants_mail
           AND person_id IN (SELECT person_id FROM notices JOIN ideas USING (feature_id)
                              WHERE mail_id IS NULL AND merged_into IS NULL GROUP BY person_id
                             HAVING max(changed_at) <= $1 OR min(changed_at) <= $2)
         ORDER BY person_id LIMIT $3 FOR UPDATE SKIP LOCKED
        """,
        quiet_since,
        at_latest,
        limit,
    )
    return [Reader(**row) for row in rows]


async def notices_of(connection: Connection, person_id: str, quiet_since: datetime) -> list[Notice]:
    """What the person waits for that has stood still since then."""
    rows = await connection.fetch(
        """
        SELECT feature_id, notices.status_version, title, notices.status, statuses.name AS status_name,
               status_note AS note, through
          FROM notices JOIN ideas USING (feature_id)
               LEFT JOIN LATERAL (
                   SELECT CASE WHEN own.merged_into IS NOT NULL THEN own.title END AS through FROM ideas AS own
                    WHERE coalesce(own.merged_into, own.feature_id) = notices.feature_id
                      AND (EXISTS (SELECT FROM subscriptions AS asked
                                    WHERE (asked.feature_id, asked.person_id) = (own.feature_id, notices.person_id)
                                      AND wanted)
                           OR EXISTS (SELECT FROM votes WHERE vote = 'up'
                                         AND (votes.feature_id, voter_id) = (own.feature_id, notices.person_id)))
                    ORDER BY own.merged_into NULLS FIRST, own.title LIMIT 1
               ) AS reason ON true
               LEFT JOIN statuses ON statuses.status_id = coalesce(ideas.status_id, ideas.status)
         WHERE person_id = $1 AND mail_id IS NULL AND merged_into IS NULL AND changed_at <= $2
         ORDER BY changed_at, feature_id
        """,
        person_id,
        quiet_since,
    )
    return [Notice(**row) for row in rows]


async def mark_told(connection: Connection, person_id: str, notices: Sequence[Notice], mail_id: UUID) -> None:
    await connection.execute(
        """
        UPDATE notices SET mail_id = $2
          FROM unnest($3::text[], $4::integer[]) AS given (feature_id, status_version)
         WHERE person_id = $1
           AND (notices.feature_id, notices.status_version) = (given.feature_id, given.status_version)
        """,
        person_id,
        mail_id,
        [notice.feature_id for notice in notices],
        [notice.status_version for notice in notices],
    )


async def drop_notices(connection: Connection, person_id: str) -> None:
    """Tell the person nothing that still waits."""
    await connection.execute("DELETE FROM notices WHERE person_id = $1 AND mail_id IS NULL", person_id)


async def drop_unfollowed(connection: Connection, person_id: str) -> None:
    """Tell the person nothing that still waits of ideas that they have ceased to follow."""
    await connection.execute(
        f"""
        DELETE FROM notices USING ideas
         WHERE person_id = $1 AND mail_id IS NULL AND notices.feature_id = ideas.feature_id AND merged_into IS NULL
           AND notices.feature_id NOT IN (SELECT feature_id FROM ({FOLLOWERS}) AS followed WHERE person_id = $1)
        """,  # noqa: S608 - the query above
        person_id,
    )
