"""Which events took effect already, where no natural key says so."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .database import Connection


async def admit(connection: "Connection", events: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Remember the events, given as (id, source); returns those that were not known before."""
    # Sorted, so that two members of a group working on overlapping batches wait for each other instead of deadlocking.
    ordered = sorted(set(events))
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
    return {(row["id"], row["source"]) for row in rows}
