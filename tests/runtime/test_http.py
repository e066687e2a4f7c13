"""What every service's HTTP side does, whatever the service is about."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from shared.contract.events import KpiMeasured
from shared.ui import parse_form
from tests.runtime.tiny import Thing, tiny_service
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


async def test_who_signs_in_comes_back(tiny: ServiceUnderTest) -> None:
    """The page that sends people to sign in says where they wanted to go, without the query."""
    headers = {"Accept": "text/html", "X-Forwarded-Prefix": "/kpi"}
    closed = await tiny.client.get("/dead-letters?key=ana%40example.org", headers=headers)
    assert closed.status_code == 401
    assert 'href="http://test/sign-in?to=%2Fkpi%2Fdead-letters"' in closed.text
    assert "example.org" not in closed.text


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
    """More than 6 MiB is refused with the limit, with or without an announced length."""

    async def unannounced() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b"x" * 1_000_000

    for content in (b"x" * 10_000_000, unannounced()):
        answer = await tiny.client.post("/api/v1/things", content=content, headers=tiny.headers())
        assert answer.status_code == 413
        assert "6,291,456 bytes" in answer.json()["detail"]


async def test_a_client_that_leaves_is_no_fault_of_ours(tiny: ServiceUnderTest) -> None:
    """A client that goes away in the middle of its body is no error in the log."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/api/v1/raw",
        "raw_path": b"/api/v1/raw",
        "query_string": b"",
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in tiny.headers().items()],
        "client": ("127.0.0.1", 1),
        "server": ("test", 80),
    }

    async def gone() -> dict[str, str]:
        return {"type": "http.disconnect"}

    async def nobody(_message: object) -> None:
        return

    with capture_logs() as logged:
        await tiny.app(scope, gone, nobody)
    assert {entry["log_level"] for entry in logged} == {"info"}


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ({"count": "5"}, "count: Value error, is text; send a number"),
        ({"count": True}, "count: Value error, is true or false; send a number"),
        ({"share": "0.5"}, "share: Value error, is text; send a number"),
        ({"is_big": 1}, "is_big: Value error, is a number; send true or false"),
        ({"is_big": "yes"}, "is_big: Value error, is text; send true or false"),
        ({"seen_at": 1767225600}, "seen_at: must be a date and a time"),
        ({"bought_on": 0}, "bought_on: Value error, is a number; send text"),
        ({"parts": [{"count": "5"}]}, "parts.0.count: Value error, is text; send a number"),
        ({"name": 7}, "name: Input should be a valid string"),
    ],
)
async def test_a_field_must_be_of_its_kind(tiny: ServiceUnderTest, field: dict[str, object], reason: str) -> None:
    """In JSON text is no number, a number no truth value and no time; the answer says what to send."""
    answer = await tiny.client.post("/api/v1/things", json=field, headers=tiny.headers())
    assert answer.status_code == 422
    assert reason in answer.json()["detail"]


async def test_what_json_has_no_kind_for_is_written_as_text(tiny: ServiceUnderTest) -> None:
    """Times, dates and identifiers are read from text, tuples from arrays, whole numbers as fractions."""
    thing = {
        "share": 1,
        "is_big": True,
        "seen_at": "2026-03-02T12:00:00Z",
        "bought_on": "2026-03-02",
        "identifier": "00000000-0000-4000-8000-000000000000",
        "parts": [{"count": 2}],
    }
    answer = await tiny.client.post("/api/v1/things", json=thing, headers=tiny.headers())
    assert answer.status_code == 200, answer.text


def test_a_form_may_write_everything_as_text() -> None:
    """What was typed into a form is text, and read as what the field is."""
    typed, wrong = parse_form(Thing, {"count": "5", "share": "0.25", "is_big": "true", "bought_on": "2026-03-02"})
    assert not wrong
    assert typed == Thing(count=5, share=0.25, is_big=True, bought_on=date(2026, 3, 2))


async def test_a_misspelt_field_is_shown_escaped(tiny: ServiceUnderTest) -> None:
    """A field's name with characters that cannot be seen is told with them escaped."""
    answer = await tiny.client.post("/api/v1/things", json={"name\u202e": 1}, headers=tiny.headers())
    assert answer.status_code == 422
    assert r"body.'name\u202e': Extra inputs" in answer.json()["detail"]


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
    assert {"400", "401", "403", "404", "409", "413", "415", "422", "502", "503"} <= responses.keys()
    assert document["components"]["schemas"]["Problem"]["required"][:3] == ["type", "title", "status"]


async def test_openapi_tells_what_needs_a_token(tiny: ServiceUnderTest) -> None:
    """Closed endpoints need a bearer JWT and say with what they refuse others; public ones need nothing."""
    document = (await tiny.client.get("/openapi.json")).json()
    assert document["components"]["securitySchemes"] == {
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    }
    things, open_to_all = document["paths"]["/api/v1/things"]["get"], document["paths"]["/api/v1/open"]["get"]
    assert things["security"] == [{"bearer": []}]
    assert open_to_all["security"] == []
    assert not {"401", "403"} & open_to_all["responses"].keys()


async def test_openapi_knows_what_is_no_problem_document(tiny: ServiceUnderTest) -> None:
    """Metrics are plain text, and a service that is not ready answers with its report."""
    paths = (await tiny.client.get("/openapi.json")).json()["paths"]
    assert paths["/metrics"]["get"]["responses"]["200"]["content"].keys() == {"text/plain"}
    assert paths["/readyz"]["get"]["responses"]["503"]["content"].keys() == {"application/json"}


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
