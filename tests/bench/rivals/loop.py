"""The loop somebody writes by hand who wants it fast and knows exactly what comes: aiokafka, msgspec, few statements.

It ends with the same rows as the service: each person's last vote on each idea, the cell each person is in, counters
by idea and cell, the position. It trusts what it reads: no CloudEvents attributes, no limits of fields, no dead
letters, no closed ideas, nobody erased, no interviews, no score that becomes due, no other writer beside it.
"""

from datetime import datetime
from functools import lru_cache
from operator import attrgetter

import asyncpg
import msgspec
from aiokafka import AIOKafkaConsumer

from tests.bench.rivals.common import BATCH, BOOTSTRAP, TOPIC, connect, run

PEOPLE = """
    WITH noted AS (
        INSERT INTO people (person_id, cell, seen_at)
        SELECT DISTINCT ON (person_id) * FROM unnest($1::text[], $2::text[], $3::timestamptz[])
                                              AS given (person_id, cell, seen_at)
         ORDER BY person_id, seen_at DESC, cell DESC
        ON CONFLICT (person_id) DO UPDATE SET cell = excluded.cell, seen_at = excluded.seen_at
         WHERE (excluded.seen_at, excluded.cell) > (people.seen_at, people.cell)
        RETURNING new.person_id, old.cell AS left_cell, new.cell AS joined_cell
    ), changed AS (
        SELECT * FROM noted WHERE left_cell IS DISTINCT FROM joined_cell
    ), net AS (
        SELECT cell, sum(people)::integer AS people
          FROM (SELECT left_cell AS cell, -1 AS people FROM changed WHERE left_cell IS NOT NULL
                UNION ALL SELECT joined_cell, 1 FROM changed) AS moves
         GROUP BY cell
    ), counted AS (
        MERGE INTO active_counts AS counts USING net ON counts.cell = net.cell
         WHEN MATCHED THEN UPDATE SET people = counts.people + net.people
         WHEN NOT MATCHED THEN INSERT (cell, people) VALUES (net.cell, net.people)
    )
    SELECT person_id, left_cell FROM changed WHERE left_cell IS NOT NULL
"""
COUNT = """
    net AS (
        SELECT feature_id, cell, sum(people)::integer AS people FROM moves GROUP BY feature_id, cell
        HAVING sum(people) <> 0
    ), ideas_there AS (
        INSERT INTO ideas (feature_id, title, status_changed_at, created_at, supporters)
        SELECT feature_id, feature_id, now(), now(), greatest(sum(people), 0) FROM net GROUP BY feature_id
        ON CONFLICT (feature_id) DO NOTHING
        RETURNING feature_id
    ), idea_counts AS (
        UPDATE ideas SET supporters = ideas.supporters + total.people
          FROM (SELECT feature_id, sum(people)::integer AS people FROM net GROUP BY feature_id) AS total
         WHERE ideas.feature_id = total.feature_id
    )
    MERGE INTO support_counts AS counts USING net ON (counts.feature_id, counts.cell) = (net.feature_id, net.cell)
     WHEN MATCHED THEN UPDATE SET people = counts.people + net.people
     WHEN NOT MATCHED THEN INSERT VALUES (net.feature_id, net.cell, net.people, 0, 0)
"""
MOVERS = f"""
    WITH moved AS (
        SELECT * FROM unnest($1::text[], $2::text[]) AS moved (person_id, left_cell)
    ), standing AS (
        SELECT feature_id, left_cell, people.cell
          FROM moved JOIN people USING (person_id) JOIN votes ON votes.voter_id = person_id AND vote = 'up'
    ), moves AS (
        SELECT feature_id, left_cell AS cell, -1 AS people FROM standing
        UNION ALL SELECT feature_id, cell, 1 FROM standing
    ), {COUNT}
"""  # noqa: S608 - the end of the statement, above
VOTES = f"""
    WITH kept AS (
        INSERT INTO votes (feature_id, voter_id, voter_kind, vote, voted_at, channel)
        SELECT DISTINCT ON (feature_id, voter_id) *
          FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[])
               AS given (feature_id, voter_id, voter_kind, vote, voted_at, channel)
         ORDER BY feature_id, voter_id, voted_at DESC
        ON CONFLICT (feature_id, voter_id) DO UPDATE
           SET vote = excluded.vote, voted_at = excluded.voted_at, voter_kind = excluded.voter_kind,
               channel = excluded.channel
         WHERE excluded.voted_at >= votes.voted_at
        RETURNING new.feature_id, new.voter_id AS person_id,
                  (new.vote = 'up')::integer - coalesce(old.vote = 'up', false)::integer AS people
    ), moves AS (
        SELECT feature_id, people.cell, kept.people FROM kept JOIN people USING (person_id) WHERE kept.people <> 0
    ), {COUNT}
"""  # noqa: S608 - the end of the statement, above
POSITIONS = """
    INSERT INTO consumer_positions (cluster, topic, partition, next_offset)
    SELECT 'loop', * FROM unnest($1::text[], $2::int[], $3::bigint[])
    ON CONFLICT (cluster, topic, partition) DO UPDATE SET next_offset = excluded.next_offset
"""


class Segment(msgspec.Struct):
    plan: str | None = None
    region: str | None = None
    loyalty: str | None = None


class Vote(msgspec.Struct):
    feature_id: str
    voter_id: str
    voted_at: datetime
    voter_kind: str = "customer"
    vote: str = "up"
    channel: str = "unknown"
    segment: Segment = msgspec.field(default_factory=Segment)


columns = attrgetter("feature_id", "voter_id", "voter_kind", "vote", "voted_at", "channel")


@lru_cache(maxsize=10_000)
def cell(loyalty: str | None, plan: str | None, region: str | None) -> str:
    return "|".join((text or "").strip().casefold() or "–" for text in (loyalty, plan, region))


async def main() -> None:
    decode = msgspec.json.Decoder(Vote).decode
    connection = await connect()
    consumer = AIOKafkaConsumer(
        TOPIC,
        bootstrap_servers=BOOTSTRAP,
        group_id=f"{TOPIC}.loop.{connection.get_server_pid()}",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=100,
    )
    await consumer.start()
    while True:
        taken = await consumer.getmany(timeout_ms=100, max_records=BATCH)
        if taken:
            votes = [decode(record.value) for records in taken.values() for record in records]
            reached = {place: records[-1].offset + 1 for place, records in taken.items()}
            await apply(connection, votes, {(place.topic, place.partition): at for place, at in reached.items()})
            await consumer.commit(reached)


async def apply(
    connection: "asyncpg.Connection[asyncpg.Record]", votes: list[Vote], reached: dict[tuple[str, int], int]
) -> None:
    feature_ids, voter_ids, kinds, ups, times, channels = zip(*map(columns, votes), strict=True)
    cells = [cell(vote.segment.loyalty, vote.segment.plan, vote.segment.region) for vote in votes]
    async with connection.transaction():
        movers = await connection.fetch(PEOPLE, voter_ids, cells, times)
        if movers:
            people, left = zip(*movers, strict=True)
            await connection.execute(MOVERS, people, left)
        await connection.execute(VOTES, feature_ids, voter_ids, kinds, ups, times, channels)
        topics, partitions = zip(*reached, strict=True)
        await connection.execute(POSITIONS, topics, partitions, list(reached.values()))


if __name__ == "__main__":
    run(main())
