"""Sessions: what the browser holds, what the services get, and how they end."""

import json
import time
from datetime import timedelta
from pathlib import Path

import httpx
import jwt
import pytest

from deploy.gateway import proxy
from deploy.local import keys
from deploy.local.paths import Home
from shared.runtime.auth.tokens import KeySet
from tests.gateway.conftest import OURS, Gateway, Start
from tests.support.databases import dsn_of


async def test_the_cookie_is_for_the_browser_alone(gateway: Gateway) -> None:
    """Scripts cannot read the session's cookie, other sites' forms do not carry it, and it ends with the session."""
    answer = await gateway.use(gateway.token())
    attributes = set(answer.headers["set-cookie"].split("; ")[1:])
    assert attributes == {"HttpOnly", "Max-Age=43200", "Path=/", "SameSite=lax"}


async def test_over_https_the_cookie_is_the_hosts_alone(start_gateway: Start) -> None:
    """Where people come by https, the cookie needs it, no other host can set it, and browsers are told to stay."""
    gateway = await start_gateway(public_url="https://earshot.example")
    answer = await gateway.use(gateway.token())
    name, *attributes = answer.headers["set-cookie"].split("; ")
    assert name.startswith("__Host-earshot_session=")
    assert {"HttpOnly", "Path=/", "SameSite=lax", "Secure"} < set(attributes)
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


async def test_services_get_a_short_lived_token_in_place_of_the_cookie(gateway: Gateway) -> None:
    """A service gets who it is, for five minutes, and never the cookie; other cookies reach it."""
    cookie = await gateway.sign_in(subject="ana", role="manager")
    gateway.client.cookies.set("theme", "dark")
    headers = await gateway.sees()
    claims = jwt.decode(headers["authorization"].removeprefix("Bearer "), options={"verify_signature": False})
    assert (claims["sub"], claims["role"], claims["exp"] - claims["iat"]) == ("ana", "manager", 300)
    assert headers["cookie"] == "theme=dark"
    assert cookie not in str(headers)


async def test_the_database_holds_nothing_to_sign_in_with(gateway: Gateway) -> None:
    """The cookie's text is nowhere in the gateway's tables."""
    cookie = await gateway.sign_in()
    [row] = await gateway.app.state.database.fetch("SELECT * FROM sessions")
    assert cookie not in str(dict(row))
    assert cookie.encode() not in row["digest"]


async def test_a_copied_cookie_ends_with_the_session(start_gateway: Start) -> None:
    """After signing out, a copy of the cookie is worth nothing at once, at this gateway and at every other."""
    gateway, other = await start_gateway(), await start_gateway()
    cookie = await gateway.sign_in()
    copies = [httpx.AsyncClient(base_url=each.url, cookies={"earshot_session": cookie}) for each in (gateway, other)]
    assert ["authorization" in await gateway.sees(copy) for copy in copies] == [True, True]
    answer = await gateway.client.post("/sign-out", headers=OURS)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert not gateway.client.cookies
    assert ["authorization" in await gateway.sees(copy) for copy in copies] == [False, False]
    assert [(await copy.get("/live")).status_code for copy in copies] == [401, 401]
    for copy in copies:
        await copy.aclose()


async def test_other_sessions_of_the_same_person_go_on(gateway: Gateway) -> None:
    """Signing out in one browser leaves the person's other browser signed in."""
    async with gateway.visitor() as other:
        await other.post("/sign-in", data={"token": gateway.token()}, headers=OURS)
        await gateway.sign_in()
        await gateway.client.post("/sign-out", headers=OURS)
        assert "authorization" in await gateway.sees(other)


async def test_a_session_nobody_uses_ends(gateway: Gateway) -> None:
    """Two hours without a request end a session; a request before that keeps it."""
    await gateway.sign_in()
    for minutes, goes_on in [(119, True), (238, True), (357, True), (478, False), (479, False)]:
        gateway.later(minutes=minutes)
        assert ("authorization" in await gateway.sees()) == goes_on, f"after {minutes} minutes"


async def test_a_page_left_open_keeps_no_session_alive(gateway: Gateway) -> None:
    """An event stream that the browser opens again by itself is nobody's activity."""
    await gateway.sign_in()
    gateway.later(minutes=119)
    async with gateway.client.stream("GET", "/live", headers={"Accept": "text/event-stream"}) as stream:
        assert stream.status_code == 200
    gateway.later(minutes=121)
    assert "authorization" not in await gateway.sees()


async def test_a_session_ends_after_its_hours(gateway: Gateway) -> None:
    """However busy somebody is, after twelve hours they sign in again."""
    await gateway.sign_in()
    for minutes in range(60, 720, 60):
        gateway.later(minutes=minutes)
        assert "authorization" in await gateway.sees()
    gateway.later(minutes=721)
    assert "authorization" not in await gateway.sees()


