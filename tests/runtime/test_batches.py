"""A batch is one transaction: effects once, poison aside, nothing lost."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.contract.events import EventRejected, FeatureVoted, KpiImpactAssessed, KpiMeasured
from shared.runtime import positions
from tests.runtime.tiny import tiny_service
from tests.support.service import FakeRecord, ServiceUnderTest, service_under_test

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
async def tiny(tmp_path: Path) -> AsyncIterator[ServiceUnderTest]:
    async with service_under_test("kpi", tmp_path, service=tiny_service()) as service:
        yield service


def measured(kpi_id: str = "csat", value: float = 70) -> KpiMeasured:
    return KpiMeasured(
        kpi_id=kpi_id, period_start=NOON, period_end=NOON.replace(hour=13), value=value, measured_at=NOON
    )


async def effects(service: ServiceUnderTest) -> list[float]:
    return [event.effect for event in await service.published(KpiImpactAssessed)]


async def reasons(service: ServiceUnderTest) -> list[str]:
    rows = await service.database.fetch('SELECT reason FROM dead_letters ORDER BY "offset"')
    return [row["reason"] for row in rows]


async def test_events_take_effect_in_their_order(tiny: ServiceUnderTest) -> None:
    """The events of a batch take effect in the order of the records."""
    await tiny.deliver(measured(value=1), measured(value=2), measured(value=3))
    assert await effects(tiny) == [1, 2, 3]


async def test_a_repeated_event_takes_effect_once(tiny: ServiceUnderTest) -> None:
    """The same id from the same source has no second effect, in the same batch or a later one."""
    first = tiny.record(measured(value=5), event_id="a")
    again = replace(first, offset=900)
    await tiny.deliver(first, again)
    outcome = await tiny.deliver(replace(first, offset=901))
    assert await effects(tiny) == [5]
    assert len(outcome.duplicates) == 1


async def test_the_same_id_from_another_source_is_another_event(tiny: ServiceUnderTest) -> None:
    """CloudEvents identifies an event by id and source together."""
    await tiny.deliver(
        tiny.record(measured(value=1), event_id="a", source="/crm"),
        tiny.record(measured(value=2), event_id="a", source="/web"),
    )
    assert await effects(tiny) == [1, 2]


async def test_a_broken_rule_becomes_a_dead_letter_without_effect(tiny: ServiceUnderTest) -> None:
    """A rejected event leaves nothing behind but its dead letter, and those around it take effect."""
    await tiny.deliver(measured(value=1), measured(value=-2), measured(value=3))
    assert await effects(tiny) == [1, 3]
    assert await reasons(tiny) == ["value must not be negative; send what was measured"]


async def test_a_fault_in_a_handler_holds_up_nobody(tiny: ServiceUnderTest) -> None:
    """An event that makes the handler fail is kept with the failure, and those around it take effect."""
    await tiny.deliver(measured(value=1), measured(value=666), measured(value=3))
    assert await effects(tiny) == [1, 3]
    assert await reasons(tiny) == ["the handler failed: ZeroDivisionError: a fault in the handler"]


async def test_a_dead_letter_keeps_the_record_whole(tiny: ServiceUnderTest) -> None:
    """Key, value and headers of a record that could not be handled are kept byte by byte, null ones too."""
    record = FakeRecord(
        "earshot.kpi-measured.v1",
        b"\x00\xff{",
        [("ce_id", b"\xfe\xfd"), ("ce_type", None), ("x", b"")],
        key=b"\x00k",
        partition=7,
        offset=41,
    )
    await tiny.deliver(record)
    [row] = await tiny.database.fetch("SELECT * FROM dead_letters")
    assert (row["key"], row["value"], row["partition"], row["offset"]) == (b"\x00k", b"\x00\xff{", 7, 41)
    assert row["headers"] == [["ce_id", "/v0="], ["ce_type", None], ["x", ""]]


async def test_a_dead_letter_is_announced_once(tiny: ServiceUnderTest) -> None:
    """EventRejected is published for a record that cannot be handled, however often the record is delivered."""
    record = tiny.record(measured(value=-1), event_id="bad")
    await tiny.deliver(record)
    await tiny.deliver(record)
    [announced] = await tiny.published(EventRejected)
    assert (announced.service, announced.event_id, announced.event_type) == ("kpi", "bad", "earshot.KpiMeasured.v1")


async def test_the_position_is_stored_with_the_effects(tiny: ServiceUnderTest) -> None:
    """The next offset of every partition in the batch is in the database after it, poison included."""
    await tiny.deliver(
        replace(tiny.record(measured()), partition=0, offset=10),
        replace(tiny.record(measured()), partition=3, offset=77),
        replace(tiny.record(measured(value=-1)), partition=3, offset=78),
    )
    rows = await tiny.database.fetch("SELECT partition, next_offset FROM consumer_positions ORDER BY partition")
    assert [tuple(row) for row in rows] == [(0, 11), (3, 79)]


async def test_a_database_that_was_put_back_is_noticed(tiny: ServiceUnderTest) -> None:
    """A batch that starts after what the database remembers is refused whole, so that the gap can come again."""
    await tiny.deliver(replace(tiny.record(measured(value=1)), offset=0))
    ahead = replace(tiny.record(measured(value=9)), offset=5)
    with pytest.raises(positions.Behind) as behind:
        await tiny.batches.apply([ahead], {(ahead.topic, 0): 5})
    assert behind.value.stored == {(ahead.topic, 0): 1}
    assert await effects(tiny) == [1]


@pytest.mark.parametrize("attribute", ["id", "source", "type", "x"])
async def test_half_a_character_in_an_attribute_stops_nothing(tiny: ServiceUnderTest, attribute: str) -> None:
    """A structured event with an unpaired surrogate in an attribute is set aside or taken, never in the way."""
    good = tiny.record(measured(value=3))
    event = {"specversion": "1.0", "id": "1", "source": "/x", "type": "earshot.KpiMeasured.v1", "data": {}}
    body = json.dumps(event | {attribute: "\ud800"}).encode()
    odd = FakeRecord(good.topic, body, [("content-type", b"application/cloudevents+json")], offset=99)
    await tiny.deliver(odd, good)
    assert await effects(tiny) == [3]
    assert len(await reasons(tiny)) == 1


async def test_what_is_published_names_its_cause(tiny: ServiceUnderTest) -> None:
    """An event published by a handler carries the id of the event it follows from and of the one that began it all."""
    await tiny.deliver(tiny.record(measured(), event_id="first-in-chain"))
    [row] = await tiny.database.fetch("SELECT headers FROM outbox")
    assert row["headers"]["causationid"] == "first-in-chain"
    assert row["headers"]["correlationid"] == "first-in-chain"


async def test_a_batch_handler_gets_its_events_together(tiny: ServiceUnderTest) -> None:
    """Events of a type with a batch handler are handled in one call and keep their order."""
    votes = [FeatureVoted(feature_id=f"f{n}", voter_id="v", voted_at=NOON) for n in range(3)]
    await tiny.deliver(*votes)
    assert [event.feature_id for event in await tiny.published(KpiImpactAssessed)] == ["f0", "f1", "f2"]


async def test_a_replayed_dead_letter_takes_effect_once(tiny: ServiceUnderTest) -> None:
    """Replaying a dead letter that can be handled now closes it; a second replay is refused."""
    record = tiny.record(measured(value=4), event_id="x")
    good, record.value = record.value, b"{"
    await tiny.deliver(record)
    [row] = await tiny.database.fetch("SELECT id FROM dead_letters")
    async with tiny.database.transaction() as tx:
        await tx.connection.execute("UPDATE dead_letters SET value = $1", good)
    path = f"/api/v1/dead-letters/{row['id']}/replay"
    answers = [await tiny.client.post(path, headers=tiny.headers("admin")) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 409]
    assert await effects(tiny) == [4]


async def test_a_dead_letter_that_still_fails_stays_open(tiny: ServiceUnderTest) -> None:
    """Replaying what still cannot be handled says why and changes nothing."""
    await tiny.deliver(measured(value=-1))
    [row] = await tiny.database.fetch("SELECT id FROM dead_letters")
    answer = await tiny.client.post(f"/api/v1/dead-letters/{row['id']}/replay", headers=tiny.headers("admin"))
    assert answer.status_code == 422
    assert "value must not be negative" in answer.json()["detail"]
    assert [row["state"] for row in await tiny.database.fetch("SELECT state FROM dead_letters")] == ["open"]
