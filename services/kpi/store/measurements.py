"""Measurements: of each period and each combination of dimensions one holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from services.kpi.kpis import Measurement

if TYPE_CHECKING:
    import asyncpg

    from services.kpi.store.connection import Connection

LONGEST_SERIES = 20_000


async def keep(
    connection: Connection, measurements: Sequence[Measurement], *, news_only: bool = False
) -> list[Measurement]:
    """Store those that hold against what is stored, each key at most once; returns those whose content is new.

    Which one holds is `Measurement.rank`, here in SQL: a repeated or overtaken measurement changes nothing. A later one
    with the same content is remembered by its time alone; with `news_only`, for what nobody else hears of, not at all.
    """
    rows = await connection.fetch(
        """
        WITH given AS (
            SELECT *
              FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::jsonb[], $6::float8[],
                          $7::bigint[], $8::timestamptz[])
                   AS given (kpi_id, dimensions_key, period_start, period_end, dimensions, value, sample_size,
                             measured_at)
        ), before AS (
            SELECT measurements.*
              FROM measurements JOIN given USING (kpi_id, dimensions_key, period_start, period_end)
        ), kept AS (
            INSERT INTO measurements AS stored (kpi_id, dimensions_key, period_start, period_end, dimensions, value,
                                                sample_size, measured_at)
            SELECT * FROM given
            ON CONFLICT (kpi_id, dimensions_key, period_start, period_end) DO UPDATE
               SET value = excluded.value, sample_size = excluded.sample_size, measured_at = excluded.measured_at
             WHERE (stored.measured_at, stored.value, coalesce(stored.sample_size, -1))
                   < (excluded.measured_at, excluded.value, coalesce(excluded.sample_size, -1))
               AND (NOT $9
                    OR (stored.value, stored.sample_size) IS DISTINCT FROM (excluded.value, excluded.sample_size))
            RETURNING *
        )
        SELECT kept.*
          FROM kept LEFT JOIN before USING (kpi_id, dimensions_key, period_start, period_end)
         WHERE before.kpi_id IS NULL
            OR (kept.value, kept.sample_size) IS DISTINCT FROM (before.value, before.sample_size)
         ORDER BY kept.kpi_id, kept.period_start, kept.period_end, kept.dimensions_key
        """,
        [one.kpi_id for one in measurements],
        [one.dimensions_key for one in measurements],
        [one.period_start for one in measurements],
        [one.period_end for one in measurements],
        [dict(one.dimensions) for one in measurements],
        [one.value for one in measurements],
        [one.sample_size for one in measurements],
        [one.measured_at for one in measurements],
        news_only,
    )
    return [_measurement(row) for row in rows]


async def series(connection: Connection, kpi_id: str, limit: int = LONGEST_SERIES) -> list[Measurement]:
    """The latest measurements of the whole, without those of parts, in period order."""
    rows = await connection.fetch(
        """
        SELECT * FROM measurements
         WHERE kpi_id = $1 AND dimensions_key = ''
         ORDER BY period_start DESC, period_end DESC
         LIMIT $2
        """,
        kpi_id,
        limit,
    )
    return [_measurement(row) for row in reversed(rows)]


async def latest_of_each(connection: Connection, kpi_ids: Sequence[str], limit: int) -> dict[str, list[Measurement]]:
    """The same for several KPIs; one that was never measured is missing."""
    rows = await connection.fetch(
        """
        SELECT latest.*
          FROM unnest($1::text[]) AS wanted (kpi_id)
         CROSS JOIN LATERAL (SELECT * FROM measurements
                              WHERE measurements.kpi_id = wanted.kpi_id AND dimensions_key = ''
                              ORDER BY period_start DESC, period_end DESC
                              LIMIT $2) AS latest
         ORDER BY latest.kpi_id, latest.period_start, latest.period_end
        """,
        list(kpi_ids),
        limit,
    )
    found: dict[str, list[Measurement]] = {}
    for row in rows:
        found.setdefault(row["kpi_id"], []).append(_measurement(row))
    return found


async def list_of(connection: Connection, kpi_id: str, limit: int) -> list[Measurement]:
    """The whole and all parts, latest period first."""
    rows = await connection.fetch(
        """
        SELECT * FROM measurements
         WHERE kpi_id = $1
         ORDER BY period_start DESC, period_end DESC, dimensions_key
         LIMIT $2
        """,
        kpi_id,
        limit,
    )
    return [_measurement(row) for row in rows]


def _measurement(row: asyncpg.Record) -> Measurement:
    return Measurement(
        kpi_id=row["kpi_id"],
        period_start=row["period_start"],
        period_end=row["period_end"],
        value=row["value"],
        measured_at=row["measured_at"],
        sample_size=row["sample_size"],
        dimensions=row["dimensions"],
    )
