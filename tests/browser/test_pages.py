"""Every page of the platform, as visitors and the team see it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, StorageState, expect

from tests.browser.conftest import Site
from tests.support.browser import (
    DEVICES,
    Watch,
    check_for_everyone,
    open_everything,
    opened,
    repeated_ids,
    sideways,
    spending,
    walked,
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
    ("/insights/", 401),
    ("/roadmap/board", 200),
    ("/roadmap/board?stage=shipped", 200),
    ("/roadmap/board?q=unheard+of", 200),
    ("/roadmap/board/demo-csv-export", 200),
    ("/roadmap/board/demo-dark-theme", 200),
    ("/roadmap/board?view=columns", 200),
    ("/roadmap/suggest?title=export", 200),
    ("/roadmap/changelog", 200),
]
REFERENCE = ["/scheduling/docs", "/sessions/docs", "/insights/docs", "/roadmap/docs", "/kpi/docs", "/webhooks/docs"]
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
    ("/roadmap/?sort=momentum", 200),
    ("/roadmap/ideas/demo-csv-export/why", 200),
    ("/roadmap/ideas/demo-csv-export/estimates", 200),
    ("/roadmap/population", 200),
    ("/roadmap/accounts", 200),
    ("/roadmap/ideas/demo-csv-export/place", 200),
    ("/roadmap/board/demo-csv-export", 200),
    ("/roadmap/merges", 200),
    ("/roadmap/merges?idea=demo-csv-export", 200),
    ("/roadmap/layout", 200),
    ("/roadmap/entries", 200),
    ("/roadmap/entries/new", 200),
    ("/roadmap/mentions", 200),
    ("/kpi/", 200),
    ("/kpi/new", 200),
    ("/kpi/kpis/demo-csat", 200),
    ("/kpi/releases", 200),
    ("/kpi/dead-letters", 200),
    ("/kpi/dead-letters?state=erased", 200),
    ("/kpi/dead-letters/{letter}", 200),
    ("/kpi/dead-letters/00000000-0000-4000-8000-000000000000", 404),
    ("/webhooks/", 200),
    ("/webhooks/new", 200),
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
async def work_page(browser: Browser, signed_in: StorageState, device: dict[str, Any]) -> AsyncIterator[Page]:
    context = await opened(browser, storage_state=signed_in, **device)
    yield await context.new_page()
    await context.close()


async def look(page: Page, site: Site, path: str, status: int) -> None:
    watch = Watch(page, site.url)
    answer = await page.goto(site.url + path)
    await page.evaluate("document.fonts.ready")
    assert answer is not None
    assert answer.status == status, await page.locator("main").inner_text()
    await open_everything(page)
    assert (watch.said, watch.foreign) == ([], [])
    assert await sideways(page) <= 0
    assert await repeated_ids(page) == []


@pytest.mark.parametrize(("path", "status"), PUBLIC)
async def test_a_public_page_is_quiet_and_accessible(
    public_page: Page, site: Site, booked: str, path: str, status: int
) -> None:
    """Without signing in: no console message, no foreign request, no finding in light or dark, no sideways scroll."""
    await look(public_page, site, path.format(booked=booked), status)
    await check_for_everyone(public_page)


@pytest.mark.parametrize(("path", "status"), WORK)
async def test_a_page_of_the_team_is_quiet_and_accessible(work_page: Page, site: Site, path: str, status: int) -> None:
    """Signed in: no console message, no foreign request, no finding in light or dark, no sideways scroll."""
    await look(work_page, site, path.format(**site.ids), status)
    await check_for_everyone(work_page)


async def test_what_has_the_focus_is_seen(work_page: Page, site: Site) -> None:
    """Walking through a long form by Tab, on a phone past the bar at its foot, one sees where one is."""
    await work_page.goto(f"{site.url}/webhooks/new")
    [name] = await walked(work_page, 1)
    while not name.startswith("Send names and addresses of people too"):
        [name] = await walked(work_page, 1)


@pytest.mark.parametrize("path", REFERENCE)
async def test_the_reference_of_an_api_is_quiet(public_page: Page, site: Site, path: str) -> None:
    """No console message, no foreign request, no sideways scroll, no id twice; tests/ui asks axe."""
    await look(public_page, site, path, 200)


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/scheduling/studies", "Scheduling"),
        ("/sessions/sessions/{session}", "Sessions"),
        ("/insights/", "Insights"),
        ("/roadmap/new", "Roadmap"),
        ("/kpi/releases", "KPIs"),
    ],
)
async def test_a_trail_begins_with_the_place_in_the_rail(member: Page, site: Site, path: str, place: str) -> None:
    """Above every page of the team stands where it is, beginning with one of the places of the rail."""
    await member.goto(site.url + path.format(**site.ids))
    trail = member.get_by_role("navigation", name="Where you are").get_by_role("listitem")
    await expect(trail.first).to_have_text(place)


async def test_a_first_visit_shows_the_visitors_own_times(visitor: BrowserContext, site: Site) -> None:
    """Somebody in Berlin who comes to the booking page for the first time chooses from times in Berlin."""
    page = await visitor.new_page()
    await page.goto(f"{site.url}/scheduling/book?study=demo-exports")
    await expect(page.get_by_text("Times in Europe/Berlin.")).to_be_visible()
    await expect(page.get_by_label("Your time zone")).to_have_value("Europe/Berlin")


@pytest.mark.parametrize(
    ("path", "total", "script", "requests"),
    [
        # The first visit asks for the booking page itself twice, the second time on the visitor's clock.
        ("/scheduling/book?study=demo-exports", 60_000, 3_000, 6),
        ("/roadmap/board", 80_000, 20_000, 5),
        ("/roadmap/board/demo-csv-export", 80_000, 20_000, 5),
    ],
    ids=["booking", "board", "idea"],
)
async def test_a_page_for_customers_keeps_its_budget(
    visitor: BrowserContext, site: Site, path: str, total: int, script: int, requests: int
) -> None:
    """At a first visit bytes, script and requests stay within what a slow phone loads in a second; nothing moves."""
    page = await visitor.new_page()
    spent = await spending(page)
    await page.goto(site.url + path)
    await page.wait_for_timeout(1_000)
    await page.evaluate("document.fonts.ready")
    assert spent.total <= total
    assert spent.script <= script
    assert spent.requests <= requests
    assert await page.evaluate("window.moved") <= 0.02
