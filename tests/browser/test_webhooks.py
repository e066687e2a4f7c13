"""Subscribing, seeing what became of a delivery, and removing it again, in a browser."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, Page, StorageState, expect

from tests.browser.conftest import Site
from tests.support.browser import DEVICES, Watch, opened, repeated_ids, sideways, violations
from tests.support.running import until

pytestmark = pytest.mark.xdist_group("platform")

# High enough that the bar of places, which lies over the foot of a phone's window, lies over no field.
TALL = {name: device | {"viewport": device["viewport"] | {"height": 2600}} for name, device in DEVICES.items()}


@pytest.fixture(params=["wide", "phone"])
async def page(request: pytest.FixtureRequest, browser: Browser, signed_in: StorageState) -> AsyncIterator[Page]:
    device: dict[str, Any] = TALL[request.param]
    context = await opened(browser, storage_state=signed_in, **device)
    yield await context.new_page()
    await context.close()


async def clean(page: Page) -> None:
    """Nothing that axe finds, nothing twice, nothing wider than the window."""
    assert await violations(page) == []
    assert await repeated_ids(page) == []
    assert await sideways(page) <= 0


async def test_from_the_form_to_the_delivery(page: Page, site: Site) -> None:
    """A subscription made by the form shows its secret once; its test event and what became of it can be followed."""
    watch = Watch(page, site.url)
    await page.goto(f"{site.url}/webhooks/")
    await page.get_by_role("link", name="Subscribe").first.click()
    await clean(page)
    await page.get_by_label("FeatureVoted").check()
    await page.get_by_label("Address", exact=True).fill("http://nobody.example/")
    await page.get_by_role("button", name="Subscribe").click()
    await expect(page.get_by_role("link", name="Address: The address must begin with https://.")).to_be_visible()
    await page.get_by_label("Address", exact=True).fill("https://nobody.invalid/hooks")
    await page.get_by_label("Conditions").fill("segment.plan in team, business")
    await page.get_by_role("button", name="Subscribe").click()
    assert (await page.get_by_label("Secret").input_value()).startswith("whsec_")
    await clean(page)
    await page.get_by_role("link", name="I have copied it").click()
    await expect(page.get_by_text("segment.plan in team, business")).to_be_visible()
    await clean(page)
    await page.get_by_role("button", name="Send a test event").click()
    await expect(page.get_by_role("heading", name="WebhookPing.v1")).to_be_visible()
    await _until_attempted(page)
    await expect(page.get_by_text("the name nobody.invalid has no address").first).to_be_visible()
    await clean(page)
    await page.get_by_role("link", name="Subscription").click()
    await page.get_by_text("Remove it").click()
    await page.get_by_role("button", name="Remove the subscription").click()
    await expect(page.get_by_text("The subscription is removed.")).to_be_visible()
    assert watch.foreign == []


async def _until_attempted(page: Page) -> None:
    async def attempted() -> bool:
        await page.reload()
        return await page.get_by_role("region", name="Attempts, the first on top").count() > 0

    await until(attempted, what="the first attempt")
