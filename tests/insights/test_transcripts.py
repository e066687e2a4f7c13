"""Reading transcripts: from where, with whose credential, and what when it fails."""

import json

import httpx
import pytest

from services.insights import transcripts
from shared.contract.events import InsightTagged
from tests.insights.conftest import Gateway
from tests.insights.examples import completed, erased, insight, transcript_at
from tests.support.service import ServiceUnderTest

TURNS = "/api/v1/sessions/s-1/turns"


@pytest.fixture
async def recorded(insights: ServiceUnderTest, gateway: Gateway) -> ServiceUnderTest:
    """The session s-1 with a transcript behind the gateway."""
    await insights.deliver(completed(transcript=transcript_at(gateway.transcript_of("s-1"))))
    return insights


async def quote(service: ServiceUnderTest, words: str | None, turn: int) -> httpx.Response:
    return await service.client.post(
        "/api/v1/insights", json=insight(quote=words, turn=turn), headers=service.headers("researcher")
    )


async def test_turns_come_numbered(recorded: ServiceUnderTest) -> None:
    """Turns count from 1, with speaker, seconds and words."""
    answer = await recorded.client.get(TURNS, headers=recorded.headers("viewer"))
    assert answer.status_code == 200
    assert len(answer.json()) == 3
    assert answer.json()[0] == {
        "number": 1,
        "speaker": "Mara",
        "start": 0.0,
        "end": 3.5,
        "text": "How do you close the month?",
    }


async def test_the_callers_own_credential_goes_along(recorded: ServiceUnderTest, gateway: Gateway) -> None:
    """The bearer token is forwarded as it came, and nothing else of the request."""
    headers = recorded.headers("viewer")
    await recorded.client.get(TURNS, headers={**headers, "Cookie": "other=secret", "X-Internal": "secret"})
    ((path, sent),) = gateway.asked
    assert path == "/sessions/api/v1/sessions/s-1/turns"
    assert sent["authorization"] == headers["Authorization"]
    assert "secret" not in json.dumps(sent)


@pytest.mark.parametrize(
    "address",
    [
        "http://attacker.test/sessions/api/v1/sessions/s-1/transcript",
        "{gateway}.attacker.test/sessions/api/v1/sessions/s-1/transcript",
        "{gateway}@attacker.test/sessions/api/v1/sessions/s-1/transcript",
        "{gateway}/sessions/api/v1/sessions/s-2/transcript",
        "{gateway}/sessions/api/v1/sessions/../../../../kpi/api/v1/sessions/s-1/transcript",
        "{gateway}/sessions/api/v1/sessions/s-1/transcript?next=http://attacker.test/transcript",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://[",
    ],
)
async def test_a_foreign_address_is_never_asked(insights: ServiceUnderTest, gateway: Gateway, address: str) -> None:
    """Only the session's own transcript at our own gateway is fetched; any other address is told to be opened there."""
    await insights.deliver(completed(transcript=transcript_at(address.replace("{gateway}", gateway.url))))
    answer = await insights.client.get(TURNS, headers=insights.headers("viewer"))
    assert answer.status_code == 404
    assert "lies with another tool" in answer.json()["detail"]
    assert gateway.asked == []


async def test_a_redirect_is_not_followed(recorded: ServiceUnderTest, gateway: Gateway) -> None:
    """A redirect could lead the credential elsewhere, so it counts as a failure."""
    gateway.status, gateway.headers = 302, {"Location": "/elsewhere"}
    assert (await recorded.client.get(TURNS, headers=recorded.headers("viewer"))).status_code == 503
    assert len(gateway.asked) == 1


@pytest.mark.parametrize(
    ("status", "body", "expected", "told"),
    [
        (401, b"{}", 403, "may not read"),
        (403, b"{}", 403, "may not read"),
        (404, b"{}", 404, "no longer there"),
        (500, b"{}", 503, "cannot be fetched right now"),
        (200, b"not JSON", 503, "cannot be fetched right now"),
        (200, b'[{"text": 1}]', 503, "cannot be fetched right now"),
    ],
)
async def test_failures_are_told_plainly(
    recorded: ServiceUnderTest, gateway: Gateway, status: int, body: bytes, expected: int, told: str
) -> None:
    """Whatever sessions answers, the reader hears what happened and what still works."""
    gateway.status, gateway.body = status, body
    answer = await recorded.client.get(TURNS, headers=recorded.headers("viewer"))
    assert answer.status_code == expected
    assert told in answer.json()["detail"]


