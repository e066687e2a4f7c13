"""The pages of dead letters, as forms send them and in a browser."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
import uvicorn
from playwright.async_api import Browser, Page, expect

from shared.contract.events import KpiImpactAssessed, KpiMeasured
from tests.runtime.tiny import tiny_service
from tests.support.browser import DEVICES, PHONE, Watch, check_for_everyone, open_everything, opened, sideways, tab_to
from tests.support.service import FakeRecord, ServiceUnderTest, service_under_test

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOSTILE = b'<script>alert(1)</script>"\x00\xff\xe2\x80\xae<img src=x onerror=alert(1)>'


@pytest.fixture
async def tiny(tmp_path: Path) -> AsyncIterator[ServiceUnderTest]:
    async with service_under_test("kpi", tmp_path, service=tiny_service()) as service:
        yield service


def measured(kpi_id: str = "csat", value: float = 70) -> KpiMeasured:
    return KpiMeasured(
        kpi_id=kpi_id, period_start=NOON, period_end=NOON.replace(hour=13), value=value, measured_at=NOON
    )


def hostile() -> FakeRecord:
    headers = [("ce_id", HOSTILE), ("ce_type", HOSTILE), ("x" * 400, b"y" * 4000), ("none", None)]
    return FakeRecord("earshot.kpi-measured.v1", HOSTILE + b"z" * 100_000, headers, key=HOSTILE, offset=7)


async def page(service: ServiceUnderTest, path: str = "", **wanted: Any) -> str:
    answer = await service.client.get(f"/dead-letters{path}", params=wanted, headers=service.headers())
    assert answer.status_code == 200, answer.text
    return answer.text


async def send(service: ServiceUnderTest, path: str, fields: dict[str, Any]) -> httpx.Response:
    headers = service.headers() | {"accept": "text/html"}
    return await service.client.post(f"/dead-letters{path}", data=fields, headers=headers)


async def ids(service: ServiceUnderTest, state: str = "open") -> list[str]:
    rows = await service.database.fetch("SELECT id FROM dead_letters WHERE state = $1 ORDER BY number", state)
    return [str(row["id"]) for row in rows]


def words(markup: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", markup)))


def typed(markup: str, name: str) -> str:
    """What stands in the field of that name."""
    area = re.search(rf'<textarea[^>]*name="{name}"[^>]*>\n(.*?)</textarea>', markup, re.DOTALL)
    field = area or re.search(rf'<input[^>]*name="{name}" value="([^"]*)"', markup)
    assert field, name
    return unescape(field[1])


async def test_the_list_shows_what_the_filters_find(tiny: ServiceUnderTest) -> None:
    """Reason, place and key of each letter stand in the list, narrowed by what was typed."""
    await tiny.deliver(tiny.record(measured("a", -1)), replace(tiny.record(measured("b")), value=b"{"))
    both = words(await page(tiny))
    assert "value must not be negative" in both
    assert "Invalid JSON" in both
    assert "earshot.kpi-measured.v1 [0] 1 key a" in both
    one = words(await page(tiny, text="negative", topic="earshot.kpi-measured.v1", key="a"))
    assert "value must not be negative" in one
    assert "Invalid JSON" not in one
    assert "No dead letters here" in await page(tiny, state="replayed")


@pytest.mark.parametrize("wrong", [{"since": "yesterday"}, {"state": "lost"}, {"text": "x" * 400}])
async def test_a_filter_that_cannot_be_read_is_told(tiny: ServiceUnderTest, wrong: dict[str, str]) -> None:
    """A wrong filter is answered with the page and what to mend, with what was typed still in its field."""
    answer = await tiny.client.get("/dead-letters", params=wrong, headers=tiny.headers())
    assert answer.status_code == 422
    assert "Something needs mending" in answer.text


async def test_a_long_list_is_turned_page_by_page(tiny: ServiceUnderTest) -> None:
    """Fifty letters stand on a page, and the link to the next one keeps the filters."""
    await tiny.deliver(*(measured(f"k{n}", -1) for n in range(53)))
    first = await page(tiny, text="negative")
    [following] = re.findall(r'href="(/dead-letters\?[^"]*after=[^"]*)"', first)
    second = (await tiny.client.get(unescape(following), headers=tiny.headers())).text
    assert (first.count('name="letter"'), second.count('name="letter"')) == (50, 3)
    assert "text=negative" in following


async def test_a_letter_is_mended_and_replayed_by_forms(tiny: ServiceUnderTest) -> None:
    """What is typed into the form becomes the record, and the replay takes effect; the original stays to be seen."""
    await tiny.deliver(replace(tiny.record(measured()), value=b'{"kpi_id": "csat"}'))
    [letter] = await ids(tiny)
    shown = await page(tiny, f"/{letter}")
    assert typed(shown, "value") == '{\n  "kpi_id": "csat"\n}'
    assert "No event of the contract." in shown
    form = {name: typed(shown, name) for name in ("key", "headers", "after_edits")}
    value = measured(value=4).model_dump_json(indent=2).replace("\n", "\r\n")
    edited = await send(tiny, f"/{letter}/edit", form | {"value": value})
    assert (edited.status_code, edited.headers["location"]) == (303, f"/dead-letters/{letter}")
    assert (await send(tiny, f"/{letter}/replay", {})).status_code == 303
    assert [event.effect for event in await tiny.published(KpiImpactAssessed)] == [4]
    closed = await page(tiny, f"/{letter}")
    assert "Replayed by ana at" in words(closed)
    assert "As it came" in closed
    [edit] = await tiny.database.fetch("SELECT key, headers FROM dead_letter_edits")
    [original] = await tiny.database.fetch("SELECT key, headers FROM dead_letters")
    assert edit == original


async def test_what_is_left_alone_keeps_its_very_bytes(tiny: ServiceUnderTest) -> None:
    """Mending the key alone leaves bytes that no form could carry, and a form without a change is told."""
    await tiny.deliver(hostile())
    [letter] = await ids(tiny)
    unchanged = await send(tiny, f"/{letter}/edit", {"after_edits": "0"})
    assert unchanged.status_code == 422
    assert "Nothing was changed" in unchanged.text
    await send(tiny, f"/{letter}/edit", {"key": "csat"})
    [row] = await tiny.database.fetch("SELECT key, value FROM dead_letter_edits")
    assert (row["key"], row["value"]) == (b"csat", HOSTILE + b"z" * 100_000)


async def test_headers_that_cannot_be_read_are_told_with_their_line(tiny: ServiceUnderTest) -> None:
    """A wrong line of headers comes back with what was typed and which line it is."""
    await tiny.deliver(measured(value=-1))
    [letter] = await ids(tiny)
    answer = await send(tiny, f"/{letter}/edit", {"headers": "ce_id: 1\nx:: ???"})
    assert answer.status_code == 422
    assert "Line 2: what follows :: must be base64" in answer.text
    assert typed(answer.text, "headers") == "ce_id: 1\nx:: ???"


async def test_what_senders_chose_is_shown_escaped_and_cut(tiny: ServiceUnderTest) -> None:
    """Markup, control characters and direction overrides of hostile records are only signs, and pages stay small."""
    await tiny.deliver(hostile())
    [letter] = await ids(tiny)
    for markup in (await page(tiny), await page(tiny, f"/{letter}")):
        assert "<script>alert" not in markup
        assert "&lt;script&gt;alert(1)" in markup
        assert "\u202e" not in markup
        assert "\x00" not in markup
        assert len(markup) < 60_000


async def test_a_refused_replay_says_why(tiny: ServiceUnderTest) -> None:
    """What still fails, what waits for an earlier letter and what is closed is told on the letter's page."""
    await tiny.deliver(measured("a", -1), measured("a", -2))
    first, second = await ids(tiny)
    failed = await send(tiny, f"/{first}/replay", {})
    assert (failed.status_code, "value must not be negative" in failed.text) == (422, True)
    waits = await send(tiny, f"/{second}/replay", {})
    assert (waits.status_code, "replay or discard it first" in waits.text) == (409, True)
    assert "deal with it first" in await page(tiny, f"/{second}")
    assert (await send(tiny, f"/{first}/discard", {"reason": " "})).status_code == 422
    assert (await send(tiny, f"/{first}/discard", {"reason": "a test"})).status_code == 303
    closed = await send(tiny, f"/{first}/discard", {"reason": "again"})
    assert (closed.status_code, "discarded by ana already" in closed.text) == (409, True)


