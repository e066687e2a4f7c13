"""Votes, however they come: from the broker, the public board or the API."""

from collections.abc import Mapping, Sequence

from services.roadmap import store
from services.roadmap.merges import merging
from services.roadmap.priority.prioritise import NO_CAUSES, mark_due
from services.roadmap.priority.segments import Snapshot, cell, latest_snapshots
from services.roadmap.store import anonymous
from services.roadmap.votes import Vote, first_refusal, latest_votes, refusal
from shared.contract.events import FeatureVoted
from shared.runtime import Rejected, Transaction
from shared.runtime.database import Cause


async def record(
    tx: Transaction, votes: Sequence[FeatureVoted], event_ids: Sequence[str], causes: Mapping[str, Cause] = NO_CAUSES
) -> None:
    """Count votes, in any order and however often they come; `causes` names the event behind each idea's change.

    An idea nobody has named yet keeps its votes until somebody does.
    Raises Rejected when one of the votes must not count.
    """
    if any(vote.voter_kind == "anonymous" for vote in votes):
        votes, event_ids = await _set_apart(tx, votes, event_ids)
        if not votes:
            return
    snapshots = latest_snapshots([_snapshot(vote) for vote in votes])
    noted = await store.note_people(tx.connection, snapshots)
    cells: dict[str, str | None] = {snapshot.person_id: snapshot.cell for snapshot in snapshots}
    cells |= await store.cells_of(tx.connection, noted.as_before)
    present = {person: cell for person, cell in cells.items() if cell is not None}
    cast = latest_votes(
        [as_vote(vote, event_id) for vote, event_id in zip(votes, event_ids, strict=True) if vote.voter_id in present]
    )
    features = {vote.feature_id for vote in cast}
    moved = await store.supported_by(tx.connection, noted.left)
    ideas = await store.hold_ideas(tx.connection, features | moved, tx.now)
    if any(idea.regrouped for idea in ideas.values()):
        cast, ideas = await merging.placed(tx, cast, ideas)
    if not tx.repeated and (reason := first_refusal(cast, ideas, tx.now)):
        raise Rejected(reason)  # what counted once counts, whatever happened to the idea since
    changed = await store.recount_movers(tx.connection, noted.left)
    changed += await merging.keep_votes(tx, cast, ideas, present)
    await mark_due(tx, changed, causes)
    await store.count_active(tx.connection, noted.moves)


async def _set_apart(
    tx: Transaction, votes: Sequence[FeatureVoted], event_ids: Sequence[str]
) -> tuple[list[FeatureVoted], list[str]]:
    """Keep the votes of visitors nobody knows where they count for nothing; gives the others."""
    given = list(zip(votes, event_ids, strict=True))
    apart = [(vote, event_id) for vote, event_id in given if vote.voter_kind == "anonymous"]
    erased = await store.erased_among(tx.connection, {vote.voter_id for vote, _ in apart})
    cast = latest_votes(as_vote(vote, event_id) for vote, event_id in apart if vote.voter_id not in erased)
    for vote in () if tx.repeated else cast:
        idea = await store.find_idea(tx.connection, vote.feature_id)
        if idea is not None and (reason := refusal(vote, idea.stage, tx.now)):
            raise Rejected(reason)
    await anonymous.keep_anonymous(tx.connection, cast)
    counted = [pair for pair in given if pair[0].voter_kind != "anonymous"]
    return [vote for vote, _ in counted], [event_id for _, event_id in counted]


def _snapshot(vote: FeatureVoted) -> Snapshot:
    segment = vote.segment
    return Snapshot(vote.voter_id, cell(segment.loyalty, segment.plan, segment.region), vote.voted_at)


def as_vote(vote: FeatureVoted, event_id: str) -> Vote:
    """The vote as it is stored."""
    on_behalf = vote.on_behalf
    return Vote(
        vote.feature_id,
        vote.voter_id,
        vote.voter_kind,
        vote.vote,
        vote.voted_at,
        vote.channel,
        on_behalf.recorded_by if on_behalf else None,
        on_behalf.source_url if on_behalf else None,
        event_id,
    )
