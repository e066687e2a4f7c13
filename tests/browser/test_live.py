"""The home page of the team, and the session it belongs to."""

import pytest
from playwright.async_api import Browser, BrowserContext, Page, StorageState, expect

from tests.browser.conftest import Site
from tests.support.browser import WIDE, opened

pytestmark = pytest.mark.xdist_group("platform")


async def test_a_link_signs_in_once_and_a_button_signs_out(visitor: BrowserContext, site: Site) -> None:
    """The link of `earshot signin` opens the work pages and works once; signing out closes them again."""
    link = site.platform.earshot("signin").strip()
    page = await visitor.new_page()
    await page.goto(link)
    await page.get_by_role("button", name="Sign in as local-admin").click()
    await expect(page).to_have_url(f"{site.url}/")
    await expect(page.get_by_role("navigation", name="Main").get_by_role("link")).to_have_text(
        ["Earshot", "Home", "Scheduling", "Sessions", "Insights", "Roadmap", "KPIs", "Webhooks"]
    )
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    closed = await page.goto(f"{site.url}/insights/")
    assert closed is not None
    assert closed.status == 401
    used = await page.goto(link)
    assert used is not None
    assert used.status == 401


async def test_the_home_page_follows_what_happens(
    member: Page, browser: Browser, site: Site, signed_in: StorageState
) -> None:
    """When a colleague votes on the board, the team's open home page counts the vote within ten seconds by itself."""
    idea = await site.add_idea()
    votes = member.get_by_role("listitem").filter(has_text="Decide").locator("div", has_text="votes").locator("dd")
    before = int((await votes.inner_text()).replace(",", ""))
    await member.evaluate("window.stillHere = true")
    context = await opened(browser, storage_state=signed_in, **WIDE)
    colleague = await context.new_page()
    await colleague.goto(f"{site.url}/roadmap/board/{idea.id}")
    await colleague.get_by_role("button", name="Vote: 0 people").click()
    await expect(colleague.get_by_role("button", name="Vote: 1 person")).to_be_visible()
    await context.close()
    await expect(votes).to_have_text(f"{before + 1:,}", timeout=10_000)
    assert await member.evaluate("window.stillHere")
