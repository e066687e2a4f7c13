"""What interviewees said, as support for ideas, and forgetting a person who asks for it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from services.roadmap import store
from services.roadmap.insights import Insight, highest_versions
from services.roadmap.prioritise import NO_CAUSES, reprioritise
from services.roadmap.segments import Snapshot, latest_snapshots
from shared.contract.events import InsightTagged
from shared.runtime import Transaction
from shared.runtime.database import Cause


async def record(tx: Transaction, insights: Sequence[InsightTagged], causes: Mapping[str, Cause] = NO_CAUSES) -> None:
    """Count who asked for what, in any order and however often it comes; the highest version of an insight holds.

    An insight may move from one idea to another, or be withdrawn. An idea nobody has named yet is kept until somebody
    does.
    """
    participants = {insight.participant_id for insight in insights}
    await store.note_people(
        tx.connection,
        latest_snapshots(
            Snapshot(insight.participant_id, insight.segment.model_dump(exclude_none=True), insight.tagged_at)
            for insight in insights
        ),
    )
    erased = await store.erased_among(tx.connection, participants)
    tagged = highest_versions(_insight(insight) for insight in insights if insight.participant_id not in erased)
    features = {insight.feature_id for insight in tagged if insight.feature_id is not None}
    await store.ensure_ideas(tx.connection, features, tx.now)
    touched = await store.keep_insights(tx.connection, tagged)
    touched += await store.miscounted(tx.connection, participants)
    await store.lock_ideas(tx.connection, {feature for feature, _ in touched})
    changed = await store.settle(tx.connection, touched)
    await reprioritise(tx, changed, causes)


async def forget(tx: Transaction, person_id: str, erased_at: datetime) -> None:
    """Remove everything about a person who took part as participant or voter, and what may still come about them."""
    await store.erase_person(tx.connection, person_id, erased_at)
    supported = await store.supported_by(tx.connection, [person_id])
    await store.lock_ideas(tx.connection, {feature for feature, _ in supported})
    await store.delete_words_of(tx.connection, person_id)
    changed = await store.settle(tx.connection, supported)
    await reprioritise(tx, changed)


def _insight(tagged: InsightTagged) -> Insight:
    return Insight(
        insight_id=tagged.insight_id,
        version=tagged.version,
        withdrawn=tagged.withdrawn,
        feature_id=tagged.feature_id,
        participant_id=tagged.participant_id,
        session_id=tagged.session_id,
        quote=tagged.quote,
        sentiment=tagged.sentiment,
        importance=tagged.importance,
        tagged_at=tagged.tagged_at,
    )
