"""Cells: the combination of a person's loyalty, plan and region, by which votes are weighted to the customer base."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

DIMENSIONS = ("loyalty", "plan", "region")
UNKNOWN = "–"
SEPARATOR = "|"
UNKNOWN_CELL = SEPARATOR.join(UNKNOWN for _ in DIMENSIONS)
LONGEST_PART = 100
"""Characters; a cell is part of database keys, which hold some 2,700 bytes."""

NEVER = datetime.min.replace(tzinfo=UTC)


def cell_of(segment: Mapping[str, str | None]) -> str:
    """The cell of a segment, e.g. "loyal|pro|–": lower case, since systems write "Pro" and "pro" for the same plan."""
    parts = ((segment.get(name) or "").strip().casefold()[:LONGEST_PART] for name in DIMENSIONS)
    return SEPARATOR.join(part.replace(SEPARATOR, "/") or UNKNOWN for part in parts)


def parts_of(cell: str) -> dict[str, str | None]:
    """The cell's value in each dimension; None where it is unknown."""
    parts = zip(DIMENSIONS, cell.split(SEPARATOR), strict=True)
    return {name: None if part == UNKNOWN else part for name, part in parts}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was known of a person at a time."""

    person_id: str
    segment: Mapping[str, str]
    seen_at: datetime

    @property
    def cell(self) -> str:
        return cell_of(self.segment)


def latest_snapshots(snapshots: Iterable[Snapshot]) -> list[Snapshot]:
    """One snapshot per person, ordered by person: the latest that says anything, whatever order they came in."""
    best: dict[str, tuple[datetime, str, Snapshot]] = {}
    for snapshot in snapshots:
        cell = snapshot.cell
        known_at = NEVER if cell == UNKNOWN_CELL else snapshot.seen_at
        held = best.get(snapshot.person_id)
        if held is None or (known_at, cell) > held[:2]:
            best[snapshot.person_id] = (known_at, cell, snapshot)
    return [best[person][2] for person in sorted(best)]
