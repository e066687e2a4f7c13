"""What is removed in time, what is counted, and keys that are replaced."""

from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from pydantic import SecretStr

from deploy.webhooks.housekeeping import clean, count, seal_with_first_key
from deploy.webhooks.metrics import WebhookMetrics
from deploy.webhooks.sealing import Sealer, Unreadable, new_secret
from tests.webhooks.conftest import KEY, Webhooks, vote
from tests.webhooks.receiver import Reply
from tests.webhooks.test_erasure import ASKED, EMAIL, TYPES, everything

MONTH = timedelta(days=30)
OTHER = "1" * 43


async def test_what_was_delivered_is_kept_for_a_month(webhooks: Webhooks) -> None:
    """After thirty days events, deliveries and attempts are gone; a day before they are there."""
    await webhooks.subscribe()
    await webhooks.service.deliver(vote())
    await webhooks.send_due()
    webhooks.service.now += MONTH - timedelta(days=1)
    await clean(webhooks.service.database, MONTH)
    assert len(await webhooks.deliveries()) == 1
    webhooks.service.now += timedelta(days=2)
    await clean(webhooks.service.database, MONTH)
    assert await webhooks.deliveries() == []
    assert await webhooks.service.database.fetch("SELECT FROM messages") == []
    assert await webhooks.service.database.fetch("SELECT FROM attempts") == []


async def test_what_waits_in_vain_ends(webhooks: Webhooks) -> None:
    """What a paused subscription left for more than a month has failed, with that reason; younger events wait on."""
    one = await webhooks.subscribe()
    await webhooks.ask("POST", f"/subscriptions/{one['id']}/pause")
    await webhooks.service.deliver(vote("old"))
    webhooks.service.now += MONTH
    await webhooks.service.deliver(vote("young"))
    webhooks.service.now += timedelta(minutes=1)
    await clean(webhooks.service.database, MONTH)
    found = [(each["key"], each["state"], each["note"]) for each in await webhooks.deliveries()]
    assert found == [("young", "pending", None), ("old", "failed", "it waited for more than 30 days")]


async def test_contact_details_wait_for_a_week_at_most(webhooks: Webhooks) -> None:
    """What a paused subscription with personal data did not get within the topic's seven days, it never gets."""
    one = await webhooks.subscribe(types=TYPES[:1], personal_data=True)
    await webhooks.ask("POST", f"/subscriptions/{one['id']}/pause")
    await webhooks.service.deliver(ASKED)
    webhooks.service.now += timedelta(days=6)
    await clean(webhooks.service.database, MONTH)
    assert EMAIL in await everything(webhooks.service)
    webhooks.service.now += timedelta(days=2)
    await clean(webhooks.service.database, MONTH)
    assert EMAIL not in await everything(webhooks.service)
    assert [each["note"] for each in await webhooks.deliveries()] == ["contact details are kept for 7 days"]
    await webhooks.ask("POST", f"/subscriptions/{one['id']}/resume")
    assert await webhooks.send_due() == 0


async def test_events_of_removed_subscriptions_go(webhooks: Webhooks) -> None:
    """What nobody is subscribed to any more is gone after the next cleaning, and what others want stays."""
    await webhooks.subscribe("/stays", conditions=[{"field": "feature_id", "operator": "equals", "value": "b"}])
    gone = await webhooks.subscribe("/goes")
    await webhooks.service.deliver(vote("a"), vote("b"))
    await webhooks.ask("DELETE", f"/subscriptions/{gone['id']}")
    webhooks.service.now += timedelta(hours=2)
    await clean(webhooks.service.database, MONTH)
    assert [row["key"] for row in await webhooks.service.database.fetch("SELECT key FROM messages")] == ["b"]


async def test_what_waits_is_counted(webhooks: Webhooks) -> None:
    """The gauges say how many deliveries wait, for how long the oldest has, and how many receivers are disabled."""
    await webhooks.subscribe("/down")
    await webhooks.subscribe("/gone")
    webhooks.receiver.answer("/down", Reply(500))
    webhooks.receiver.answer("/gone", Reply(410))
    await webhooks.service.deliver(vote("a"))
    await webhooks.send_due()
    webhooks.service.now += timedelta(seconds=90)
    await webhooks.service.deliver(vote("b"))
    registry = CollectorRegistry()
    await count(webhooks.service.database, WebhookMetrics(registry))
    told = generate_latest(registry).decode().splitlines()
    assert "earshot_webhook_pending 2.0" in told
    assert "earshot_webhook_oldest_seconds 90.0" in told
    assert "earshot_webhook_disabled 1.0" in told


async def test_a_key_is_replaced_without_losing_a_secret(webhooks: Webhooks) -> None:
    """With a new key before the old one, every secret is sealed anew at the start, and the old key can go."""
    one = await webhooks.subscribe()
    await seal_with_first_key(webhooks.service.database, Sealer(SecretStr(f"{OTHER},{KEY}")))
    await webhooks.service.deliver(vote())
    deliverer = webhooks.deliverer(webhook_key=SecretStr(OTHER))
    await webhooks.send_due(deliverer)
    [row] = await webhooks.service.database.fetch("SELECT sealed FROM secrets")
    assert Sealer(SecretStr(OTHER)).open(row["sealed"]) == one["secret"]
    assert len(webhooks.receiver.came) == 1


async def test_without_its_key_nothing_is_sent_unsigned(webhooks: Webhooks) -> None:
    """Where no key opens the secret the event is kept and not sent; with the key it goes."""
    await webhooks.subscribe()
    await webhooks.service.deliver(vote())
    await webhooks.send_due(webhooks.deliverer(webhook_key=SecretStr(OTHER)))
    assert webhooks.receiver.came == []
    assert [each["state"] for each in await webhooks.deliveries()] == ["pending"]
    webhooks.service.now += timedelta(minutes=2)
    assert await webhooks.send_due() == 1


def test_a_seal_is_opened_by_its_key_alone() -> None:
    """Another key refuses, saying what to give; the first of several keys seals, each of them opens."""
    secret = new_secret()
    sealed = Sealer(SecretStr(KEY)).seal(secret)
    with pytest.raises(Unreadable, match="give the former one too"):
        Sealer(SecretStr(OTHER)).open(sealed)
    both = Sealer(SecretStr(f"{OTHER},{KEY}"))
    assert both.open(sealed) == secret
    assert Sealer(SecretStr(OTHER)).open(both.seal(secret)) == secret
