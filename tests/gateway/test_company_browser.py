"""The company's sign-in as a person sees it, in a real browser."""

from playwright.async_api import Browser, expect

from tests.gateway.conftest import Gateway
from tests.support.browser import WIDE, opened, violations


async def test_a_person_signs_in_and_out_with_the_company(browser: Browser, at_company: Gateway) -> None:
    """From our page to the provider's form and back to the page one wanted; signing out ends both, under our policy."""
    context = await opened(browser, **WIDE)
    page = await context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    await page.goto(f"{at_company.url}/sign-in?to=/ui/public")
    assert await violations(page) == []
    await page.get_by_role("link", name="Sign in with your company account").click()
    await page.get_by_label("Name").fill("ana@company.example")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page).to_have_url(f"{at_company.url}/ui/public")
    [cookie] = [each for each in await context.cookies() if each["name"] == "earshot_session"]
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")

    await page.goto(at_company.url)
    await expect(page.locator(".who")).to_contain_text("Ana Ruiz · manager")
    await page.get_by_role("button", name="Sign out").click()
    await expect(page).to_have_url(f"{at_company.url}/")
    await expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    await page.goto(f"{at_company.url}/sign-in/company")
    await expect(page.get_by_role("heading", name="Example Company")).to_be_visible()
    assert [text for text in said if "Content Security Policy" in text] == []
    await context.close()


async def test_a_link_opened_in_a_browser_asks_first(browser: Browser, gateway: Gateway) -> None:
    """The page behind a one-time link names the person, and its button signs in."""
    context = await opened(browser, **WIDE)
    page = await context.new_page()
    await page.goto(f"{gateway.url}/sign-in?token={gateway.token(subject='ana')}")
    assert await violations(page) == []
    await page.get_by_role("button", name="Sign in as ana").click()
    await expect(page).to_have_url(f"{gateway.url}/")
    await expect(page.locator(".who")).to_contain_text("ana · manager")
    await context.close()
