"""Everything by keyboard: in reading order, with a focus one can see, and sent by Enter."""

from uuid import uuid4

import pytest
from playwright.async_api import Browser, BrowserContext, Page, StorageState, expect

from tests.browser.conftest import Site
from tests.support.browser import PHONE, opened, tab_to, walked

pytestmark = pytest.mark.xdist_group("platform")


async def test_the_booking_page_is_walked_in_reading_order(visitor: BrowserContext, site: Site) -> None:
    """Tab goes from the zone to the times, then to who asks, and reaches the button last."""
    page = await visitor.new_page()
    await page.goto(f"{site.url}/scheduling/book?study=demo-exports&timezone=Europe/Berlin")
    assert await walked(page, 15) == [
        "Skip to content",
        "Earshot",
        "Roadmap",
        "Book a demo",
        "Theme: as the system",
        "Your time zone",
        "Show times there",
        "When suits you?",
        "Later days",
        "Your name",
        "E-mail",
        "Company (optional)",
        "Phone (optional)",
        "What would you like to know? (optional)",
        "Book this time",
    ]


async def test_the_board_is_walked_in_reading_order(visitor: BrowserContext, site: Site) -> None:
    """Tab goes from the search to the stages and the order, then to each idea: first its vote, then its title."""
    page = await visitor.new_page()
    await page.goto(f"{site.url}/roadmap/board?q=dark+theme")
    assert await walked(page, 18) == [
        "Skip to content",
        "Earshot",
        "Roadmap",
        "Book a demo",
        "Theme: as the system",
        "Suggest an idea",
        "Search ideas",
        "Search",
        "Now 0",
        "Next 0",
        "Later 1",
        "Shipped 0",
        "All 1",
        "Columns",
        "moving",
        "newest",
        "Vote: 0 people",
        "A dark theme",
    ]


async def test_an_interview_is_booked_by_keyboard(visitor: BrowserContext, site: Site) -> None:
    """Arrows choose among the times, Enter in a field sends the form, and the page says what is booked."""
    page = await visitor.new_page()
    await page.goto(f"{site.url}/scheduling/book?study=demo-exports&timezone=Europe/Berlin")
    await tab_to(page, "When suits you?")
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("ArrowRight")
    chosen = page.get_by_role("radio", checked=True)
    told = await chosen.locator("xpath=..").inner_text()
    await tab_to(page, "Your name")
    await page.keyboard.type("Kim Berg")
    await tab_to(page, "E-mail")
    await page.keyboard.type("kim@customer.example")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Your demo is booked")).to_be_visible()
    await expect(page.get_by_role("strong").locator("time")).to_contain_text(told.split(",")[0].strip())


async def test_a_vote_is_given_by_keyboard(visitor: BrowserContext, site: Site) -> None:
    """Search with Enter, vote with Enter, and Tab goes on at that idea; on its own page the focus is on the thanks."""
    idea = await site.add_idea()
    page = await visitor.new_page()
    await page.goto(f"{site.url}/roadmap/board")
    await tab_to(page, "Search ideas")
    await page.keyboard.type(idea.title)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/roadmap/board?q=Idea+*")
    await tab_to(page, "Vote: 0 people")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Vote: 0 people", pressed=True)).to_be_visible()
    assert await walked(page, 2) == ["Vote: 0 people", idea.title]
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/roadmap/board/{idea.id}")
    await tab_to(page, "Vote: 0 people")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status").filter(has_text="Your vote is taken back.")).to_be_focused()


async def test_a_quote_is_tagged_by_keyboard(member: Page, site: Site) -> None:
    """In the transcript reader Tab reaches a turn's form; a shortened quote with a feature and a tag is kept."""
    await member.goto(f"{site.url}/insights/sessions/{site.ids['session']}")
    await tab_to(member, "Tag turn 6")
    await member.keyboard.press("Enter")
    await member.wait_for_url("**?turn=6#turn-6")
    await tab_to(member, "Quote")
    await member.keyboard.press("Control+A")
    await member.keyboard.type("three teams wait for us")
    await tab_to(member, "Feature (optional)")
    await member.keyboard.type("Tell me")
    await tab_to(member, "Tags (optional)")
    await member.keyboard.type(tag := f"waiting {uuid4().hex[:8]}")
    await member.keyboard.press("Enter")
    await expect(member.get_by_role("status").filter(has_text="The insight is kept.")).to_be_in_viewport()
    assert await walked(member, 1) == ["Tag turn 6"]
    await expect(member.locator("mark", has_text="three teams wait for us")).to_be_visible()
    kept = member.get_by_role("complementary").get_by_role("listitem").filter(has_text=tag)
    await expect(kept.get_by_role("link", name="Tell me when a number leaves its range")).to_be_visible()
    await expect(kept.get_by_text("three teams wait for us", exact=True)).to_be_visible()


@pytest.mark.parametrize(
    ("path", "steps"), [("/scheduling/studies", 20), ("/insights/sessions/{session}", 20), ("/roadmap/new", 16)]
)
async def test_in_a_small_window_nothing_covers_the_focus(
    browser: Browser, site: Site, signed_in: StorageState, path: str, steps: int
) -> None:
    """Where the places are a bar at the bottom, what Tab reaches comes out from behind it."""
    context = await opened(browser, storage_state=signed_in, **PHONE)
    page = await context.new_page()
    await page.goto(site.url + path.format(**site.ids))
    await walked(page, steps)
    await context.close()
