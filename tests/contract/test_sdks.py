"""The official SDKs of three languages against our services: what they send takes effect, what we publish they read."""

import json
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.partitioner import murmur2

from shared.contract import envelope
from shared.contract.catalogue import EVENTS
from shared.contract.events import KpiMeasured
from shared.contract.examples import examples
from shared.runtime.database import Cause
from shared.runtime.serve import load
from tests.contract.sdks import Java, JavaScript, PythonAiokafka, PythonConfluent, Sdk, Seen, Sent
from tests.support.infra import KAFKA
from tests.support.running import RunningService, Stage, stage, until

SDKS = [
    pytest.param(PythonAiokafka(), id="Python and aiokafka"),
    pytest.param(PythonConfluent(), id="Python and confluent-kafka"),
    pytest.param(JavaScript(), id="JavaScript"),
    pytest.param(Java(), id="Java"),
]
TOPIC = "earshot.kpi-measured.v1"
SCHEMA = json.loads(Path(__file__).with_name("cloudevents.schema.json").read_text())
KEYS = [f"kpi-{number}" for number in range(20)]
PUBLISHED_AT = "2026-03-02T12:00:00.250000+00:00"


@pytest.fixture
async def staged(tmp_path: Path) -> AsyncIterator[Stage]:
    """The real service of KPIs on topics and a database of its own."""
    async with stage(load("kpi"), tmp_path) as made:
        yield made


def measured(kpi_id: str, value: float, mode: str) -> Sent:
    """What an analytics system would say, with everything an event may carry."""
    period = {"binary": 1, "structured": 2}[mode]
    data = {
        "kpi_id": kpi_id,
        "name": "Zufriedenheit \N{SLIGHTLY SMILING FACE}",
        "period_start": f"2026-03-0{period}T00:00:00+01:00",
        "period_end": f"2026-03-0{period + 1}T00:00:00+01:00",
        "value": value,
        "measured_at": "2026-03-09T00:05:00Z",
    }
    attributes = {
        "specversion": "1.0",
        "id": f"{mode}-{kpi_id}",
        "source": "https://analytics.example/jobs?name=weekly",
        "type": "earshot.KpiMeasured.v1",
        "time": "2026-03-09T01:05:00.123456+01:00",
        "subject": kpi_id,
        "datacontenttype": "application/json",
        "team": "growth",
    }
    return Sent(kpi_id, attributes | {"data": data})


@pytest.mark.parametrize("sdk", SDKS)
async def test_what_an_sdk_sends_takes_effect(staged: Stage, sdk: Sdk) -> None:
    """Events produced in both modes lie where murmur2 of their key says, and their data reach the service's tables."""
    topic = staged.settings.topic_prefix + TOPIC
    for mode, value in (("binary", 1.5), ("structured", 2.5)):
        await sdk.produce(os.environ[KAFKA], topic, mode, [measured(key, value, mode) for key in KEYS])
    reader = AIOKafkaConsumer(topic, bootstrap_servers=os.environ[KAFKA], auto_offset_reset="earliest")
    async with reader:
        for _ in range(40):
            record = await reader.getone()
            assert record.partition == (murmur2(record.key) & 0x7FFFFFFF) % 2, record.key
    async with staged.run() as service:
        stored = await until(lambda: measurements(service, 40), what="40 measurements")
        assert stored == sorted((key, value) for key in KEYS for value in (1.5, 2.5))
        names = await service.database.fetch("SELECT DISTINCT name FROM kpis")
        assert [row["name"] for row in names] == ["Zufriedenheit \N{SLIGHTLY SMILING FACE}"]
        assert await service.database.pool.fetchval("SELECT count(*) FROM dead_letters") == 0


async def measurements(service: RunningService, count: int) -> list[tuple[str, float]]:
    """All of them once there are so many, none before."""
    rows = await service.database.fetch("SELECT kpi_id, value FROM measurements ORDER BY kpi_id, value")
    return [(row["kpi_id"], row["value"]) for row in rows] if len(rows) >= count else []


