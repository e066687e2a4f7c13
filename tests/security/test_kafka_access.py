"""Services in a Kafka that demands SCRAM over TLS and allows what the contract says, and nothing more."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError
from pydantic import SecretStr

from deploy.kafka.access import Grant, as_commands, grants, user_of
from deploy.local import preparing
from deploy.local.demo.doors import Doors
from deploy.local.errors import Fault
from services import SERVICES
from shared.contract import envelope
from shared.contract.catalogue import EVENTS
from shared.contract.events import FeatureVoted
from shared.runtime.kafka import client_options, onlooker, producer
from shared.runtime.serve import load
from shared.runtime.settings import KafkaSettings, Settings
from shared.runtime.topics import create_topics
from tests.security.secure_kafka import ADMIN, PASSWORDS, SecureKafka
from tests.support.databases import create_database, drop_database, dsn_of
from tests.support.running import RunningService, Stage, until

pytestmark = pytest.mark.xdist_group("secure kafka")

Staging = Callable[[str], Awaitable[Stage]]


@pytest.fixture
async def prefix(kafka: SecureKafka, monkeypatch: pytest.MonkeyPatch) -> str:
    """Topics of the test's own, and every service's user with its rights on them."""
    made = f"t{uuid4().hex[:12]}."
    monkeypatch.setenv("EARSHOT_KAFKA_USER", ADMIN)
    monkeypatch.setenv("EARSHOT_KAFKA_PASSWORD", PASSWORDS[ADMIN])
    monkeypatch.setenv("EARSHOT_KAFKA_CA", str(kafka.authority))
    await create_topics(kafka.address, prefix=made, partitions=2)
    for service in SERVICES:
        kafka.add_user(user_of(service), f"{service}-secret")
    kafka.allow(grants(made))
    return made


@pytest.fixture
async def staged(kafka: SecureKafka, prefix: str, tmp_path: Path) -> AsyncIterator[Staging]:
    async with AsyncExitStack() as stack:

        async def stage(name: str) -> Stage:
            return await stack.enter_async_context(_stage(kafka, prefix, tmp_path, name))

        yield stage


@asynccontextmanager
async def _stage(kafka: SecureKafka, prefix: str, folder: Path, name: str) -> AsyncIterator[Stage]:
    database = await create_database(name)
    (folder / "jwks.json").write_text('{"keys": []}')
    settings = Settings(
        kafka_bootstrap=kafka.address,
        kafka_user=user_of(name),
        kafka_password=SecretStr(f"{name}-secret"),
        kafka_ca=kafka.authority,
        topic_prefix=prefix,
        jwks=str(folder / "jwks.json"),
        database_dsn=dsn_of(database, name),
    )
    try:
        yield Stage(settings, load(name))
    finally:
        await drop_database(database)


async def _vote(settings: KafkaSettings, voter: str) -> None:
    event_type = EVENTS["earshot.FeatureVoted.v1"]
    vote = FeatureVoted.model_validate(
        {"feature_id": "export", "voter_id": voter, "voted_at": "2026-11-02T10:00:00Z", "segment": {"plan": "team"}}
    )
    headers, value = envelope.encode(
        envelope.Envelope(id=voter, source="/app", type=event_type.type, data=vote.model_dump_json().encode())
    )
    client = producer(settings)
    await client.start()
    try:
        topic = f"{settings.topic_prefix}{event_type.topic}"
        await client.send_and_wait(topic, value=value, key=b"export", headers=headers)
    finally:
        await client.stop()


async def _votes(running: RunningService) -> int:
    return int((await running.database.fetch("SELECT count(*) FROM votes"))[0]["count"])


async def _consumer_is(running: RunningService, state: bool) -> bool:  # noqa: FBT001 - what /readyz says
    report = (await running.client.get("/readyz")).json()
    return bool(report["checks"]["consumer"]["ok"] is state)


@pytest.mark.parametrize("name", SERVICES)
async def test_a_service_needs_no_more_than_the_contract_gives_it(name: str, staged: Staging) -> None:
    """Every service becomes ready with its own user and the generated rights."""
    async with (await staged(name)).run() as running:
        assert (await running.client.get("/readyz")).json()["ready"]


async def test_events_go_in_and_out_under_a_services_own_user(kafka: SecureKafka, prefix: str, staged: Staging) -> None:
    """A vote is counted, and the changed priority is published, with what roadmap's user may do."""
    async with (await staged("roadmap")).run() as running:
        await _vote(kafka.settings(ADMIN, PASSWORDS[ADMIN], prefix), "customer-1")
        watching = onlooker(
            kafka.settings(ADMIN, PASSWORDS[ADMIN], prefix),
            [f"{prefix}earshot.feature-priority-changed.v1"],
            "earliest",
        )
        await watching.start()
        try:
            async with asyncio.timeout(30):
                record = await watching.getone()
        finally:
            await watching.stop()
        assert record.key == b"export"
        assert await _votes(running) == 1


