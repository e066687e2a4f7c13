"""The customer base that votes are weighted to."""

from collections.abc import Sequence

from services.roadmap import store
from services.roadmap.prioritise import mark_due
from services.roadmap.segments import parts_of
from shared.runtime import Transaction, unprocessable


async def replace_population(tx: Transaction, cells: Sequence[tuple[str, float]]) -> None:
    """Take these cells as the whole customer base and have every idea scored anew; without cells nothing is weighted.

    Raises Problem when a cell is given twice.
    """
    customers = dict(cells)
    if len(customers) < len(cells):
        names = [cell for cell, _ in cells]
        twice = next(name for name in names if names.count(name) > 1)
        said = ", ".join(f"{dimension} {part or 'unknown'}" for dimension, part in parts_of(twice).items())
        raise unprocessable(f"The cell with {said} is given twice; add its customers up and give it once.")
    await store.replace_population(tx.connection, customers)
    await mark_due(tx, await store.all_ideas(tx.connection))
