"""Watching topics by hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from deploy.local import events
from shared.runtime.settings import KafkaSettings
from tests.support.service import FakeRecord

TOPIC = "earshot.participant-erased.v1"
HEADERS = [("ce_specversion", b"1.0"), ("ce_id", b"1"), ("ce_source", b"/crm"), ("ce_type", b"t")]


def test_a_record_nested_too_deeply_is_told_and_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """A record whose data no reader can hold gets its place and a reason, and the next one is shown."""

    @asynccontextmanager
    async def topic(*_arguments: object) -> AsyncIterator[AsyncIterator[FakeRecord]]:
        async def records() -> AsyncIterator[FakeRecord]:
            yield FakeRecord(TOPIC, b"[" * 200_000, HEADERS, offset=7)
            yield FakeRecord(TOPIC, b"[]", HEADERS, offset=8)

        yield records()

    monkeypatch.setattr(events, "onlooker", topic)
    said: list[str] = []
    events.tail([], KafkaSettings(kafka_bootstrap="127.0.0.1:1"), said.append, from_start=True)
    assert said[0].startswith("# earshot.participant-erased.v1[0]@7 is not an event: maximum recursion depth exceeded")
    assert said[1].endswith('"datacontenttype": "application/json", "data": []}')
