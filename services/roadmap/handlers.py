"""What each event does here. All may be repeated, late and out of order: keys, versions and times decide what holds."""

from collections.abc import Sequence

from services.roadmap import store, voting
from services.roadmap.people.signin import forget_speaker
from services.roadmap.priority import evidence, population
from services.roadmap.priority.kpis import Impact, Measurement, Objective, latest_measurements, latest_objectives
from services.roadmap.priority.prioritise import mark_due
from shared.contract.events import FeatureVoted, InsightTagged, KpiImpactAssessed, KpiMeasured, ParticipantErased
from shared.runtime import Handlers, Person, Received, Transaction, erasure
from shared.runtime.outbox import source_of

handlers = Handlers()
OURS = source_of("roadmap")


@handlers.on_batch(FeatureVoted, natural_key=True)
async def count_votes(tx: Transaction, events: Sequence[Received[FeatureVoted]]) -> None:
    counted = await _cast_here(tx, [event for event in events if event.source == OURS])
    fresh = [event for event in events if event.source != OURS or event.id not in counted]
    last = {event.data.feature_id: event for event in fresh}
    causes = {feature_id: event.cause for feature_id, event in last.items()}
    if fresh:
        await voting.record(tx, [event.data for event in fresh], [event.id for event in fresh], causes)


async def _cast_here(tx: Transaction, events: Sequence[Received[FeatureVoted]]) -> set[str]:
    """The ids of events whose vote stands as it was cast here, with all that follows from it."""
    if not events:
        return set()
    stand = await store.standing_as_cast(tx.connection, [voting.as_vote(event.data, event.id) for event in events])
    return {event.id for event in events if (event.data.feature_id, event.data.voter_id, event.data.voted_at) in stand}


@handlers.on_batch(InsightTagged, natural_key=True)
async def count_interviewees(tx: Transaction, events: Sequence[Received[InsightTagged]]) -> None:
    causes = {event.data.feature_id: event.cause for event in events if event.data.feature_id is not None}
    await evidence.record(tx, [event.data for event in events], causes)


@handlers.on_batch(KpiMeasured, natural_key=True)
async def keep_kpis(tx: Transaction, events: Sequence[Received[KpiMeasured]]) -> None:
    await population.keep_measured(tx, [event.data for event in events if event.data.dimensions])
    # A value of some customers only says nothing about the KPI as a whole.
    overall = [event.data for event in events if not event.data.dimensions]
    measured = latest_measurements(
        Measurement(kpi.kpi_id, kpi.name, kpi.unit, kpi.value, kpi.period_end, kpi.measured_at) for kpi in overall
    )
    objectives = latest_objectives(
        Objective(kpi.kpi_id, kpi.baseline, kpi.target, kpi.measured_at)
        for kpi in overall
        if kpi.baseline is not None and kpi.target is not None
    )
    changed = await store.keep_measurements(tx.connection, measured)
    changed += await store.keep_objectives(tx.connection, objectives)
    causes = {event.data.kpi_id: event.cause for event in events}
    linked = await store.linked_to(tx.connection, changed)
    await mark_due(tx, linked, {feature_id: causes[kpi_id] for feature_id, kpi_id in linked.items()})


@handlers.on(KpiImpactAssessed)
async def keep_impact(tx: Transaction, event: Received[KpiImpactAssessed]) -> None:
    assessed = event.data
    await store.keep_impact(
        tx.connection,
        Impact(
            feature_id=assessed.feature_id,
            kpi_id=assessed.kpi_id,
            version=assessed.version,
            released_at=assessed.released_at,
            effect=assessed.effect,
            effect_low=assessed.effect_low,
            effect_high=assessed.effect_high,
            confidence=assessed.confidence,
            unit=assessed.unit,
            verdict=assessed.verdict,
            smallest_visible_effect=assessed.smallest_visible_effect,
            periods_after=assessed.periods_after,
            assessed_at=assessed.assessed_at,
        ),
    )


@handlers.on(ParticipantErased)
async def forget_participant(tx: Transaction, event: Received[ParticipantErased]) -> None:
    erased = event.data
    removed = await evidence.forget(tx, erased.participant_id, erased.erased_at)
    removed |= await forget_speaker(tx, erased.participant_id)
    removed |= await store.forget_author(tx.connection, erased.participant_id, erased.erased_at)
    await erasure.complete(
        tx,
        Person((erased.participant_id,)),
        erased.erased_at,
        removed=removed,
        kept={
            "people": "the bare id, so that nothing late brings the person back",
            "support_counts": "how many people support an idea, without this one",
            "priorities": "scores, which follow from the counts",
        },
    )
