"""Which events took effect already, where no natural key says so."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .database import Connection

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def kept_as(identifier: str) -> str:
    """What is kept of an event's id: producers choose it, and what is no UUID may be somebody's address or name."""
    return identifier if _UUID.fullmatch(identifier) else f"sha256:{sha256(identifier.encode()).hexdigest()}"


async def admit(connection: "Connection", events: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Remember the events, given as (id, source); returns those that were not known before."""
    # Sorted, so that two members of a group working on overlapping batches wait for each other instead of deadlocking.
    given = {(kept_as(identifier), source): (identifier, source) for identifier, source in events}
    ordered = sorted(given)
    rows = await connection.fetch(
        """
        INSERT INTO inbox (id, source)
        SELECT * FROM unnest($1::text[], $2::text[])
        ON CONFLICT DO NOTHING
        RETURNING id, source
        """,
        [identifier for identifier, _ in ordered],
        [source for _, source in ordered],
    )
    return {given[row["id"], row["source"]] for row in rows}


@asynccontextmanager
async def afresh(connection: "Connection") -> AsyncIterator[None]:
    """An inbox that knows nothing yet, in the open transaction; afterwards the present one is as it was."""
    # A temporary table comes first on every search path.
    await connection.execute("CREATE TEMPORARY TABLE inbox (LIKE inbox INCLUDING ALL) ON COMMIT DROP")
    yield
    await connection.execute("DROP TABLE pg_temp.inbox")