@pytest.mark.parametrize("sdk", SDKS)
async def test_an_sdk_reads_what_we_publish(staged: Stage, sdk: Sdk) -> None:
    """What leaves by the outbox is an event to the SDK, with every attribute, its key and its data."""
    said = [examples(EVENTS["earshot.KpiMeasured.v1"])[name] for name in ("minimal", "full", "odd")]
    moment = datetime(2026, 3, 2, 12, 0, 0, 250_000, tzinfo=UTC)
    async with staged.run() as service:
        service.database.clock = lambda: moment
        async with service.database.transaction(Cause(event_id="cause-1", correlation_id="chain-1")) as tx:
            await tx.publish(*(KpiMeasured.model_validate_json(json.dumps(data), strict=True) for data in said))
        seen = await sdk.consume(os.environ[KAFKA], staged.settings.topic_prefix + TOPIC, 3)
    assert [attributes(each) for each in seen] == [
        {
            "specversion": "1.0",
            "source": "/earshot/kpi",
            "type": "earshot.KpiMeasured.v1",
            "subject": "csat-app",
            "datacontenttype": "application/json",
            "correlationid": "chain-1",
            "causationid": "cause-1",
        }
    ] * 3
    assert len({each.event["id"] for each in seen}) == 3
    for each, data in zip(seen, said, strict=True):
        assert each.key == "csat-app"
        assert each.partition == (murmur2(b"csat-app") & 0x7FFFFFFF) % 2
        assert datetime.fromisoformat(each.event["time"]) == moment
        assert {name: each.event["data"][name] for name in ("kpi_id", "value")} == {
            "kpi_id": "csat-app",
            "value": data["value"],
        }
        assert each.event["data"]["name"] == data.get("name")
        assert each.event["data"]["dimensions"] == data.get("dimensions", {})


@pytest.mark.parametrize("sdk", SDKS)
async def test_an_sdk_reads_what_we_write_in_structured_mode(staged: Stage, sdk: Sdk) -> None:
    """The JSON form that `earshot events tail` prints is a structured event to the SDK."""
    topic = staged.settings.topic_prefix + TOPIC
    event = structured("earshot.KpiMeasured.v1", "full")
    async with AIOKafkaProducer(bootstrap_servers=os.environ[KAFKA], acks="all") as producer:
        content_type = [("content-type", b"application/cloudevents+json; charset=utf-8")]
        await producer.send_and_wait(topic, json.dumps(event).encode(), key=b"csat-app", headers=content_type)
    [seen] = await sdk.consume(os.environ[KAFKA], topic, 1)
    assert seen.event["id"] == "event-1"
    assert seen.event["correlationid"] == "chain-1"
    assert datetime.fromisoformat(seen.event["time"]) == datetime.fromisoformat(PUBLISHED_AT)
    assert seen.event["data"] == event["data"]


@pytest.mark.parametrize("name", sorted(EVENTS))
@pytest.mark.parametrize("which", ["minimal", "full", "odd"])
def test_our_structured_events_obey_the_schema_of_cloudevents(name: str, which: str) -> None:
    """Every event we write in the JSON form is right under the schema that CloudEvents itself gives out."""
    jsonschema.Draft7Validator(SCHEMA).validate(structured(name, which))


def test_the_schema_of_cloudevents_refuses_what_is_none() -> None:
    """That schema is not empty: without an id, or with a number as type, an event is none."""
    event = structured("earshot.KpiMeasured.v1", "full")
    validator = jsonschema.Draft7Validator(SCHEMA)
    assert not validator.is_valid({name: value for name, value in event.items() if name != "id"})
    assert not validator.is_valid(event | {"type": 1})


def structured(type_name: str, which: str) -> dict[str, Any]:
    """The event in the JSON form, as it is printed and exported."""
    event = EVENTS[type_name]
    data = event.model.model_validate_json(json.dumps(examples(event)[which]), strict=True)
    return envelope.structured(
        envelope.Envelope(
            id="event-1",
            source="/earshot/kpi",
            type=type_name,
            time=PUBLISHED_AT,
            subject=event.key_of(data),
            data=data.model_dump_json().encode(),
            extensions={"correlationid": "chain-1"},
        )
    )


def attributes(seen: Seen) -> dict[str, Any]:
    """What the SDK says besides the data; the id and the time differ, the key may be repeated as an extension."""
    return {name: value for name, value in seen.event.items() if name not in {"data", "id", "time", "partitionkey"}}
