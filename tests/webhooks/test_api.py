"""The endpoints: who may do what, what is refused in which words, what is seen and sent again."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from shared.contract.catalogue import EVENTS
from tests.webhooks.conftest import VOTED, Webhooks, vote
from tests.webhooks.receiver import Reply


async def call(webhooks: Webhooks, method: str, path: str, body: Any = None, role: str = "admin") -> tuple[int, Any]:
    """Status and answer of an endpoint."""
    answer = await webhooks.service.client.request(
        method, f"/api/v1{path}", json=body, headers=webhooks.service.headers(role)
    )
    return answer.status_code, answer.json() if answer.content else None


async def test_only_admins_decide_where_events_go(webhooks: Webhooks) -> None:
    """A manager sees, pauses and tests subscriptions but makes, changes and removes none; a researcher does nothing."""
    one = (await webhooks.subscribe())["id"]
    body = {"url": webhooks.receiver.url(), "event_types": [VOTED]}
    calls = [
        ("GET", "/subscriptions", None),
        ("GET", f"/subscriptions/{one}", None),
        ("POST", f"/subscriptions/{one}/pause", None),
        ("POST", f"/subscriptions/{one}/resume", None),
        ("POST", f"/subscriptions/{one}/ping", None),
        ("POST", "/deliveries/replay", {"subscription_id": one}),
        ("POST", "/subscriptions", body),
        ("PUT", f"/subscriptions/{one}", body),
        ("POST", f"/subscriptions/{one}/rotate-secret", None),
        ("DELETE", f"/subscriptions/{one}", None),
    ]
    found = {role: [(await call(webhooks, *one, role=role))[0] for one in calls] for role in ("researcher", "manager")}
    assert found["researcher"] == [403] * 10
    assert found["manager"] == [200] * 6 + [403] * 4


async def test_the_events_to_subscribe_to_are_described(webhooks: Webhooks) -> None:
    """/asyncapi.json, open to all, describes every event that somebody may subscribe to."""
    answer = await webhooks.service.client.get("/asyncapi.json")
    assert set(answer.json()["channels"]) == {event.model.__name__ for event in EVENTS.values()}


async def test_a_secret_is_shown_once_and_lies_sealed(webhooks: Webhooks) -> None:
    """Creating shows the secret, repeating it does not, no other answer does, and the database holds it sealed."""
    body = {"url": webhooks.receiver.url(), "event_types": [VOTED], "subscription_id": str(uuid4())}
    status, first = await call(webhooks, "POST", "/subscriptions", body)
    again_status, again = await call(webhooks, "POST", "/subscriptions", body)
    assert (status, again_status) == (201, 200)
    assert again == first | {"secret": None}
    secret = first["secret"]
    assert secret.startswith("whsec_")
    for path in ("/subscriptions", f"/subscriptions/{first['id']}"):
        assert secret not in json.dumps((await call(webhooks, "GET", path))[1])
    [row] = await webhooks.service.database.fetch("SELECT sealed FROM secrets")
    assert secret not in row["sealed"]
    assert secret.removeprefix("whsec_") not in row["sealed"]


async def test_the_same_id_with_other_content_is_a_conflict(webhooks: Webhooks) -> None:
    """An id that is taken by another subscription is refused, and nothing changes."""
    one = await webhooks.subscribe()
    body = {"url": webhooks.receiver.url("/other"), "event_types": [VOTED], "subscription_id": one["id"]}
    status, problem = await call(webhooks, "POST", "/subscriptions", body)
    assert (status, "exists with other content" in problem["detail"]) == (409, True)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"url": "http://crm.example/"}, "url: The address must begin with https://."),
        ({"url": "https://crm.example:22/"}, "url: Port 22 is not allowed here"),
        ({"url": "https://10.0.0.1:{port}/"}, "url: 10.0.0.1 is no public address, so nothing is sent there."),
        ({"url": ""}, "url: String should have at least 1 character"),
        ({"event_types": []}, "event_types: Tuple should have at least 1 item"),
        ({"event_types": ["FeatureVoted"]}, "event_types: There is no event type 'FeatureVoted'; there are earshot."),
        ({"event_types": ["earshot.DemoRequested.v1"]}, "set personal_data to hand those out."),
        ({"conditions": [{"field": "plan", "operator": "equals", "value": "x"}]}, "FeatureVoted has no field 'plan'"),
        (
            {"conditions": [{"field": "vote", "operator": "is", "value": "up"}]},
            "conditions.0.operator: Input should be",
        ),
        ({"conditions": [{"field": "vote", "operator": "in", "value": []}]}, "conditions.0.value"),
        ({"conditions": [{"field": "vote", "operator": "in", "value": "up"}]}, "in takes a list of 1 to 100 values."),
        ({"personal_data": "yes"}, "personal_data: Value error, is text; send true or false"),
        ({"filter": []}, "filter: Extra inputs are not permitted"),
        ({"description": "a\x00b"}, "description: "),
    ],
)
async def test_bad_subscriptions_are_refused_in_words(webhooks: Webhooks, changes: dict[str, Any], told: str) -> None:
    """Each mistake is answered 422 with the field and what to do, and nothing is kept."""
    body = {"url": webhooks.receiver.url(), "event_types": [VOTED]} | changes
    body["url"] = body["url"].replace("{port}", str(webhooks.receiver.port))
    status, problem = await call(webhooks, "POST", "/subscriptions", body)
    assert status == 422
    assert told in problem["detail"]
    assert (await call(webhooks, "GET", "/subscriptions"))[1] == []


async def test_conditions_must_fit_every_type(webhooks: Webhooks) -> None:
    """A condition on a field that one of the types does not have is refused, naming that type."""
    body = {
        "url": webhooks.receiver.url(),
        "event_types": [VOTED, "earshot.KpiMeasured.v1"],
        "conditions": [{"field": "feature_id", "operator": "equals", "value": "export"}],
    }
    status, problem = await call(webhooks, "POST", "/subscriptions", body)
    assert (status, "KpiMeasured has no field 'feature_id'" in problem["detail"]) == (422, True)


async def test_what_is_not_there_is_told(webhooks: Webhooks) -> None:
    """Unknown subscriptions and deliveries are 404, ids that are none 422, and never 500."""
    unknown = uuid4()
    found = [
        (await call(webhooks, method, path, body))[0]
        for method, path, body in [
            ("GET", f"/subscriptions/{unknown}", None),
            ("POST", f"/subscriptions/{unknown}/ping", None),
            ("DELETE", f"/subscriptions/{unknown}", None),
            ("POST", "/deliveries/replay", {"subscription_id": str(unknown)}),
            ("GET", "/deliveries/1", None),
            ("POST", "/deliveries/9223372036854775807/replay", None),
            ("GET", "/deliveries/9223372036854775808", None),
            ("GET", "/subscriptions/nonsense", None),
            ("GET", "/deliveries?before=0", None),
            ("GET", "/deliveries?state=lost", None),
        ]
    ]
    assert found == [404] * 6 + [422] * 4


async def test_a_change_counts_from_now_on(webhooks: Webhooks) -> None:
    """After the address and the types are changed, what is queued goes to the new address, and only the new types."""
    one = await webhooks.subscribe("/old")
    await webhooks.service.deliver(vote("a"))
    body = {"url": webhooks.receiver.url("/new"), "event_types": ["earshot.KpiMeasured.v1"], "description": "CRM"}
    changed = await webhooks.ask("PUT", f"/subscriptions/{one['id']}", body)
    assert (changed["url"], changed["description"]) == (webhooks.receiver.url("/new"), "CRM")
    await webhooks.service.deliver(vote("b"))
    await webhooks.send_due()
    assert [one.path for one in webhooks.receiver.came] == ["/new"]


async def test_deliveries_are_listed_page_by_page(webhooks: Webhooks) -> None:
    """Newest first, each exactly once over the pages, and every filter leaves out what it says."""
    one = await webhooks.subscribe("/one")
    two = await webhooks.subscribe("/two")
    await webhooks.service.deliver(*(vote(f"f{number}") for number in range(5)))
    pages, before = [], ""
    while page := await webhooks.deliveries(f"?limit=3{before}"):
        pages.append([one["id"] for one in page])
        before = f"&before={page[-1]['id']}"
    ids = [identifier for page in pages for identifier in page]
    assert [len(page) for page in pages] == [3, 3, 3, 1]
    assert ids == sorted(set(ids), reverse=True)
    assert len(await webhooks.deliveries(f"?subscription_id={one['id']}")) == 5
    assert len(await webhooks.deliveries(f"?subscription_id={two['id']}&key=f1")) == 1
    assert await webhooks.deliveries("?state=delivered") == []
    assert await webhooks.deliveries("?event_type=earshot.KpiMeasured.v1") == []
    assert len(await webhooks.deliveries("?since=2026-03-02T09:00:00Z")) == 10
    assert await webhooks.deliveries("?until=2026-03-02T09:00:00Z") == []


async def test_failed_deliveries_are_sent_again(webhooks: Webhooks) -> None:
    """A replay sends every failed delivery again under its old id, in the old order, and none that was taken."""
    one = await webhooks.subscribe()
    webhooks.receiver.answer("/", Reply(200), Reply(410))
    await webhooks.service.deliver(vote("a"))
    await webhooks.send_due()
    await webhooks.service.deliver(*(vote("b", voter_id=f"v{number}") for number in range(3)))
    await webhooks.send_due()
    status, problem = await call(webhooks, "POST", "/deliveries/replay", {"subscription_id": one["id"]})
    assert (status, problem["detail"].endswith("Resume it first.")) == (409, True)
    await webhooks.ask("POST", f"/subscriptions/{one['id']}/resume")
    webhooks.receiver.answer("/", Reply(200))
    assert await webhooks.ask("POST", "/deliveries/replay", {"subscription_id": one["id"]}) == {"replayed": 3}
    await webhooks.send_due()
    came = [(json.loads(each.body)["data"]["voter_id"], each.id) for each in webhooks.receiver.came]
    assert [voter for voter, _ in came] == ["v1", "v0", "v0", "v1", "v2"]
    assert came[1][1] == came[2][1]
    assert {each["state"] for each in await webhooks.deliveries()} == {"delivered"}


async def test_one_delivery_is_sent_again_or_at_once(webhooks: Webhooks) -> None:
    """Replaying one that was taken sends it once more; replaying one that waits for its time sends it now."""
    await webhooks.subscribe()
    webhooks.receiver.answer("/", Reply(200), Reply(500), Reply(200))
    await webhooks.service.deliver(vote())
    await webhooks.send_due()
    [one] = await webhooks.deliveries()
    for state in ("pending", "delivered"):
        assert (await webhooks.ask("POST", f"/deliveries/{one['id']}/replay"))["state"] == "pending"
        assert await webhooks.send_due() == 1
        assert (await webhooks.delivery(one["id"]))["state"] == state
    assert len({each.id for each in webhooks.receiver.came}) == 1


async def test_giving_up_lets_the_next_go(webhooks: Webhooks) -> None:
    """A delivery that is given up ends with who said so and why, and what waited behind it goes at once."""
    await webhooks.subscribe()
    webhooks.receiver.answer("/", Reply(400), Reply(200))
    await webhooks.service.deliver(vote("a", voter_id="v1"), vote("a", voter_id="v2"))
    await webhooks.send_due()
    first = (await webhooks.deliveries())[-1]["id"]
    ended = await webhooks.ask("POST", f"/deliveries/{first}/give-up", {"reason": "they cannot read it"})
    assert (ended["state"], ended["note"]) == ("failed", "given up by ana: they cannot read it")
    assert await webhooks.send_due() == 1
    assert json.loads(webhooks.receiver.came[-1].body)["data"]["voter_id"] == "v2"
    status, problem = await call(webhooks, "POST", f"/deliveries/{first}/give-up", {"reason": "again"})
    assert (status, problem["detail"]) == (409, "The delivery is failed already; only a pending one can be given up.")


async def test_a_test_event_goes_to_one_subscription(webhooks: Webhooks) -> None:
    """A ping comes signed, as an event of its own type, at the subscription that was pinged and nowhere else."""
    webhooks.service.now += timedelta()
    one, _other = await webhooks.subscribe("/one"), await webhooks.subscribe("/two")
    queued = await webhooks.ask("POST", f"/subscriptions/{one['id']}/ping", role="manager")
    await webhooks.send_due()
    [came] = webhooks.receiver.came
    event = json.loads(came.body)
    assert (came.path, came.id) == ("/one", queued["message_id"])
    assert (event["type"], event["data"]["subscription_id"]) == ("earshot.WebhookPing.v1", one["id"])
    await webhooks.ask("POST", f"/subscriptions/{one['id']}/pause")
    status, problem = await call(webhooks, "POST", f"/subscriptions/{one['id']}/ping")
    assert (status, problem["detail"]) == (409, "The subscription is paused; resume it first.")