async def test_the_demo_publishes_under_the_user_it_is_told(kafka: SecureKafka, prefix: str) -> None:
    """With user, password and CA its request arrives; with another password it says what to look at."""
    settings = kafka.settings(ADMIN, PASSWORDS[ADMIN], prefix)
    request = {
        "request_id": "demo-1",
        "requested_at": "2026-11-02T10:00:00Z",
        "contact": {"name": "Mara Lind", "email": "mara@example.com"},
    }
    async with Doors("http://127.0.0.1:1", "no token", settings) as doors:
        await doors.publish("DemoRequested", request, event_id="demo-1")
    watching = onlooker(settings, [f"{prefix}earshot.demo-requested.v1"], "earliest")
    assert (await _start_and_read(watching)).key == b"demo-1"
    with pytest.raises(Fault, match="look at user, password, CA"):
        await Doors("http://127.0.0.1:1", "no token", kafka.settings(ADMIN, "wrong", prefix)).__aenter__()


async def test_a_service_may_not_read_contact_details_that_are_not_its_business(
    kafka: SecureKafka, prefix: str
) -> None:
    """Roadmap's user is refused the topic of demo requests."""
    settings = kafka.settings(user_of("roadmap"), "roadmap-secret", prefix)
    watching = onlooker(settings, [f"{prefix}earshot.demo-requested.v1"], "earliest")
    with pytest.raises(TopicAuthorizationFailedError):
        await _start_and_read(watching)


async def test_a_service_may_not_publish_in_anothers_name(kafka: SecureKafka, prefix: str) -> None:
    """Kpi's user is refused a write to the votes."""
    with pytest.raises(TopicAuthorizationFailedError):
        async with asyncio.timeout(30):
            await _vote(kafka.settings(user_of("kpi"), "kpi-secret", prefix), "nobody")


async def test_a_service_may_not_take_anothers_records_away(kafka: SecureKafka, prefix: str) -> None:
    """Kpi's user may not join roadmap's consumer group, though it may read one of its topics."""
    member = AIOKafkaConsumer(
        f"{prefix}earshot.insight-tagged.v1",
        **client_options(kafka.settings(user_of("kpi"), "kpi-secret", prefix)),
        group_id=f"{prefix}roadmap",
    )
    with pytest.raises(GroupAuthorizationFailedError):
        await _start_and_read(member)


async def _start_and_read(consumer: AIOKafkaConsumer) -> ConsumerRecord:
    try:
        async with asyncio.timeout(30):
            await consumer.start()
            return await consumer.getone()
    finally:
        await consumer.stop()


async def test_a_right_that_is_taken_away_shows_and_loses_nothing(
    kafka: SecureKafka, prefix: str, staged: Staging
) -> None:
    """Without its group right a service says it is not ready; with it again it counts what came meanwhile."""
    group = Grant(user_of("roadmap"), "group", f"{prefix}roadmap", ("Read",))
    administrator = kafka.settings(ADMIN, PASSWORDS[ADMIN], prefix)
    async with (await staged("roadmap")).run() as running:
        await _vote(administrator, "before")
        await until(lambda: _has_votes(running, 1), what="the first vote")
        kafka.withdraw(group)
        await _vote(administrator, "meanwhile")
        await until(lambda: _consumer_is(running, False), what="the consumer to be reported")
        kafka.allow([group])
        await until(lambda: _consumer_is(running, True), what="the consumer to go on")
        await until(lambda: _has_votes(running, 2), what="the second vote")


async def _has_votes(running: RunningService, number: int) -> bool:
    return await _votes(running) == number


@pytest.mark.parametrize(("password", "trusted"), [("wrong-secret", True), ("admin-secret", False)])
def test_a_refused_login_names_what_to_look_at(
    kafka: SecureKafka,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    password: str,
    trusted: bool,  # noqa: FBT001 - pytest hands parameters over by name
) -> None:
    """A wrong password and a broker whose CA nobody knows end in words about both, without the password."""
    monkeypatch.setenv("EARSHOT_KAFKA_USER", ADMIN)
    monkeypatch.setenv("EARSHOT_KAFKA_PASSWORD", password)
    if trusted:
        monkeypatch.setenv("EARSHOT_KAFKA_CA", str(kafka.authority))
    with pytest.raises(Fault, match="look at user, password, CA") as refused:
        preparing.create_topics(preparing.kafka_settings(kafka.address, prefix=""))
    assert password not in str(refused.value)
    assert password not in caplog.text


def test_grants_can_be_given_by_kafkas_own_tool() -> None:
    """The printed command names user, operations and topic."""
    [command] = as_commands(
        [Grant("earshot-kpi", "topic", "earshot.kpi-measured.v1", ("Describe", "Read"))], bootstrap="kafka:9092"
    )
    assert command == (
        "kafka-acls.sh --bootstrap-server kafka:9092 --command-config admin.properties --add "
        "--allow-principal User:earshot-kpi --operation Describe --operation Read --topic earshot.kpi-measured.v1"
    )


def test_only_who_must_may_read_contact_details() -> None:
    """Of the services, scheduling alone reads demo requests; the webhooks adapter passes them on where asked to."""
    readers = {
        grant.user for grant in grants() if grant.name == "earshot.demo-requested.v1" and "Read" in grant.operations
    }
    assert readers == {"earshot-scheduling", "earshot-webhooks"}
