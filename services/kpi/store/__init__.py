"""All of the service's SQL, a module for each subject.

Whoever changes a KPI, its measurements or its impacts holds the KPI's lock first (`connection.lock`), so that
assessments of one KPI follow each other and each sees everything before it. A feature's lock comes before its KPIs'.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from services.kpi.store.connection import Connection


async def pulse(connection: Connection) -> dict[str, int]:
    """How much is going on."""
    row = await connection.fetchrow(
        """
        SELECT (SELECT count(*) FROM kpis) AS "KPIs",
               (SELECT count(*) FROM measurements) AS measurements,
               (SELECT count(*) FROM impacts WHERE holds) AS "impacts assessed"
        """
    )
    return dict(row) if row else {}
