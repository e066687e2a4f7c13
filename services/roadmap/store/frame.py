"""The SQL of the customer base: what was entered, what is measured, and which values are taken together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from services.roadmap.priority.frame import Frame, measured_frame
from services.roadmap.priority.kpis import SegmentValue

if TYPE_CHECKING:
    from .connection import Connection, Row


@dataclass(frozen=True, slots=True)
class StoredFrame:
    """The frame, the KPI it is measured by (None: it was entered), and when and by whom it was last changed.

    `measured_from` and `measured_to` are the ends of the oldest and the newest of the KPI's periods it is made of.
    """

    frame: Frame
    kpi_id: str | None
    changed_at: datetime | None
    changed_by: str | None
    measured_from: datetime | None
    measured_to: datetime | None


async def active_people(connection: Connection) -> dict[str, int]:
    """How many people each cell holds who ever took part."""
    rows = await connection.fetch("SELECT cell, people FROM active_counts WHERE people > 0")
    return {row["cell"]: row["people"] for row in rows}


async def stored_frame(connection: Connection) -> StoredFrame:
    row = await connection.fetchrow(
        """
        SELECT kpi_id, trim_ratio, changed_at, changed_by,
               (SELECT min(period_end) FROM kpi_cells WHERE kpi_id = frame.kpi_id) AS measured_from,
               (SELECT max(period_end) FROM kpi_cells WHERE kpi_id = frame.kpi_id) AS measured_to,
               ARRAY(SELECT (dimension, value, becomes) FROM collapses ORDER BY dimension, value) AS collapses,
               ARRAY(SELECT (cell, customers) FROM population WHERE kpi_id IS NULL ORDER BY cell) AS cells,
               ARRAY(SELECT (dimension, value, customers) FROM margins
                      WHERE kpi_id IS NULL ORDER BY dimension, value) AS margins,
               ARRAY(SELECT (dimensions, cell, value) FROM kpi_cells
                      WHERE kpi_id = frame.kpi_id AND value >= 0 ORDER BY dimensions, cell) AS measured
          FROM frame
        """
    )
    assert row is not None
    frame = replace(
        _customers(row),
        collapses={(dimension, value): becomes for dimension, value, becomes in row["collapses"]},
        trim_ratio=row["trim_ratio"],
    )
    return StoredFrame(
        frame, row["kpi_id"], row["changed_at"], row["changed_by"], row["measured_from"], row["measured_to"]
    )


def _customers(row: Row) -> Frame:
    if row["kpi_id"] is not None:
        return measured_frame(tuple(value) for value in row["measured"])
    margins: dict[str, dict[str, float]] = {}
    for dimension, value, customers in row["margins"]:
        margins.setdefault(dimension, {})[value] = customers
    return Frame({cell: customers for cell, customers in row["cells"]}, margins)  # noqa: C416 - records, not pairs


async def replace_frame(connection: Connection, frame: Frame, kpi_id: str | None, now: datetime, who: str) -> None:
    # First, so that of two at a time the later one replaces all of the earlier one.
    await connection.execute(
        "UPDATE frame SET kpi_id = $1, trim_ratio = $2, changed_at = $3, changed_by = $4",
        kpi_id,
        frame.trim_ratio,
        now,
        who,
    )
    for table in ("population", "margins", "collapses"):
        await connection.execute(f"DELETE FROM {table}")  # noqa: S608 - the names above
    await connection.executemany("INSERT INTO population (cell, customers) VALUES ($1, $2)", frame.cells.items())
    await connection.executemany(
        "INSERT INTO margins (dimension, value, customers) VALUES ($1, $2, $3)",
        [(name, value, size) for name, totals in frame.margins.items() for value, size in totals.items()],
    )
    await connection.executemany(
        "INSERT INTO collapses (dimension, value, becomes) VALUES ($1, $2, $3)",
        [(*given, becomes) for given, becomes in frame.collapses.items()],
    )


async def keep_segment_values(connection: Connection, values: Sequence[SegmentValue]) -> set[str]:
    """Keep values, one per KPI and segment, of a later period or measured later; gives the KPIs that changed."""
    rows = await connection.fetch(
        """
        INSERT INTO kpi_cells (kpi_id, dimensions, cell, value, period_end, measured_at)
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::float8[], $5::timestamptz[], $6::timestamptz[])
                      AS given (kpi_id, dimensions, cell)
         ORDER BY kpi_id, dimensions, cell
        ON CONFLICT (kpi_id, dimensions, cell) DO UPDATE
           SET value = excluded.value, period_end = excluded.period_end, measured_at = excluded.measured_at
         WHERE (excluded.period_end, excluded.measured_at) > (kpi_cells.period_end, kpi_cells.measured_at)
        RETURNING kpi_id, old.value IS DISTINCT FROM new.value AS is_other
        """,
        *([*column] for column in zip(*values, strict=True)),
    )
    return {row["kpi_id"] for row in rows if row["is_other"]}


async def kpis_by_segment(connection: Connection) -> list[str]:
    """The KPIs that were ever measured by segment."""
    rows = await connection.fetch("SELECT DISTINCT kpi_id FROM kpi_cells ORDER BY kpi_id")
    return [row["kpi_id"] for row in rows]


async def idea_ids(connection: Connection) -> list[str]:
    return [row["feature_id"] for row in await connection.fetch("SELECT feature_id FROM ideas")]
