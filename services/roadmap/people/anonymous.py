"""Votes that turn out to be a known person's: of a visitor who signed in, or of somebody known under two ids."""

from collections.abc import Sequence

from services.roadmap import store, voting
from services.roadmap.people.visitors import Visitor
from services.roadmap.store import anonymous
from services.roadmap.votes import Vote, refusal
from shared.contract.events import FeatureVoted
from shared.runtime import Transaction


async def confirm(tx: Transaction, visitor_id: str, person: Visitor) -> int:
    """Count the votes of a visitor nobody knew as the person's; doing it again changes nothing. Gives how many."""
    return await hand_over(tx, await anonymous.anonymous_votes_of(tx.connection, visitor_id), person)


async def join(tx: Transaction, other_id: str, person: Visitor) -> int:
    """Count the votes that the person cast under another id as the person's. Gives how many."""
    return await hand_over(tx, await anonymous.votes_of(tx.connection, other_id), person)


async def hand_over(tx: Transaction, votes: Sequence[Vote], person: Visitor) -> int:
    """Cast votes that are up again as the person's, at the times they were cast, and take back the others."""
    theirs = [_as(person, vote) for vote in votes if await _counts(tx, vote)]
    taken_back = [
        FeatureVoted.model_validate(
            {
                "feature_id": vote.feature_id,
                "voter_id": vote.voter_id,
                "voter_kind": vote.voter_kind,
                "vote": "withdrawn",
                "voted_at": max(tx.now, vote.voted_at),
                "channel": vote.channel,
            }
        )
        for vote in votes
    ]
    # In one go: people and ideas are held in the order that all who vote hold them in.
    if events := [*theirs, *taken_back]:
        await voting.record(tx, events, [""] * len(events))
        await tx.publish(*events)
    return len(theirs)


async def _counts(tx: Transaction, vote: Vote) -> bool:
    idea = await store.find_idea(tx.connection, vote.feature_id)
    return idea is not None and idea.named and refusal(vote, idea.stage, tx.now) is None


def _as(person: Visitor, vote: Vote) -> FeatureVoted:
    return FeatureVoted(
        feature_id=vote.feature_id,
        voter_id=person.voter_id,
        voter_kind=person.kind,
        voted_at=vote.voted_at,
        channel=vote.channel,
        segment=person.segment,
    )
