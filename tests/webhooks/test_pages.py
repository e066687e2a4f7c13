"""The pages of the webhooks: what they show and what their forms do."""

import re
from html import unescape
from typing import Any

import httpx

from tests.webhooks.conftest import VOTED, Webhooks, vote
from tests.webhooks.receiver import Reply


async def page(webhooks: Webhooks, path: str, role: str = "admin") -> str:
    answer = await webhooks.service.client.get(path, headers=webhooks.service.headers(role) | {"Accept": "text/html"})
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.text)))


async def send(
    webhooks: Webhooks, path: str, form: dict[str, Any] | None = None, role: str = "admin"
) -> httpx.Response:
    return await webhooks.service.client.post(path, data=form or {}, headers=webhooks.service.headers(role))


async def test_the_board_leads_admins_to_the_form(webhooks: Webhooks) -> None:
    """Without subscriptions the page says what they are for; only admins can add one."""
    assert "No subscriptions yet" in await page(webhooks, "/")
    assert 'href="/new"' in (await webhooks.service.client.get("/", headers=webhooks.service.headers())).text
    as_manager = await webhooks.service.client.get("/", headers=webhooks.service.headers("manager"))
    assert 'href="/new"' not in as_manager.text
    assert (await webhooks.service.client.get("/", headers=webhooks.service.headers("viewer"))).status_code == 403


async def test_subscribing_by_the_form(webhooks: Webhooks) -> None:
    """The form makes a subscription with its conditions and shows the secret in an answer that nobody stores."""
    form = {
        "url": webhooks.receiver.url("/crm"),
        "description": "CRM <b>",
        "event_types": [VOTED],
        "conditions": "segment.plan in team, business\n\nvote equals up",
    }
    answer = await send(webhooks, "/new", form)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert len(re.findall(r"whsec_[A-Za-z0-9+/=]{44}", answer.text)) == 1
    [one] = await webhooks.ask("GET", "/subscriptions")
    assert (one["url"], one["description"], one["event_types"]) == (form["url"], "CRM <b>", [VOTED])
    assert one["conditions"] == [
        {"field": "segment.plan", "operator": "in", "value": ["team", "business"]},
        {"field": "vote", "operator": "equals", "value": "up"},
    ]
    shown = await page(webhooks, f"/subscriptions/{one['id']}")
    assert "segment.plan in team, business" in shown
    assert "<b>" in shown, "the description is escaped, so it reads as it was typed"
    assert "whsec_" not in shown


async def test_a_form_with_mistakes_comes_back(webhooks: Webhooks) -> None:
    """What was typed stays, each mistake is told beside its field, and nothing is made."""
    form: dict[str, Any] = {"url": "https://10.0.0.1/", "event_types": [VOTED], "conditions": "plan equals team"}
    told: list[tuple[dict[str, Any], str]] = [
        ({}, f"Port 443 is not allowed here; allowed: {webhooks.receiver.port}."),
        ({"url": webhooks.receiver.url()}, "FeatureVoted has no field 'plan'"),
        ({"url": webhooks.receiver.url(), "conditions": "plan is team"}, "is no condition; write a field, one of"),
        ({"url": webhooks.receiver.url(), "event_types": []}, "Events: Choose at least 1."),
        ({"url": ""}, "Address: Fill this in."),
    ]
    for changes, words in told:
        answer = await send(webhooks, "/new", form | changes)
        assert answer.status_code == 422
        assert words in re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.text)))
    assert "plan equals team" in answer.text
    assert await webhooks.ask("GET", "/subscriptions") == []


async def test_a_subscription_is_changed_and_removed(webhooks: Webhooks) -> None:
    """The edit form holds what is, saves what is typed, and the subscription can be removed."""
    one = await webhooks.subscribe(conditions=[{"field": "feature_id", "operator": "equals", "value": "42"}])
    address = f"/subscriptions/{one['id']}"
    html = (await webhooks.service.client.get(f"{address}/edit", headers=webhooks.service.headers())).text
    assert 'feature_id equals "42"' in unescape(html)
    form = {"url": one["url"], "event_types": [VOTED], "conditions": 'feature_id equals "43"'}
    assert (await send(webhooks, f"{address}/edit", form)).status_code == 303
    changed = await webhooks.ask("GET", address)
    assert changed["conditions"] == [{"field": "feature_id", "operator": "equals", "value": "43"}]
    assert (await send(webhooks, f"{address}/remove")).headers["location"] == "/"
    assert await webhooks.ask("GET", "/subscriptions") == []


async def test_deliveries_are_shown_with_every_attempt(webhooks: Webhooks) -> None:
    """From the subscription to a delivery: its event, its attempts with answers that are escaped, and what to do."""
    one = await webhooks.subscribe()
    webhooks.receiver.answer("/", Reply(500, body=b"<script>alert(1)</script>"))
    await webhooks.service.deliver(vote("export"))
    await webhooks.send_due()
    shown = await page(webhooks, f"/subscriptions/{one['id']}", "manager")
    assert "FeatureVoted.v1 export Pending 500" in shown
    assert "Nothing was taken since" in shown
    [listed] = await webhooks.deliveries()
    address = f"/deliveries/{listed['id']}"
    html = (await webhooks.service.client.get(address, headers=webhooks.service.headers("manager"))).text
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert '"feature_id": "export"' in unescape(html)
    assert (await send(webhooks, f"{address}/give-up", role="manager")).status_code == 303
    assert "given up by ana: on the page" in await page(webhooks, address)
    assert "Failed 1" in await page(webhooks, f"/subscriptions/{one['id']}?state=failed")
    assert (await send(webhooks, f"/subscriptions/{one['id']}/replay", role="manager")).status_code == 303
    assert [each["state"] for each in await webhooks.deliveries()] == ["pending"]


async def test_the_list_goes_on_behind_older(webhooks: Webhooks) -> None:
    """Thirty deliveries are two pages: twenty-five, and five behind “Older”."""
    one = await webhooks.subscribe()
    await webhooks.service.deliver(*(vote(f"f{number}") for number in range(30)))
    address = f"/subscriptions/{one['id']}"
    html = (await webhooks.service.client.get(address, headers=webhooks.service.headers())).text
    assert html.count('href="/deliveries/') == 25
    [older] = re.findall(r'href="([^"]+before=\d+)"', html)
    assert (await webhooks.service.client.get(older, headers=webhooks.service.headers())).text.count(
        '"/deliveries/'
    ) == 5


async def test_buttons_do_what_they_say(webhooks: Webhooks) -> None:
    """Test event, pause, resume and a new secret, each by its button."""
    one = await webhooks.subscribe()
    address = f"/subscriptions/{one['id']}"
    pinged = await send(webhooks, f"{address}/ping", role="manager")
    assert pinged.headers["location"].startswith("/deliveries/")
    await webhooks.send_due()
    assert "WebhookPing.v1" in await page(webhooks, pinged.headers["location"])
    await send(webhooks, f"{address}/pause", role="manager")
    assert "Paused" in await page(webhooks, address)
    await send(webhooks, f"{address}/resume", role="manager")
    assert "Active" in await page(webhooks, address)
    rotated = await send(webhooks, f"{address}/rotate")
    assert "Until" in rotated.text
    [secret] = re.findall(r"whsec_[A-Za-z0-9+/=]{44}", rotated.text)
    assert secret != one["secret"]
