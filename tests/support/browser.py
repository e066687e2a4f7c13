"""A real browser, and what to watch for in it: messages, foreign requests, accessibility, focus, bytes."""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, CDPSession, ConsoleMessage, Page, async_playwright

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
AXE = (Path(__file__).parents[1] / "ui" / "vendor" / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
COLOURS = ["color-contrast", "link-in-text-block"]
WIDE: dict[str, Any] = {"viewport": {"width": 1280, "height": 860}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 412, "height": 839},
    "device_scale_factor": 2.625,
    "is_mobile": True,
    "has_touch": True,
}
DEVICES = {"wide": WIDE, "phone": PHONE}

# A radio button goes by the name of its group: which of them has the focus is not what a walk by Tab tells.
NAME = """(() => {
    const at = document.activeElement;
    const label = at.type === "radio" ? at.closest("fieldset").querySelector("legend") : at.labels?.[0];
    return at.ariaLabel ?? (label ?? at).textContent.trim().replace(/\\s+/g, " ");
})()"""
SHOWS_FOCUS = """(() => {
    const ringed = (element) => {
        const style = getComputedStyle(element);
        return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    };
    const at = document.activeElement;
    const seen = [at, ...(at.labels ?? [])].filter(ringed);
    return seen.some((element) => {
        const box = element.getClientRects()[0];
        const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
        return element.contains(top);
    });
})()"""
MOVED = """
    window.moved = 0;
    new PerformanceObserver((list) => { for (const each of list.getEntries()) window.moved += each.value; })
        .observe({type: "layout-shift", buffered: true});
"""


@asynccontextmanager
async def launched() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        await browser.close()


async def opened(browser: Browser, **options: Any) -> BrowserContext:
    """A visitor from Berlin who reads English, with a cold cache."""
    return await browser.new_context(reduced_motion="reduce", locale="en-GB", timezone_id="Europe/Berlin", **options)


@dataclass
class Watch:
    """What a page says on the console, and whom it asks besides its own site."""

    page: Page
    site: str
    said: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self._see(request.url))

    def _hear(self, message: ConsoleMessage) -> None:
        # An error page is shown on purpose, and the browser logs the status of the page itself.
        if message.location["url"] != self.page.url or "the server responded with a status of 4" not in message.text:
            self.said.append(message.text)

    def _see(self, url: str) -> None:
        if not url.startswith((self.site, "data:")):
            self.foreign.append(url)


async def violations(page: Page, rules: Sequence[str] = RULES) -> list[tuple[str, str]]:
    """What axe finds: the rule and the first element that breaks it."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE)  # evaluate passes the content security policy, a script element would not
    found = await page.evaluate("rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", [*rules])
    return [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]]


async def open_everything(page: Page) -> None:
    """Unfold what is folded, so that it is looked at too."""
    for details in await page.locator("details").all():
        await details.evaluate("each => each.open = true")


async def sideways(page: Page) -> int:
    """By how many CSS pixels the page is wider than its window."""
    return int(await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


async def repeated_ids(page: Page) -> list[str]:
    ids: list[str] = await page.evaluate("[...document.querySelectorAll('[id]')].map(each => each.id)")
    return sorted({each for each in ids if ids.count(each) > 1})


async def walked(page: Page, steps: int) -> list[str]:
    """The names of what Tab reaches; every stop must show that it has the focus."""
    names = []
    for _ in range(steps):
        await page.keyboard.press("Tab")
        names.append(await page.evaluate(NAME))
        assert await page.evaluate(SHOWS_FOCUS), f"nobody sees that the focus is on {names[-1]!r}"
    return names


async def tab_to(page: Page, name: str, *, most: int = 60) -> None:
    """Press Tab until what is called `name` has the focus."""
    for _ in range(most):
        if name in await walked(page, 1):
            return
    raise AssertionError(f"Tab does not reach {name!r} within {most} steps")


@dataclass
class Spending:
    """What a page costs: bytes over the network by request, and which of the requests are scripts."""

    bytes_of: dict[str, int] = field(default_factory=dict)
    scripts: set[str] = field(default_factory=set)
    inside: set[str] = field(default_factory=set)  # pictures of the browser's own controls, which cross no network

    @property
    def total(self) -> int:
        return sum(self.bytes_of.values())

    @property
    def script(self) -> int:
        return sum(self.bytes_of[request] for request in self.scripts)

    @property
    def requests(self) -> int:
        """How many went over the network; what the browser still has costs no bytes."""
        return sum(1 for request, size in self.bytes_of.items() if size and request not in self.inside)


async def spending(page: Page) -> Spending:
    """Count from now on; the page's `window.moved` then holds its layout shift."""
    await page.add_init_script(MOVED)
    probe: CDPSession = await page.context.new_cdp_session(page)
    await probe.send("Network.enable")
    spent = Spending()
    probe.on(
        "Network.requestWillBeSent",
        lambda event: spent.inside.add(event["requestId"]) if event["request"]["url"].startswith("data:") else None,
    )
    probe.on(
        "Network.responseReceived",
        lambda event: spent.scripts.add(event["requestId"]) if event["type"] == "Script" else None,
    )
    probe.on(
        "Network.loadingFinished",
        lambda event: spent.bytes_of.update({event["requestId"]: event["encodedDataLength"]}),
    )
    return spent


async def check_for_everyone(page: Page) -> None:
    """Axe finds nothing on the page, in light and dark; in the dark only what is about colours can be different."""
    window = page.viewport_size
    assert window is not None
    # As tall as the page: axe counts what the bar at the foot covers as too small, though one can scroll to it.
    height = await page.evaluate("document.documentElement.scrollHeight")
    await page.set_viewport_size({"width": window["width"], "height": height})
    await page.emulate_media(color_scheme="light")
    assert await violations(page) == []
    await page.emulate_media(color_scheme="dark")
    assert await violations(page, COLOURS) == []
    await page.set_viewport_size(window)
