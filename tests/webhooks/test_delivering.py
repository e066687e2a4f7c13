"""Events reach their receivers: signed, again after failures, in order, each by one instance at a time."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import WebhookVerificationError

from shared.contract.events import FeatureStatusChanged
from tests.support.running import always_hears_a_stop, until
from tests.support.service import START
from tests.webhooks.conftest import VOTED, Webhooks, vote
from tests.webhooks.receiver import Reply

SHIPPED = "earshot.FeatureStatusChanged.v1"


@pytest.fixture(autouse=True)
def _now(webhooks: Webhooks) -> None:
    """The convention's library takes no signature that is older than five minutes."""
    webhooks.service.now = datetime.now(UTC)


async def test_an_event_comes_whole_and_signed(webhooks: Webhooks) -> None:
    """The receiver gets the structured CloudEvent, and the library of Standard Webhooks accepts its signature."""
    subscription = await webhooks.subscribe()
    assert subscription["secret"].startswith("whsec_")
    record = webhooks.service.record(vote("export", channel="app"), event_id="vote-1", source="https://app.example")
    record.headers = [*record.headers, ("ce_time", b"2026-03-02T09:00:00Z"), ("ce_tenant", b"north")]
    record.value = json.dumps(json.loads(record.value or b"") | {"brand_new": 1}).encode()
    await webhooks.service.deliver(record)
    assert await webhooks.send_due() == 1
    [came] = webhooks.receiver.came
    assert came.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    event = came.verified(subscription["secret"])
    assert {name: event[name] for name in ("specversion", "id", "source", "type", "time", "tenant")} == {
        "specversion": "1.0",
        "id": "vote-1",
        "source": "https://app.example",
        "type": "earshot.FeatureVoted.v1",
        "time": "2026-03-02T09:00:00Z",
        "tenant": "north",
    }
    assert (event["data"]["feature_id"], event["data"]["channel"], event["data"]["brand_new"]) == ("export", "app", 1)
    [delivery] = await webhooks.deliveries()
    assert (delivery["state"], delivery["status"], delivery["message_id"]) == ("delivered", 204, came.id)


async def test_another_secret_verifies_nothing(webhooks: Webhooks) -> None:
    """Each subscription has a secret of its own."""
    await webhooks.subscribe("/one")
    other = await webhooks.subscribe("/two")
    await webhooks.service.deliver(vote())
    await webhooks.send_due()
    [first] = webhooks.receiver.of("/one")
    [second] = webhooks.receiver.of("/two")
    second.verified(other["secret"])
    with pytest.raises(WebhookVerificationError):
        first.verified(other["secret"])


async def test_a_repeated_event_is_sent_once(webhooks: Webhooks) -> None:
    """An event that is published three times, in one batch and in two, is one delivery."""
    await webhooks.subscribe()
    record = webhooks.service.record(vote(), event_id="vote-1")
    await webhooks.service.deliver(record, record)
    await webhooks.service.deliver(record)
    assert await webhooks.send_due() == 1
    assert len(webhooks.receiver.came) == 1


async def test_only_what_was_subscribed_to_is_sent(webhooks: Webhooks) -> None:
    """Other types, and events that a condition leaves out, are not even queued."""
    await webhooks.subscribe(conditions=[{"field": "segment.plan", "operator": "in", "value": ["team", "business"]}])
    status = FeatureStatusChanged(feature_id="export", version=1, title="Export", status="new", changed_at=START)
    await webhooks.service.deliver(
        vote("a", segment={"plan": "team"}), vote("b", segment={"plan": "free"}), vote("c"), status
    )
    [delivery] = await webhooks.deliveries()
    assert (delivery["type"], delivery["key"]) == (VOTED, "a")


async def test_what_failed_is_tried_until_it_is_taken(webhooks: Webhooks) -> None:
    """After two failures the same event comes again with the same id, later each time, and then it is delivered."""
    subscription = await webhooks.subscribe()
    webhooks.receiver.answer("/", Reply(500, body=b"out of order"), Reply(302, {"Location": "/other"}), Reply(200))
    await webhooks.service.deliver(vote())
    assert await webhooks.send_due() == 1
    assert await webhooks.send_due() == 0, "it is tried again before its time"
    webhooks.service.now += timedelta(seconds=6)
    assert await webhooks.send_due() == 1
    webhooks.service.now += timedelta(minutes=6)
    assert await webhooks.send_due() == 1
    assert [one.path for one in webhooks.receiver.came] == ["/"] * 3, "a redirect was followed"
    assert len({one.id for one in webhooks.receiver.came}) == 1
    assert len({one.headers["webhook-timestamp"] for one in webhooks.receiver.came}) == 3
    [listed] = await webhooks.deliveries()
    whole = await webhooks.delivery(listed["id"])
    assert whole["state"] == "delivered"
    assert [(one["number"], one["status"]) for one in whole["attempts"]] == [(1, 500), (2, 302), (3, 200)]
    assert whole["attempts"][0]["answer"] == "out of order"
    assert (await webhooks.ask("GET", f"/subscriptions/{subscription['id']}"))["failing_since"] is None


