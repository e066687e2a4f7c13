"""What here follows from events, and can be derived from them again."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from services.kpi.store.connection import Connection

TABLES: Mapping[str, str] = MappingProxyType(
    {
        "kpis": "SELECT * FROM kpis",
        "measurements": "SELECT * FROM measurements",
        "features": "SELECT * FROM features",
        "evidence": "SELECT * FROM evidence",
        "impacts": "SELECT * FROM impacts",
        "erasures": "SELECT * FROM erasures",
    }
)


async def empty(connection: Connection) -> None:
    """What a KPI is, people say. The impacts last published stay: whoever heard them counts on from their versions.

    Measurements taken here are events too and come back as such.
    """
    await connection.execute("DELETE FROM measurements")
    await connection.execute("DELETE FROM evidence")
    await connection.execute("DELETE FROM features WHERE feature_id NOT IN (SELECT feature_id FROM impacts)")
    await connection.execute("UPDATE features SET version = 0")


async def kpi_ids(connection: Connection) -> list[str]:
    """Every KPI, in the order of the ids."""
    return [row["kpi_id"] for row in await connection.fetch("SELECT kpi_id FROM kpis ORDER BY kpi_id")]


IMPACT_VERSIONS = "SELECT feature_id, kpi_id, version FROM impacts"
LIFT_IMPACTS = "UPDATE impacts SET version = $1::bigint WHERE version < $1::bigint"
