"""What happens when a KPI is defined, gets an objective, or is measured: by an event, the API, a file or a form."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.kpi import rows
from services.kpi.assessing import reassess
from services.kpi.kpis import Kpi, Measurement, Objective, newest
from services.kpi.store import kpis, measurements
from services.kpi.store.connection import lock
from shared.contract.events import KpiMeasured
from shared.runtime import Transaction, conflict, not_found, unprocessable


@dataclass(frozen=True, slots=True)
class Recorded:
    """How many measurements said something new, and how many only what was known."""

    stored: int
    unchanged: int


async def find(tx: Transaction, kpi_id: str) -> Kpi:
    """The KPI.

    Raises:
        Problem: 404 where there is none.
    """
    kpi = await kpis.find(tx.connection, kpi_id)
    if kpi is None:
        raise not_found("KPI", kpi_id)
    return kpi


async def define(tx: Transaction, wanted: Kpi) -> tuple[Kpi, bool]:
    """Say what a KPI is; the KPI as it then is, and whether this was news.

    A KPI that was only measured so far keeps its measurements and becomes what it is said to be.

    Raises:
        Problem: 409 where it is defined otherwise.
    """
    await lock(tx.connection, "kpi", [wanted.kpi_id])
    present = await kpis.find(tx.connection, wanted.kpi_id)
    if present and present.defined:
        if not present.same_definition(wanted):
            raise conflict(
                f"KPI {wanted.kpi_id!r} is defined already, as {present.title!r} in {present.unit or 'no unit'}; "
                "choose another id, or send the same name, unit and direction"
            )
        return present, False
    await kpis.define(tx.connection, wanted)
    await reassess(tx, wanted.kpi_id)
    return await find(tx, wanted.kpi_id), True


async def set_objective(tx: Transaction, kpi_id: str, objective: Objective) -> Kpi:
    """Set what the KPI shall reach, and tell it with the KPI's latest measurement.

    Raises:
        Problem: 404 without such a KPI; 422 where the objective asks for no improvement.
    """
    await lock(tx.connection, "kpi", [kpi_id])
    kpi = await find(tx, kpi_id)
    if fault := kpi.fault_of(objective):
        raise unprocessable(fault)
    if kpi.objective == objective:
        return kpi
    await kpis.set_objective(tx.connection, kpi_id, objective)
    kpi = replace(kpi, objective=objective)
    # Objectives travel with measurements; measured anew at this moment, the latest one holds for every reader.
    latest = [replace(one, measured_at=tx.now) for one in await measurements.series(tx.connection, kpi_id, limit=1)]
    if latest:
        await measurements.keep(tx.connection, latest)
        await tx.publish(*(_told(kpi, one) for one in latest))
    return kpi


async def record(tx: Transaction, kpi_id: str, given: Sequence[Measurement]) -> Recorded:
    """Store what was measured now, tell other services, and assess the releases it says something about.

    Raises:
        Problem: 404 without such a KPI; 422 where two of them contradict each other.
    """
    await lock(tx.connection, "kpi", [kpi_id])
    kpi = await find(tx, kpi_id)
    _refuse_contradictions(given)
    changed = await measurements.keep(tx.connection, newest(given), news_only=True)
    if changed:
        await tx.publish(*(_told(kpi, one) for one in changed))
    if any(not one.dimensions for one in changed):
        await reassess(tx, kpi_id)
    return Recorded(stored=len(changed), unchanged=len(given) - len(changed))


async def record_file(tx: Transaction, kpi_id: str, content: bytes) -> Recorded:
    """The same for a CSV file.

    Raises:
        BadFile: any line is wrong; then nothing is stored.
    """
    given = [
        Measurement(kpi_id, row.period_start, row.period_end, row.value, tx.now, row.sample_size)
        for row in rows.read(content)
    ]
    return await record(tx, kpi_id, given)


def _refuse_contradictions(given: Sequence[Measurement]) -> None:
    first: dict[object, Measurement] = {}
    for one in given:
        if first.setdefault(one.key, one) != one:
            start, end = one.period_start.isoformat(), one.period_end.isoformat()
            raise unprocessable(
                f"The period {start} to {end} is given twice with different contents; keep one of them."
            )


def _told(kpi: Kpi, measured: Measurement) -> KpiMeasured:
    objective = kpi.objective
    return KpiMeasured(
        kpi_id=kpi.kpi_id,
        name=kpi.name,
        unit=kpi.unit,
        higher_is_better=kpi.higher_is_better,
        period_start=measured.period_start,
        period_end=measured.period_end,
        value=measured.value,
        sample_size=measured.sample_size,
        dimensions=measured.dimensions,
        baseline=objective and objective.baseline,
        target=objective and objective.target,
        measured_at=measured.measured_at,
    )
