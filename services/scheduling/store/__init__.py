"""All of scheduling's SQL, a module for each subject.

The row of a request is the lock of the request and its interview: whoever changes either locks it first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from services.scheduling.store.connection import Connection


async def pulse(connection: Connection) -> dict[str, int]:
    """How much is going on."""
    row = await connection.fetchrow(
        """
        SELECT (SELECT count(*) FROM requests) AS requests,
               (SELECT count(*) FROM interviews WHERE state = 'booked') AS "interviews booked",
               (SELECT count(*) FROM notices WHERE state = 'open') AS "to tell"
        """
    )
    return dict(row) if row else {}
