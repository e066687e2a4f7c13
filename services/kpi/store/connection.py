"""What the store's functions work on: one connection with an open transaction."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import asyncpg

    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
else:
    Connection = Any


async def lock(connection: Connection, what: str, ids: Iterable[str]) -> None:
    """Hold things that may not exist as rows yet until the transaction ends; `what` they are: "kpi", "participant"."""
    # In one order, so that two transactions wait for each other instead of deadlocking.
    await connection.execute(
        """
        SELECT pg_advisory_xact_lock(key)
          FROM (SELECT hashtextextended('earshot kpi ' || $1 || ' ' || id, 0) AS key
                  FROM unnest($2::text[]) AS id
                 ORDER BY key) AS ordered
         WHERE current_setting('earshot.alone', true) IS DISTINCT FROM 'yes'
        """,
        what,
        sorted(set(ids)),
    )
