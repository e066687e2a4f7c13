"""Contact details and erased people: what is handed out, and what is left of it."""

import asyncio
import itertools
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.contract.events import (
    DemoRequested,
    ErasureCompleted,
    FeatureStatusChanged,
    InsightTagged,
    InterviewScheduled,
    ParticipantErased,
)
from shared.contract.parts import Contact
from tests.support.service import START, ServiceUnderTest
from tests.webhooks.conftest import VOTED, Webhooks, vote
from tests.webhooks.receiver import Reply

TYPES = tuple(f"earshot.{name}.v1" for name in ("DemoRequested", "InsightTagged", "FeatureStatusChanged"))
QUOTE, EMAIL = "I copy forty numbers by hand", "mara.lind@customer.example"

ASKED = DemoRequested(request_id="r1", requested_at=START, contact=Contact(name="Mara Lind", email=EMAIL))
BOOKED = InterviewScheduled(
    interview_id="i1",
    version=1,
    request_id="r1",
    study_id="s1",
    participant_id="p-1",
    moderator_id="m1",
    starts_at=START,
    ends_at=START + timedelta(hours=1),
    timezone="UTC",
    scheduled_at=START,
)
TAGGED = InsightTagged(insight_id="q1", participant_id="p-1", quote=QUOTE, tagged_at=START)
STATUS = FeatureStatusChanged(
    feature_id="export", version=1, title="Export", status="new", changed_at=START, asked_by=("p-1", "p-12")
)
ERASED = ParticipantErased(participant_id="p-1", erased_at=START)


async def everything(service: ServiceUnderTest) -> str:
    """All rows of all tables of the schema as text, but the inbox."""
    tables = await service.database.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'webhooks'")
    found = []
    for table in tables:
        rows = await service.database.fetch(f'SELECT t::text AS row FROM webhooks."{table["tablename"]}" AS t')  # noqa: S608
        found += [row["row"] for row in rows]
    return "\n".join(found)


async def test_contact_details_go_only_where_they_were_asked_for(webhooks: Webhooks) -> None:
    """DemoRequested needs personal_data; its body is kept no longer than until it was taken, and not sent again."""
    await webhooks.subscribe(types=TYPES[:1], personal_data=True)
    await webhooks.service.deliver(ASKED)
    assert EMAIL in await everything(webhooks.service)
    await webhooks.send_due()
    [came] = webhooks.receiver.came
    assert json.loads(came.body)["data"]["contact"]["email"] == EMAIL
    assert EMAIL not in await everything(webhooks.service)
    [one] = await webhooks.deliveries()
    assert (await webhooks.delivery(one["id"]))["body"] is None
    answer = await webhooks.service.client.post(
        f"/api/v1/deliveries/{one['id']}/replay", headers=webhooks.service.headers()
    )
    assert (answer.status_code, "not kept any more" in answer.json()["detail"]) == (409, True)


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
async def test_nothing_is_left_of_an_erased_person(webhooks: Webhooks, order: tuple[int, ...]) -> None:
    """In whatever order request, booking, quote and erasure come, in the end nothing of the person is kept or sent."""
    await webhooks.subscribe(types=TYPES, personal_data=True)
    events = (ASKED, BOOKED, TAGGED, ERASED)
    for place in order:
        await webhooks.service.deliver(events[place])
    await webhooks.service.deliver(TAGGED, ASKED)
    left = await everything(webhooks.service)
    assert QUOTE not in left
    await webhooks.send_due()
    assert not any(QUOTE.encode() in one.body for one in webhooks.receiver.came)
    assert EMAIL not in left
    assert not any(EMAIL.encode() in one.body for one in webhooks.receiver.came)


async def test_who_only_is_named_is_taken_out_of_the_list(webhooks: Webhooks) -> None:
    """What names an erased person among others is sent without that person; p-12 is somebody else than p-1."""
    await webhooks.subscribe(types=TYPES[1:])
    for events in ([STATUS, ERASED], [STATUS.model_copy(update={"version": 2})]):
        await webhooks.service.deliver(*events)
    await webhooks.send_due()
    listed = [json.loads(one.body)["data"]["asked_by"] for one in webhooks.receiver.came]
    assert listed == [["p-12"], ["p-12"]]


async def test_an_answer_that_repeats_the_event_is_forgotten_too(webhooks: Webhooks) -> None:
    """Receivers may echo what they got: such answers go with the person, also one that comes after the erasure."""
    await webhooks.subscribe("/before", types=TYPES[1:])
    await webhooks.subscribe("/after", types=TYPES[1:])
    go_on = asyncio.Event()
    webhooks.receiver.answer("/before", Reply(500, body=QUOTE.encode()))
    webhooks.receiver.answer("/after", Reply(500, body=QUOTE.encode(), after=go_on))
    await webhooks.service.deliver(TAGGED)
    deliverer = webhooks.deliverer()
    await deliverer.start_due()

    async def answered() -> Any:
        return await webhooks.service.database.fetch("SELECT FROM attempts")

    await webhooks.until_came(1, "/before")
    await webhooks.until_came(1, "/after")
    while not await answered():
        await deliverer.rest()
    await webhooks.service.deliver(ERASED)
    go_on.set()
    await webhooks.send_due(deliverer)
    assert len(await answered()) == 2
    assert QUOTE not in await everything(webhooks.service)
    assert {one["state"] for one in await webhooks.deliveries()} == {"erased"}


async def test_a_demo_request_that_cannot_be_read_is_not_kept_here(webhooks: Webhooks) -> None:
    """It is scheduling's dead letter, which alone knows whose address is in it; what follows is handed on."""
    broken = replace(webhooks.service.record(ASKED), value=f'{{"contact": "{EMAIL}"'.encode())
    outcome = await webhooks.service.deliver(broken, webhooks.service.record(ASKED))
    assert len(outcome.applied) == 1
    assert await webhooks.service.database.fetch("SELECT FROM dead_letters") == []
    assert await webhooks.service.published_types() == []


async def test_the_erasure_is_answered(webhooks: Webhooks) -> None:
    """As every service does, the webhooks say how many events lost the person, and that they are done."""
    await webhooks.subscribe(types=TYPES, personal_data=True)
    await webhooks.service.deliver(ASKED, BOOKED, TAGGED, STATUS)
    await webhooks.service.deliver(ERASED)
    [answer] = await webhooks.service.published(ErasureCompleted)
    assert (answer.participant_id, answer.service, answer.removed["messages"]) == ("p-1", "webhooks", 3)


async def test_the_erasure_itself_is_handed_on(webhooks: Webhooks) -> None:
    """Receivers that subscribed to ParticipantErased are told, so that they can forget the person as well."""
    await webhooks.subscribe(types=("earshot.ParticipantErased.v1", VOTED))
    await webhooks.service.deliver(ERASED)
    await webhooks.service.deliver(vote(voter_id="p-1"))
    await webhooks.send_due()
    assert [json.loads(one.body)["data"]["participant_id"] for one in webhooks.receiver.came] == ["p-1"]
