"""The webhooks as they run: from a foreign producer over Kafka to the receiver, and killed on the way."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from deploy.webhooks.actions import create
from deploy.webhooks.app import service as webhooks_service
from deploy.webhooks.bodies import NewSubscription
from deploy.webhooks.settings import WebhookSettings
from shared.contract.events import FeatureVoted
from shared.runtime.database import Database
from tests.runtime.foreign import Foreign, binary
from tests.support.platform import CHECKOUT
from tests.support.running import Stage, stage, until
from tests.support.service import START
from tests.webhooks.conftest import KEY, VOTED, told
from tests.webhooks.receiver import Receiver, Reply

STARTED_SECONDS = 120.0
"""A process of its own takes its time to start where many others work."""


@pytest.fixture
async def staged(tmp_path: Path, receiver: Receiver) -> AsyncIterator[Stage]:
    async with stage(webhooks_service, tmp_path, **told(receiver)) as made:
        yield made


async def subscribe(made: Stage, receiver: Receiver) -> str:
    """A subscription to votes; its secret."""
    assert isinstance(made.settings, WebhookSettings)
    database = Database("webhooks", made.settings.database_dsn.get_secret_value(), size=1)
    await database.open()
    async with database.transaction() as tx:
        body = NewSubscription(url=receiver.url(), event_types=(VOTED,))
        _, secret = await create(tx, body, "ana", made.settings)
    await database.close()
    assert secret is not None
    return secret


def publish(foreign: Foreign, number: int) -> None:
    """One vote of another system."""
    vote = FeatureVoted(feature_id=f"f{number}", voter_id="v", voted_at=START)
    headers = binary(f"vote-{number}", ce_type=VOTED.encode())
    foreign.send(
        vote.model_dump_json().encode(), headers, key=vote.feature_id.encode(), topic="earshot.feature-voted.v1"
    )


async def test_an_event_of_another_system_is_handed_on(staged: Stage, receiver: Receiver) -> None:
    """What a foreign producer publishes to Kafka arrives at the receiver, signed; a repetition does not."""
    secret = await subscribe(staged, receiver)
    foreign = Foreign(staged)
    async with staged.run():
        for number in (1, 1, 2):
            publish(foreign, number)

        async def both() -> bool:
            return len(receiver.came) >= 2

        await until(both, what="two deliveries")
    events = [one.verified(secret) for one in receiver.came]
    assert sorted((event["id"], event["data"]["feature_id"]) for event in events) == [
        ("vote-1", "f1"),
        ("vote-2", "f2"),
    ]


async def test_stopping_finishes_what_is_under_way(staged: Stage, receiver: Receiver) -> None:
    """A stop while a receiver takes its time waits for the answer, so that nothing is sent twice."""
    await subscribe(staged, receiver)
    answer = asyncio.Event()
    receiver.answer("/", Reply(200, after=answer))
    foreign = Foreign(staged)
    publish(foreign, 1)

    async def came() -> bool:
        return len(receiver.came) == 1

    async with staged.run():
        await until(came, what="the request")
        asyncio.get_running_loop().call_later(0.2, answer.set)
    connection = await asyncpg.connect(staged.settings.database_dsn.get_secret_value())
    try:
        assert await connection.fetchval("SELECT state FROM webhooks.deliveries") == "delivered"
    finally:
        await connection.close()


@contextmanager
def process(made: Stage, receiver: Receiver, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`earshot serve webhooks`, as it is deployed."""
    ours = {name: text for name, text in os.environ.items() if not name.startswith("EARSHOT_")}
    environment = ours | {
        "EARSHOT_KAFKA_BOOTSTRAP": made.settings.kafka_bootstrap,
        "EARSHOT_TOPIC_PREFIX": made.settings.topic_prefix,
        "EARSHOT_DATABASE_DSN": made.settings.database_dsn.get_secret_value(),
        "EARSHOT_JWKS": made.settings.jwks,
        "EARSHOT_HTTP_PORT": "0",
        "EARSHOT_WEBHOOK_KEY": KEY,
        "EARSHOT_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
        "EARSHOT_WEBHOOK_PORTS": str(receiver.port),
        "EARSHOT_WEBHOOK_CA": str(receiver.authority),
    }
    command = [sys.executable, "-m", "deploy.local", "serve", "webhooks"]
    with log.open("ab") as said:
        running = subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdout=said, stderr=said)
        try:
            yield running
        finally:
            running.kill()
            running.wait()


async def test_a_killed_instance_repeats_but_loses_nothing(staged: Stage, receiver: Receiver, tmp_path: Path) -> None:
    """Killed with attempts under way, the next process sends these again under their old ids, and all others once."""
    secret = await subscribe(staged, receiver)
    never = asyncio.Event()
    receiver.answer("/", *(Reply(200) for _ in range(5)), *(Reply(200, after=never) for _ in range(4)), Reply(200))
    foreign = Foreign(staged)
    for number in range(20):
        publish(foreign, number)

    async def arrived(number: int) -> bool:
        return len(receiver.came) >= number

    with process(staged, receiver, tmp_path / "log") as first:
        await until(lambda: arrived(9), what="five answers and four attempts under way", patience=STARTED_SECONDS)
        first.kill()
        first.wait()
    assert len(receiver.came) == 9
    connection = await asyncpg.connect(staged.settings.database_dsn.get_secret_value())
    try:
        # The minute after which claims of the dead are free.
        await connection.execute("UPDATE webhooks.lanes SET due_at = $1", datetime.now(UTC))
        with process(staged, receiver, tmp_path / "log"):

            async def all_delivered() -> bool:
                found = await connection.fetchval("SELECT count(*) FROM webhooks.deliveries WHERE state = 'delivered'")
                return bool(found == 20)

            await until(all_delivered, what="every event to be delivered", patience=STARTED_SECONDS)
    finally:
        await connection.close()
    ids = [one.id for one in receiver.came]
    assert len(ids) - len(set(ids)) in range(4, 6), (
        "the four under way came again, and perhaps one whose answer was lost"
    )
    assert {one.verified(secret)["id"] for one in receiver.came} == {f"vote-{number}" for number in range(20)}


async def test_secrets_are_not_in_the_log(staged: Stage, receiver: Receiver, tmp_path: Path) -> None:
    """Neither the sealing key nor a receiver's secret is ever written to the log."""
    secret = await subscribe(staged, receiver)
    publish(Foreign(staged), 1)

    async def came() -> bool:
        return len(receiver.came) == 1

    with process(staged, receiver, tmp_path / "log"):
        await until(came, what="the request", patience=STARTED_SECONDS)
    said = (tmp_path / "log").read_text()
    assert "webhooks" in said
    assert KEY not in said
    assert secret.removeprefix("whsec_") not in said
