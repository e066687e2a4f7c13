"""Votes: one per person and idea, the latest holds, and which are refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from services.roadmap.ideas import Stage
from shared.ui.sentences import Sentence

VOTE_AHEAD = timedelta(days=1)
"""A vote later than this would silence the person's next votes until its date has come."""


class Vote(NamedTuple):
    """One person's vote on one idea as it was cast; `event_id` decides between two of the same moment."""

    feature_id: str
    voter_id: str
    voter_kind: str
    vote: Literal["up", "withdrawn"]
    voted_at: datetime
    channel: str
    recorded_by: str | None = None
    source_url: str | None = None
    event_id: str = ""


def latest_votes(votes: Iterable[Vote]) -> list[Vote]:
    """The last vote of each person on each idea by (voted_at, event id)."""
    last: dict[tuple[str, str], Vote] = {}
    for vote in votes:
        key = (vote.feature_id, vote.voter_id)
        held = last.setdefault(key, vote)
        if held is not vote and (vote.voted_at, vote.event_id) > (held.voted_at, held.event_id):
            last[key] = vote
    return list(last.values())


def first_refusal(votes: Iterable[Vote], ideas: Mapping[str, Stage], now: datetime) -> Sentence | None:
    """Why one of the votes does not count; None when all do. Looks closely only where something may be wrong."""
    latest, closed = now + VOTE_AHEAD, {feature_id for feature_id, idea in ideas.items() if idea.closed}
    odd = (vote for vote in votes if vote.voted_at > latest or vote.feature_id in closed)
    return next(filter(None, (refusal(vote, ideas[vote.feature_id], now) for vote in odd)), None)


def refusal(vote: Vote, idea: Stage, now: datetime) -> Sentence | None:
    """Why the vote does not count, and what to do; None for a vote that does.

    A vote cast before its idea was closed counts whenever it arrives, and a vote can always be taken back.
    """
    if vote.voted_at > now + VOTE_AHEAD:
        return Sentence(
            "voted_at %(time)s UTC lies more than a day ahead; correct the sender's clock.",
            time=f"{vote.voted_at:%Y-%m-%d %H:%M}",
        )
    if vote.vote == "up" and idea.closed and vote.voted_at > idea.status_changed_at:
        since = f"{idea.status_changed_at:%Y-%m-%d %H:%M}"
        if idea.status == "shipped":
            return Sentence(
                "The idea %(id)r is shipped since %(time)s UTC and takes no new votes; "
                "vote for an open idea or ask the team to reopen it.",
                id=idea.feature_id,
                time=since,
            )
        return Sentence(
            "The idea %(id)r is declined since %(time)s UTC and takes no new votes; "
            "vote for an open idea or ask the team to reopen it.",
            id=idea.feature_id,
            time=since,
        )
    return None
