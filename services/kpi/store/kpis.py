"""KPIs and their objectives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from services.kpi.kpis import Kpi, Objective

if TYPE_CHECKING:
    import asyncpg

    from services.kpi.store.connection import Connection


async def find(connection: Connection, kpi_id: str) -> Kpi | None:
    row = await connection.fetchrow("SELECT * FROM kpis WHERE kpi_id = $1", kpi_id)
    return _kpi(row) if row else None


async def find_all(connection: Connection, kpi_ids: Sequence[str]) -> dict[str, Kpi]:
    """Those of the KPIs that are known, by id."""
    rows = await connection.fetch("SELECT * FROM kpis WHERE kpi_id = ANY ($1::text[])", list(kpi_ids))
    return {row["kpi_id"]: _kpi(row) for row in rows}


async def list_all(connection: Connection, limit: int) -> list[Kpi]:
    """By name."""
    rows = await connection.fetch(
        "SELECT * FROM kpis ORDER BY lower(coalesce(name, kpi_id)), kpi_id LIMIT $1",
        limit,
    )
    return [_kpi(row) for row in rows]


async def define(connection: Connection, kpi: Kpi) -> None:
    """Store what the KPI is; its objective and its measurements stay."""
    await connection.execute(
        """
        INSERT INTO kpis (kpi_id, name, unit, higher_is_better, defined, created_at)
        VALUES ($1, $2, $3, $4, true, $5)
        ON CONFLICT (kpi_id) DO UPDATE
           SET name = excluded.name, unit = excluded.unit, higher_is_better = excluded.higher_is_better, defined = true
        """,
        kpi.kpi_id,
        kpi.name,
        kpi.unit,
        kpi.higher_is_better,
        kpi.created_at,
    )


async def meet(connection: Connection, kpis: Sequence[Kpi]) -> None:
    """Create the KPIs that are unknown; of known ones fill in what nobody said yet. Each KPI at most once."""
    # Whoever defined a KPI knew its direction; a measurement's is taken for an unknown KPI only.
    objectives = [kpi.objective for kpi in kpis]
    await connection.execute(
        """
        INSERT INTO kpis (kpi_id, name, unit, higher_is_better, defined, baseline, target, created_at)
        SELECT kpi_id, name, unit, higher_is_better, false, baseline, target, created_at
          FROM unnest($1::text[], $2::text[], $3::text[], $4::boolean[], $5::float8[], $6::float8[], $7::timestamptz[])
               AS given (kpi_id, name, unit, higher_is_better, baseline, target, created_at)
        ON CONFLICT (kpi_id) DO UPDATE
           SET name = coalesce(kpis.name, excluded.name),
               unit = CASE WHEN kpis.defined THEN kpis.unit ELSE coalesce(kpis.unit, excluded.unit) END,
               baseline = CASE WHEN kpis.target IS NULL THEN excluded.baseline ELSE kpis.baseline END,
               target = coalesce(kpis.target, excluded.target)
         WHERE kpis.name IS NULL OR (kpis.unit IS NULL AND NOT kpis.defined) OR kpis.target IS NULL
        """,
        [kpi.kpi_id for kpi in kpis],
        [kpi.name for kpi in kpis],
        [kpi.unit for kpi in kpis],
        [kpi.higher_is_better for kpi in kpis],
        [objective and objective.baseline for objective in objectives],
        [objective and objective.target for objective in objectives],
        [kpi.created_at for kpi in kpis],
    )


async def set_objective(connection: Connection, kpi_id: str, objective: Objective) -> None:
    await connection.execute(
        "UPDATE kpis SET baseline = $2, target = $3, due = $4 WHERE kpi_id = $1",
        kpi_id,
        objective.baseline,
        objective.target,
        objective.by,
    )


def _kpi(row: asyncpg.Record) -> Kpi:
    return Kpi(
        kpi_id=row["kpi_id"],
        created_at=row["created_at"],
        name=row["name"],
        unit=row["unit"],
        higher_is_better=row["higher_is_better"],
        objective=None if row["target"] is None else Objective(row["baseline"], row["target"], row["due"]),
        defined=row["defined"],
    )
