"""The pages in a browser: quiet, fast, and for everyone."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser, expect

from tests.support.browser import (
    COLOURS,
    NAME,
    PHONE,
    WIDE,
    Watch,
    check_for_everyone,
    open_everything,
    opened,
    repeated_ids,
    sideways,
    spending,
    violations,
    walked,
)

PAGES = ["/ui", "/ui?role=researcher", "/ui/public", "/refused", "/sign-in", "/docs-page"]


@pytest.mark.parametrize("device", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("path", PAGES)
async def test_a_page_is_quiet_and_accessible(browser: Browser, site: str, path: str, device: dict[str, Any]) -> None:
    """No console message, no foreign request, no finding in light or dark, no sideways scroll, no id used twice."""
    context = await opened(browser, **device)
    page = await context.new_page()
    watch = Watch(page, site)
    await page.goto(site + path)
    await page.evaluate("document.fonts.ready")
    await open_everything(page)
    assert (watch.said, watch.foreign) == ([], [])
    assert await sideways(page) <= 0
    assert await repeated_ids(page) == []
    await check_for_everyone(page)
    await context.close()


FAULTY = """<!doctype html><html lang="en"><title>Faulty</title><main><h1>Faulty</h1>
<style>p { color: #999; background: #fff }
@media (prefers-color-scheme: dark) { p { color: #333; background: #000 } }</style>
<p>Too pale to read, in light and in dark.</p><img src="data:,"></main>"""


async def test_faults_on_a_page_are_found(browser: Browser) -> None:
    """A picture without words is found, and text that is too pale in light as well as in dark."""
    context = await opened(browser, **WIDE)
    page = await context.new_page()
    await page.set_content(FAULTY)
    assert {rule for rule, _ in await violations(page)} == {"color-contrast", "image-alt"}
    await page.emulate_media(color_scheme="dark")
    assert [rule for rule, _ in await violations(page, COLOURS)] == ["color-contrast"]
    await context.close()


async def test_the_gallery_keeps_its_budget(browser: Browser, site: str) -> None:
    """With a cold cache the gallery takes at most 80 kB in 8 requests, 20 kB of it script, and nothing moves."""
    context = await opened(browser, **WIDE)
    page = await context.new_page()
    spent = await spending(page)
    await page.goto(site + "/ui")
    await page.evaluate("document.fonts.ready")
    await page.wait_for_timeout(300)
    assert spent.total <= 80_000
    assert spent.requests <= 8
    assert spent.script <= 20_000
    assert await page.evaluate("window.moved") <= 0.02
    await context.close()


async def test_the_keyboard_walks_in_reading_order(browser: Browser, site: str) -> None:
    """Tab goes through a public page in the order one reads it, and the skip link comes first."""
    context = await opened(browser, **WIDE)
    page = await context.new_page()
    await page.goto(site + "/ui/public")
    assert await walked(page, 13) == [
        "Skip to content",
        "Earshot",
        "Roadmap",
        "Book a demo",
        "Theme: as the system",
        "Now 4",
        "Next 9",
        "Later 31",
        "Shipped",
        "Export that keeps my formulas",
        "Share a view with someone outside",
        "Privacy",
        "Feed",
    ]
    await context.close()


async def test_the_rail_comes_before_the_page(browser: Browser, site: str) -> None:
    """On a work page Tab goes through the rail and the bar, then into the page."""
    context = await opened(browser, **WIDE)
    page = await context.new_page()
    await page.goto(site + "/ui")
    assert await walked(page, 12) == [
        "Skip to content",
        "Earshot",
        "Home",
        "Scheduling",
        "Sessions",
        "Insights",
        "Roadmap",
        "KPIs",
        "Home",
        "Theme: as the system",
        "Sign in",
        "Public layout",
    ]
    await context.close()


async def test_a_dialog_closes_with_escape_and_gives_the_focus_back(browser: Browser, site: str) -> None:
    """A dialog opens without a script of ours, and Esc returns to the button that opened it."""
    context = await opened(browser, **WIDE)
    page = await context.new_page()
    await page.goto(site + "/ui")
    await page.get_by_role("button", name="Erase Ana Ruiz…").press("Enter")
    await expect(page.get_by_role("dialog", name="Erase Ana Ruiz?")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    assert await page.evaluate(NAME) == "Erase Ana Ruiz…"
    await context.close()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
async def test_a_form_fails_and_then_succeeds(browser: Browser, site: str, *, script: bool) -> None:
    """With and without script: a wrong form puts the focus on the summary, a right one ends in a message."""
    context = await opened(browser, java_script_enabled=script, **WIDE)
    page = await context.new_page()
    await page.goto(site + "/ui")
    await page.get_by_label("Your name").fill("Ana <b>")
    await page.get_by_role("button", name="Book Mon 23 Nov, 10:30").click()
    summary = page.get_by_role("group", name="Something needs mending")
    await expect(summary).to_be_focused()
    await summary.get_by_role("link", name="E-mail: Fill this in.").click()
    await expect(page.get_by_label("Your name")).to_have_value("Ana <b>")
    await page.get_by_label("E-mail", exact=True).fill("ana@example.com")
    await page.get_by_role("button", name="Book Mon 23 Nov, 10:30").click()
    message = page.get_by_role("status").filter(has_text="Thank you, Ana <b>. We wrote to ana@example.com.")
    await expect(message).to_be_focused()
    await page.reload()
    await expect(message).to_have_count(0)
    await context.close()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
async def test_a_message_is_in_sight_where_the_address_leads_down_the_page(
    browser: Browser, site: str, *, script: bool
) -> None:
    """After a redirect to a place in the middle of a page both the place and the message can be seen."""
    context = await opened(browser, java_script_enabled=script, **PHONE)
    page = await context.new_page()
    await page.goto(f"{site}/said?text=Saved.&to=/ui%23words")
    await expect(page.locator("#words")).to_be_in_viewport()
    await expect(page.get_by_role("heading", level=1)).not_to_be_in_viewport()
    await expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_in_viewport(ratio=1)
    await context.close()


async def test_times_follow_the_reader(browser: Browser, site: str) -> None:
    """From the second page on, times are on the reader's own clock and name its zone."""
    context = await opened(browser, **WIDE)
    page = await context.new_page()
    await page.goto(site + "/ui/public")
    await expect(page.get_by_text("Last changed")).to_have_text("Last changed Sun, 22 Nov 2026, 09:30 UTC")
    await page.reload()
    await expect(page.get_by_text("Last changed")).to_have_text("Last changed Sun, 22 Nov 2026, 10:30 CET")
    await context.close()


async def test_a_chosen_theme_stays(browser: Browser, site: str) -> None:
    """The switch goes from the system's theme to light and dark, and the choice holds on the next page."""
    context = await opened(browser, color_scheme="light", **WIDE)
    page = await context.new_page()
    await page.goto(site + "/ui/public")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    assert await page.evaluate(ground) == "rgb(250, 250, 248)"
    switch = page.get_by_role("button", name="Theme")
    await switch.click()
    await switch.click()
    assert await page.evaluate(ground) == "rgb(16, 21, 19)"
    await page.goto(site + "/ui")
    assert await page.evaluate(ground) == "rgb(16, 21, 19)"
    await switch.click()
    assert await page.evaluate(ground) == "rgb(250, 250, 248)"
    await context.close()


async def test_a_failure_of_ours_leaves_the_page_and_says_so(browser: Browser, site: str) -> None:
    """A 500 to a request of htmx swaps nothing and shows a message that can be dismissed."""
    context = await opened(browser, **WIDE)
    page = await context.new_page()
    await page.route("**/broken", lambda route: route.fulfill(status=500, body="<p>stack trace</p>"))
    await page.goto(site + "/ui")
    await page.evaluate("htmx.ajax('GET', '/broken', {target: '#words', swap: 'innerHTML'})")
    toast = page.get_by_text("That did not work. Nothing was changed; please try again.")
    await expect(toast).to_be_visible()
    await expect(page.locator("#words")).to_have_text("Words")
    await page.locator("#toasts").get_by_role("button", name="Dismiss").click()
    await expect(toast).to_have_count(0)
    await context.close()
