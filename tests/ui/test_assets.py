"""Assets: named by content, served for ever."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator

import httpx
import pytest

from shared.ui import Assets, shared_files
from shared.ui.assets import drawing


def test_a_name_carries_the_hash_of_its_content() -> None:
    """The address of an asset holds the first twelve hex digits of the SHA-256 of its bytes."""
    assets = Assets({"a.js": b"hello"})
    assert assets("a.js") == "/assets/a.2cf24dba5fb0.js"


def test_css_points_at_hashed_names() -> None:
    """A url() inside CSS is rewritten to the hashed name, so a new font gives the stylesheet a new name too."""
    assets = Assets({"a.css": b'@font-face{src:url("f.woff2")}', "f.woff2": b"hello"})
    assert assets.by_plain["a.css"].content == b"@font-face{src:url(f.2cf24dba5fb0.woff2)}"


def test_css_that_points_nowhere_is_refused() -> None:
    """A url() of a file that is not there stops the start-up, naming both."""
    with pytest.raises(ValueError, match=r"a\.css points at url\(gone\.woff2\)"):
        Assets({"a.css": b"@font-face{src:url(gone.woff2)}"})


def test_an_unknown_kind_of_file_is_refused() -> None:
    """A file without a known content type stops the start-up."""
    with pytest.raises(ValueError, match=r"no content type is known for notes\.doc"):
        Assets({"notes.doc": b""})


def test_an_unknown_name_says_what_there_is() -> None:
    """Asking a template for an asset that does not exist names the ones that do."""
    with pytest.raises(KeyError, match=r"no asset is called 'b\.js'; there are a\.js"):
        Assets({"a.js": b""})("b.js")


def test_the_shared_stylesheet_declares_its_layers_first() -> None:
    """All component files become one stylesheet that begins with the order of the layers."""
    css = shared_files()["app.css"].decode()
    assert css.startswith("@layer reset, tokens, base, parts, pages;\n")
    assert css.count("@layer parts {") == 7
    assert "/*" not in css


def test_htmx_comes_before_its_extension() -> None:
    """The library and its event stream extension are one file in this order, because two files race."""
    script = shared_files()["htmx.js"]
    assert 0 < script.index(b"htmx") < script.index(b"sse-connect")


def test_an_icon_is_drawn_in_the_page() -> None:
    """A vendored drawing comes without its licence comment and outer element."""
    assert drawing("plus") == '<path d="M5 12h14" /><path d="M12 5v14" />'


@pytest.mark.parametrize(("name", "limit"), [("app.css", 12_000), ("page.js", 2_000)])
def test_shared_files_stay_small(name: str, limit: int) -> None:
    """Stylesheet and script stay below their budgets in gzipped bytes."""
    assert len(gzip.compress(shared_files()[name], 9)) <= limit


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(Assets(shared_files()).app)
    async with httpx.AsyncClient(transport=transport, base_url="http://earshot.test") as client:
        yield client


async def test_an_asset_is_served_for_ever_and_compressed(client: httpx.AsyncClient) -> None:
    """A browser that accepts gzip gets it, with a year of immutable caching and the right type."""
    address = Assets(shared_files())("app.css")
    response = await client.get(address, headers={"Accept-Encoding": "br, gzip;q=0.8"})
    assert response.status_code == 200
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert response.headers["content-type"] == "text/css; charset=utf-8"
    assert response.headers["content-encoding"] == "gzip"
    assert response.headers["vary"] == "Accept-Encoding"
    assert response.text.startswith("@layer reset")


async def test_an_asset_is_served_plain_where_gzip_is_refused(client: httpx.AsyncClient) -> None:
    """A reader that refuses gzip gets the bytes as they are."""
    response = await client.get(Assets(shared_files())("page.js"), headers={"Accept-Encoding": "gzip;q=0"})
    assert "content-encoding" not in response.headers
    assert response.headers["content-type"] == "text/javascript; charset=utf-8"


@pytest.mark.parametrize("path", ["/assets/app.css", "/assets/app.000000000000.css", "/assets/../conftest.py"])
async def test_other_names_are_not_found(client: httpx.AsyncClient, path: str) -> None:
    """Only hashed names are served: no plain name, no old hash, no path to elsewhere."""
    assert (await client.get(path)).status_code == 404
