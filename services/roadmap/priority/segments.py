"""Cells: the combination of a person's loyalty, plan and region, by which votes are weighted to the customer base."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

DIMENSIONS = ("loyalty", "plan", "region")
UNKNOWN = "–"
SEPARATOR = "|"
UNKNOWN_CELL = SEPARATOR.join(UNKNOWN for _ in DIMENSIONS)
LONGEST_PART = 100
"""Characters; a cell is part of database keys, which hold some 2,700 bytes."""

NEVER = datetime.min.replace(tzinfo=UTC)


def cell_of(segment: Mapping[str, str | None]) -> str:
    """The cell of a segment, e.g. "loyal|pro|–": lower case, since systems write "Pro" and "pro" for the same plan."""
    return cell(*(segment.get(name) for name in DIMENSIONS))


def split_of(segment: Mapping[str, str | None]) -> str:
    """The dimensions a segment names, e.g. "loyalty plan"; empty for none, or where one of them is no part of cells."""
    return " ".join(name for name in DIMENSIONS if name in segment) if segment.keys() <= set(DIMENSIONS) else ""


@lru_cache(maxsize=10_000)
def cell(loyalty: str | None, plan: str | None, region: str | None) -> str:
    """The same from its parts. Remembered, since a few combinations come with every event."""
    return SEPARATOR.join(part_of(text) for text in (loyalty, plan, region))


def part_of(text: str | None) -> str:
    """A cell's part as it is compared."""
    return (text or "").strip().casefold()[:LONGEST_PART].replace(SEPARATOR, "/") or UNKNOWN


def parts_of(cell: str) -> dict[str, str | None]:
    """The cell's value in each dimension; None where it is unknown."""
    parts = zip(DIMENSIONS, cell.split(SEPARATOR), strict=True)
    return {name: None if part == UNKNOWN else part for name, part in parts}


class Snapshot(NamedTuple):
    """In which cell a person was at a time."""

    person_id: str
    cell: str
    seen_at: datetime

    @property
    def rank(self) -> tuple[datetime, str]:
        """What decides between two snapshots; one that says nothing gives way to any other."""
        return NEVER if self.cell == UNKNOWN_CELL else self.seen_at, self.cell


def latest_snapshots(snapshots: Iterable[Snapshot]) -> list[Snapshot]:
    """One snapshot per person: the latest that says anything, whatever order they came in."""
    best: dict[str, Snapshot] = {}
    for snapshot in snapshots:
        held = best.setdefault(snapshot.person_id, snapshot)
        if held is not snapshot and snapshot.rank > held.rank:
            best[snapshot.person_id] = snapshot
    return list(best.values())


class Move(NamedTuple):
    """How many people came from one cell to another; None is nowhere: not known before, or forgotten."""

    left: str | None
    joined: str | None
    people: int
