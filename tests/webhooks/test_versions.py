"""An event that goes out in two versions, to those who subscribed to one of them or to both."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.webhooks.app import service as webhooks_service
from deploy.webhooks.handlers import every_event
from shared.contract import catalogue, upcasting
from shared.contract.events import EventData
from shared.contract.types import Id
from shared.contract.upcasting import Succession
from tests.support.service import service_under_test
from tests.webhooks.conftest import Webhooks, told
from tests.webhooks.receiver import Receiver

ONE, TWO = "earshot.MoodHeard.v1", "earshot.MoodHeard.v2"


class MoodHeard(EventData):
    """The first version counted to ten."""

    key = ("person_id",)
    person_id: Id
    points: int


class MoodHeardV2(EventData):
    """The second one holds a share."""

    key = ("person_id",)
    person_id: Id
    mood: float


def up(old: MoodHeard) -> MoodHeardV2:
    return MoodHeardV2(person_id=old.person_id, mood=old.points / 10)


@pytest.fixture
async def webhooks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, receiver: Receiver) -> AsyncIterator[Webhooks]:
    """The webhooks of a release whose contract has an event with two versions."""
    models: dict[type[EventData], int] = {MoodHeard: 1, MoodHeardV2: 2}
    for model, number in models.items():
        event_type = catalogue._event(model, "kpi", "kpi", version=number)
        monkeypatch.setitem(catalogue._BY_MODEL, model, event_type)
        monkeypatch.setitem(catalogue._BY_TYPE, event_type.type, event_type)
    monkeypatch.setattr(upcasting, "SUCCESSIONS", (Succession(MoodHeard, MoodHeardV2, up),))
    service = replace(webhooks_service, handlers=every_event())
    async with service_under_test("webhooks", tmp_path, service=service, told=told(receiver)) as started:
        made = Webhooks(started, receiver)
        yield made
        for deliverer in made.deliverers:
            await deliverer.stop()


async def test_each_gets_the_versions_it_subscribed_to(webhooks: Webhooks) -> None:
    """Both forms of one event have one id; whoever wants one gets that one, whoever wants both gets both, each once."""
    await webhooks.subscribe("/one", (ONE,))
    await webhooks.subscribe("/two", (TWO,))
    await webhooks.subscribe("/both", (ONE, TWO))
    old = webhooks.service.record(MoodHeard(person_id="mara", points=7), event_id="heard-1")
    new = webhooks.service.record(MoodHeardV2(person_id="mara", mood=0.7), event_id="heard-1")
    await webhooks.service.deliver(old)
    await webhooks.service.deliver(new, old)
    await webhooks.service.deliver(new)
    await webhooks.send_due()
    came = {
        path: [
            (body["type"], body["data"]) for body in map(json.loads, (one.body for one in webhooks.receiver.of(path)))
        ]
        for path in ("/one", "/two", "/both")
    }
    first = (ONE, {"person_id": "mara", "points": 7})
    second = (TWO, {"person_id": "mara", "mood": 0.7})
    assert came["/one"] == [first]
    assert came["/two"] == [second]
    assert sorted(came["/both"], key=str) == [first, second]
