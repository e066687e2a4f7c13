"""What releases did to KPIs: the latest assessment of each pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING

from services.kpi.effects import Impact, Path

if TYPE_CHECKING:
    import asyncpg

    from services.kpi.store.connection import Connection


@dataclass(frozen=True, slots=True)
class Assessed:
    """An impact as it is stored; `version` rises by one each time something else can be said."""

    feature_id: str
    kpi_id: str
    version: int
    digest: str
    assessed_at: datetime
    impact: Impact
    path: Path
    holds: bool = True


async def of_kpi(connection: Connection, kpi_id: str) -> dict[str, Assessed]:
    """By feature, also those that do not hold any more."""
    rows = await connection.fetch("SELECT * FROM impacts WHERE kpi_id = $1", kpi_id)
    return {row["feature_id"]: _assessed(row) for row in rows}


async def list_holding(
    connection: Connection,
    limit: int,
    feature_ids: Sequence[str] | None = None,
    kpi_ids: Sequence[str] | None = None,
) -> list[Assessed]:
    """Latest release first; a filter that is None lets everything through."""
    rows = await connection.fetch(
        """
        SELECT * FROM impacts
         WHERE holds AND ($2::text[] IS NULL OR feature_id = ANY ($2)) AND ($3::text[] IS NULL OR kpi_id = ANY ($3))
         ORDER BY released_at DESC, feature_id, kpi_id
         LIMIT $1
        """,
        limit,
        feature_ids,
        kpi_ids,
    )
    return [_assessed(row) for row in rows]


async def latest_of_each(connection: Connection, kpi_ids: Sequence[str]) -> dict[str, Assessed]:
    """What the latest assessed release did to each of the KPIs."""
    rows = await connection.fetch(
        """
        SELECT DISTINCT ON (kpi_id) *
          FROM impacts
         WHERE holds AND kpi_id = ANY ($1::text[])
         ORDER BY kpi_id, released_at DESC, feature_id
        """,
        list(kpi_ids),
    )
    return {row["kpi_id"]: _assessed(row) for row in rows}


async def version_floor(connection: Connection) -> int:
    """The versions of first assessments are above this; 0 until an old backup was put back."""
    floor: int = await connection.fetchval("SELECT floor FROM version_floor")
    return floor


async def save(connection: Connection, assessed: Assessed) -> None:
    impact, path = assessed.impact, assessed.path
    await connection.execute(
        """
        INSERT INTO impacts (feature_id, kpi_id, version, holds, digest, assessed_at, released_at, unit, verdict,
                             effect, low, high, smallest_visible, periods_before, periods_after, path_starts,
                             path_expected, path_low, path_high)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
        ON CONFLICT (feature_id, kpi_id) DO UPDATE
           SET version = excluded.version, holds = excluded.holds, digest = excluded.digest,
               assessed_at = excluded.assessed_at, released_at = excluded.released_at, unit = excluded.unit,
               verdict = excluded.verdict, effect = excluded.effect, low = excluded.low, high = excluded.high,
               smallest_visible = excluded.smallest_visible, periods_before = excluded.periods_before,
               periods_after = excluded.periods_after, path_starts = excluded.path_starts,
               path_expected = excluded.path_expected, path_low = excluded.path_low, path_high = excluded.path_high
        """,
        assessed.feature_id,
        assessed.kpi_id,
        assessed.version,
        assessed.holds,
        assessed.digest,
        assessed.assessed_at,
        *(getattr(impact, name) for name in _IMPACT),
        path.starts,
        path.expected,
        path.low,
        path.high,
    )


async def let_go(connection: Connection, kpi_id: str, *, holding: Sequence[str]) -> None:
    """All the KPI's impacts but those of the features `holding` do not hold any more; their versions stay."""
    await connection.execute(
        "UPDATE impacts SET holds = false WHERE kpi_id = $1 AND holds AND feature_id <> ALL ($2::text[])",
        kpi_id,
        list(holding),
    )


_IMPACT = tuple(field.name for field in fields(Impact))


def _assessed(row: asyncpg.Record) -> Assessed:
    return Assessed(
        feature_id=row["feature_id"],
        kpi_id=row["kpi_id"],
        version=row["version"],
        digest=row["digest"],
        assessed_at=row["assessed_at"],
        impact=Impact(**{name: row[name] for name in _IMPACT}),
        path=Path(*(tuple(row[f"path_{name}"]) for name in ("starts", "expected", "low", "high"))),
        holds=row["holds"],
    )
