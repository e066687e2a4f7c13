"""The handler as tutorials show it: one message, one pydantic model, one transaction, one acknowledgement.

It ends with the same rows as the service, and like the loop leaves out everything else.
"""

import asyncio
from datetime import datetime

import asyncpg
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.annotations import KafkaMessage
from pydantic import BaseModel

from tests.bench.rivals.common import BOOTSTRAP, TOPIC, connect, run
from tests.bench.rivals.loop import cell


class Segment(BaseModel):
    plan: str | None = None
    region: str | None = None
    loyalty: str | None = None


class Vote(BaseModel):
    feature_id: str
    voter_id: str
    voted_at: datetime
    voter_kind: str = "customer"
    vote: str = "up"
    channel: str = "unknown"
    segment: Segment = Segment()


async def main() -> None:
    connection = await connect()
    broker = KafkaBroker(BOOTSTRAP, logger=None)

    @broker.subscriber(
        TOPIC,
        group_id=f"{TOPIC}.handler.{connection.get_server_pid()}",
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.NACK_ON_ERROR,
    )
    async def on_vote(vote: Vote, message: KafkaMessage) -> None:
        record = message.raw_message
        assert not isinstance(record, tuple)
        async with connection.transaction():
            await count(connection, vote)
            await connection.execute(
                "INSERT INTO consumer_positions VALUES ('handler', $1, $2, $3)"
                " ON CONFLICT (cluster, topic, partition) DO UPDATE SET next_offset = excluded.next_offset",
                record.topic,
                record.partition,
                record.offset + 1,
            )

    async with broker:
        await broker.start()
        await asyncio.Event().wait()


async def count(connection: "asyncpg.Connection[asyncpg.Record]", vote: Vote) -> None:
    """One vote, statement by statement."""
    segment = vote.segment
    person = await connection.fetchrow(
        """
        INSERT INTO people (person_id, cell, seen_at) VALUES ($1, $2, $3)
        ON CONFLICT (person_id) DO UPDATE SET cell = excluded.cell, seen_at = excluded.seen_at
         WHERE (excluded.seen_at, excluded.cell) > (people.seen_at, people.cell)
        RETURNING old.cell AS left_cell, new.cell AS joined_cell
        """,
        vote.voter_id,
        cell(segment.loyalty, segment.plan, segment.region),
        vote.voted_at,
    )
    if person and person["left_cell"] != person["joined_cell"]:
        await move(connection, vote.voter_id, person["left_cell"], person["joined_cell"])
    kept = await connection.fetchrow(
        """
        INSERT INTO votes (feature_id, voter_id, voter_kind, vote, voted_at, channel) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (feature_id, voter_id) DO UPDATE
           SET vote = excluded.vote, voted_at = excluded.voted_at, voter_kind = excluded.voter_kind,
               channel = excluded.channel
         WHERE excluded.voted_at >= votes.voted_at
        RETURNING (new.vote = 'up')::integer - coalesce(old.vote = 'up', false)::integer AS people
        """,
        vote.feature_id,
        vote.voter_id,
        vote.voter_kind,
        vote.vote,
        vote.voted_at,
        vote.channel,
    )
    if kept and kept["people"]:
        now_in = await connection.fetchval("SELECT cell FROM people WHERE person_id = $1", vote.voter_id)
        await add(connection, vote.feature_id, now_in, kept["people"])


async def move(connection: "asyncpg.Connection[asyncpg.Record]", voter_id: str, left: str | None, joined: str) -> None:
    if left is not None:
        await connection.execute("UPDATE active_counts SET people = people - 1 WHERE cell = $1", left)
        for row in await connection.fetch("SELECT feature_id FROM votes WHERE voter_id = $1 AND vote = 'up'", voter_id):
            await add(connection, row["feature_id"], left, -1)
            await add(connection, row["feature_id"], joined, 1)
    await connection.execute(
        "INSERT INTO active_counts AS counted VALUES ($1, 1)"
        " ON CONFLICT (cell) DO UPDATE SET people = counted.people + 1",
        joined,
    )


async def add(connection: "asyncpg.Connection[asyncpg.Record]", feature_id: str, in_cell: str, people: int) -> None:
    await connection.execute(
        """
        INSERT INTO ideas AS idea (feature_id, title, status_changed_at, created_at, supporters)
        VALUES ($1, $1, now(), now(), greatest($2::integer, 0))
        ON CONFLICT (feature_id) DO UPDATE SET supporters = idea.supporters + $2
        """,
        feature_id,
        people,
    )
    await connection.execute(
        """
        INSERT INTO support_counts AS counted (feature_id, cell, people, importance_sum, importance_people)
        VALUES ($1, $2, greatest($3::integer, 0), 0, 0)
        ON CONFLICT (feature_id, cell) DO UPDATE SET people = counted.people + $3
        """,
        feature_id,
        in_cell,
        people,
    )


if __name__ == "__main__":
    run(main())
