"""`earshot events check`: any producer's events, in a file or on a topic, held against the contract."""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from deploy.local.errors import Fault

if TYPE_CHECKING:
    from shared.contract.checking import Checker, Sample
    from shared.runtime.settings import KafkaSettings


@click.command("check")
@click.argument("file_or_topic")
@click.option("--bootstrap", help="host:port of the Kafka that has the topic; the local one if not given.")
@click.option("--limit", default=10_000, show_default=True, type=click.IntRange(min=1), help="Events at most.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def check(file_or_topic: str, bootstrap: str | None, limit: int, as_json: bool) -> None:  # noqa: FBT001
    """Say of each event whether services would take it, and what to do where not.

    FILE (- for standard input) holds structured CloudEvents, one a line or all in one JSON array. TOPIC is a topic of
    the contract, read from its start. The exit code is 1 where an event is refused or wrong; warnings leave it at 0.
    """
    from shared.contract.checking import Checker  # noqa: PLC0415

    checker, report = Checker(), _Report(as_json=as_json)
    if file_or_topic == "-" or Path(file_or_topic).exists():
        for sample in _from_file(file_or_topic, limit):
            report.add(checker, sample)
    else:
        asyncio.run(_check_topic(file_or_topic, _settings(bootstrap), limit, lambda each: report.add(checker, each)))
    report.close(checker)
    sys.exit(1 if report.is_bad else 0)


class _Report:
    """Says what was found, at once or as one JSON object at the end."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._findings: list[dict[str, str]] = []
        self._counts = {"refused": 0, "wrong": 0, "warning": 0}

    @property
    def is_bad(self) -> bool:
        return bool(self._counts["refused"] or self._counts["wrong"])

    def add(self, checker: "Checker", sample: "Sample") -> None:
        for finding in checker.check(sample):
            self._counts[finding.severity] += 1
            self._findings.append(asdict(finding))
            if not self._as_json:
                click.echo(finding)

    def close(self, checker: "Checker") -> None:
        accepted = checker.events - checker.refused
        summary = {
            "events": checker.events,
            "accepted": accepted,
            "refused": checker.refused,
            "repeats": checker.repeats,
            "wrong": self._counts["wrong"],
            "warnings": self._counts["warning"],
        }
        if self._as_json:
            click.echo(json.dumps({"summary": summary, "findings": self._findings}, indent=2))
        else:
            counts = ", ".join(f"{name} {count:,}" for name, count in summary.items())
            click.echo(f"{'NOT as the contract says' if self.is_bad else 'as the contract says'}: {counts}")


def _from_file(name: str, limit: int) -> "Iterator[Sample]":
    from shared.contract.checking import Sample  # noqa: PLC0415

    content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    for index, (place, event) in enumerate(_events(content)):
        if index == limit:
            return
        yield Sample(place, event)


def _events(content: bytes) -> Iterator[tuple[str, bytes]]:
    """The events of a JSON array, else those of the lines, each with its place."""
    if content.lstrip()[:1] == b"[":
        try:
            for number, event in enumerate(json.loads(content), start=1):
                yield f"event {number}", json.dumps(event).encode()
        except (ValueError, RecursionError) as wrong:
            raise Fault(f"The file begins like a JSON array and is none: {wrong}.") from None
        return
    for number, line in enumerate(content.splitlines(), start=1):
        if line.strip():
            yield f"line {number}", line


def _settings(bootstrap: str | None) -> "KafkaSettings":
    import os  # noqa: PLC0415

    from deploy.local.installation import Installation  # noqa: PLC0415
    from deploy.local.preparing import kafka_settings  # noqa: PLC0415

    installation = Installation.of(os.environ)
    return kafka_settings(bootstrap or installation.bootstrap, prefix=installation.topic_prefix)


async def _check_topic(name: str, settings: "KafkaSettings", limit: int, look: "Callable[[Sample], None]") -> None:
    from aiokafka.errors import KafkaError  # noqa: PLC0415

    from shared.contract.catalogue import EVENTS  # noqa: PLC0415

    topic = name.removeprefix(settings.topic_prefix)
    if topic not in {event.topic for event in EVENTS.values()}:
        topics = ", ".join(event.topic for event in EVENTS.values())
        raise Fault(f"{name} is neither a file nor a topic of the contract; topics are {topics}.")
    try:
        async with aclosing(_on_topic(topic, settings, limit)) as samples:
            async for sample in samples:
                look(sample)
    except (KafkaError, OSError) as wrong:
        raise Fault(f"{topic} cannot be read at {settings.kafka_bootstrap}: {wrong}") from wrong


async def _on_topic(topic: str, settings: "KafkaSettings", limit: int) -> "AsyncGenerator[Sample, None]":
    """The topic's events from the oldest to the newest there is now, at most so many."""
    from aiokafka import TopicPartition  # noqa: PLC0415

    from shared.contract.checking import Sample  # noqa: PLC0415
    from shared.runtime.kafka import onlooker  # noqa: PLC0415

    full_name = f"{settings.topic_prefix}{topic}"
    if not await _exists(full_name, settings):
        raise Fault(f"There is no topic {full_name} at {settings.kafka_bootstrap}.")
    async with onlooker(settings, [full_name], "earliest") as consumer:
        partitions = consumer.partitions_for_topic(full_name)
        places = [TopicPartition(full_name, number) for number in sorted(partitions)]
        ends = await consumer.end_offsets(places)
        seen = 0
        while seen < limit and any([await consumer.position(place) < ends[place] for place in places]):
            batches = await consumer.getmany(timeout_ms=500, max_records=min(500, limit - seen))
            for records in batches.values():
                for record in records:
                    seen += 1
                    yield Sample(
                        place=f"{topic}[{record.partition}]@{record.offset}",
                        value=record.value,
                        headers=record.headers,
                        topic=topic,
                        key=record.key,
                        partition=record.partition,
                        partitions=len(partitions),
                    )


async def _exists(topic: str, settings: "KafkaSettings") -> bool:
    """Asked before, since a consumer of a topic that is none waits for it for half a minute."""
    from shared.runtime.kafka import admin  # noqa: PLC0415

    client = admin(settings)
    try:
        await client.start()
        return topic in await client.list_topics()
    finally:
        await client.close()
