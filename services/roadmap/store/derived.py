"""What here follows from events, and can be derived from them again."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .connection import Connection

SUPPORT = "SELECT feature_id, cell, people, importance_sum, importance_people FROM support_counts WHERE people > 0"

FROM_EVENTS = (
    "support_counts",
    "words",
    "votes",
    "anonymous_votes",
    "insights",
    "active_counts",
    "kpis",
    "kpi_cells",
    "objectives",
    "impacts",
)
"""Tables that hold nothing but what follows from events."""

TABLES: Mapping[str, str] = MappingProxyType(
    {
        "votes": "SELECT * FROM votes",
        "anonymous_votes": "SELECT * FROM anonymous_votes",
        "insights": "SELECT * FROM insights",
        "people": "SELECT * FROM people",
        # A row that counts nobody says the same as no row.
        "active_counts": "SELECT * FROM active_counts WHERE people > 0",
        "words": "SELECT * FROM words",
        "support_counts": SUPPORT,
        "kpis": "SELECT * FROM kpis",
        "objectives": "SELECT * FROM objectives",
        "impacts": "SELECT * FROM impacts",
        # The last digits of a sum of fractions depend on the order of its parts.
        "ideas": """
            SELECT to_jsonb(ideas) - 'momentum' AS idea,
                   CASE WHEN momentum > 0 THEN round(ln(momentum)::numeric, 4) END AS momentum
              FROM ideas
            """,
        "priorities": "SELECT * FROM priorities",
        "population": "SELECT * FROM population",
        "margins": "SELECT * FROM margins",
        "kpi_cells": "SELECT * FROM kpi_cells",
    }
)


async def empty(connection: Connection) -> None:
    """Ideas are people's; the priorities last published stay, since whoever heard them counts on from their versions.

    Votes of the public board are events too and come back as such. Erased people stay erased.
    """
    await connection.execute(f"CREATE TEMPORARY TABLE support_before ON COMMIT DROP AS {SUPPORT}")
    for table in FROM_EVENTS:
        await connection.execute(f"DELETE FROM {table}")  # noqa: S608 - the names above
    await connection.execute("DELETE FROM people WHERE erased_at IS NULL")
    await connection.execute("UPDATE ideas SET supporters = 0, momentum = 0 WHERE supporters <> 0 OR momentum <> 0")


async def supported_otherwise(connection: Connection) -> list[str]:
    """The ideas whose support is not what it was when `empty` was called in this transaction."""
    rows = await connection.fetch(
        f"""
        (({SUPPORT}) EXCEPT (SELECT * FROM support_before))
         UNION
        ((SELECT * FROM support_before) EXCEPT ({SUPPORT}))
        """  # noqa: S608 - the query above
    )
    return sorted({row["feature_id"] for row in rows})


STATUS_VERSIONS = "SELECT feature_id, status_version FROM ideas"
LIFT_STATUSES = "UPDATE ideas SET status_version = $1::bigint WHERE status_version BETWEEN 1 AND $1::bigint - 1"
PRIORITY_VERSIONS = "SELECT feature_id, version FROM priorities"
LIFT_PRIORITIES = "UPDATE priorities SET version = $1::bigint WHERE version < $1::bigint"
