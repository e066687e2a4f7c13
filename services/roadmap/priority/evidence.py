"""What interviewees said, as support for ideas, and forgetting a person who asks for it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from services.roadmap import store
from services.roadmap.merges import merging
from services.roadmap.priority.insights import Insight, highest_versions
from services.roadmap.priority.prioritise import NO_CAUSES, mark_due
from services.roadmap.priority.segments import Move, Snapshot, cell_of, latest_snapshots
from shared.contract.events import InsightTagged
from shared.runtime import Transaction
from shared.runtime.database import Cause


async def record(tx: Transaction, insights: Sequence[InsightTagged], causes: Mapping[str, Cause] = NO_CAUSES) -> None:
    """Count who asked for what, in any order and however often it comes; the highest version of an insight holds.

    An insight may move from one idea to another, or be withdrawn. An idea nobody has named yet is kept until somebody
    does.
    """
    noted = await store.note_people(tx.connection, latest_snapshots(map(_snapshot, insights)))
    erased = await store.erased_among(tx.connection, noted.as_before)
    tagged = highest_versions(_insight(insight) for insight in insights if insight.participant_id not in erased)
    features = {insight.feature_id for insight in tagged if insight.feature_id is not None}
    await store.ensure_ideas(tx.connection, features, tx.now)
    touched = await store.keep_insights(tx.connection, tagged)
    moved = await store.supported_by(tx.connection, noted.left)
    held = await store.lock_ideas(tx.connection, moved | {feature for feature, _ in touched})
    changed = await store.recount_movers(tx.connection, noted.left)
    changed += await merging.settle_words(tx, touched, held)
    await mark_due(tx, changed, causes)
    await store.count_active(tx.connection, noted.moves)


async def forget(tx: Transaction, person_id: str, erased_at: datetime) -> dict[str, int]:
    """Remove everything about a person who took part as participant or voter, and what may still come about them.

    Gives how many records of which table went.
    """
    cell = await store.erase_person(tx.connection, person_id, erased_at)
    await store.lock_ideas(tx.connection, await store.supported_by(tx.connection, [person_id]))
    changed, removed = await store.delete_support(tx.connection, person_id, cell)
    await mark_due(tx, changed)
    await store.count_active(tx.connection, [Move(cell, None, 1)])
    return removed | {"account_people": await store.forget_accounts(tx.connection, person_id)}


def _snapshot(tagged: InsightTagged) -> Snapshot:
    segment = tagged.segment
    return Snapshot(tagged.participant_id, cell_of(segment.model_dump()), tagged.tagged_at)


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
