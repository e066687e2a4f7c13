"""Votes that people give on pages, and where they come from: a hash that nobody can turn back after a week."""

import secrets
from datetime import timedelta
from hashlib import blake2b
from typing import Literal

from fastapi import Request

from services.roadmap.casting import cast_vote
from services.roadmap.people.abuse import address_of, network_of
from services.roadmap.people.rings import Arrival, Ring, rings
from services.roadmap.people.visitors import Visitor
from services.roadmap.store import moderation
from shared.contract.events import FeatureVoted
from shared.runtime import Transaction

NEW_FOR = timedelta(days=1)
KEPT_FOR = timedelta(days=7)


async def vote(
    tx: Transaction, request: Request, feature_id: str, visitor: Visitor, choice: Literal["up", "withdrawn"], *, by: str
) -> FeatureVoted:
    """Count the vote of somebody at a page of the channel `by`; gives it as it was counted.

    Raises Problem when there is no such idea or the vote must not count.
    """
    given = FeatureVoted(
        feature_id=feature_id,
        voter_id=visitor.voter_id,
        voter_kind=visitor.kind,
        vote=choice,
        voted_at=tx.now,
        channel=by,
        segment=visitor.segment,
    )
    counted = await cast_vote(tx, given)
    await _note(tx, request, counted.feature_id, visitor)
    return counted


async def _note(tx: Transaction, request: Request, feature_id: str, visitor: Visitor) -> None:
    """Note where a vote comes from, but a colleague's or a trusted person's."""
    if visitor.publishes:
        return
    salt = await moderation.salt_of_week(tx.connection, tx.now.date(), secrets.token_bytes(16))
    network = blake2b(network_of(address_of(request)).encode(), key=salt, digest_size=16).digest()
    is_new = await moderation.is_new(tx.connection, visitor.voter_id, tx.now - NEW_FOR)
    arrival = Arrival(feature_id, visitor.voter_id, network, is_new, tx.now)
    await moderation.note_arrival(tx.connection, arrival)


async def signals(tx: Transaction) -> list[Ring]:
    """What the votes of the last week give rise to; older ones are forgotten."""
    await moderation.forget_arrivals(tx.connection, tx.now - KEPT_FOR)
    return rings(await moderation.arrivals(tx.connection))
