"""The board in a frame of the company's own application."""

import asyncio
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.async_api import Browser, expect
from starlette.responses import HTMLResponse

from shared.contract.events import FeatureVoted
from tests.roadmap.events import add_idea, supporters
from tests.roadmap.test_identity import SECRET, token
from tests.support.service import ServiceUnderTest, service_under_test

APP = "https://app.example"


@pytest.fixture
async def roadmap(tmp_path: Path) -> AsyncIterator[ServiceUnderTest]:
    """A roadmap that one site may show."""
    told = {"board_keys": {"app": SECRET}, "widget_origins": APP}
    async with service_under_test("roadmap", tmp_path, told=told) as service:
        await add_idea(service, "export")
        yield service


async def test_only_named_sites_show_the_frame(roadmap: ServiceUnderTest) -> None:
    """The widget's pages name them; every other page forbids frames as before."""
    for path in ("/widget", "/widget/suggest"):
        policy = (await roadmap.client.get(path)).headers["content-security-policy"]
        assert policy.endswith(f"frame-ancestors 'self' {APP}")
        assert policy.startswith("default-src 'none'; script-src 'self'")
    assert "frame-ancestors 'none'" in (await roadmap.client.get("/board")).headers["content-security-policy"]


async def test_without_sites_there_is_no_widget(tmp_path: Path) -> None:
    """Neither frame nor script answers until the operator names a site."""
    async with service_under_test("roadmap", tmp_path) as service:
        assert (await service.client.get("/widget")).status_code == 404
        assert (await service.client.get("/widget.js")).status_code == 404


async def test_the_script_is_small_and_alone(roadmap: ServiceUnderTest) -> None:
    """Under 5 kB, for any site to load, and it loads nothing but the frame."""
    answer = await roadmap.client.get("/widget.js")
    assert len(answer.content) < 5_000
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "https://" not in answer.text.split("*/", 1)[1]
    assert "import" not in answer.text


async def test_a_token_begins_a_session_of_the_frame(roadmap: ServiceUnderTest) -> None:
    """Its cookie is kept apart for each site, and the vote counts as the customer's, from the widget."""
    answer = await roadmap.client.post("/widget/session", data={"token": token()})
    assert answer.status_code == 204
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("earshot_widget=")
    assert cookie.endswith("HttpOnly; SameSite=None; Secure; Partitioned")
    shown = {"Cookie": cookie.split(";")[0]}
    vote = await roadmap.client.post("/widget/export/vote", data={"vote": "up"}, headers=shown)
    assert vote.headers["location"] == "/widget#idea-export"
    [told] = await roadmap.published(FeatureVoted)
    assert (told.voter_id, told.channel) == ("customer-7", "widget")
    assert await supporters(roadmap, "export") == 1
    sent = await roadmap.client.post("/widget/suggest", data={"title": "Dark mode"}, headers=shown)
    assert "Thank you." in sent.text


async def test_strangers_read_and_change_nothing(roadmap: ServiceUnderTest) -> None:
    """Without a session there is no vote button, and a vote or an idea is refused."""
    assert 'name="vote"' not in (await roadmap.client.get("/widget")).text
    assert (await roadmap.client.post("/widget/export/vote", data={"vote": "up"})).status_code == 403
    assert (await roadmap.client.post("/widget/suggest", data={"title": "Dark mode"})).status_code == 403
    assert (await roadmap.client.post("/widget/session", data={"token": "no"})).status_code == 401


async def test_another_site_cannot_sign_people_in(roadmap: ServiceUnderTest) -> None:
    """A form of another site that posts a token is refused, whatever the token is."""
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    answer = await roadmap.client.post("/widget/session", data={"token": token()}, headers=foreign)
    assert answer.status_code == 403


def free_port() -> int:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port: int = chosen.getsockname()[1]
        return port


async def serve(app: object, port: int) -> uvicorn.Server:
    """The app on a port of this machine, once it answers."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, lifespan="off"))  # type: ignore[arg-type]
    server.task = asyncio.create_task(server.serve())  # type: ignore[attr-defined]
    while not server.started:  # noqa: ASYNC110 - uvicorn tells nobody
        await asyncio.sleep(0.01)
    return server


async def test_an_app_of_another_origin_shows_it(browser: Browser, tmp_path: Path) -> None:
    """In a real browser: the page of another origin opens the panel, passes its token, and its customer votes."""
    board_port, app_port = free_port(), free_port()
    origin = f"http://localhost:{app_port}"
    told = {"board_keys": {"app": SECRET}, "widget_origins": origin}
    async with service_under_test("roadmap", tmp_path, told=told) as roadmap:
        await add_idea(roadmap, "export")
        roadmap.now = datetime.now(UTC)
        now = int(roadmap.now.timestamp())
        given = token(iat=now, exp=now + 300)
        host = FastAPI()

        @host.get("/")
        async def page() -> HTMLResponse:
            source = f"http://127.0.0.1:{board_port}/widget.js"
            script = f'<script src="{source}" data-token="{given}" async></script>'
            return HTMLResponse(f"<!doctype html><title>App</title><h1>App</h1>{script}")

        servers = [await serve(roadmap.app, board_port), await serve(host, app_port)]
        context = await browser.new_context()
        try:
            shown = await context.new_page()
            await shown.goto(f"{origin}/")
            await shown.get_by_role("button", name="Ideas").click()
            frame = shown.frame_locator("iframe")
            await frame.get_by_role("button", name="Vote: 0").click()
            await expect(frame.get_by_role("button", name="Vote: 1")).to_have_attribute("aria-pressed", "true")
            await shown.get_by_role("button", name="Close").click()
            await expect(shown.locator("dialog")).to_be_hidden()
            assert await supporters(roadmap, "export") == 1
        finally:
            await context.close()
            for server in servers:
                server.should_exit = True
                await server.task  # type: ignore[attr-defined]