async def test_many_are_handled_by_one_form(tiny: ServiceUnderTest) -> None:
    """Ticked letters are replayed, all that the filters find are discarded with a reason, and it is said how many."""
    bad = [tiny.record(measured(kpi, -1)) for kpi in "aab"]
    await tiny.deliver(*bad, replace(tiny.record(measured("c")), value=b"{"))
    first, second, *_ = await ids(tiny)
    replayed = await send(tiny, "", {"do": "replay", "letter": [first, second]})
    assert "1 still fail, 1 wait for an earlier one of their key." in unquote(replayed.headers["set-cookie"])
    assert (await send(tiny, "", {"do": "replay"})).status_code == 422
    assert (await send(tiny, "", {"do": "replay", "letter": "x"})).status_code == 422
    assert (await send(tiny, "", {"do": "discard-all", "text": "negative"})).status_code == 422
    fields = {"do": "discard-all", "text": "negative", "reason": "a drill"}
    assert (await send(tiny, "", fields)).status_code == 303
    assert (len(await ids(tiny)), len(await ids(tiny, "discarded"))) == (1, 3)


async def test_behind_the_gateway_all_addresses_have_its_prefix(tiny: ServiceUnderTest) -> None:
    """Links, forms and redirects lead back through the gateway."""
    await tiny.deliver(measured(value=-1))
    [letter] = await ids(tiny)
    headers = tiny.headers() | {"x-forwarded-prefix": "/kpi"}
    for path in ("/dead-letters", f"/dead-letters/{letter}"):
        markup = (await tiny.client.get(path, headers=headers)).text
        addresses = re.findall(r'(?:href|action)="([^"]*dead-letters[^"]*)"', markup)
        assert addresses
        assert {address for address in addresses if not address.startswith("/kpi/")} == set()
    done = await tiny.client.post(f"/dead-letters/{letter}/discard", data={"reason": "a test"}, headers=headers)
    assert done.headers["location"] == f"/kpi/dead-letters/{letter}"


