"""What several pages show of an idea's priority."""

from typing import Any

from services.roadmap import store
from services.roadmap.priority.ranking import Remembered
from services.roadmap.priority.segments import UNKNOWN, parts_of
from services.roadmap.priority.why import explain
from shared.runtime import Transaction

QUOTES = 20


async def explained(tx: Transaction, ranked: Remembered, feature_id: str) -> dict[str, Any]:
    """What `why_parts.html` shows of an idea that exists."""
    why = await explain(tx, ranked, feature_id)
    return {
        "why": why,
        "above": await store.find_idea(tx.connection, why.above.feature_id) if why.above else None,
        "cells": [(shown_cell(row.cell), row) for row in why.priority.rows],
        "moved": shown_cell(why.mover.cell) if why.mover else [],
        "evidence": await store.evidence(tx.connection, feature_id, QUOTES),
    }


def shown_cell(cell: str) -> list[str]:
    """The cell's values, a dash where one is unknown; nothing where all are."""
    parts = parts_of(cell).values()
    return [part or UNKNOWN for part in parts] if any(parts) else []