async def test_after_the_tenth_failure_a_delivery_is_given_up(webhooks: Webhooks) -> None:
    """Ten attempts over more than three days, and then the delivery has failed and can be seen as such."""
    await webhooks.subscribe()
    webhooks.receiver.answer("/", Reply(500))
    began = webhooks.service.now
    await webhooks.service.deliver(vote())
    while (await webhooks.deliveries())[0]["state"] == "pending":
        await webhooks.send_due()
        due = (await webhooks.deliveries())[0]["due_at"]
        if due:
            webhooks.service.now = datetime.fromisoformat(due)
    [delivery] = await webhooks.deliveries()
    assert (delivery["state"], delivery["note"]) == ("failed", "given up after 10 attempts")
    assert len(webhooks.receiver.came) == 10
    assert timedelta(days=3) < webhooks.service.now - began < timedelta(days=4)


async def test_nobody_there_is_a_failure_in_words(webhooks: Webhooks) -> None:
    """A connection that nobody takes is told as such, and tried again."""
    await webhooks.subscribe(url=webhooks.receiver.url("/", host="127.0.0.2"))
    await webhooks.service.deliver(vote())
    await webhooks.send_due()
    [delivery] = await webhooks.deliveries()
    assert (delivery["state"], delivery["failures"], delivery["status"]) == ("pending", 1, None)
    assert delivery["error"] == "no connection: nobody answers there"


async def test_gone_disables_the_subscription(webhooks: Webhooks) -> None:
    """410 means that nothing more is wanted: what is pending ends, and later events are not queued."""
    subscription = await webhooks.subscribe()
    webhooks.receiver.answer("/", Reply(410))
    await webhooks.service.deliver(vote("a"), vote("a", voter_id="v2"))
    assert await webhooks.send_due() == 1
    found = await webhooks.ask("GET", f"/subscriptions/{subscription['id']}")
    assert (found["state"], found["reason"]) == ("disabled", "The receiver answered 410: it wants no more events.")
    await webhooks.service.deliver(vote("b"))
    assert [one["state"] for one in await webhooks.deliveries()] == ["failed", "failed"]


async def test_a_receiver_that_takes_nothing_for_days_is_disabled(webhooks: Webhooks) -> None:
    """After five days of nothing but failures the subscription is disabled with the reason; one success starts anew."""
    subscription = await webhooks.subscribe()
    webhooks.receiver.answer("/", Reply(500), Reply(200), Reply(500), Reply(503))

    async def attempted_after(wait: timedelta) -> Any:
        webhooks.service.now += wait
        assert await webhooks.send_due() == 1
        return await webhooks.ask("GET", f"/subscriptions/{subscription['id']}")

    await webhooks.service.deliver(vote("a"))
    assert (await attempted_after(timedelta()))["failing_since"] is not None
    assert (await attempted_after(timedelta(days=4)))["failing_since"] is None
    await webhooks.service.deliver(vote("b"))
    assert (await attempted_after(timedelta(days=4)))["state"] == "active"
    found = await attempted_after(timedelta(days=5))
    assert found["state"] == "disabled"
    assert found["reason"].startswith("Nothing was taken since ")
    assert found["reason"].endswith("; the last answer: status 503.")


async def test_a_receiver_may_ask_for_time(webhooks: Webhooks) -> None:
    """429 and 503 with Retry-After are left alone for as long as they say, but never for more than a day."""
    await webhooks.subscribe("/short")
    await webhooks.subscribe("/long")
    webhooks.receiver.answer("/short", Reply(429, {"Retry-After": "600"}))
    webhooks.receiver.answer("/long", Reply(503, {"Retry-After": "864000"}))
    await webhooks.service.deliver(vote())
    began = webhooks.service.now
    await webhooks.send_due()
    short, long = sorted(datetime.fromisoformat(one["due_at"]) - began for one in await webhooks.deliveries())
    assert short == timedelta(minutes=10)
    assert long == timedelta(days=1)


async def test_the_order_of_a_key_is_kept_through_failures(webhooks: Webhooks) -> None:
    """Events of one key wait behind the one that fails; those of another key do not."""
    await webhooks.subscribe()
    webhooks.receiver.answer("/", Reply(500), Reply(200))
    await webhooks.service.deliver(*(vote("a", voter_id=f"v{number}") for number in range(3)))
    await webhooks.send_due()
    await webhooks.service.deliver(vote("b", voter_id="other"))
    await webhooks.send_due()
    webhooks.service.now += timedelta(seconds=6)
    await webhooks.send_due()
    voters = [json.loads(one.body)["data"]["voter_id"] for one in webhooks.receiver.came]
    assert voters == ["v0", "other", "v0", "v1", "v2"]


async def test_two_instances_never_attempt_the_same_at_once(webhooks: Webhooks) -> None:
    """Forty events, two instances side by side: every event comes exactly once, and both instances had some."""
    await webhooks.subscribe()
    await webhooks.service.deliver(*(vote(f"f{number}") for number in range(40)))
    one, two = webhooks.deliverer(), webhooks.deliverer()
    made = await asyncio.gather(webhooks.send_due(one), webhooks.send_due(two))
    assert sum(made) == 40
    assert min(made) > 0
    assert len({each.id for each in webhooks.receiver.came}) == len(webhooks.receiver.came) == 40