async def test_home_counts_what_is_open(tiny: ServiceUnderTest) -> None:
    """The numbers for the home page hold the open letters, and none where there are none."""
    pulse = [(await tiny.client.get("/api/v1/pulse", headers=tiny.headers("viewer"))).json()]
    await tiny.deliver(measured(value=-1))
    pulse.append((await tiny.client.get("/api/v1/pulse", headers=tiny.headers("viewer"))).json())
    assert pulse == [{}, {"dead letters": 1}]


# In a browser


@pytest.fixture
async def site(tiny: ServiceUnderTest) -> AsyncIterator[str]:
    """The service, with letters of every kind, at an address."""
    await tiny.deliver(
        tiny.record(measured("a", -1), event_id="again"),
        replace(tiny.record(measured("a", -1), event_id="again"), offset=3, headers=[]),
        hostile(),
    )
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(tiny.app, log_level="warning", lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    await serving


@pytest.mark.parametrize("device", DEVICES)
async def test_the_pages_are_quiet_and_accessible(
    browser: Browser, tiny: ServiceUnderTest, site: str, device: str
) -> None:
    """Hostile bytes act on nothing; light and dark, wide and phone: no finding, no message, no sideways scroll."""
    context = await opened(browser, extra_http_headers=tiny.headers(), **DEVICES[device])
    shown = await context.new_page()
    watch = Watch(shown, site)
    for path in ("", *(f"/{letter}" for letter in await ids(tiny))):
        await shown.goto(f"{site}/dead-letters{path}")
        await open_everything(shown)
        assert await sideways(shown) <= 0
        await check_for_everyone(shown)
    assert (watch.said, watch.foreign) == ([], [])
    await context.close()


async def test_a_letter_is_dealt_with_on_a_phone_without_script(
    browser: Browser, tiny: ServiceUnderTest, site: str
) -> None:
    """By forms alone a letter is found, mended, replayed, and another one discarded."""
    context = await opened(browser, extra_http_headers=tiny.headers(), java_script_enabled=False, **PHONE)
    shown: Page = await context.new_page()
    await shown.goto(f"{site}/dead-letters")
    await shown.get_by_label("Words of the reason").fill("negative")
    await shown.get_by_role("button", name="Filter").click()
    await shown.get_by_role("row").get_by_role("link").click()
    await shown.get_by_label("Value", exact=True).last.fill(measured("a", 4).model_dump_json())
    await shown.get_by_role("button", name="Keep the edit").click()
    await expect(shown.get_by_text("It can be replayed now.")).to_be_visible()
    await shown.get_by_role("button", name="Replay").click()
    await expect(shown.get_by_text("The record took effect.")).to_be_visible()
    await shown.goto(f"{site}/dead-letters")
    await shown.get_by_role("checkbox").last.check()
    await shown.get_by_label("Reason to discard").fill("nobody knows it")
    await shown.get_by_role("button", name="Discard ticked").click()
    await expect(shown.get_by_text("1 discarded.")).to_be_visible()
    assert [event.effect for event in await tiny.published(KpiImpactAssessed)] == [4]
    await context.close()


async def test_a_letter_is_discarded_by_keyboard(browser: Browser, tiny: ServiceUnderTest, site: str) -> None:
    """Tab reaches the reason, Enter sends it, and the focus is on what was done."""
    context = await opened(browser, extra_http_headers=tiny.headers(), **DEVICES["wide"])
    shown = await context.new_page()
    [letter, *_] = await ids(tiny)
    await shown.goto(f"{site}/dead-letters/{letter}")
    await tab_to(shown, "Reason")
    await shown.keyboard.type("a drill")
    await shown.keyboard.press("Enter")
    await expect(shown.get_by_text("The record is discarded; its bytes are kept.")).to_be_visible()
    await context.close()
