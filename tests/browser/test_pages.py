"""Every page of the platform, as visitors and the team see it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page

from tests.browser.conftest import Site
from tests.support.browser import (
    DEVICES,
    WIDE,
    Watch,
    open_everything,
    opened,
    repeated_ids,
    sideways,
    spending,
    violations,
)

pytestmark = pytest.mark.xdist_group("platform")

PUBLIC = [
    ("/", 200),
    ("/sign-in", 200),
    ("/sign-in?token=worn-out", 401),
    ("/nowhere", 404),
    ("/ui", 200),
    ("/ui/public", 200),
    ("/scheduling/book", 200),
    ("/scheduling/book?study=demo-exports&timezone=America/Argentina/Buenos_Aires", 200),
    ("/scheduling/book?study=unknown", 404),
    ("{booked}", 200),
    ("/scheduling/booked/unknown", 404),
    ("/scheduling/docs", 200),
    ("/sessions/docs", 200),
    ("/insights/docs", 200),
    ("/insights/", 401),
    ("/roadmap/board", 200),
    ("/roadmap/board?stage=shipped", 200),
    ("/roadmap/board?q=unheard+of", 200),
    ("/roadmap/board/demo-csv-export", 200),
    ("/roadmap/board/demo-dark-theme", 200),
    ("/roadmap/docs", 200),
    ("/kpi/docs", 200),
]
WORK = [
    ("/", 200),
    ("/scheduling/", 200),
    ("/scheduling/studies", 200),
    ("/scheduling/notices", 200),
    ("/scheduling/interviews/{interview}", 200),
    ("/scheduling/interviews/unknown", 404),
    ("/sessions/", 200),
    ("/sessions/sessions/{session}", 200),
    ("/insights/", 200),
    ("/insights/sessions/{session}", 200),
    ("/insights/sessions/{session}?turn=2", 200),
    ("/insights/features/demo-csv-export", 200),
    ("/roadmap/", 200),
    ("/roadmap/new", 200),
    ("/roadmap/ideas/demo-csv-export", 200),
    ("/roadmap/ideas/demo-dark-theme", 200),
    ("/kpi/", 200),
    ("/kpi/new", 200),
    ("/kpi/kpis/demo-csat", 200),
    ("/kpi/releases", 200),
]


@pytest.fixture(scope="module", params=["wide", "phone"])
async def device(request: pytest.FixtureRequest) -> dict[str, Any]:
    return DEVICES[request.param]


@pytest.fixture(scope="module")
async def public_page(browser: Browser, device: dict[str, Any]) -> AsyncIterator[Page]:
    context = await opened(browser, **device)
    yield await context.new_page()
    await context.close()


@pytest.fixture(scope="module")
async def work_page(browser: Browser, site: Site, device: dict[str, Any]) -> AsyncIterator[Page]:
    context = await opened(browser, **device)
    page = await context.new_page()
    await site.sign_in(page)
    yield page
    await context.close()


async def look(page: Page, site: Site, path: str, status: int) -> None:
    watch = Watch(page, site.url)
    answer = await page.goto(site.url + path)
    await page.evaluate("document.fonts.ready")
    assert answer is not None
    assert answer.status == status
    await open_everything(page)
    assert (watch.said, watch.foreign) == ([], [])
    assert await sideways(page) <= 0
    assert await repeated_ids(page) == []
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        assert await violations(page) == [], scheme


@pytest.mark.parametrize(("path", "status"), PUBLIC)
async def test_a_public_page_is_quiet_and_accessible(
    public_page: Page, site: Site, booked: str, path: str, status: int
) -> None:
    """Without signing in: no console message, no foreign request, no finding in light or dark, no sideways scroll."""
    await look(public_page, site, path.format(booked=booked), status)


@pytest.mark.parametrize(("path", "status"), WORK)
async def test_a_page_of_the_team_is_quiet_and_accessible(work_page: Page, site: Site, path: str, status: int) -> None:
    """Signed in: no console message, no foreign request, no finding in light or dark, no sideways scroll."""
    await look(work_page, site, path.format(**site.ids), status)


async def test_a_first_visit_shows_the_visitors_own_times(visitor: BrowserContext, site: Site) -> None:
    """Somebody in Berlin who comes to the booking page for the first time chooses from times in Berlin."""
    page = await visitor.new_page()
    await page.goto(f"{site.url}/scheduling/book?study=demo-exports")
    await page.get_by_text("Times in Europe/Berlin.").wait_for()


@pytest.mark.parametrize(
    ("path", "total", "requests", "script"),
    [("/scheduling/book?study=demo-exports", 60_000, 6, 3_000), ("/roadmap/board", 80_000, 8, 20_000)],
    ids=["booking", "board"],
)
async def test_a_page_for_customers_keeps_its_budget(
    browser: Browser, site: Site, path: str, total: int, requests: int, script: int
) -> None:
    """With a cold cache, bytes, requests and script stay within what a slow phone loads in about a second."""
    context = await opened(browser, **WIDE)
    page = await context.new_page()
    spent = await spending(page)
    await page.goto(site.url + path)
    await page.evaluate("document.fonts.ready")
    await page.wait_for_timeout(300)
    print(path, spent.total, spent.requests, spent.script)
    assert spent.total <= total
    assert spent.script <= script
    assert spent.requests <= requests
    assert await page.evaluate("window.moved") <= 0.02
    await context.close()
