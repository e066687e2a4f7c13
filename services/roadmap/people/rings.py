"""Votes that look as if few people cast many: shown to moderators, who decide; nothing is done by itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

WINDOW = timedelta(hours=1)
MANY = 5
"""People nobody knew before, for one idea, from one network, within the window."""


class Arrival(NamedTuple):
    """A vote for an idea; `network` is a hash, `is_new` says that the person had not been seen a day before."""

    feature_id: str
    person_id: str
    network: bytes
    is_new: bool
    voted_at: datetime


class Ring(NamedTuple):
    """So many new people voted for one idea from one network between two times."""

    feature_id: str
    person_ids: tuple[str, ...]
    first: datetime
    last: datetime


def rings(arrivals: Iterable[Arrival]) -> list[Ring]:
    """The signals among the arrivals, the largest first; of one idea and network the densest window."""
    groups: defaultdict[tuple[str, bytes], list[Arrival]] = defaultdict(list)
    for arrival in arrivals:
        if arrival.is_new:
            groups[arrival.feature_id, arrival.network].append(arrival)
    found = [ring for group in groups.values() if (ring := _densest(group)) is not None]
    return sorted(found, key=lambda ring: (-len(ring.person_ids), ring.feature_id, ring.first))


def _densest(group: Sequence[Arrival]) -> Ring | None:
    in_order = sorted(group, key=lambda arrival: (arrival.voted_at, arrival.person_id))
    best: Sequence[Arrival] = ()
    begin = 0
    for end, arrival in enumerate(in_order):
        while arrival.voted_at - in_order[begin].voted_at > WINDOW:
            begin += 1
        if end + 1 - begin > len(best):
            best = in_order[begin : end + 1]
    if len(best) < MANY:
        return None
    return Ring(best[0].feature_id, tuple(arrival.person_id for arrival in best), best[0].voted_at, best[-1].voted_at)
