"""The board behind the gateway: customers sign in by a provider of their own, under the board's path."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, expect

from services.roadmap.app import service
from tests.gateway.conftest import OURS, Start, listening
from tests.gateway.provider import CLIENT_ID, CLIENT_SECRET, Provider, fill_in
from tests.support.browser import violations
from tests.support.infra import free_port
from tests.support.running import stage


@pytest.fixture
async def site(start_gateway: Start, provider: Provider, tmp_path: Path) -> AsyncIterator[str]:
    """The address of a roadmap behind its gateway, which the provider knows."""
    port = free_port()
    gateway = await start_gateway(service_urls={"roadmap": f"http://127.0.0.1:{port}"})
    site = f"{gateway.url}/roadmap"
    provider.register(site)
    told = {
        "board_oidc_issuer": provider.issuer,
        "board_oidc_client_id": CLIENT_ID,
        "board_oidc_client_secret": CLIENT_SECRET,
        "board_oidc_name": "Example Company",
        "public_url": gateway.url,
    }
    async with (
        stage(service, tmp_path, **told) as set_up,
        set_up.run() as roadmap,
        listening(roadmap.app, port, lifespan="off"),
    ):
        yield site


async def test_customers_sign_in_through_the_gateway(site: str) -> None:
    """Away from the board's own path, back to it and out again; the gateway itself lets nobody in by it."""
    async with httpx.AsyncClient() as browser:
        away = await browser.get(f"{site}/sign-in/company", params={"to": "/me"})
        [begun] = browser.cookies.jar
        assert (begun.name, begun.path) == ("earshot_board_sign_in", "/roadmap")
        address = await fill_in(browser, await browser.get(away.headers["location"]), "ana@company.example")
        assert address.startswith(f"{site}/sign-in/callback?")
        back = await browser.get(address)
        assert (back.status_code, back.headers["location"]) == (303, "/roadmap/me")
        assert {cookie.name: cookie.path for cookie in browser.cookies.jar if "board" in cookie.name} == {
            "earshot_board": "/roadmap"
        }
        assert (await browser.get(f"{site}/me")).status_code == 200
        assert (await browser.get(f"{site}/api/v1/ideas")).status_code == 401
        await browser.post(f"{site}/sign-out", headers=OURS)
        assert (await browser.get(f"{site}/me")).headers["location"] == "/roadmap/sign-in?to=%2Fme"


async def test_a_browser_goes_there_and_back(site: str, browser: Browser) -> None:
    """With the button, past the policy of our pages; refused, one finds the ways in again. axe finds nothing."""
    page = await browser.new_page()
    await page.goto(f"{site}/sign-in?to=/me")
    assert await violations(page) == []
    await page.get_by_role("link", name="Continue with Example Company").click()
    await page.get_by_label("Name").fill("nobody")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_text("Example Company did not let you in.")).to_be_visible()
    assert await violations(page) == []
    await page.get_by_role("link", name="Continue with Example Company").click()
    await page.get_by_label("Name").fill("ana@company.example")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page).to_have_url(f"{site}/me")
    await expect(page.get_by_text("You are signed in.")).to_be_visible()
    await page.close()
