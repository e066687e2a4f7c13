"""Features as roadmap tells about them, and the people who asked for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from services.kpi.kpis import Release

if TYPE_CHECKING:
    from services.kpi.store.connection import Connection

_RELEASES = """
    SELECT feature_id, title, released_at, kpi_ids,
           (SELECT count(DISTINCT participant_id) FROM evidence
             WHERE evidence.feature_id = features.feature_id AND NOT withdrawn) AS interviewees
      FROM features
     WHERE released_at IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Tag:
    """One version of an insight: who says something about which feature."""

    insight_id: str
    version: int
    withdrawn: bool
    feature_id: str | None
    participant_id: str


async def known_kpi_ids(connection: Connection, feature_id: str) -> tuple[str, ...]:
    """The KPIs that the feature is meant to move, as far as is known."""
    row = await connection.fetchrow("SELECT kpi_ids FROM features WHERE feature_id = $1", feature_id)
    return tuple(row["kpi_ids"]) if row else ()


async def keep(
    connection: Connection,
    feature_id: str,
    *,
    version: int,
    title: str,
    released_at: datetime | None,
    kpi_ids: Sequence[str],
) -> bool:
    """Store the feature; false when the same or a later version is stored."""
    stored = await connection.fetchval(
        """
        INSERT INTO features (feature_id, version, title, released_at, kpi_ids) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (feature_id) DO UPDATE
           SET version = excluded.version, title = excluded.title, released_at = excluded.released_at,
               kpi_ids = excluded.kpi_ids
         WHERE features.version < excluded.version
        RETURNING true
        """,
        feature_id,
        version,
        title,
        released_at,
        list(kpi_ids),
    )
    return stored is not None


async def releases_of(connection: Connection, kpi_id: str) -> list[Release]:
    """Releases meant to move the KPI, in the order they came."""
    rows = await connection.fetch(
        f"{_RELEASES} AND kpi_ids @> ARRAY[$1::text] ORDER BY released_at, feature_id", kpi_id
    )
    return [Release(**{**row, "kpi_ids": tuple(row["kpi_ids"])}) for row in rows]


async def releases(connection: Connection, limit: int) -> list[Release]:
    """Latest first."""
    rows = await connection.fetch(f"{_RELEASES} ORDER BY released_at DESC, feature_id LIMIT $1", limit)
    return [Release(**{**row, "kpi_ids": tuple(row["kpi_ids"])}) for row in rows]


async def titles(connection: Connection, feature_ids: Sequence[str]) -> dict[str, str]:
    rows = await connection.fetch(
        "SELECT feature_id, title FROM features WHERE feature_id = ANY ($1::text[])", feature_ids
    )
    return {row["feature_id"]: row["title"] for row in rows}


async def keep_tags(connection: Connection, tags: Iterable[Tag]) -> None:
    """Store the latest version of each insight, but none of an erased person."""
    newest: dict[str, Tag] = {}
    for tag in tags:
        # Of the same version the first stays, as it would if they came one by one.
        if tag.version > newest.setdefault(tag.insight_id, tag).version:
            newest[tag.insight_id] = tag
    await connection.execute(
        """
        INSERT INTO evidence (insight_id, version, withdrawn, feature_id, participant_id)
        SELECT *
          FROM unnest($1::text[], $2::bigint[], $3::boolean[], $4::text[], $5::text[])
               AS given (insight_id, version, withdrawn, feature_id, participant_id)
         WHERE NOT EXISTS (SELECT FROM erasures
                            WHERE participant_hash = sha256(convert_to(given.participant_id, 'UTF8')))
         ORDER BY insight_id
        ON CONFLICT (insight_id) DO UPDATE
           SET version = excluded.version, withdrawn = excluded.withdrawn, feature_id = excluded.feature_id,
               participant_id = excluded.participant_id
         WHERE evidence.version < excluded.version
        """,
        [tag.insight_id for tag in newest.values()],
        [tag.version for tag in newest.values()],
        [tag.withdrawn for tag in newest.values()],
        [tag.feature_id for tag in newest.values()],
        [tag.participant_id for tag in newest.values()],
    )


async def erase(connection: Connection, participant_id: str, erased_at: datetime) -> int:
    """Remove the person's part in the evidence, and whatever of it may still come; gives how many insights it was."""
    await connection.execute(
        """
        INSERT INTO erasures (participant_hash, erased_at) VALUES (sha256(convert_to($1, 'UTF8')), $2)
        ON CONFLICT DO NOTHING
        """,
        participant_id,
        erased_at,
    )
    gone = await connection.fetch("DELETE FROM evidence WHERE participant_id = $1 RETURNING insight_id", participant_id)
    return len(gone)
