"""FeatureVoted to deduplicated votes and counters: the service beside a hand-written loop and a naive handler."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import asyncpg

from tests.support.databases import dsn_of

from . import votes
from .figures import median
from .meters import Cost, between, ratio
from .place import Place, Program, rival, service
from .progress import Progress

CONTESTANTS = ("loop", "service", "handler")
HANDLER_SECONDS = 10.0
"""The handler does not come to an end within reason; its slope over this time says the same."""

STATE = """
    SELECT md5(string_agg(line, E'\\n' ORDER BY line COLLATE "C"))
      FROM (SELECT concat_ws(' ', 'vote', feature_id, voter_id, vote, voted_at, voter_kind, channel) AS line FROM votes
            UNION ALL SELECT concat_ws(' ', 'person', person_id, cell, seen_at) FROM people
            UNION ALL SELECT concat_ws(' ', 'count', feature_id, cell, people) FROM support_counts WHERE people > 0
            UNION ALL SELECT concat_ws(' ', 'active', cell, people) FROM active_counts WHERE people > 0
            UNION ALL SELECT concat_ws(' ', 'idea', feature_id, supporters) FROM ideas WHERE supporters > 0) AS lines
"""
"""Everything that a vote leaves behind, in one digest."""


async def compare(place: Place, events: int, rounds: int) -> dict[str, Any]:
    """Medians over the rounds, in each of which all take their turn on the same records.

    Raises:
        AssertionError: service and loop did not end with the same rows.
    """
    prefix = await place.topics()
    votes.publish(place.kafka, prefix, votes.Crowd().votes(events))
    costs: dict[str, list[Cost]] = {name: [] for name in CONTESTANTS}
    digests: dict[str, str] = {}
    for _ in range(rounds):
        for name in CONTESTANTS:
            cost, digest = await _turn(place, name, prefix, events)
            costs[name].append(cost)
            digests[name] = digest
    assert digests["service"] == digests["loop"], "service and loop do not end with the same rows"
    return {
        "rounds": rounds,
        "events": events,
        "same rows": True,
        **{name: _summary(of_name) for name, of_name in costs.items()},
        "of the loop": ratio(costs["service"], costs["loop"]),
        "times the handler": ratio(costs["service"], costs["handler"]),
    }


async def _turn(place: Place, name: str, prefix: str, events: int) -> tuple[Cost, str]:
    async with place.database() as database:
        connection = await asyncpg.connect(dsn_of(database), server_settings={"search_path": "roadmap"})
        progress = Progress(connection, place.postmaster)
        limit = HANDLER_SECONDS if name == "handler" else float("inf")
        with _started(place, name, database, prefix) as program:
            first, last = await progress.follow(
                program.process,
                until=lambda first, now: now.events >= events or now.seconds - first.seconds > limit,
                patience=600,
            )
        digest = await connection.fetchval(STATE)
        await connection.close()
    return between(first, last), digest


def _started(place: Place, name: str, database: str, prefix: str) -> AbstractContextManager[Program]:
    if name == "service":
        return service(place, "roadmap", database, prefix)
    return rival(place, name, database, prefix)


def _summary(costs: Sequence[Cost]) -> dict[str, float]:
    return {
        "events per core-second": median(cost.per_core_second for cost in costs),
        "events per second": median(cost.per_second for cost in costs),
        "python us": median(cost.python_us for cost in costs),
        "postgres us": median(cost.postgres_us for cost in costs),
    }