async def test_what_a_dead_instance_had_is_taken_over(webhooks: Webhooks) -> None:
    """A claim that nobody settles runs out after a minute; then the event comes again, with the same id."""
    await webhooks.subscribe()
    never = asyncio.Event()
    webhooks.receiver.answer("/", Reply(200, after=never), Reply(200))
    await webhooks.service.deliver(vote())
    dying = webhooks.deliverer()
    await dying.start_due()
    await webhooks.until_came(1)
    for task in list(dying._running):
        task.cancel()
    webhooks.service.now += timedelta(seconds=59)
    assert await webhooks.send_due() == 0
    webhooks.service.now += timedelta(seconds=2)
    assert await webhooks.send_due() == 1
    first, second = webhooks.receiver.came
    assert first.id == second.id
    assert [one["state"] for one in await webhooks.deliveries()] == ["delivered"]


async def test_a_slow_receiver_holds_up_no_other(webhooks: Webhooks) -> None:
    """With fifty events for a receiver that does not answer, another one's come at once; the slow one gets four."""
    await webhooks.subscribe("/slow")
    await webhooks.subscribe("/fast")
    never = asyncio.Event()
    webhooks.receiver.answer("/slow", Reply(200, after=never))
    await webhooks.service.deliver(*(vote(f"f{number}") for number in range(50)))
    deliverer = webhooks.deliverer(webhook_concurrency=8)

    async def all_fast_ones_came() -> bool:
        await deliverer.start_due()
        return len(webhooks.receiver.of("/fast")) == 50

    await until(all_fast_ones_came, what="the events of the fast receiver")
    assert len(webhooks.receiver.of("/slow")) == 4
    never.set()


async def test_only_the_beginning_of_an_answer_is_read(webhooks: Webhooks) -> None:
    """An answer without end is cut: its status counts, and one kilobyte of it is kept."""
    await webhooks.subscribe()
    webhooks.receiver.answer("/", Reply(200, body=b"x" * 10_000, endless=True))
    await webhooks.service.deliver(vote())
    await webhooks.send_due()
    [listed] = await webhooks.deliveries()
    [attempt] = (await webhooks.delivery(listed["id"]))["attempts"]
    assert listed["state"] == "delivered"
    assert attempt["answer"] == "x" * 1024


async def test_a_paused_subscription_gets_its_events_later(webhooks: Webhooks) -> None:
    """While it is paused events queue up; when it goes on they come, in their order."""
    subscription = await webhooks.subscribe()
    await webhooks.ask("POST", f"/subscriptions/{subscription['id']}/pause", role="manager")
    await webhooks.service.deliver(vote("a", voter_id="v1"), vote("a", voter_id="v2"))
    assert await webhooks.send_due() == 0
    await webhooks.ask("POST", f"/subscriptions/{subscription['id']}/resume", role="manager")
    assert await webhooks.send_due() == 2
    assert [json.loads(one.body)["data"]["voter_id"] for one in webhooks.receiver.came] == ["v1", "v2"]


async def test_a_replaced_secret_signs_for_a_day_more(webhooks: Webhooks) -> None:
    """After a rotation there are two signatures, of the new and the former secret; a day later one, of the new."""
    subscription = await webhooks.subscribe()
    rotated = await webhooks.ask("POST", f"/subscriptions/{subscription['id']}/rotate-secret")
    await webhooks.service.deliver(vote())
    await webhooks.send_due()
    [both] = webhooks.receiver.came
    for secret in (subscription["secret"], rotated["secret"]):
        both.verified(secret)
    webhooks.service.now += timedelta(hours=25)
    await webhooks.service.deliver(vote("later"))
    await webhooks.send_due()
    assert [len(one.headers["webhook-signature"].split()) for one in webhooks.receiver.came] == [2, 1]


async def test_a_removed_subscription_gets_nothing_more(webhooks: Webhooks) -> None:
    """With the subscription its deliveries are gone, even the one that is under way."""
    subscription = await webhooks.subscribe()
    go_on = asyncio.Event()
    webhooks.receiver.answer("/", Reply(200, after=go_on))
    await webhooks.service.deliver(vote("a"), vote("a", voter_id="v2"))
    deliverer = webhooks.deliverer()
    await deliverer.start_due()
    await webhooks.until_came(1)
    await webhooks.ask("DELETE", f"/subscriptions/{subscription['id']}")
    go_on.set()
    await webhooks.send_due(deliverer)
    assert len(webhooks.receiver.came) == 1
    assert await webhooks.deliveries() == []


async def test_a_deliverer_that_is_just_waking_hears_a_stop(webhooks: Webhooks) -> None:
    """A cancellation that meets the end of an attempt is not lost: the deliverer would go on for ever."""
    deliverer = webhooks.deliverer()
    await always_hears_a_stop(deliverer.rest, deliverer._free)
