"""The same consumption with more votes stored, and with more instances."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import asyncpg

from tests.support.databases import dsn_of

from . import votes
from .figures import median
from .meters import Cost, between, ratio
from .place import Place, service
from .progress import Progress

IDEAS = 2000


async def stored(place: Place, events: int, sizes: tuple[int, ...], rounds: int) -> dict[str, Any]:
    """Events per core-second when this many votes are there already: medians over the rounds."""
    costs = await _in_turns(place, events, [(1, size) for size in sizes], rounds)
    return {
        f"{size:,} votes": {
            "events per core-second": median(cost.per_core_second for cost in found),
            "of none": ratio(found, costs[0]),
        }
        for size, found in zip(sizes, costs, strict=True)
    }


async def instances(place: Place, events: int, numbers: tuple[int, ...], rounds: int) -> dict[str, Any]:
    """Events per core-second and per second of this many instances together: medians over the rounds."""
    costs = await _in_turns(place, events, [(number, 0) for number in numbers], rounds)
    return {
        f"{number} instances": {
            "events per core-second": median(cost.per_core_second for cost in found),
            "of one": ratio(found, costs[0]),
            "events per second": median(cost.per_second for cost in found),
        }
        for number, found in zip(numbers, costs, strict=True)
    }


async def _in_turns(place: Place, events: int, settings: Sequence[tuple[int, int]], rounds: int) -> list[list[Cost]]:
    """The costs of each setting, which is a number of instances and one of votes stored, in every round."""
    prefix = await place.topics()
    votes.publish(place.kafka, prefix, votes.Crowd().votes(events))
    costs: list[list[Cost]] = [[] for _ in settings]
    for _ in range(rounds):
        for found, (number, size) in zip(costs, settings, strict=True):
            found.append(await _consume(place, prefix, events, instances=number, size=size))
    return costs


async def _consume(place: Place, prefix: str, events: int, *, instances: int, size: int) -> Cost:
    async with place.database() as database:
        connection = await asyncpg.connect(dsn_of(database), server_settings={"search_path": "roadmap"})
        if size:
            await store(connection, size)
        progress = Progress(connection, place.postmaster)
        with ExitStack() as stack:
            programs = [stack.enter_context(service(place, "roadmap", database, prefix)) for _ in range(instances)]
            first, last = await progress.follow(
                *(program.process for program in programs), until=lambda _, now: now.events >= events, patience=600
            )
        await connection.close()
    return between(first, last)


async def store(connection: "asyncpg.Connection[asyncpg.Record]", size: int, *, ideas: int = IDEAS) -> None:
    """Put in named ideas and votes of earlier years, each voter's on ten ideas, with the counters they make."""
    voters = max(1, size // 10)
    await connection.execute(
        """
        INSERT INTO people (person_id, cell, seen_at)
        SELECT 'old-' || n, 'loyal|pro|eu', '2020-01-01Z' FROM generate_series(0, $1 - 1) AS n
        """,
        voters,
    )
    await connection.execute(
        """
        INSERT INTO ideas (feature_id, title, status_version, status_changed_at, created_at)
        SELECT 'idea-' || n, 'Idea number ' || n, 1, '2020-01-01Z', '2020-01-01Z' FROM generate_series(0, $1 - 1) AS n
        """,
        ideas,
    )
    await connection.execute(
        """
        INSERT INTO votes (feature_id, voter_id, vote, voted_at, voter_kind, channel)
        SELECT 'idea-' || (n / $2 * 197 + n % $2) % $3, 'old-' || n % $2, 'up', '2020-01-01Z', 'customer', 'in-app'
          FROM generate_series(0, $1 - 1) AS n
        """,
        size,
        voters,
        ideas,
    )
    await connection.execute(
        """
        INSERT INTO support_counts (feature_id, cell, people, importance_sum, importance_people)
        SELECT feature_id, 'loyal|pro|eu', count(*), 0, 0 FROM votes GROUP BY feature_id
        """
    )
    await connection.execute(
        "UPDATE ideas SET supporters = people FROM support_counts WHERE support_counts.feature_id = ideas.feature_id"
    )
    await connection.execute("INSERT INTO active_counts (cell, people) VALUES ('loyal|pro|eu', $1)", voters)
    # Empty tables stay as a new installation has them: once analyzed, they would be taken for ones that stay empty.
    await connection.execute("VACUUM ANALYZE" if size else "VACUUM ANALYZE ideas")
