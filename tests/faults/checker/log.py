"""Reads Kafka past the proxies and past all groups: every record of the run's topics, and where each topic ends."""

import time
from collections.abc import Iterator
from typing import Any

from confluent_kafka import Consumer, Message, TopicPartition

from tests.faults.checker.evidence import Headers, Logged

PATIENCE_SECONDS = 60.0


class Log:
    """The topics of one run."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self._prefix = prefix
        self._consumer = Consumer(
            {"bootstrap.servers": bootstrap, "group.id": f"{prefix}checker", "enable.auto.commit": False}
        )

    def close(self) -> None:
        self._consumer.close()

    def ends(self) -> dict[tuple[str, int], int]:
        """For each partition that has records the offset behind the last one."""
        topics = self._consumer.list_topics(timeout=PATIENCE_SECONDS).topics
        ends = {}
        for name, topic in topics.items():
            for partition in topic.partitions if name.startswith(self._prefix) else ():
                place = TopicPartition(name, partition)
                if (end := self._consumer.get_watermark_offsets(place, timeout=PATIENCE_SECONDS)[1]) > 0:
                    ends[name.removeprefix(self._prefix), partition] = end
        return ends

    def records(self) -> Iterator[Logged]:
        """All of them; of one partition in order."""
        ends = self.ends()
        self._consumer.assign([TopicPartition(self._prefix + topic, number, 0) for topic, number in ends])
        waiting, deadline = dict(ends), time.monotonic() + PATIENCE_SECONDS
        while waiting:
            for message in self._consumer.consume(1000, timeout=1.0):
                if message.error():
                    continue
                record = self._logged(message)
                yield record
                deadline = time.monotonic() + PATIENCE_SECONDS
                place = record.topic, record.partition
                if place in waiting and record.offset + 1 >= waiting[place]:
                    del waiting[place]
            if time.monotonic() > deadline:
                raise TimeoutError(f"Kafka gives no more records; missing are the ends of {waiting}")

    def _logged(self, message: Message) -> Logged:
        topic, partition, offset = message.topic(), message.partition(), message.offset()
        assert topic is not None
        assert partition is not None
        assert offset is not None
        return Logged(
            topic.removeprefix(self._prefix), partition, offset, message.key(), message.value(), _headers(message)
        )


def _headers(message: Message) -> Headers | None:
    try:
        given: Any = message.headers() or ()
        return tuple((name, content) for name, content in given)
    except UnicodeDecodeError:  # a header's name is not UTF-8
        return None
