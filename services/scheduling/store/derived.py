"""What here follows from other services' events, and can be derived from them again."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from services.scheduling.store.connection import Connection

TABLES: Mapping[str, str] = MappingProxyType(
    {
        "held_sessions": "SELECT * FROM held_sessions",
        "features": "SELECT * FROM features",
        "notices": "SELECT * FROM notices",
        "requests": "SELECT * FROM requests",
        "interviews": "SELECT * FROM interviews",
        "bookings": "SELECT * FROM bookings",
        "participants": "SELECT * FROM participants",
    }
)


async def empty(connection: Connection) -> None:
    """Requests, people and bookings stay: whom we met and what we agreed is written down nowhere else for long."""
    await connection.execute("DELETE FROM held_sessions")
    # That somebody was told is known from people alone.
    await connection.execute("DELETE FROM notices WHERE state <> 'told'")
    await connection.execute("DELETE FROM features WHERE feature_id NOT IN (SELECT feature_id FROM notices)")
    await connection.execute("UPDATE features SET version = 0")


INTERVIEW_VERSIONS = "SELECT interview_id, version FROM interviews"
LIFT_INTERVIEWS = "UPDATE interviews SET version = $1::bigint WHERE version < $1::bigint"
