"""Pages: headers, escaping, errors, messages over a redirect."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from jinja2 import UndefinedError

from shared.ui import Pages, redirect, shared_pages


async def test_every_page_carries_the_same_headers(client: httpx.AsyncClient) -> None:
    """A page may load only what we serve, is not sniffed, and is asked for again each time."""
    headers = (await client.get("/ui")).headers
    assert headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["vary"].startswith("HX-Request")
    assert headers["cache-control"] == "private, no-cache"


async def test_a_service_below_the_gateway(app: FastAPI, tmp_path: Path) -> None:
    """`url` stays inside the service, `home` goes to the gateway, shared assets have one address, text is escaped."""
    (tmp_path / "own.html").write_text(
        "{{ url('/x') }} {{ home('/kpi/') }} {{ asset('app.css')[:12] }} {{ url(asset('own.js'))[:20] }} {{ said }}"
    )
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "own.js").write_text("1")
    pages = Pages("roadmap", tmp_path)
    app.state.public_url = "https://earshot.example/"

    @app.get("/own")
    async def own(request: Request) -> Response:
        return pages.render(request, "own.html", said="<b>")

    transport = httpx.ASGITransport(app, root_path="/roadmap")
    async with httpx.AsyncClient(transport=transport, base_url="http://earshot.test") as client:
        text = (await client.get("/roadmap/own")).text
    assert text == "/roadmap/x https://earshot.example/kpi/ /assets/app. /roadmap/assets/own. &lt;b&gt;"


async def test_a_forgotten_value_is_an_error(app: FastAPI, client: httpx.AsyncClient, tmp_path: Path) -> None:
    """A template that names a value nobody gave fails instead of showing nothing."""
    (tmp_path / "own.html").write_text("{{ forgotten }}")
    pages = Pages("roadmap", tmp_path)

    @app.get("/own")
    async def own(request: Request) -> Response:
        return pages.render(request, "own.html")

    with pytest.raises(UndefinedError, match="'forgotten' is undefined"):
        await client.get("/own")


async def test_an_unknown_icon_is_an_error(app: FastAPI, client: httpx.AsyncClient, tmp_path: Path) -> None:
    """An icon that was not vendored fails instead of leaving a hole in the page."""
    (tmp_path / "own.html").write_text("{% import 'components.html' as ui %}{{ ui.icon('unicorn') }}")
    pages = Pages("roadmap", tmp_path)

    @app.get("/own")
    async def own(request: Request) -> Response:
        return pages.render(request, "own.html")

    with pytest.raises(KeyError, match="no icon is called 'unicorn'"):
        await client.get("/own")


def test_a_file_that_would_hide_a_shared_one_is_refused(tmp_path: Path) -> None:
    """A service cannot replace a shared asset by accident."""
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "page.js").write_text("1")
    with pytest.raises(ValueError, match=r"page\.js in .* would hide a shared file"):
        Pages("roadmap", tmp_path)


async def test_a_refused_reader_learns_which_role_is_needed(client: httpx.AsyncClient) -> None:
    """The page for 403 names the role it needs, the reader's own role, and the trace."""
    response = await client.get("/refused?role=viewer")
    assert response.status_code == 403
    assert "This page needs the role <strong>researcher</strong>." in response.text
    assert "You are signed in as Mara with the role viewer" in response.text
    assert "<code>4bf92f35</code>" in response.text


@pytest.mark.parametrize(
    ("title", "detail", "says"),
    [
        ("Not Found", "GET /gone: not found.", ["<h1>There is no such page</h1>", "<code>/gone</code>"]),
        ("No such study", "There is no study 'x'.", ["<h1>No such study</h1>", "There is no study &#39;x&#39;."]),
    ],
)
async def test_what_is_missing_is_said_in_plain_words(
    app: FastAPI, client: httpx.AsyncClient, title: str, detail: str, says: list[str]
) -> None:
    """The page for 404 says what is not there and leads on; it shows neither methods nor numbers for our records."""

    @app.get("/gone")
    async def gone(request: Request) -> Response:
        return shared_pages().render_error(request, 404, title, detail, "4bf92f35")

    text = (await client.get("/gone")).text
    for line in (*says, "See the roadmap", "Book a demo", "Go to the start"):
        assert line in text
    for line in ("GET", "4bf92f35", "Not Found"):
        assert line not in text


async def test_sign_in_shows_the_company_button_only_when_there_is_one(client: httpx.AsyncClient) -> None:
    """Without a configured provider the page says how to get one instead of showing a dead button."""
    assert "Sign in with your company account" not in (await client.get("/sign-in")).text
    assert 'href="/oidc/start"' in (await client.get("/sign-in", params={"oidc": "/oidc/start"})).text


async def test_a_failed_form_keeps_what_was_typed(client: httpx.AsyncClient) -> None:
    """A wrong form is answered 422 with the typed text, a summary, and an error tied to its input."""
    response = await client.post("/ui", data={"name": "", "people": "900", "wish": "<i>more</i>", "topics": "prices"})
    assert response.status_code == 422
    assert "<title>Error: Components" in response.text
    assert '<a href="#field-people">People in your team: Enter 500 or less.</a>' in response.text
    assert 'value="900" aria-describedby="field-people-error" aria-invalid="true"' in response.text
    assert "&lt;i&gt;more&lt;/i&gt;</textarea>" in response.text
    assert 'name="topics" value="prices" checked' in response.text


async def test_a_message_crosses_a_redirect_once(client: httpx.AsyncClient) -> None:
    """The page after a redirect shows the message, escaped, and the page after that does not."""
    answer = await client.get("/said", params={"text": "Saved <b>für</b> Ana; done, 100 %"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/ui/public")
    assert "HttpOnly; Max-Age=60; Path=/; SameSite=lax" in answer.headers["set-cookie"]
    assert "Saved &lt;b&gt;für&lt;/b&gt; Ana; done, 100 %" in (await client.get("/ui/public")).text
    assert "Saved" not in (await client.get("/ui/public")).text


async def test_a_fragment_leaves_the_message_for_the_next_page(client: httpx.AsyncClient) -> None:
    """A request of htmx is no page and does not eat the message."""
    await client.get("/said", params={"text": "Saved"})
    assert "Saved" not in (await client.get("/ui/public", headers={"HX-Request": "true"})).text
    assert "Saved" in (await client.get("/ui/public")).text


@pytest.mark.parametrize("path", ["https://evil.example/", "//evil.example/", "/\\evil.example/", "ui"])
def test_a_redirect_stays_on_this_site(path: str) -> None:
    """A path that could lead a browser elsewhere is refused."""
    request = Request({"type": "http", "root_path": "", "headers": []})
    with pytest.raises(ValueError, match="is not a path of this service"):
        redirect(request, path)


def test_a_long_message_is_refused() -> None:
    """A message has at most 300 characters."""
    request = Request({"type": "http", "root_path": "", "headers": []})
    with pytest.raises(ValueError, match="this one has 301"):
        redirect(request, "/", "x" * 301)
