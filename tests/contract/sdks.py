"""The official CloudEvents SDKs, each with a Kafka client of its language, as producers and consumers."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka, to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from confluent_kafka import Consumer, Producer

from tests.contract.programs import FOLDER, run_java, run_node

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sent:
    """An event in CloudEvents' JSON form, and its record's key."""

    key: str
    event: Json


@dataclass(frozen=True, slots=True)
class Seen:
    """An event as an SDK understood it, and its record's place."""

    key: str
    partition: int
    event: Json


class Sdk(Protocol):
    """One SDK with one client; `mode` is binary or structured."""

    async def produce(self, bootstrap: str, topic: str, mode: str, events: Sequence[Sent]) -> None: ...

    async def consume(self, bootstrap: str, topic: str, count: int) -> list[Seen]: ...


class PythonAiokafka:
    """cloudevents with aiokafka."""

    async def produce(self, bootstrap: str, topic: str, mode: str, events: Sequence[Sent]) -> None:
        async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
            for sent in events:
                message = _encoded(sent, mode)
                headers = list(message.headers.items())
                await producer.send_and_wait(topic, message.value, key=sent.key.encode(), headers=headers)

    async def consume(self, bootstrap: str, topic: str, count: int) -> list[Seen]:
        async with AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
            records = [await consumer.getone() for _ in range(count)]
        return [_decoded(record.key, record.partition, dict(record.headers), record.value) for record in records]


class PythonConfluent:
    """cloudevents with confluent-kafka, whose partitioner must be named."""

    async def produce(self, bootstrap: str, topic: str, mode: str, events: Sequence[Sent]) -> None:
        producer = Producer({"bootstrap.servers": bootstrap, "partitioner": "murmur2_random"})
        for sent in events:
            message = _encoded(sent, mode)
            producer.produce(topic, key=sent.key, value=message.value, headers=list(message.headers.items()))
        assert await asyncio.to_thread(producer.flush, 30) == 0

    async def consume(self, bootstrap: str, topic: str, count: int) -> list[Seen]:
        def read() -> list[Seen]:
            consumer = Consumer(
                {"bootstrap.servers": bootstrap, "group.id": f"{topic}.python", "auto.offset.reset": "earliest"}
            )
            consumer.subscribe([topic])
            seen: list[Seen] = []
            while len(seen) < count:
                record = consumer.poll(1.0)
                if record is not None and record.error() is None:
                    headers: Any = record.headers()
                    seen.append(_decoded(record.key(), record.partition(), dict(headers), record.value()))
            consumer.close()
            return seen

        return await asyncio.to_thread(read)


class JavaScript:
    """npm's cloudevents with kafkajs."""

    async def produce(self, bootstrap: str, topic: str, mode: str, events: Sequence[Sent]) -> None:
        script = FOLDER / "cloudevents.mjs"
        await asyncio.to_thread(run_node, script, "produce", bootstrap, topic, mode, given=_lines(events))

    async def consume(self, bootstrap: str, topic: str, count: int) -> list[Seen]:
        script = FOLDER / "cloudevents.mjs"
        return _seen(await asyncio.to_thread(run_node, script, "consume", bootstrap, topic, str(count)))


class Java:
    """cloudevents-kafka with kafka-clients."""

    async def produce(self, bootstrap: str, topic: str, mode: str, events: Sequence[Sent]) -> None:
        await asyncio.to_thread(run_java, "produce", bootstrap, topic, mode, given=_lines(events))

    async def consume(self, bootstrap: str, topic: str, count: int) -> list[Seen]:
        return _seen(await asyncio.to_thread(run_java, "consume", bootstrap, topic, str(count)))


def _encoded(sent: Sent, mode: str) -> KafkaMessage:
    event: BaseCloudEvent = JSONFormat().read(None, json.dumps(sent.event))
    return (to_binary if mode == "binary" else to_structured)(event, JSONFormat())


def _decoded(key: Any, partition: Any, headers: dict[str, bytes], value: Any) -> Seen:
    event = from_kafka(KafkaMessage(headers, key, value), JSONFormat())
    return Seen(key.decode(), partition, json.loads(JSONFormat().write(event)))


def _lines(events: Sequence[Sent]) -> str:
    return "".join(json.dumps({"key": sent.key, "event": sent.event}) + "\n" for sent in events)


def _seen(lines: str) -> list[Seen]:
    return [Seen(**json.loads(line)) for line in lines.splitlines()]
