"""How far each partition has been handled, kept in the transaction of the effects."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiokafka import TopicPartition

    from .database import Connection, Pool

Place = tuple[str, int]
"""Topic and partition."""


async def store(connection: "Connection", cluster: str, reached: Mapping[Place, int]) -> None:
    await connection.execute(
        """
        INSERT INTO consumer_positions (cluster, topic, partition, next_offset)
        SELECT $1, * FROM unnest($2::text[], $3::int[], $4::bigint[])
        ON CONFLICT (cluster, topic, partition) DO UPDATE SET next_offset = excluded.next_offset
        """,
        cluster,
        [topic for topic, _ in reached],
        [partition for _, partition in reached],
        list(reached.values()),
    )


class Behind(Exception):  # noqa: N818 - named for where the database is
    """The database was put back while the service ran: what is stored lies before what was handled."""

    def __init__(self, stored: Mapping[Place, int]) -> None:
        super().__init__(f"the database knows less than was handled: {dict(stored)}")
        self.stored = stored


async def check(connection: "Connection", cluster: str, handled: Mapping[Place, int]) -> None:
    """Compare with what this process has handled.

    Raises:
        Behind: at least one stored position is lower.
    """
    rows = await connection.fetch(
        """
        SELECT topic, partition, coalesce(next_offset, 0) AS next_offset
          FROM unnest($2::text[], $3::int[]) AS given (topic, partition)
               LEFT JOIN (SELECT * FROM consumer_positions WHERE cluster = $1) AS kept USING (topic, partition)
        """,
        cluster,
        [topic for topic, _ in handled],
        [partition for _, partition in handled],
    )
    stored = {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
    if behind := {place: offset for place, offset in stored.items() if offset < handled[place]}:
        raise Behind(behind)


def shown(places: Mapping[Place, int]) -> dict[str, int]:
    """For the log, whose JSON takes no tuple for a name."""
    return {f"{topic}/{partition}": offset for (topic, partition), offset in places.items()}


async def load(pool: "Pool | Connection", cluster: str) -> dict[Place, int]:
    rows = await pool.fetch("SELECT topic, partition, next_offset FROM consumer_positions WHERE cluster = $1", cluster)
    return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}


def handled(
    committed: "Mapping[TopicPartition, int | None]",
    stored: Mapping[Place, int],
    oldest: "Mapping[TopicPartition, int]",
) -> dict[Place, int]:
    """How far the database got with each partition; nothing of one that was never handled."""
    found = {}
    for partition, offset in committed.items():
        place = (partition.topic, partition.partition)
        if place in stored:
            found[place] = stored[place]
        # Kafka alone knows of it: the database was put back to before its first batch. An offset at the log's own start
        # is no more than where a partition without records would begin.
        elif offset is not None and offset > oldest[partition]:
            found[place] = 0
    return found


def of(partitions: "Iterable[TopicPartition]") -> set[Place]:
    return {(partition.topic, partition.partition) for partition in partitions}


def by_place(offsets: "Mapping[TopicPartition, int]") -> dict[Place, int]:
    return {(partition.topic, partition.partition): offset for partition, offset in offsets.items()}


def where_to_start(committed: int | None, stored: int | None) -> int | None:
    """The offset to seek to on assignment, or None to go on where Kafka says.

    Kafka ahead of the database means that the database was restored from a backup: what it has not seen must come
    again. Kafka behind means a crash between the two commits: the repeated records are recognised as such.
    """
    if committed is None:
        return None
    known = stored or 0
    return known if known < committed else None
