"""What here follows from other services' events, and can be derived from them again."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .store import Connection

TABLES: Mapping[str, str] = MappingProxyType(
    {
        "sessions": "SELECT * FROM sessions",
        "features": "SELECT * FROM features",
        "impacts": "SELECT * FROM impacts",
        "insights": "SELECT * FROM insights",
        "erasures": "SELECT * FROM erasures",
    }
)


async def empty(connection: Connection) -> None:
    """Insights are people's work and stay, with the sessions they lean on; those of erased people stay erased."""
    await connection.execute("DELETE FROM features")
    await connection.execute("DELETE FROM impacts")
    await connection.execute(
        "DELETE FROM sessions WHERE erased_at IS NULL AND session_id NOT IN (SELECT session_id FROM insights)"
    )


INSIGHT_VERSIONS = "SELECT insight_id, version FROM insights"
LIFT_INSIGHTS = "UPDATE insights SET version = $1::bigint WHERE version < $1::bigint"
