"""Votes that people cast here, on the board or over the API: answered at once, counted together with others."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from services.roadmap import store
from services.roadmap.store import Pair, anonymous
from services.roadmap.store.casting import About, Asked, about
from services.roadmap.votes import refusal
from services.roadmap.voting import as_vote, record
from shared.contract.events import FeatureVoted
from shared.runtime import Problem, Transaction, conflict, not_found, unprocessable
from shared.runtime.database import Cause
from shared.ui.sentences import Sentence

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
    known = await about(tx.connection, {_asked(ballot) for ballot in ballots})
    last = await _last_votes(tx, ballots, known)
    answers: list[FeatureVoted | Problem] = []
    for ballot in ballots:
        answer = _answer(ballot, known.get(_asked(ballot)), last, tx.now)
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


def _asked(ballot: Ballot) -> Asked:
    return ballot.vote.feature_id, ballot.vote.voter_id, ballot.dated


def _answer(ballot: Ballot, met: About | None, last: Mapping[Pair, datetime], now: datetime) -> FeatureVoted | Problem:
    vote = ballot.vote
    if met is None or not met.named:
        return not_found("idea", vote.feature_id)
    idea = met.idea
    if not ballot.dated:
        before = last.get((idea.feature_id, vote.voter_id))
        voted_at = max(vote.voted_at, before + timedelta(microseconds=1)) if before else vote.voted_at
        if (idea.feature_id, voted_at) != (vote.feature_id, vote.voted_at):
            vote = vote.model_copy(update={"feature_id": idea.feature_id, "voted_at": voted_at})
    if reason := refusal(as_vote(vote, ""), idea, now):
        return (conflict if idea.closed else unprocessable)(reason)
    if met.erased:
        return conflict(Sentence("The voter %(id)r asked to be forgotten and is no longer counted.", id=vote.voter_id))
    return vote


async def _last_votes(tx: Transaction, ballots: Sequence[Ballot], known: Mapping[Asked, About]) -> dict[Pair, datetime]:
    """When the voters last voted on the ideas, or on one that is merged into them."""
    found: dict[Pair, datetime | None] = {}
    for ballot in ballots:
        met = known.get(_asked(ballot))
        if met is None or ballot.dated:
            continue
        pair = met.idea.feature_id, ballot.vote.voter_id
        if ballot.vote.voter_kind == "anonymous":
            found[pair] = await anonymous.anonymous_voted_at(tx.connection, *pair)
        elif met.idea.regrouped:
            found[pair] = await store.last_vote_in_group(tx.connection, *pair)
        else:
            found[pair] = met.voted_at
    return {pair: time for pair, time in found.items() if time is not None}
