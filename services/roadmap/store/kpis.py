"""The SQL of KPIs and of what shipped ideas did to them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from services.roadmap.priority.kpis import Impact, Kpi, Measurement, Objective

if TYPE_CHECKING:
    from .connection import Connection


async def keep_measurements(connection: Connection, measurements: Sequence[Measurement]) -> list[str]:
    """Keep values, one per KPI, of a later period or of the same measured later; gives the KPIs that changed."""
    rows = await connection.fetch(
        """
        INSERT INTO kpis (kpi_id, name, unit, value, period_end, measured_at)
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::float8[], $5::timestamptz[], $6::timestamptz[])
                      AS given (kpi_id)
         ORDER BY kpi_id
        ON CONFLICT (kpi_id) DO UPDATE
           SET name = coalesce(excluded.name, kpis.name), unit = coalesce(excluded.unit, kpis.unit),
               value = excluded.value, period_end = excluded.period_end, measured_at = excluded.measured_at
         WHERE (excluded.period_end, excluded.measured_at) > (kpis.period_end, kpis.measured_at)
        RETURNING kpi_id
        """,
        [measured.kpi_id for measured in measurements],
        [measured.name for measured in measurements],
        [measured.unit for measured in measurements],
        [measured.value for measured in measurements],
        [measured.period_end for measured in measurements],
        [measured.measured_at for measured in measurements],
    )
    return [row["kpi_id"] for row in rows]


async def keep_objectives(connection: Connection, objectives: Sequence[Objective]) -> list[str]:
    """Keep objectives, one per KPI, that are later than what is stored; gives the KPIs that changed."""
    rows = await connection.fetch(
        """
        INSERT INTO objectives (kpi_id, baseline, target, set_at)
        SELECT * FROM unnest($1::text[], $2::float8[], $3::float8[], $4::timestamptz[]) AS given (kpi_id)
         ORDER BY kpi_id
        ON CONFLICT (kpi_id) DO UPDATE
           SET baseline = excluded.baseline, target = excluded.target, set_at = excluded.set_at
         WHERE excluded.set_at > objectives.set_at
        RETURNING kpi_id
        """,
        [objective.kpi_id for objective in objectives],
        [objective.baseline for objective in objectives],
        [objective.target for objective in objectives],
        [objective.set_at for objective in objectives],
    )
    return [row["kpi_id"] for row in rows]


async def kpis(connection: Connection, kpi_ids: Collection[str] | None = None) -> dict[str, Kpi]:
    """The KPIs of these ids that were ever measured; all of them without ids."""
    rows = await connection.fetch(
        """
        SELECT kpi_id, name, unit, value, baseline, target
          FROM kpis LEFT JOIN objectives USING (kpi_id)
         WHERE $1::text[] IS NULL OR kpi_id = ANY($1::text[])
         ORDER BY coalesce(name, kpi_id)
        """,
        None if kpi_ids is None else list(kpi_ids),
    )
    return {row["kpi_id"]: Kpi(**row) for row in rows}


async def linked_to(connection: Connection, kpi_ids: Collection[str]) -> dict[str, str]:
    """The ideas that are meant to move one of these KPIs, each with one of them."""
    rows = await connection.fetch(
        """
        SELECT feature_id, (SELECT min(kpi) FROM unnest(kpi_ids) AS kpi WHERE kpi = ANY($1::text[])) AS kpi_id
          FROM ideas WHERE kpi_ids && $1::text[]
        """,
        list(kpi_ids),
    )
    return {row["feature_id"]: row["kpi_id"] for row in rows}


async def keep_impact(connection: Connection, impact: Impact) -> None:
    """Keep an assessment unless a higher version is stored."""
    await connection.execute(
        """
        INSERT INTO impacts (feature_id, kpi_id, version, released_at, effect, effect_low, effect_high, confidence,
                             unit, verdict, smallest_visible_effect, periods_after, assessed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        ON CONFLICT (feature_id, kpi_id) DO UPDATE
           SET version = excluded.version, released_at = excluded.released_at, effect = excluded.effect,
               effect_low = excluded.effect_low, effect_high = excluded.effect_high, confidence = excluded.confidence,
               unit = excluded.unit, verdict = excluded.verdict, periods_after = excluded.periods_after,
               smallest_visible_effect = excluded.smallest_visible_effect, assessed_at = excluded.assessed_at
         WHERE excluded.version > impacts.version
        """,
        impact.feature_id,
        impact.kpi_id,
        impact.version,
        impact.released_at,
        impact.effect,
        impact.effect_low,
        impact.effect_high,
        impact.confidence,
        impact.unit,
        impact.verdict,
        impact.smallest_visible_effect,
        impact.periods_after,
        impact.assessed_at,
    )


async def impacts(connection: Connection, feature_id: str) -> list[Impact]:
    rows = await connection.fetch(
        """
        SELECT feature_id, kpi_id, version, released_at, effect, effect_low, effect_high, confidence,
               coalesce(impacts.unit, kpis.unit) AS unit, verdict, smallest_visible_effect, periods_after, assessed_at,
               kpis.name
          FROM impacts LEFT JOIN kpis USING (kpi_id)
         WHERE feature_id = $1 ORDER BY coalesce(kpis.name, kpi_id)
        """,
        feature_id,
    )
    return [Impact(**row) for row in rows]
