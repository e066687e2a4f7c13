"""The gateway: routing, the home page, and what it keeps from passing."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from structlog.testing import capture_logs

from tests.gateway.conftest import Gateway


async def test_a_request_goes_to_the_service_in_its_first_segment(gateway: Gateway) -> None:
    """Method, path, query and body arrive at the service as sent, without the first segment."""
    answer = await gateway.client.post("/roadmap/api/v1/ideas/a%2Fb?x=1&x=2", content="body")
    said = answer.json()
    assert (said["method"], said["path"], said["query"], said["body"]) == (
        "POST",
        "/api/v1/ideas/a%2Fb",
        "x=1&x=2",
        "body",
    )


async def test_the_service_learns_where_it_stands(gateway: Gateway) -> None:
    """The service gets the prefix and host the visitor used; a visitor's own claim about them is dropped."""
    answer = await gateway.client.get(
        "/roadmap/x", headers={"X-Forwarded-Prefix": "/evil", "X-Forwarded-For": "1.2.3.4"}
    )
    headers = answer.json()["headers"]
    assert headers["x-forwarded-prefix"] == "/roadmap"
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert headers["host"] == gateway.client.base_url.netloc.decode()


async def test_a_visitor_gets_the_encoding_it_asked_for(gateway: Gateway) -> None:
    """The gateway adds no wishes of its own: without Accept-Encoding the service is asked for none."""
    request = httpx.Request("GET", gateway.client.base_url.join("/roadmap/x"), headers={"Host": "earshot.example"})
    headers = (await gateway.client.send(request)).json()["headers"]
    ours = {"traceparent", "x-forwarded-for", "x-forwarded-host", "x-forwarded-prefix", "x-forwarded-proto"}
    assert headers.keys() <= ours | {"host", "x-request-id"}
    assert headers["host"] == "earshot.example"


@pytest.mark.parametrize(
    "path", ["/roadmap%2F@127.0.0.1:9/x", "/roadmap%2Fx/y", "/%72oadmap/x", "//127.0.0.1:9/x", "/roadmap@127.0.0.1:9/x"]
)
async def test_no_path_leads_to_another_host(gateway: Gateway, path: str) -> None:
    """Whatever is written where a service's name belongs, nothing but the services is asked."""
    url = gateway.client.base_url.copy_with(raw_path=path.encode())
    assert (await gateway.client.send(httpx.Request("GET", url))).status_code == 404


async def test_two_hosts_are_refused(gateway: Gateway) -> None:
    """A request with two Host headers is the visitor's mistake, and told."""
    url = gateway.client.base_url
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(b"GET /roadmap/x HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\nConnection: close\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 400")
    writer.close()


async def test_header_values_need_not_be_ascii(gateway: Gateway) -> None:
    """A header in UTF-8 passes through as it is."""
    answer = await gateway.client.get("/roadmap/x", headers=[(b"x-name", "é".encode())])
    assert answer.json()["headers"]["x-name"].encode("latin-1") == "é".encode()


async def test_a_body_that_grows_too_large_is_refused_as_such(gateway: Gateway) -> None:
    """A body without an announced length is cut off at the limit, and the answer says what the limit is."""

    async def seven_mebibytes() -> AsyncIterator[bytes]:
        for _ in range(7):
            yield b"x" * 1024 * 1024

    answer = await gateway.client.post("/roadmap/x", content=seven_mebibytes())
    assert answer.status_code == 413
    assert "6,291,456 bytes" in answer.json()["detail"]


async def test_a_client_that_leaves_is_no_fault_of_ours(gateway: Gateway) -> None:
    """When the client goes away in the middle of its body, the service is told and no error is logged."""
    url = gateway.client.base_url
    with capture_logs() as logged:
        _, writer = await asyncio.open_connection(url.host, url.port)
        writer.write(b"POST /roadmap/wait HTTP/1.1\r\nHost: a.example\r\nContent-Length: 100\r\n\r\nonly this")
        await writer.drain()
        await asyncio.sleep(0.2)
        writer.close()
        async with asyncio.timeout(5):
            await gateway.upstream.state.cut_off.wait()
        await asyncio.sleep(0.2)
    assert {entry["log_level"] for entry in logged} == {"info"}
    assert [entry["status"] for entry in logged if entry["event"] == "request"] == [499]


async def test_every_cookie_and_redirect_comes_back(gateway: Gateway) -> None:
    """Several cookies and a redirect pass through untouched."""
    answer = await gateway.client.get("/roadmap/cookies")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/elsewhere"
    assert [cookie.split(";")[0] for cookie in answer.headers.get_list("set-cookie")] == ["a=1", "b=2"]


async def test_an_event_stream_flows_through(gateway: Gateway) -> None:
    """The first event of a stream arrives while the stream is still open."""
    async with gateway.client.stream("GET", "/roadmap/stream", timeout=5) as answer:
        assert await anext(answer.aiter_lines()) == "data: first"


async def test_a_service_that_is_away_is_named(gateway: Gateway) -> None:
    """A service that does not answer gives a 502 that says which one."""
    answer = await gateway.client.get("/kpi/x")
    assert answer.status_code == 502
    assert "kpi service does not answer" in answer.json()["detail"]


async def test_an_unknown_service_is_a_clear_404(gateway: Gateway) -> None:
    """An unknown first segment says which ones there are."""
    answer = await gateway.client.get("/nowhere/x")
    assert answer.status_code == 404
    assert "/roadmap/" in answer.json()["detail"]


async def test_home_shows_live_numbers_to_people_who_are_signed_in(gateway: Gateway) -> None:
    """A stranger sees the loop without numbers; after signing in each service's numbers stand in it."""
    page = {"Accept": "text/html"}
    assert "ideas" not in (await gateway.client.get("/", headers=page)).text
    await gateway.sign_in()
    signed_in = (await gateway.client.get("/", headers=page)).text
    assert "ideas" in signed_in
    assert ">7<" in signed_in
    assert "does not answer" in signed_in
