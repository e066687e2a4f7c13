"""All of the adapter's SQL, a module for each subject.

Locks are taken in one order: subscription, lane, delivery.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .connection import Connection


async def pulse(connection: Connection) -> dict[str, int]:
    """How much is going on."""
    row = await connection.fetchrow(
        """
        SELECT (SELECT count(*) FROM subscriptions) AS subscriptions,
               (SELECT count(*) FROM deliveries WHERE state = 'pending') AS pending,
               (SELECT count(*) FROM subscriptions WHERE state = 'disabled') AS disabled
        """
    )
    return dict(row) if row else {}
