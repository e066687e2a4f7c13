"""The customer base that votes are weighted to, as it was entered or as a KPI measures it."""

from collections.abc import Sequence

from services.roadmap import store
from services.roadmap.priority.frame import ANY, Collapses, Frame
from services.roadmap.priority.kpis import SegmentValue, latest_by_segment
from services.roadmap.priority.prioritise import mark_due
from services.roadmap.priority.segments import cell_of, parts_of, split_of
from shared.contract.events import KpiMeasured
from shared.runtime import Transaction, unprocessable
from shared.ui.sentences import Sentence


def frame_of(
    cells: Sequence[tuple[str, float]],
    margins: Sequence[tuple[str, str, float]],
    collapses: Collapses,
    trim_ratio: float | None,
) -> Frame:
    """The frame of these cells, or of these margins given as (dimension, value, customers).

    Raises Problem when both are given, or something is given twice.
    """
    if cells and margins:
        raise unprocessable(Sentence("The customers are given by cells and by margins; give them one way."))
    counted = dict(cells)
    if len(counted) < len(cells):
        names = [cell for cell, _ in cells]
        twice = next(name for name in names if names.count(name) > 1)
        said = ", ".join(f"{dimension} {part or 'unknown'}" for dimension, part in parts_of(twice).items())
        raise unprocessable(
            Sentence("The cell with %(cell)s is given twice; add its customers up and give it once.", cell=said)
        )
    by_dimension: dict[str, dict[str, float]] = {}
    for dimension, value, customers in margins:
        if value in by_dimension.setdefault(dimension, {}):
            raise unprocessable(
                Sentence(
                    "The %(dimension)s %(value)s is given twice; add its customers up and give it once.",
                    dimension=dimension,
                    value=value,
                )
            )
        by_dimension[dimension][value] = customers
    return Frame(counted, by_dimension, collapses, trim_ratio)


async def replace_frame(tx: Transaction, frame: Frame, kpi_id: str | None, who: str) -> None:
    """Take this as the whole customer base and have every idea scored anew; knowing nobody, nothing is weighted.

    With a KPI its values by segment are the customers, now and whenever they change.
    Raises Problem where nothing follows from it.
    """
    if kpi_id is not None and (frame.cells or frame.margins):
        raise unprocessable(Sentence("The customers are given and measured by a KPI; leave out one of them."))
    if (frame.cells or frame.margins) and frame.customers <= 0:
        raise unprocessable(Sentence("The customers add up to 0; give the number of customers in each segment."))
    for (dimension, _), becomes in frame.collapses.items():
        if becomes == ANY or frame.collapses.get((dimension, becomes), becomes) != becomes:
            raise unprocessable(
                Sentence(
                    "The %(dimension)s %(value)s is itself taken into another one; name the last one.",
                    dimension=dimension,
                    value=becomes,
                )
            )
    await store.replace_frame(tx.connection, frame, kpi_id, tx.now, who)
    await mark_due(tx, await store.idea_ids(tx.connection))


async def keep_measured(tx: Transaction, measured: Sequence[KpiMeasured]) -> None:
    """Keep KPI values of single segments; where the customer base is one of them every idea is scored anew."""
    values = latest_by_segment(
        SegmentValue(kpi.kpi_id, split, cell_of(kpi.dimensions), kpi.value, kpi.period_end, kpi.measured_at)
        for kpi in measured
        if (split := split_of(kpi.dimensions))
    )
    if not values:
        return
    changed = await store.keep_segment_values(tx.connection, values)
    if (await store.stored_frame(tx.connection)).kpi_id in changed:
        await mark_due(tx, await store.idea_ids(tx.connection))
