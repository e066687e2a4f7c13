"""The whole platform with the demo's content, seen through a browser."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest
from confluent_kafka import Producer
from playwright.async_api import Browser, BrowserContext, Page, StorageState

from tests.support.browser import WIDE, opened
from tests.support.platform import Platform
from tests.support.running import until


@dataclass(frozen=True)
class Idea:
    """An idea of one test alone."""

    id: str
    title: str


@dataclass(frozen=True)
class Site:
    """A running platform: its address, a client with a token, and the ids of what the demo made."""

    platform: Platform
    url: str
    http: httpx.AsyncClient
    ids: dict[str, str]

    async def add_idea(self) -> Idea:
        """A new idea on the board that nobody has voted for."""
        idea = Idea(str(uuid4()), f"Idea {uuid4().hex[:8]}")
        answer = await self.http.post("/roadmap/api/v1/ideas", json={"feature_id": idea.id, "title": idea.title})
        assert answer.is_success, answer.text
        return idea


async def _made_by_the_demo(http: httpx.AsyncClient) -> dict[str, str]:
    """The ids that the services chose themselves."""

    async def only(path: str, request: str = "demo-request-1") -> dict[str, Any]:
        answer = await http.get(path)
        assert answer.is_success, f"{path}: {answer.text}"
        [found] = [one for one in answer.json() if one.get("request_id", request) == request]
        return dict(found)

    interview = (await only("/scheduling/api/v1/interviews?limit=1000"))["interview_id"]
    sessions = (await http.get("/sessions/api/v1/sessions?limit=1000")).json()
    [session] = [one["session_id"] for one in sessions if one["interview_id"] == interview]
    return {"interview": interview, "session": session, "letter": await _dead_letter(http)}


async def _dead_letter(http: httpx.AsyncClient) -> str:
    """A letter of kpi's: an event whose rule somebody broke, mended once so that there is a history to show."""
    letters = "/kpi/api/v1/dead-letters"

    async def kept() -> str | None:
        found = (await http.get(letters, params={"event_type": "earshot.KpiMeasured.v1"})).json()
        return str(found[0]["id"]) if found else None

    letter = await until(kept, what="a dead letter")
    assert letter is not None
    answer = await http.post(f"{letters}/{letter}/edit", json={"value_text": '{"kpi_id": "mended"}'})
    assert answer.is_success, answer.text
    return letter


@pytest.fixture(scope="session")
async def site(platform: Platform) -> AsyncIterator[Site]:
    platform.earshot("demo")
    _break_a_rule(platform)
    url = platform.status()["gateway"]["url"]
    token = platform.earshot("token", "--role", "admin").strip()
    async with httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=20) as http:
        yield Site(platform, url, http, await _made_by_the_demo(http))


def _break_a_rule(platform: Platform) -> None:
    """An event of another system that ends before it begins."""
    headers: list[tuple[str, str | bytes | None]] = [
        ("ce_specversion", "1.0"),
        ("ce_id", "broken"),
        ("ce_source", "/other"),
        ("ce_type", "earshot.KpiMeasured.v1"),
    ]
    period = {"period_start": "2026-03-02T12:00:00Z", "period_end": "2026-03-01T12:00:00Z"}
    value = {"kpi_id": "csat", "value": 70, "measured_at": "2026-03-02T12:00:00Z"} | period
    producer = Producer({"bootstrap.servers": platform.status()["broker"]["address"]})
    producer.produce("earshot.kpi-measured.v1", json.dumps(value), "csat", headers=headers)
    assert producer.flush(20) == 0


@pytest.fixture(scope="session")
async def booked(site: Site) -> str:
    """The address of the page that a customer sees after booking."""
    async with httpx.AsyncClient(base_url=site.url, timeout=20, follow_redirects=True) as visitor:
        page = await visitor.get("/scheduling/book?study=demo-exports")
        [start, *_] = re.findall(r'name="start" value="([^"]+)"', page.text)
        form = {"request_id": str(uuid4()), "start": start, "name": "Ines Kalb", "email": "ines@customer.example"}
        answer = await visitor.post("/scheduling/book?study=demo-exports&timezone=Europe/Berlin", data=form)
        assert answer.url.path.startswith("/scheduling/booked/"), answer.text
        return answer.url.path


@pytest.fixture
async def visitor(browser: Browser) -> AsyncIterator[BrowserContext]:
    """Somebody who was never here."""
    context = await opened(browser, **WIDE)
    yield context
    await context.close()


@pytest.fixture(scope="session")
async def signed_in(browser: Browser, site: Site) -> StorageState:
    """What the browser of somebody of the team keeps once they have signed in."""
    context = await opened(browser, **WIDE)
    page = await context.new_page()
    await page.goto(site.platform.earshot("signin").strip())
    await page.get_by_role("button", name="Sign in as local-admin").click()
    await page.wait_for_url(f"{site.url}/")
    kept = await context.storage_state()
    await context.close()
    return kept


@pytest.fixture
async def member(browser: Browser, site: Site, signed_in: StorageState) -> AsyncIterator[Page]:
    """Somebody of the team, signed in, at the home page."""
    context = await opened(browser, storage_state=signed_in, **WIDE)
    page = await context.new_page()
    await page.goto(f"{site.url}/")
    yield page
    await context.close()
