"""Record batches as no honest producer writes them, byte by byte (Kafka's message format, version 2)."""

import struct
from collections.abc import Sequence
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaConnectionError, NotLeaderForPartitionError, UnknownTopicOrPartitionError, for_code
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.util import calc_crc32c

from tests.runtime.foreign import Headers
from tests.support.running import until

GZIP, SNAPPY = 1, 2
VERSION = 2
NOT_YET = {NotLeaderForPartitionError.errno, UnknownTopicOrPartitionError.errno}
"""What the broker says of a topic that was created a moment ago."""


def record(
    delta: int,
    value: bytes | None,
    headers: Headers | None = None,
    *,
    key: bytes | None = b"csat",
    attributes: int = 0,
) -> bytes:
    """One record that says it lies `delta` behind the batch's first."""
    named = [_varint(len(headers or []))]
    for name, content in headers or []:
        named += [_bytes(name.encode()), _bytes(content.encode() if isinstance(content, str) else content)]
    body = b"".join([bytes([attributes]), _varint(0), _varint(delta), _bytes(key), _bytes(value), *named])
    return _varint(len(body)) + body


def batch(records: Sequence[bytes], *, codec: int = 0, body: bytes | None = None) -> bytes:
    """The records, or what stands for them as `body`, as the value of a produce request."""
    count, time = len(records), 1_772_442_000_000
    body = b"".join(records) if body is None else body
    checked = struct.pack(">hiqqqhii", codec, count - 1, time, time, -1, -1, -1, count) + body
    rest = struct.pack(">ibI", -1, VERSION, calc_crc32c(checked)) + checked
    return struct.pack(">qi", 0, len(rest)) + rest


async def publish(bootstrap: str, topic: str, partition: int, forged: bytes) -> None:
    """Hand it to the broker, which must take it.

    Raises:
        KafkaError: the broker is away; it may have taken it all the same.
    """
    client = AIOKafkaClient(bootstrap_servers=bootstrap)
    await client.bootstrap()
    try:
        leader = next((broker.nodeId for broker in client.cluster.brokers()), None)
        if leader is None:
            raise KafkaConnectionError("the broker says nothing of itself")
        request = ProduceRequest(
            transactional_id=None, required_acks=-1, timeout=10_000, topics=[(topic, [(partition, forged)])]
        )

        async def taken() -> bool:
            code = _code(await client.send(leader, request))
            assert code in {0, *NOT_YET}, for_code(code)
            return code == 0

        await until(taken, what="the broker to know the topic")
    finally:
        await client.close()


def _code(answer: Any) -> int:
    [(_, [(_, code, *_)])] = answer.topics
    return int(code)


def _varint(number: int) -> bytes:
    zigzag, out = (number << 1) ^ (number >> 63), bytearray()
    while zigzag > 0x7F:
        out.append(zigzag & 0x7F | 0x80)
        zigzag >>= 7
    return bytes([*out, zigzag])


def _bytes(content: bytes | None) -> bytes:
    return _varint(-1) if content is None else _varint(len(content)) + content