async def test_a_gateway_that_is_away_is_told(recorded: ServiceUnderTest) -> None:
    """A refused connection is 503 with what to do."""
    settings = recorded.app.state.settings.model_copy(update={"public_url": "http://127.0.0.1:1"})
    recorded.app.state.settings = settings
    await recorded.deliver(
        completed("s-2", transcript=transcript_at("http://127.0.0.1:1/sessions/api/v1/sessions/s-2/transcript"))
    )
    answer = await recorded.client.get("/api/v1/sessions/s-2/turns", headers=recorded.headers("viewer"))
    assert answer.status_code == 503
    assert answer.json()["detail"] == (
        "The transcript cannot be fetched right now; try again shortly. A quote typed by hand needs no transcript."
    )


async def test_a_slow_gateway_is_not_waited_for(
    recorded: ServiceUnderTest, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that takes longer than the reader is asked to wait is a failure like any other."""
    monkeypatch.setattr(transcripts, "TIMEOUT_SECONDS", 0.1)
    gateway.delay_seconds = 0.4
    assert (await recorded.client.get(TURNS, headers=recorded.headers("viewer"))).status_code == 503


async def test_no_transcript_is_told(insights: ServiceUnderTest) -> None:
    """A session without a transcript, or of an erased person, has no turns."""
    await insights.deliver(completed())
    answer = await insights.client.get(TURNS, headers=insights.headers("viewer"))
    assert (answer.status_code, answer.json()["title"]) == (404, "No transcript to read")


async def test_plain_text_has_no_times(recorded: ServiceUnderTest, gateway: Gateway) -> None:
    """Turns without speaker and times can be read and quoted."""
    gateway.body = json.dumps([{"speaker": None, "start": None, "end": None, "text": "It is slow."}]).encode()
    created = (await quote(recorded, "slow", 1)).json()
    assert (created["turn"], created["start_char"], created["end_char"]) == (1, 6, 10)
    assert (created["start_seconds"], created["end_seconds"]) == (None, None)


async def test_a_quote_is_checked_against_its_turn(recorded: ServiceUnderTest) -> None:
    """A quote across a line break is found, with offsets in code points and the turn's seconds."""
    answer = await quote(recorded, "then I rebuild the  same sheet", 2)
    assert answer.status_code == 201
    created = answer.json()
    assert created["quote"] == "then I rebuild the same sheet"
    assert (created["turn"], created["start_char"], created["end_char"]) == (2, 15, 44)
    assert (created["start_seconds"], created["end_seconds"]) == (4.0, 12.25)


@pytest.mark.parametrize(
    ("words", "turn", "told"),
    [
        ("I import it", 2, "The quote is not in turn 2; copy the words as they were said, or leave the turn out."),
        ("I export it", 1, "The quote is not in turn 1; copy the words as they were said, or leave the turn out."),
        ("I export it", 4, "There is no turn 4; the transcript has 3."),
        ("I export it", 10**30, f"There is no turn {10**30}; the transcript has 3."),
        (None, 2, "A turn without a quote says nothing; add the words that were said in it."),
    ],
)
async def test_what_was_not_said_is_no_quote(
    recorded: ServiceUnderTest, words: str | None, turn: int, told: str
) -> None:
    """Words that are not in the named turn are refused with what to do."""
    answer = await quote(recorded, words, turn)
    assert (answer.status_code, answer.json()["detail"]) == (422, told)
    assert await recorded.published(InsightTagged) == []


async def test_an_unchecked_quote_is_not_kept_as_checked(recorded: ServiceUnderTest, gateway: Gateway) -> None:
    """While the transcript is away a quote with a turn waits, and one typed by hand is kept without a place."""
    gateway.status = 500
    assert (await quote(recorded, "I export it", 2)).status_code == 503
    typed = await recorded.client.post("/api/v1/insights", json=insight(), headers=recorded.headers("researcher"))
    assert (typed.status_code, typed.json()["turn"]) == (201, None)


async def test_a_change_keeps_the_place_of_an_unchanged_quote(recorded: ServiceUnderTest) -> None:
    """Another importance leaves the quote where it stands; other words without a turn have no place."""
    insight_id = (await quote(recorded, "I export it", 2)).json()["insight_id"]

    async def change(words: str) -> tuple[int, int | None]:
        answer = await recorded.client.put(
            f"/api/v1/insights/{insight_id}",
            json={"quote": words, "feature_id": "export", "importance": 0},
            headers=recorded.headers("researcher"),
        )
        return answer.json()["version"], answer.json()["turn"]

    assert await change("I export it") == (2, 2)
    assert await change("I export") == (3, None)


async def test_an_erased_session_is_not_fetched(recorded: ServiceUnderTest, gateway: Gateway) -> None:
    """After the erasure nothing leads to the transcript any more."""
    await recorded.deliver(erased("ana"))
    assert (await recorded.client.get(TURNS, headers=recorded.headers("viewer"))).status_code == 404
    assert gateway.asked == []
