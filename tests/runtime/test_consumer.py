"""From a foreign producer through Kafka into the database, and out again, whatever happens on the way."""

import json
from collections.abc import Iterator

from aiokafka import AIOKafkaConsumer
from confluent_kafka import Producer

from shared.runtime.inbox import kept_as
from tests.runtime.foreign import TOPIC, Foreign, Headers, binary, body, structured, until_handled
from tests.support.running import Stage


def poison() -> Iterator[tuple[str, bytes | None, Headers, str]]:
    """Name, value, headers and the reason that must be given."""
    yield "malformed JSON", b'{"kpi_id": ', binary("p1"), "Invalid JSON"
    yield "no attributes", body(1), [], "no ce_ headers"
    yield "missing id", body(1), binary("p3", ce_id=b""), "attribute id is missing"
    yield "unknown version", body(1), binary("p4", ce_type=b"earshot.KpiMeasured.v9"), "knows earshot.KpiMeasured.v1"
    yield "unknown type", body(1), binary("p5", ce_type=b"who.knows"), "unknown type 'who.knows'"
    yield "another topic's type", body(1), binary("p6", ce_type=b"earshot.FeatureVoted.v1"), "earshot.feature-voted.v1"
    yield "wrong type of a field", b'{"kpi_id": 5}', binary("p7"), "kpi_id: Input should be a valid string"
    yield "tombstone", None, binary("p8"), "tombstone"
    yield "empty value", b"", binary("p9"), "Invalid JSON"
    yield "wrong specversion", body(1), binary("p10", ce_specversion=b"0.3"), "specversion '0.3'"
    yield "another content type", body(1), binary("p11", **{"content-type": b"text/xml"}), "'text/xml'"
    yield "10 MB", b"[" + b" " * 10_000_000 + b"]", binary("p12"), "10,000,002 bytes"
    yield "not UTF-8", b"\xff\xfe\x00", binary("p13"), "Invalid JSON"
    yield "deep nesting", b"[" * 50_000, binary("p14"), "Invalid JSON"
    yield (
        "structured without data",
        b'{"specversion":"1.0","id":"p15","source":"/x","type":"earshot.KpiMeasured.v1"}',
        [("content-type", b"application/cloudevents+json; charset=utf-8")],
        "has no data",
    )
    yield "structured, not an object", b"[1]", [("content-type", b"application/cloudevents+json")], "one JSON object"


async def test_poison_of_every_kind_goes_aside_and_what_is_behind_is_handled(staged: Stage) -> None:
    """Every record that is no event becomes a dead letter with its reason; the events between them take effect."""
    foreign, kinds = Foreign(staged), list(poison())
    for number, (_, value, headers, _) in enumerate(kinds):
        foreign.send(value, headers)
        foreign.measure(1, f"good-{number}")
    async with staged.run() as service:
        await until_handled(service, len(kinds))
        rows = await service.database.fetch('SELECT reason, value FROM dead_letters ORDER BY partition, "offset"')
        assert [(name, expected in row["reason"]) for (name, _, _, expected), row in zip(kinds, rows, strict=True)] == [
            (name, True) for name, *_ in kinds
        ], [row["reason"] for row in rows]
        assert [row["value"] for row in rows] == [value for _, value, _, _ in kinds]


async def test_headers_of_any_bytes_are_taken(staged: Stage) -> None:
    """An event whose other headers are binary or null is an event like any other."""
    foreign = Foreign(staged)
    foreign.send(body(1), [*binary("a"), ("schema-id", b"\x00\x80\xff"), ("nothing", None)])
    foreign.measure(2, "b")
    async with staged.run() as service:
        await until_handled(service, 2)


async def test_structured_mode_and_compression_are_taken(staged: Stage) -> None:
    """Structured events count like binary ones, whichever codec the producer chose."""
    for codec in ("gzip", "snappy", "lz4", "zstd"):
        producer = Producer({"bootstrap.servers": staged.settings.kafka_bootstrap, "compression.type": codec})
        producer.produce(
            staged.settings.topic_prefix + TOPIC,
            value=structured(1, codec),
            key=b"csat",
            headers=[("content-type", b"application/cloudevents+json; charset=utf-8")],
        )
        producer.flush(10)
    async with staged.run() as service:
        await until_handled(service, 4)


async def test_a_published_event_leaves_with_its_key_and_attributes(staged: Stage) -> None:
    """What a handler publishes reaches Kafka in binary mode: key, ce_ headers and JSON data."""
    foreign = Foreign(staged)
    reader = AIOKafkaConsumer(
        f"{staged.settings.topic_prefix}earshot.kpi-impact-assessed.v1",
        bootstrap_servers=staged.settings.kafka_bootstrap,
        auto_offset_reset="earliest",
    )
    async with staged.run(), reader:
        foreign.measure(42, "cause")
        record = await reader.getone()
    headers = dict(record.headers)
    assert record.key == b"csat"
    assert json.loads(record.value)["effect"] == 42
    assert headers["ce_type"] == b"earshot.KpiImpactAssessed.v1"
    assert headers["ce_source"] == b"/earshot/kpi"
    assert headers["ce_causationid"] == b"cause"
    assert headers["content-type"] == b"application/json"


async def test_a_restart_repeats_nothing(staged: Stage) -> None:
    """A service that stops and starts again goes on where it was."""
    foreign = Foreign(staged)
    for round_number in (1, 2):
        foreign.measure(round_number, f"round-{round_number}")
        async with staged.run() as service:
            await until_handled(service, round_number)
            assert await service.database.pool.fetchval("SELECT count(*) FROM dead_letters") == 0


async def test_a_restored_database_catches_up_from_its_stored_positions(staged: Stage) -> None:
    """When Kafka's offsets are ahead of the database, what the database has not seen comes again."""
    foreign = Foreign(staged)
    async with staged.run() as service:
        for number in range(10):
            foreign.measure(number, f"e{number}")
        await until_handled(service, 10)
        # Put the database back to where it was after four events, as a restored backup would be.
        async with service.database.transaction() as tx:
            seen = [kept_as(f"e{number}") for number in range(4)]
            await tx.connection.execute("DELETE FROM inbox WHERE id <> ALL ($1::text[])", seen)
            await tx.connection.execute("UPDATE consumer_positions SET next_offset = 4")
    async with staged.run() as service:
        await until_handled(service, 10)


async def test_readiness_says_what_is_missing(staged: Stage) -> None:
    """The readiness report names every check, and is ready when all hold."""
    async with staged.run() as service:
        report = (await service.client.get("/readyz")).json()
        assert report["ready"] is True
        assert set(report["checks"]) == {"database", "broker", "consumer", "outbox"}
        assert (report["lag"], report["outbox"], report["dead_letters"]) == (0, 0, 0)
