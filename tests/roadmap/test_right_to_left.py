"""The pages from right to left, wide and on a phone: nothing sticks out, and nothing keeps anybody from reading."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from gettext import NullTranslations
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.async_api import Browser, Page

from services.roadmap.templates import templates
from tests.roadmap.events import add_idea, tagged, voted
from tests.support.browser import Watch, check_for_everyone, open_everything, opened, sideways
from tests.support.service import ServiceUnderTest, service_under_test

PUBLIC = [
    "/board",
    "/board?view=columns",
    "/board?q=nothing",
    "/board/export",
    "/sign-in",
    "/suggest?title=export",
    "/changelog",
    "/changelog/first",
    "/widget",
    "/widget/suggest",
    "/board/nowhere",
]
WORK = [
    "/",
    "/new",
    "/ideas/export",
    "/ideas/export/why",
    "/ideas/export/estimates",
    "/ideas/export/place",
    "/ideas/export/on-behalf",
    "/board/export",
    "/population",
    "/accounts",
    "/merges?idea=export",
    "/layout",
    "/entries",
    "/entries/new",
    "/mentions",
    "/moderation",
    "/transfer",
]
DEVICES: dict[str, dict[str, Any]] = {
    "wide": {"viewport": {"width": 1280, "height": 860}},
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
}
ARABIC = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "ابصدعفجحيكقلمنوبقرستوشخظيزابصدعفجحيكقلمنوبقرستوشخظيز"
)
OUTSIDE = """[...document.querySelectorAll("main *, header *, footer *, nav *")].filter((each) => {
    const box = each.getBoundingClientRect();
    if (!box.width || !box.height || !each.checkVisibility({checkOpacity: true})) return false;
    if (each.closest(".visually-hidden, .skip, dialog, svg, [popover]")) return false;
    for (let up = each.parentElement; up; up = up.parentElement)
        if (getComputedStyle(up).overflowX !== "visible" && up !== document.body) return false;
    return box.left < -1 || box.right > document.documentElement.clientWidth + 1;
}).map((each) => each.outerHTML.slice(0, 120))"""
"""Elements that reach over an edge of the window; what scrolls in a box of its own may.

Not by innerWidth: a phone zooms out until all that sticks out is inside.
"""


class Arabic(NullTranslations):
    """Every message in Arabic letters, by sound and not by sense."""

    def gettext(self, message: str) -> str:
        """The message; its values and tags stay as they are."""
        pieces = re.split(r"(%\(\w+\)[sr]|\{\w+\}|<[^>]*>|&\w+;)", message)
        return "".join(piece if number % 2 else piece.translate(ARABIC) for number, piece in enumerate(pieces))

    def ngettext(self, one: str, many: str, count: int) -> str:
        return self.gettext(one if count == 1 else many)


@pytest.fixture(scope="module")
async def roadmap(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServiceUnderTest]:
    """A roadmap with something on every page, that speaks Arabic too."""
    folder: Path = tmp_path_factory.mktemp("roadmap")
    with pytest.MonkeyPatch.context() as language:
        language.setitem(templates.words.catalogues, "ar", Arabic())
        async with service_under_test("roadmap", folder, told={"widget_origins": "https://app.example"}) as service:
            await _fill(service)
            yield service


async def _fill(service: ServiceUnderTest) -> None:
    manager = service.headers("manager")
    text = "**سريع** و `CSV`.\n\n1. أ\n2. ب"
    await add_idea(service, "export", title="تصدير الإجتماعات إلى Excel (CSV)", description=text)
    await add_idea(service, "dark", title="Dark theme for the report", status="planned")
    await add_idea(service, "long", title="Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen" * 2)
    await service.deliver(*(voted("export", f"v{n}") for n in range(12)), tagged("i1", "export", "p1"))
    await service.client.post("/layout/categories", data={"name": "التقارير", "position": "1"}, headers=manager)
    await service.client.post("/board/export/comments", data={"body": "نعم من فضلك، مع `xlsx`."}, headers=manager)
    await service.client.post("/board/export/comments", data={"body": "Waiting for a moderator."})
    entry = {"entry_id": "first", "title": "Exports", "body": "They are *here*.", "feature_ids": ["export"]}
    answer = await service.client.post("/api/v1/changelog", json=entry | {"published": True}, headers=manager)
    assert answer.status_code < 300, answer.text


@pytest.fixture(scope="module")
async def site(roadmap: ServiceUnderTest) -> AsyncIterator[str]:
    """The address the roadmap listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(roadmap.app, port=port, log_level="warning", lifespan="off"))
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn tells nobody
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await running


@pytest.fixture(scope="module", params=["wide", "phone"])
async def stranger(browser: Browser, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    """Somebody who is not signed in."""
    context = await opened(browser, **DEVICES[request.param])
    yield await context.new_page()
    await context.close()


@pytest.fixture(scope="module", params=["wide", "phone"])
async def colleague(browser: Browser, roadmap: ServiceUnderTest, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    """Somebody of the team."""
    context = await opened(browser, extra_http_headers=roadmap.headers("manager"), **DEVICES[request.param])
    yield await context.new_page()
    await context.close()


async def check(page: Page, site: str, path: str) -> None:
    """Nothing on the console, nothing over an edge, no finding of axe in light or dark."""
    watch = Watch(page, site)
    await page.goto(f"{site}{path}{'&' if '?' in path else '?'}language=ar")
    await page.evaluate("document.fonts.ready")
    await open_everything(page)
    assert await page.evaluate("document.documentElement.dir") == "rtl"
    assert (watch.said, watch.foreign) == ([], [])
    assert await sideways(page) <= 0
    assert await page.evaluate(OUTSIDE) == []
    await check_for_everyone(page)


@pytest.mark.parametrize("path", PUBLIC)
async def test_a_public_page_reads_from_right_to_left(stranger: Page, site: str, path: str) -> None:
    """Visitors who read Arabic see the whole page, in light and dark, and axe finds nothing."""
    await check(stranger, site, path)


@pytest.mark.parametrize("path", WORK)
async def test_a_page_of_the_team_reads_from_right_to_left(colleague: Page, site: str, path: str) -> None:
    """Colleagues who read Arabic see the whole page, in light and dark, and axe finds nothing."""
    await check(colleague, site, path)
