"""What every service's HTTP side does, whatever the service is about."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from shared.contract.events import KpiMeasured
from tests.runtime.tiny import tiny_service
from tests.support.service import START, ServiceUnderTest, service_under_test


@pytest.fixture
async def tiny(tmp_path: Path) -> AsyncIterator[ServiceUnderTest]:
    async with service_under_test("kpi", tmp_path, service=tiny_service()) as service:
        yield service


async def test_an_endpoint_is_closed_unless_it_is_listed(tiny: ServiceUnderTest) -> None:
    """Without a token only what is listed as public answers; the rest says how to sign in."""
    assert (await tiny.client.get("/api/v1/open")).status_code == 200
    closed = await tiny.client.get("/api/v1/things")
    assert closed.status_code == 401
    assert closed.headers["www-authenticate"] == "Bearer"
    assert closed.headers["content-type"] == "application/problem+json"


async def test_every_listed_endpoint_of_operation_is_open(tiny: ServiceUnderTest) -> None:
    """Health, metrics and documents need no token."""
    paths = ["/healthz", "/metrics", "/openapi.json", "/asyncapi.json", "/docs"]
    assert [(await tiny.client.get(path)).status_code for path in paths] == [200] * 5


async def test_a_role_may_do_what_it_is_for(tiny: ServiceUnderTest) -> None:
    """A viewer reads but does not write, a researcher does both, an admin everything."""
    codes = {}
    for role in ("viewer", "researcher", "admin"):
        headers = tiny.headers(role)
        read = await tiny.client.get("/api/v1/things", headers=headers)
        write = await tiny.client.post("/api/v1/things", headers=headers)
        letters = await tiny.client.get("/api/v1/dead-letters", headers=headers)
        codes[role] = (read.status_code, write.status_code, letters.status_code)
    assert codes == {"viewer": (200, 403, 403), "researcher": (200, 200, 403), "admin": (200, 200, 200)}


@pytest.mark.parametrize("token", ["", "nonsense", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])
async def test_a_token_that_is_none_is_refused(tiny: ServiceUnderTest, token: str) -> None:
    """Garbage and unsigned tokens are refused as such."""
    answer = await tiny.client.get("/api/v1/things", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401


async def test_a_token_of_another_key_is_refused(tiny: ServiceUnderTest, tmp_path: Path) -> None:
    """A token signed by a key outside the key set is refused."""
    (tmp_path / "other").mkdir()
    async with service_under_test("kpi", tmp_path / "other", service=tiny_service()) as other:
        answer = await tiny.client.get("/api/v1/things", headers=other.headers("admin"))
    assert answer.status_code == 401
    assert "not among the trusted ones" in answer.json()["detail"]


async def test_a_cookie_serves_forms_of_our_own_pages_only(tiny: ServiceUnderTest) -> None:
    """With a session cookie a form from another site is refused, one from our own page is taken."""
    token = tiny.headers("researcher")["Authorization"].removeprefix("Bearer ")
    tiny.client.cookies.set("earshot_session", token)
    sent_from = [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Origin": "http://test"},
    ]
    codes = [(await tiny.client.post("/api/v1/things", headers=headers)).status_code for headers in sent_from]
    assert codes == [403, 403, 403, 403, 200, 200]


async def test_an_unknown_path_is_a_problem(tiny: ServiceUnderTest) -> None:
    """What does not exist answers 404 with problem details, and a page to a person."""
    program = await tiny.client.get("/api/v1/nothing")
    assert (program.status_code, program.json()["status"]) == (404, 404)
    person = await tiny.client.get("/nothing", headers={"Accept": "text/html"})
    assert person.status_code == 404
    assert person.headers["content-type"].startswith("text/html")


async def test_a_fault_of_ours_shows_no_inside(tiny: ServiceUnderTest) -> None:
    """An unforeseen failure answers 500 with a trace id and nothing of the code."""
    answer = await tiny.client.get("/api/v1/broken", headers=tiny.headers())
    assert answer.status_code == 500
    assert len(answer.json()["trace_id"]) == 32
    assert "Zero" not in answer.text


async def test_a_body_that_is_too_large_is_refused(tiny: ServiceUnderTest) -> None:
    """More than 6 MiB is refused before it is read, with or without an announced length."""
    announced = await tiny.client.post("/api/v1/things", content=b"x" * 10_000_000, headers=tiny.headers())
    assert announced.status_code == 413


async def test_links_follow_the_prefix_the_gateway_took_off(tiny: ServiceUnderTest) -> None:
    """Behind the gateway the service answers under its prefix; anybody else's prefix is not believed."""
    served = await tiny.client.get("/openapi.json", headers={"X-Forwarded-Prefix": "/kpi"})
    assert served.status_code == 200
    other = await tiny.client.get("/openapi.json", headers={"X-Forwarded-Prefix": "/evil"})
    assert other.status_code == 200


async def test_openapi_names_every_error(tiny: ServiceUnderTest) -> None:
    """The OpenAPI document tells the statuses an endpoint may answer with, as problem+json."""
    document = (await tiny.client.get("/openapi.json")).json()
    responses = document["paths"]["/api/v1/things"]["post"]["responses"]
    assert {"401", "403", "404", "409", "413", "422", "503"} <= responses.keys()


async def test_asyncapi_names_the_events_of_the_service(tiny: ServiceUnderTest) -> None:
    """The AsyncAPI document of a service has its own channels and no other's."""
    document = (await tiny.client.get("/asyncapi.json")).json()
    assert document["asyncapi"] == "3.0.0"
    assert "KpiMeasured" in document["channels"]
    assert "DemoRequested" not in document["channels"]


async def test_readiness_tells_that_the_broker_is_away(tiny: ServiceUnderTest) -> None:
    """Without a broker the service is alive, not ready, and says what it misses."""
    answer = await tiny.client.get("/readyz")
    assert answer.status_code == 503
    checks = answer.json()["checks"]
    assert (checks["database"]["ok"], checks["broker"]["ok"]) == (True, False)


async def test_a_discarded_dead_letter_keeps_its_reason(tiny: ServiceUnderTest) -> None:
    """Discarding a dead letter takes a reason and says who did it."""
    record = tiny.record(_measured())
    record.value = b"not json"
    await tiny.deliver(record)
    [letter] = (await tiny.client.get("/api/v1/dead-letters", headers=tiny.headers())).json()
    path = f"/api/v1/dead-letters/{letter['id']}"
    whole = (await tiny.client.get(path, headers=tiny.headers())).json()
    assert whole["value"] == "bm90IGpzb24="
    without = await tiny.client.post(f"{path}/discard", json={}, headers=tiny.headers())
    assert without.status_code == 422
    answer = await tiny.client.post(f"{path}/discard", json={"reason": "a test of theirs"}, headers=tiny.headers())
    assert (answer.json()["state"], answer.json()["note"], answer.json()["closed_by"]) == (
        "discarded",
        "a test of theirs",
        "ana",
    )


def _measured() -> KpiMeasured:
    return KpiMeasured(
        kpi_id="csat", period_start=START, period_end=START + timedelta(days=7), value=1, measured_at=START
    )
