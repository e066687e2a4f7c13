"""What each event does here; late, repeated and reordered ones end in the same state."""

from collections.abc import Sequence
from dataclasses import replace

from services.kpi.assessing import reassess
from services.kpi.kpis import MOST, Kpi, Measurement, Objective, first_said, newest
from services.kpi.store import features, kpis, measurements
from services.kpi.store.connection import lock
from services.kpi.store.features import Tag
from shared.contract.events import FeatureStatusChanged, InsightTagged, KpiMeasured, ParticipantErased
from shared.runtime import Handlers, Person, Received, Rejected, Transaction, erasure

handlers = Handlers()


@handlers.on_batch(KpiMeasured, natural_key=True)
async def keep_measurements(tx: Transaction, events: Sequence[Received[KpiMeasured]]) -> None:
    causes = {event.data.kpi_id: event.cause for event in events}
    given = [_measurement(event.data) for event in events]
    await lock(tx.connection, "kpi", causes)
    await kpis.meet(tx.connection, first_said(_kpi(event.data) for event in events))
    changed = await measurements.keep(tx.connection, newest(given))
    for kpi_id in sorted({one.kpi_id for one in changed if not one.dimensions}):
        await reassess(tx.because_of(causes[kpi_id]), kpi_id)


@handlers.on(FeatureStatusChanged)
async def keep_feature(tx: Transaction, event: Received[FeatureStatusChanged]) -> None:
    said = event.data
    await lock(tx.connection, "feature", [said.feature_id])
    affected = {*said.kpi_ids, *await features.known_kpi_ids(tx.connection, said.feature_id)}
    news = await features.keep(
        tx.connection,
        said.feature_id,
        version=said.version,
        title=said.title,
        released_at=said.released_at if said.status == "shipped" else None,
        kpi_ids=said.kpi_ids,
    )
    if news:
        await lock(tx.connection, "kpi", affected)
        for kpi_id in sorted(affected):
            await reassess(tx, kpi_id)


@handlers.on_batch(InsightTagged, natural_key=True)
async def keep_evidence(tx: Transaction, events: Sequence[Received[InsightTagged]]) -> None:
    tags = [
        Tag(said.insight_id, said.version, said.withdrawn, said.feature_id, said.participant_id)
        for said in (event.data for event in events)
    ]
    # An erasure that comes at the same moment must see these or be seen here.
    await lock(tx.connection, "participant", (tag.participant_id for tag in tags))
    await features.keep_tags(tx.connection, tags)


@handlers.on(ParticipantErased)
async def forget_participant(tx: Transaction, event: Received[ParticipantErased]) -> None:
    erased = event.data
    await lock(tx.connection, "participant", [erased.participant_id])
    insights = await features.erase(tx.connection, erased.participant_id, erased.erased_at)
    await erasure.complete(
        tx,
        Person((erased.participant_id,)),
        erased.erased_at,
        removed={"evidence": insights},
        kept={
            "measurements": "values of KPIs over many customers; none is one person's",
            "erasures": "a hash of the id, so that nothing late brings the person back",
        },
    )


def _measurement(said: KpiMeasured) -> Measurement:
    if abs(said.value) > MOST:
        raise Rejected(f"the value of KPI {said.kpi_id!r}, {said.value:g}, is larger than 1e100; check its unit")
    return Measurement(
        kpi_id=said.kpi_id,
        period_start=said.period_start,
        period_end=said.period_end,
        value=said.value,
        measured_at=said.measured_at,
        sample_size=said.sample_size,
        dimensions=said.dimensions,
    )


def _kpi(said: KpiMeasured) -> Kpi:
    # Known since it was measured, so that whoever hears of it again knows it as long.
    kpi = Kpi(said.kpi_id, said.measured_at, said.name, said.unit, higher_is_better=said.higher_is_better)
    if said.baseline is None or said.target is None:
        return kpi
    objective = Objective(said.baseline, said.target)
    # An objective that asks for no improvement is not worth losing the measurement for.
    return kpi if kpi.fault_of(objective) else replace(kpi, objective=objective)
