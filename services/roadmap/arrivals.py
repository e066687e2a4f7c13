"""Where votes of the board come from, kept for a week as a hash that nobody can turn back after that."""

import secrets
from datetime import timedelta
from hashlib import blake2b

from fastapi import Request

from services.roadmap.abuse import address_of, network_of
from services.roadmap.rings import Arrival, Ring, rings
from services.roadmap.store import moderation
from services.roadmap.visitors import Visitor
from shared.runtime import Transaction

NEW_FOR = timedelta(days=1)
KEPT_FOR = timedelta(days=7)


async def note(tx: Transaction, request: Request, feature_id: str, visitor: Visitor) -> None:
    """Note a vote of the board, but a colleague's or a trusted person's."""
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
