"""Subscriptions and their secrets."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from deploy.webhooks.filters import Condition
from deploy.webhooks.subscriptions import State, Subscription

if TYPE_CHECKING:
    from .connection import Connection, Row


async def add(connection: Connection, subscription: Subscription) -> bool:
    """Whether it is new; one with the same id is left as it is."""
    tag = await connection.execute(
        """
        INSERT INTO subscriptions (id, url, description, event_types, conditions, personal_data, state,
                                   created_at, created_by)
        VALUES ($1, $2, $3, $4, $5, $6, 'active', $7, $8)
        ON CONFLICT (id) DO NOTHING
        """,
        subscription.id,
        subscription.url,
        subscription.description,
        subscription.event_types,
        [asdict(condition) for condition in subscription.conditions],
        subscription.personal_data,
        subscription.created_at,
        subscription.created_by,
    )
    return bool(tag == "INSERT 0 1")


async def change(connection: Connection, subscription: Subscription) -> None:
    """Write what may be edited."""
    await connection.execute(
        """
        UPDATE subscriptions
           SET url = $2, description = $3, event_types = $4, conditions = $5, personal_data = $6
         WHERE id = $1
        """,
        subscription.id,
        subscription.url,
        subscription.description,
        subscription.event_types,
        [asdict(condition) for condition in subscription.conditions],
        subscription.personal_data,
    )


async def set_state(connection: Connection, identifier: UUID, state: State, reason: str | None = None) -> None:
    await connection.execute(
        "UPDATE subscriptions SET state = $2, reason = $3, failing_since = NULL WHERE id = $1",
        identifier,
        state,
        reason,
    )


async def set_failing(connection: Connection, identifier: UUID, since: datetime | None) -> None:
    await connection.execute("UPDATE subscriptions SET failing_since = $2 WHERE id = $1", identifier, since)


async def remove(connection: Connection, identifier: UUID) -> None:
    """With its secrets, deliveries and attempts; events that nobody else wants go with the housekeeping."""
    await connection.execute("DELETE FROM subscriptions WHERE id = $1", identifier)


async def find(connection: Connection, identifier: UUID, *, lock: bool = False) -> Subscription | None:
    """The subscription; with `lock` nobody else changes it or settles its deliveries meanwhile."""
    row = await connection.fetchrow(
        f"SELECT * FROM subscriptions WHERE id = $1 {'FOR NO KEY UPDATE' if lock else ''}",  # noqa: S608 - no input
        identifier,
    )
    return _subscription(row) if row else None


async def page(connection: Connection, limit: int) -> list[Subscription]:
    """Those that need somebody first, then the newest."""
    rows = await connection.fetch(
        """
        SELECT * FROM subscriptions
         ORDER BY state = 'disabled' DESC, failing_since IS NOT NULL DESC, created_at DESC, id LIMIT $1
        """,
        limit,
    )
    return [_subscription(row) for row in rows]


async def of_types(connection: Connection, event_types: Collection[str]) -> list[Subscription]:
    """Those to which events of the types may go; locked, so that they are not removed before the events are theirs."""
    rows = await connection.fetch(
        """
        SELECT * FROM subscriptions WHERE state <> 'disabled' AND event_types && $1::text[]
         ORDER BY id FOR KEY SHARE
        """,
        list(event_types),
    )
    return [_subscription(row) for row in rows]


async def put_secret(
    connection: Connection, identifier: UUID, sealed: str, now: datetime, overlap_ends: datetime
) -> None:
    """Make it the present secret; the former ones sign until `overlap_ends` at most."""
    await connection.execute(
        "UPDATE secrets SET ends_at = least(ends_at, $2) WHERE subscription_id = $1", identifier, overlap_ends
    )
    await connection.execute(
        "INSERT INTO secrets (id, subscription_id, sealed, created_at) VALUES ($1, $2, $3, $4)",
        uuid4(),
        identifier,
        sealed,
        now,
    )


async def sealed_secrets(connection: Connection, identifiers: Sequence[UUID], now: datetime) -> dict[UUID, list[str]]:
    """The secrets that sign now, the present one first."""
    rows = await connection.fetch(
        """
        SELECT subscription_id, sealed FROM secrets
         WHERE subscription_id = ANY ($1::uuid[]) AND (ends_at IS NULL OR ends_at > $2)
         ORDER BY ends_at DESC NULLS FIRST
        """,
        identifiers,
        now,
    )
    found: dict[UUID, list[str]] = {}
    for row in rows:
        found.setdefault(row["subscription_id"], []).append(row["sealed"])
    return found


async def all_secrets(connection: Connection) -> dict[UUID, str]:
    rows = await connection.fetch("SELECT id, sealed FROM secrets FOR UPDATE")
    return {row["id"]: row["sealed"] for row in rows}


async def seal_again(connection: Connection, sealed: dict[UUID, str]) -> None:
    await connection.executemany("UPDATE secrets SET sealed = $2 WHERE id = $1", list(sealed.items()))


def _subscription(row: Row) -> Subscription:
    fields: dict[str, Any] = dict(row)
    conditions = tuple(
        Condition(one["field"], one["operator"], tuple(value) if isinstance(value := one["value"], list) else value)
        for one in fields["conditions"]
    )
    return Subscription(**(fields | {"event_types": tuple(fields["event_types"]), "conditions": conditions}))
