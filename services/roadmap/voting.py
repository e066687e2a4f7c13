"""Votes, however they come: from the broker, the public board or the API."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from services.roadmap import store
from services.roadmap.prioritise import NO_CAUSES, mark_due
from services.roadmap.segments import Snapshot, cell, latest_snapshots
from services.roadmap.votes import Vote, latest_votes, refusal
from shared.contract.events import FeatureVoted
from shared.runtime import Rejected, Transaction, conflict, not_found, unprocessable
from shared.runtime.database import Cause


async def record(
    tx: Transaction, votes: Sequence[FeatureVoted], event_ids: Sequence[str], causes: Mapping[str, Cause] = NO_CAUSES
) -> None:
    """Count votes, in any order and however often they come; `causes` names the event behind each idea's change.

    An idea nobody has named yet keeps its votes until somebody does.
    Raises Rejected when one of the votes must not count.
    """
    noted = await store.note_people(tx.connection, latest_snapshots(map(_snapshot, votes)))
    erased = await store.erased_among(tx.connection, noted.as_before)
    cast = latest_votes(
        _vote(vote, event_id) for vote, event_id in zip(votes, event_ids, strict=True) if vote.voter_id not in erased
    )
    features = {vote.feature_id for vote in cast}
    moved = await store.supported_by(tx.connection, noted.left)
    ideas = await store.hold_ideas(tx.connection, features | moved, tx.now)
    for vote in () if tx.repeated else cast:  # what counted once counts, whatever happened to the idea since
        if reason := refusal(vote, ideas[vote.feature_id], tx.now):
            raise Rejected(reason)
    changed = await store.recount_movers(tx.connection, noted.left)
    changed += await store.keep_votes(tx.connection, cast)
    await mark_due(tx, changed, causes)
    await store.count_active(tx.connection, noted.moves)


async def cast_vote(tx: Transaction, vote: FeatureVoted, *, dated: bool = False) -> FeatureVoted:
    """Count one vote at once and tell others; it changes nothing when it comes back from the broker.

    Gives the vote as it was counted: without a date of its own (`dated`) it is later than the voter's last vote on the
    idea, whatever the clocks say.
    Raises Problem when there is no such idea or the vote must not count.
    """
    # Not locked yet: `record` holds the voter first, as all do who need both.
    idea = await store.find_idea(tx.connection, vote.feature_id)
    if idea is None or not idea.named:
        raise not_found("idea", vote.feature_id)
    if not dated:
        last = await store.last_voted_at(tx.connection, vote.feature_id, vote.voter_id)
        after_last = last + timedelta(microseconds=1) if last else vote.voted_at
        vote = vote.model_copy(update={"voted_at": max(vote.voted_at, after_last)})
    if reason := refusal(_vote(vote, ""), idea.stage, tx.now):
        raise (conflict if idea.closed else unprocessable)(f"{reason[0].upper()}{reason[1:]}.")
    if await store.erased_among(tx.connection, [vote.voter_id]):
        raise conflict(f"The voter {vote.voter_id!r} asked to be forgotten and is no longer counted.")
    await record(tx, [vote], [""])
    await tx.publish(vote)
    return vote


def _snapshot(vote: FeatureVoted) -> Snapshot:
    segment = vote.segment
    return Snapshot(vote.voter_id, cell(segment.loyalty, segment.plan, segment.region), vote.voted_at)


def _vote(vote: FeatureVoted, event_id: str) -> Vote:
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
