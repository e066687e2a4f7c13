"""Votes that people cast here, on the board or over the API: answered at once, counted together with others."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from services.roadmap import store
from services.roadmap.ideas import Idea
from services.roadmap.store import Pair, anonymous
from services.roadmap.votes import refusal
from services.roadmap.voting import as_vote, record
from shared.contract.events import FeatureVoted
from shared.runtime import Problem, Transaction, conflict, not_found, unprocessable
from shared.runtime.database import Cause

NOBODY_ELSE = Cause()


class Ballot(NamedTuple):
    """A vote to be counted; without a date of its own (`dated`) it is later than the voter's last one on the idea."""

    vote: FeatureVoted
    dated: bool = False
    cause: Cause = NOBODY_ELSE


async def cast_vote(tx: Transaction, vote: FeatureVoted, *, dated: bool = False) -> FeatureVoted:
    """Count one vote and tell others; gives it as it was counted.

    Raises Problem when there is no such idea or the vote must not count.
    """
    [answer] = await cast_votes(tx, [Ballot(vote, dated, tx.cause)])
    if isinstance(answer, Problem):
        raise answer
    return answer


async def cast_votes(tx: Transaction, ballots: Sequence[Ballot]) -> list[FeatureVoted | Problem]:
    """Count votes in their order and tell others; they change nothing when they come back from the broker.

    Gives each as it was counted, on the survivor of a merged idea, or why it must not count.
    """
    # Not locked yet: `record` holds the voters first, as all do who need both.
    ideas = await _asked_for(tx, ballots)
    last = await _last_votes(tx, ballots, ideas)
    erased = await store.erased_among(tx.connection, {ballot.vote.voter_id for ballot in ballots})
    answers: list[FeatureVoted | Problem] = []
    for ballot in ballots:
        answer = _answer(ballot, ideas.get(ballot.vote.feature_id), last, erased, tx.now)
        if isinstance(answer, FeatureVoted):
            last[answer.feature_id, answer.voter_id] = answer.voted_at
        answers.append(answer)
    counted = [
        (ballot.cause, vote) for ballot, vote in zip(ballots, answers, strict=True) if not isinstance(vote, Problem)
    ]
    if counted:
        await record(tx, [vote for _, vote in counted], [""] * len(counted))
        await tx.publish_each(counted)
    return answers


def _answer(
    ballot: Ballot, idea: Idea | None, last: Mapping[Pair, datetime], erased: Collection[str], now: datetime
) -> FeatureVoted | Problem:
    vote = ballot.vote
    if idea is None or not idea.named:
        return not_found("idea", vote.feature_id)
    if not ballot.dated:
        before = last.get((idea.feature_id, vote.voter_id))
        voted_at = max(vote.voted_at, before + timedelta(microseconds=1)) if before else vote.voted_at
        vote = vote.model_copy(update={"feature_id": idea.feature_id, "voted_at": voted_at})
    if reason := refusal(as_vote(vote, ""), idea.stage, now):
        return (conflict if idea.closed else unprocessable)(f"{reason[0].upper()}{reason[1:]}.")
    if vote.voter_id in erased:
        return conflict(f"The voter {vote.voter_id!r} asked to be forgotten and is no longer counted.")
    return vote


async def _asked_for(tx: Transaction, ballots: Sequence[Ballot]) -> dict[str, Idea]:
    """The ideas by the ids that were asked for; of a merged one its survivor, but for a vote with a date of its own."""
    ideas = await store.find_ideas(tx.connection, {ballot.vote.feature_id for ballot in ballots})
    now = {ballot.vote.feature_id for ballot in ballots if not ballot.dated}
    survivors = {name: idea.merged_into for name, idea in ideas.items() if idea.merged_into and name in now}
    if survivors:
        found = await store.find_ideas(tx.connection, set(survivors.values()))
        ideas |= {name: found[survivor] for name, survivor in survivors.items() if survivor in found}
    return ideas


async def _last_votes(tx: Transaction, ballots: Sequence[Ballot], ideas: Mapping[str, Idea]) -> dict[Pair, datetime]:
    """When the voters last voted on the ideas, or on one that is merged into them."""
    plain: set[Pair] = set()
    found: dict[Pair, datetime | None] = {}
    for vote, dated, _ in ballots:
        idea = ideas.get(vote.feature_id)
        if idea is None or dated:
            continue
        pair = idea.feature_id, vote.voter_id
        if vote.voter_kind == "anonymous":
            found[pair] = await anonymous.anonymous_voted_at(tx.connection, *pair)
        elif idea.regrouped:
            found[pair] = await store.last_vote_in_group(tx.connection, *pair)
        else:
            plain.add(pair)
    times = await store.last_voted_at(tx.connection, plain) if plain else {}
    return times | {pair: time for pair, time in found.items() if time is not None}