async def test_signing_in_takes_a_new_session(gateway: Gateway) -> None:
    """A cookie planted or held before signing in is not the session afterwards, and the session it had is over."""
    async with gateway.visitor(headers={"Cookie": "earshot_session=planted"}) as planted:
        answer = await planted.post("/sign-in", data={"token": gateway.token()}, headers=OURS)
    first = answer.cookies["earshot_session"]
    async with gateway.visitor(headers={"Cookie": f"earshot_session={first}"}) as browser:
        assert "authorization" in await gateway.sees(browser)
        answer = await browser.post("/sign-in", data={"token": gateway.token(role="viewer")}, headers=OURS)
    second = answer.cookies["earshot_session"]
    assert len({"planted", first, second}) == 3
    for cookie, known in (("planted", False), (first, False), (second, True)):
        async with gateway.visitor(headers={"Cookie": f"earshot_session={cookie}"}) as browser:
            assert ("authorization" in await gateway.sees(browser)) == known


async def test_a_bearer_token_goes_through_as_it_came(gateway: Gateway) -> None:
    """A program's own token is passed on, also where a cookie comes along."""
    await gateway.sign_in()
    token = gateway.token(subject="crm", role="service", audience="earshot")
    answer = await gateway.client.get("/roadmap/x", headers={"Authorization": f"Bearer {token}"})
    assert answer.json()["headers"]["authorization"] == f"Bearer {token}"


async def test_open_streams_end_with_the_token(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service's event stream is cut when the token it was opened with has run out; the browser then asks again."""
    await gateway.sign_in()
    monkeypatch.setattr(proxy, "ACCESS_LIFETIME", timedelta(seconds=0.2))
    async with gateway.client.stream("GET", "/roadmap/stream", timeout=10) as answer:
        assert [line async for line in answer.aiter_lines() if line] == ["data: first"]


async def test_the_home_pages_stream_ends_with_the_session(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever signs out in one window gets no more numbers in another."""
    monkeypatch.setattr("deploy.gateway.home.REFRESH_SECONDS", 0.05)
    cookie = await gateway.sign_in()
    async with (
        gateway.visitor(cookies={"earshot_session": cookie}) as other,
        other.stream("GET", "/live", timeout=10) as stream,
    ):
        lines = stream.aiter_lines()
        assert "data:" in await anext(lines)
        await gateway.client.post("/sign-out", headers=OURS)
        async for _ in lines:  # ends
            pass


async def test_the_signing_key_rotates_without_signing_anybody_out(start_gateway: Start, tmp_path: Path) -> None:
    """After two rotations the session goes on, and services accept its tokens without reading their keys again."""
    home = Home(tmp_path / "home")
    home.create()
    gateway = await start_gateway(signing_key=keys.signing_key(home), jwks=str(keys.jwks(home)))
    await gateway.sign_in()
    service_keys = KeySet(str(keys.jwks(home)))

    async def key_accepted() -> str:
        token = (await gateway.sees())["authorization"].removeprefix("Bearer ")
        await service_keys.verify(token, audience="earshot", issuer="earshot")
        return str(jwt.get_unverified_header(token)["kid"])

    first = await key_accepted()
    second_announced = keys.rotate(home)
    second = await key_accepted()
    assert (second, first != second) == (second_announced, True)
    keys.rotate(home)
    service_keys._clock = lambda: time.monotonic() + 301  # the services' next reading of the keys
    assert await key_accepted() not in {first, second}
    published = (await gateway.client.get("/.well-known/jwks.json")).json()
    assert all("d" not in key for key in published["keys"])


async def test_the_key_set_is_published_without_secrets(start_gateway: Start, tmp_path: Path) -> None:
    """Services elsewhere read the keys from the gateway: public members only, and nothing but signing keys."""
    home = Home(tmp_path / "home")
    home.create()
    ours, upcoming = json.loads(keys.jwks(home).read_text())["keys"]
    mistaken = [ours | {"d": "private"}, {"kty": "oct", "k": "secret", "kid": "x"}, upcoming | {"use": "enc"}]
    (tmp_path / "mistaken.json").write_text(json.dumps({"keys": mistaken}))
    gateway = await start_gateway(jwks=str(tmp_path / "mistaken.json"))
    published = (await gateway.client.get("/.well-known/jwks.json")).json()
    assert published == {"keys": [ours]}


async def test_without_its_database_the_gateway_says_so(start_gateway: Start) -> None:
    """Public pages go on; who is signed in, or signs in, is told to come again; readiness names the database."""
    gateway = await start_gateway()
    await gateway.sign_in()
    gateway.app.state.database._pool.terminate()
    signed_in = await gateway.client.get("/roadmap/x")
    assert (signed_in.status_code, signed_in.headers["retry-after"]) == (503, "2")
    async with gateway.visitor() as visitor:
        assert (await visitor.get("/roadmap/x")).status_code == 200
        ready = await visitor.get("/readyz")
    assert (ready.status_code, ready.json()["checks"]["database"]["ok"]) == (503, False)


async def test_the_gateway_sees_no_services_data(gateway: Gateway) -> None:
    """The gateway's role may read its own schema, and its database knows no tables of the backbone there."""
    rows = await gateway.app.state.database.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'gateway'")
    assert {row["tablename"] for row in rows} == {"schema_migrations", "sessions", "used_links"}
    assert dsn_of("x", "gateway").startswith("postgresql://earshot_gateway:")
