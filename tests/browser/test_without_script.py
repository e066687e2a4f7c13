"""What a customer does must not need JavaScript."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import Site
from tests.support.browser import PHONE, opened

pytestmark = pytest.mark.xdist_group("platform")


@pytest.fixture
async def plain(browser: Browser) -> AsyncIterator[Page]:
    """A page on a phone whose browser runs no script."""
    context = await opened(browser, java_script_enabled=False, **PHONE)
    yield await context.new_page()
    await context.close()


async def test_a_demo_is_booked_without_script(plain: Page, site: Site) -> None:
    """A visitor chooses the zone by its button, a time and a name, and sees the booked time in that zone."""
    await plain.goto(f"{site.url}/scheduling/book?study=demo-exports")
    await expect(plain.get_by_text("Times in UTC.")).to_be_visible()
    await plain.get_by_label("Your time zone").select_option("Asia/Tokyo")
    await plain.get_by_role("button", name="Show times there").click()
    await expect(plain.get_by_text("Times in Asia/Tokyo.")).to_be_visible()
    time = plain.get_by_role("radio").last
    told = await time.locator("xpath=..").inner_text()
    await time.check()
    await plain.get_by_label("Your name").fill("Noor Aziz")
    await plain.get_by_label("E-mail").fill("noor@customer.example")
    await plain.get_by_role("button", name="Book this time").click()
    await expect(plain.get_by_role("heading", name="Your demo is booked")).to_be_visible()
    await expect(plain.get_by_text("Asia/Tokyo")).to_be_visible()
    await expect(plain.get_by_role("strong").locator("time")).to_contain_text(told.split(",")[0].strip())


async def test_a_forgotten_field_keeps_what_was_typed_without_script(plain: Page, site: Site) -> None:
    """A booking without an e-mail address comes back with the reason, the chosen time and the name."""
    await plain.goto(f"{site.url}/scheduling/book?study=demo-exports&timezone=Asia/Tokyo")
    await plain.get_by_role("radio").first.check()
    await plain.get_by_label("Your name").fill("Noor Aziz")
    await plain.get_by_role("button", name="Book this time").click()
    await expect(plain.get_by_role("link", name="E-mail: Fill this in.")).to_be_visible()
    await expect(plain.get_by_role("radio").first).to_be_checked()
    await expect(plain.get_by_label("Your name")).to_have_value("Noor Aziz")
    await expect(plain.get_by_text("Times in Asia/Tokyo.")).to_be_visible()


async def test_a_vote_is_given_and_taken_back_without_script(plain: Page, site: Site) -> None:
    """On the board a vote is kept, is shown as one's own, and can be taken back."""
    idea = await site.add_idea()
    await plain.goto(f"{site.url}/roadmap/board")
    await plain.get_by_label("Search ideas").fill(idea.title)
    await plain.get_by_role("button", name="Search").click()
    mine = plain.get_by_role("listitem").filter(has_text=idea.title)
    await mine.get_by_role("button", name="Vote: 0 people").click()
    await expect(plain.get_by_role("status").filter(has_text="counts as soon as you sign in")).to_be_visible()
    await expect(mine.get_by_role("button", name="Vote: 0 people", pressed=True)).to_be_visible()
    await expect(mine.get_by_text("You voted")).to_be_visible()
    await mine.get_by_role("button", name="Vote: 0 people").click()
    await expect(plain.get_by_role("status").filter(has_text="Your vote is taken back.")).to_be_visible()
    await expect(mine.get_by_role("button", name="Vote: 0 people", pressed=False)).to_be_visible()
    await expect(mine.get_by_text("You voted")).to_have_count(0)


async def test_an_idea_and_a_comment_are_sent_without_script(plain: Page, site: Site) -> None:
    """A visitor previews and sends both; the comment is theirs alone to see until the team has read it."""
    idea = await site.add_idea()
    await plain.goto(f"{site.url}/roadmap/board")
    await plain.get_by_role("link", name="Suggest an idea").click()
    await plain.get_by_label("Title").fill(f"More like {idea.title}")
    await plain.get_by_label("Description").fill("It would **help**.")
    await plain.get_by_role("button", name="Preview").click()
    await expect(plain.get_by_role("strong").filter(has_text="help")).to_be_visible()
    await expect(plain.get_by_role("link", name=idea.title)).to_be_visible()
    await plain.get_by_role("button", name="Send the idea").click()
    await expect(plain.get_by_role("status").filter(has_text="once the team has read it")).to_be_visible()
    await plain.goto(f"{site.url}/roadmap/board/{idea.id}")
    await plain.get_by_label("Your comment").fill("Yes, *please*.")
    await plain.get_by_role("button", name="Comment", exact=True).click()
    await expect(plain.get_by_text("Only you see this yet")).to_be_visible()
    await expect(plain.get_by_role("emphasis").filter(has_text="please")).to_be_visible()
