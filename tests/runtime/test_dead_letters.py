"""What an operator does with dead letters over HTTP: find, look, mend, replay, discard."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from shared.contract.events import DeadLetterClosed, EventRejected, KpiImpactAssessed, KpiMeasured
from shared.runtime.auth.principals import Principal
from shared.runtime.batches import Batches
from shared.runtime.database import Database
from shared.runtime.dead_letters import work as dead_letter_work
from shared.runtime.telemetry import Metrics
from tests.runtime.tiny import tiny_service
from tests.support.service import START, FakeRecord, ServiceUnderTest, service_under_test

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LETTERS = "/api/v1/dead-letters"


@pytest.fixture
async def tiny(tmp_path: Path) -> AsyncIterator[ServiceUnderTest]:
    """Refuses negative values; publishes a KpiImpactAssessed for every other."""
    async with service_under_test("kpi", tmp_path, service=tiny_service()) as service:
        yield service


def measured(kpi_id: str = "csat", value: float = 70) -> KpiMeasured:
    return KpiMeasured(
        kpi_id=kpi_id, period_start=NOON, period_end=NOON.replace(hour=13), value=value, measured_at=NOON
    )


async def effects(service: ServiceUnderTest) -> list[float]:
    return [event.effect for event in await service.published(KpiImpactAssessed)]


async def get(service: ServiceUnderTest, path: str = "", **wanted: Any) -> Any:
    answer = await service.client.get(f"{LETTERS}{path}", params=wanted, headers=service.headers())
    assert answer.status_code == 200, answer.text
    return answer.json()


async def post(service: ServiceUnderTest, path: str, body: Any = None, who: str = "ana") -> httpx.Response:
    return await service.client.post(f"{LETTERS}{path}", json=body, headers=service.headers(subject=who))


async def mend(service: ServiceUnderTest, letter: str, value: float = 4) -> None:
    """Give the letter's record a value that the service takes."""
    text = measured(value=value).model_dump_json()
    answer = await post(service, f"/{letter}/edit", {"value_text": text})
    assert answer.json()["verdict"]["accepted"], answer.text


async def ids(service: ServiceUnderTest, **wanted: Any) -> list[str]:
    return [letter["id"] for letter in await get(service, **wanted)]


# Keeping


async def test_names_of_headers_are_kept_whole(tiny: ServiceUnderTest) -> None:
    """However long, and with bytes that PostgreSQL cannot hold escaped; values are kept as they came."""
    odd = [("n" * 5_000, b"\x00\xff"), ("half \udc80, nul \x00", None)]
    record = tiny.record(measured(value=-1))
    await tiny.deliver(replace(record, headers=[*record.headers, *odd]))
    [letter] = await ids(tiny)
    kept = (await get(tiny, f"/{letter}"))["headers"][-2:]
    assert kept == [["n" * 5_000, b64encode(b"\x00\xff").decode()], ["half \\udc80, nul \\x00", None]]


# Finding


async def test_letters_are_found_by_what_they_are(tiny: ServiceUnderTest) -> None:
    """State, type, topic, key, time and words of the reason each narrow the list, and together."""
    await tiny.deliver(tiny.record(measured("a", -1)), replace(tiny.record(measured("b")), value=b"{"))
    tiny.now = START + timedelta(hours=1)
    await tiny.deliver(replace(tiny.record(measured("c", -3)), headers=[]))
    rule, broken, bare = await get(tiny)
    assert (rule["key_text"], broken["key_text"], bare["key_text"]) == ("a", "b", "c")
    assert await ids(tiny, event_type="earshot.KpiMeasured.v1") == [rule["id"], broken["id"]]
    assert await ids(tiny, topic="earshot.kpi-measured.v1", key="b") == [broken["id"]]
    assert await ids(tiny, topic="earshot.feature-voted.v1") == []
    assert await ids(tiny, since="2026-03-02T10:00:00Z") == [bare["id"]]
    assert await ids(tiny, text="MUST NOT be") == [rule["id"]]
    assert await ids(tiny, text="%") == []
    assert await ids(tiny, state="discarded") == []
    await post(tiny, f"/{bare['id']}/discard", {"reason": "no event"})
    assert await ids(tiny) == [rule["id"], broken["id"]]
    assert await ids(tiny, state="discarded") == [bare["id"]]
    assert await ids(tiny, state="any") == [rule["id"], broken["id"], bare["id"]]


@pytest.mark.parametrize(
    "wrong", [{"state": "lost"}, {"since": "yesterday"}, {"limit": 0}, {"after": -1}, {"topics": "x"}, {"key": "\x00"}]
)
async def test_a_filter_that_makes_no_sense_is_told(tiny: ServiceUnderTest, wrong: dict[str, Any]) -> None:
    """An unknown state, time, limit or filter is refused with its name, not ignored."""
    answer = await tiny.client.get(LETTERS, params=wrong, headers=tiny.headers())
    assert answer.status_code == 422
    assert next(iter(wrong)) in answer.json()["detail"]


async def test_pages_follow_each_other_whatever_comes_meanwhile(tiny: ServiceUnderTest) -> None:
    """The addresses in Link lead through all letters once, in the order of the log, though letters come and go."""
    await tiny.deliver(*(replace(tiny.record(measured(value=-1)), offset=9 - n) for n in range(5)))
    seen: list[int] = []
    address = f"{LETTERS}?limit=2"
    while address:
        answer = await tiny.client.get(address, headers=tiny.headers())
        seen += [letter["offset"] for letter in answer.json()]
        await post(tiny, f"/{answer.json()[0]['id']}/discard", {"reason": "seen"})
        following = answer.links.get("next", {}).get("url")
        address = f"{LETTERS}{following}" if following else ""
    assert seen == [5, 6, 7, 8, 9]


async def test_only_an_admin_sees_and_touches_letters(tiny: ServiceUnderTest) -> None:
    """Manager and service roles get 403 from every endpoint and page."""
    one = uuid4()
    paths = [("GET", LETTERS), ("GET", f"{LETTERS}/{one}"), ("GET", "/dead-letters"), ("GET", f"/dead-letters/{one}")]
    paths += [("POST", f"{LETTERS}/{one}/{verb}") for verb in ("edit", "replay", "discard")]
    paths += [("POST", f"/dead-letters/{one}/{verb}") for verb in ("edit", "replay", "discard")]
    paths += [("POST", f"{LETTERS}/replay"), ("POST", f"{LETTERS}/discard"), ("POST", "/dead-letters")]
    for method, path in paths:
        for role in ("manager", "service"):
            answer = await tiny.client.request(method, path, json={}, headers=tiny.headers(role))
            assert answer.status_code == 403, f"{role}: {method} {path}"


# Looking


async def test_a_letter_shows_its_bytes_as_they_are_and_as_text(tiny: ServiceUnderTest) -> None:
    """Bytes come in base64, beside them as text where they are text, and indented where they are JSON."""
    record = FakeRecord("earshot.kpi-measured.v1", b'{"a": [1]}', [("x", b"\xff"), ("y", None)], key=b"\xc3\xa4")
    await tiny.deliver(record)
    [letter] = await ids(tiny)
    whole = await get(tiny, f"/{letter}")
    assert (whole["key"], whole["key_text"]) == ("w6Q=", "ä")
    assert whole["value"] == b64encode(b'{"a": [1]}').decode()
    assert (whole["value_text"], whole["value_json"]) == ('{"a": [1]}', '{\n  "a": [\n    1\n  ]\n}')
    assert (whole["headers"], whole["headers_text"]) == ([["x", "/w=="], ["y", None]], [["x", None], ["y", None]])
    assert whole["verdict"]["accepted"] is False


@pytest.mark.parametrize("value", [b"\xff\x00", b'"\\ud800"', b"[" * 50_000, b"1" * 9000, b"NaN", None])
async def test_a_letter_with_hostile_bytes_can_be_shown(tiny: ServiceUnderTest, value: bytes | None) -> None:
    """Whatever bytes were sent, the letter's address answers with them, and its page too."""
    await tiny.deliver(FakeRecord("earshot.kpi-measured.v1", value, [("ce_id", b"\x00\xfe")], key=b"\x00"))
    [letter] = await ids(tiny)
    assert (await get(tiny, f"/{letter}"))["value"] == (None if value is None else b64encode(value).decode())
    page = await tiny.client.get(f"/dead-letters/{letter}", headers=tiny.headers())
    assert page.status_code == 200


# Mending


async def test_an_edit_keeps_what_came(tiny: ServiceUnderTest) -> None:
    """Edits stand beside the original bytes with who and when; a replay handles the last of them."""
    await tiny.deliver(replace(tiny.record(measured()), value=b"{broken"))
    [letter] = await ids(tiny)
    await post(tiny, f"/{letter}/edit", {"value_text": "{}"}, who="ben")
    tiny.now = START + timedelta(minutes=5)
    await mend(tiny, letter, 4)
    whole = await get(tiny, f"/{letter}")
    assert whole["value_text"] == "{broken"
    assert [(one["value_text"], one["edited_by"], one["edited_at"]) for one in whole["edited"][:1]] == [
        ("{}", "ben", "2026-03-02T09:00:00Z")
    ]
    assert whole["edited"][1]["edited_at"] == "2026-03-02T09:05:00Z"
    assert (await post(tiny, f"/{letter}/replay")).status_code == 200
    assert await effects(tiny) == [4]
    assert (await get(tiny, f"/{letter}"))["value_text"] == "{broken"


async def test_an_edit_says_whether_it_would_be_accepted(tiny: ServiceUnderTest) -> None:
    """The answer to an edit says what is still wrong with the record, or that it is an event, and how it is keyed."""
    await tiny.deliver(replace(tiny.record(measured()), value=b"{broken"))
    [letter] = await ids(tiny)
    wrong = (await post(tiny, f"/{letter}/edit", {"value_text": '{"kpi_id": 5}'})).json()["verdict"]
    assert wrong["accepted"] is False
    assert wrong["detail"].startswith("kpi_id: Input should be a valid string")
    right = (await post(tiny, f"/{letter}/edit", {"value_text": measured().model_dump_json()})).json()["verdict"]
    assert right == {"accepted": True, "detail": "It is an earshot.KpiMeasured.v1."}
    elsewhere = (await post(tiny, f"/{letter}/edit", {"key_text": "other"})).json()["verdict"]
    assert elsewhere["accepted"] is True
    assert "its key is not its kpi_id" in elsewhere["detail"]


async def test_key_and_headers_can_be_mended_too(tiny: ServiceUnderTest) -> None:
    """A record without the attributes of an event becomes one by its headers alone; what is left out stays."""
    good = tiny.record(measured(value=8), event_id="mended")
    await tiny.deliver(replace(good, headers=[("x", b"\xff")], key=None))
    [letter] = await ids(tiny)
    headers = [[name, (content or b"").decode()] for name, content in good.headers]
    await post(tiny, f"/{letter}/edit", {"headers_text": headers, "key": b64encode(b"csat").decode()})
    assert (await post(tiny, f"/{letter}/replay")).status_code == 200
    assert await effects(tiny) == [8]
    whole = await get(tiny, f"/{letter}")
    assert (whole["key"], whole["headers"]) == (None, [["x", "/w=="]])
    assert whole["edited"][0]["value"] == whole["value"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "changes nothing"),
        ({"value": "???"}, "is no base64"),
        ({"value": "e30=", "value_text": "{}"}, "send value or value_text, not both"),
        ({"headers": None}, "headers cannot be null"),
        ({"vlaue": "e30="}, "vlaue"),
        ({"value_text": 5}, "value_text"),
    ],
)
async def test_an_edit_that_makes_no_sense_is_told(tiny: ServiceUnderTest, body: Any, words: str) -> None:
    """An edit without a change, with two forms of one, or in the wrong form is refused in words."""
    await tiny.deliver(measured(value=-1))
    [letter] = await ids(tiny)
    answer = await post(tiny, f"/{letter}/edit", body)
    assert answer.status_code == 422
    assert words in answer.json()["detail"]
    assert (await get(tiny, f"/{letter}"))["edited"] == []


async def test_an_edit_of_half_a_character_is_told(tiny: ServiceUnderTest) -> None:
    """Text with half of a surrogate pair cannot be bytes, and the answer says so."""
    await tiny.deliver(measured(value=-1))
    [letter] = await ids(tiny)
    answer = await tiny.client.post(
        f"{LETTERS}/{letter}/edit", content=b'{"value_text": "\\ud800"}', headers=tiny.headers()
    )
    assert answer.status_code == 422


async def test_of_two_who_edit_the_slower_is_told(tiny: ServiceUnderTest) -> None:
    """An edit that names how many edits its author has seen is refused when there are more by now."""
    await tiny.deliver(measured(value=-1))
    [letter] = await ids(tiny)
    body = {"value_text": "{}", "after_edits": 0}
    answers = await asyncio.gather(*(post(tiny, f"/{letter}/edit", body) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert len((await get(tiny, f"/{letter}"))["edited"]) == 1


async def test_a_closed_letter_is_not_edited(tiny: ServiceUnderTest) -> None:
    """What was discarded stays as it was when it was discarded."""
    await tiny.deliver(measured(value=-1))
    [letter] = await ids(tiny)
    await post(tiny, f"/{letter}/discard", {"reason": "a test"})
    answer = await post(tiny, f"/{letter}/edit", {"value_text": "{}"})
    assert answer.status_code == 409
    assert answer.json()["detail"] == "This dead letter was discarded by ana already."


# Replaying


async def test_two_who_replay_at_once_have_one_effect(tiny: ServiceUnderTest) -> None:
    """Replays at the same moment, by two operators on two instances, apply the event once; the slower get 409."""
    await tiny.deliver(measured(value=-1))
    [letter] = await ids(tiny)
    await mend(tiny, letter, 4)
    second = Database("kpi", tiny.database._dsn, size=2)
    await second.open()
    batches = Batches(second, tiny_service().handlers, Metrics(), cluster="test")
    [row] = await tiny.database.fetch("SELECT id FROM dead_letters")
    over_http = asyncio.gather(*(post(tiny, f"/{letter}/replay", who=f"operator-{n}") for n in range(3)))
    ben = Principal("ben", "admin")
    elsewhere = asyncio.gather(*(dead_letter_work.replay(row["id"], second, batches, ben) for _ in range(3)))
    answers, outcomes = await over_http, await elsewhere
    await second.close()
    told = sorted([str(one.status_code) for one in answers] + [one.result for one in outcomes])
    assert told in (
        ["200", "409", "409", "closed", "closed", "closed"],
        ["409", "409", "409", "closed", "closed", "replayed"],
    )
    assert await effects(tiny) == [4]


async def test_what_the_producer_sent_again_takes_no_effect_twice(tiny: ServiceUnderTest) -> None:
    """A letter whose event came again mended, and took effect, is closed by its replay without another effect."""
    await tiny.deliver(replace(tiny.record(measured(value=4), event_id="x"), value=b"{"))
    await tiny.deliver(tiny.record(measured(value=4), event_id="x"))
    [letter] = await ids(tiny)
    await mend(tiny, letter, 4)
    answer = (await post(tiny, f"/{letter}/replay")).json()
    assert (answer["state"], answer["note"]) == ("replayed", "its event had taken effect already")
    assert await effects(tiny) == [4]


async def test_a_failed_replay_is_remembered(tiny: ServiceUnderTest) -> None:
    """What still cannot be handled stays open, with who tried it, when, and why it failed this time."""
    await tiny.deliver(replace(tiny.record(measured()), value=b"{"))
    [letter] = await ids(tiny)
    await post(tiny, f"/{letter}/edit", {"value_text": measured(value=-1).model_dump_json()})
    answer = await post(tiny, f"/{letter}/replay", who="ben")
    assert answer.status_code == 422
    whole = await get(tiny, f"/{letter}")
    assert (whole["state"], whole["tried_by"]) == ("open", "ben")
    assert whole["complaint"] == "value must not be negative; send what was measured"
    assert whole["reason"].startswith("data: Invalid JSON")
    assert await effects(tiny) == []


async def test_a_letter_waits_for_the_earlier_one_of_its_key(tiny: ServiceUnderTest) -> None:
    """A replay is refused, naming the letter, while an earlier one of the same topic and key is open."""
    await tiny.deliver(measured("a", -1), measured("b", -2), measured("a", -3))
    first, other, second = await ids(tiny)
    for letter, kpi, value in ((first, "a", 1.0), (other, "b", 2.0), (second, "a", 3.0)):
        await post(tiny, f"/{letter}/edit", {"value_text": measured(kpi, value).model_dump_json()})
    refused = await post(tiny, f"/{second}/replay")
    assert refused.status_code == 409
    assert first in refused.json()["detail"]
    assert (await post(tiny, f"/{other}/replay")).status_code == 200
    assert (await post(tiny, f"/{first}/replay")).status_code == 200
    assert (await post(tiny, f"/{second}/replay")).status_code == 200
    assert await effects(tiny) == [2, 1, 3]


async def test_a_discarded_letter_holds_back_nobody(tiny: ServiceUnderTest) -> None:
    """Once the earlier letter is discarded, or given another key, the later one of the key can be replayed."""
    await tiny.deliver(measured("a", -1), measured("a", -2), measured("a", -3))
    first, second, third = await ids(tiny)
    await mend(tiny, third, 9)
    await post(tiny, f"/{first}/discard", {"reason": "obsolete"})
    assert (await post(tiny, f"/{third}/replay")).status_code == 409
    await post(tiny, f"/{second}/edit", {"key_text": "b"})
    assert (await post(tiny, f"/{third}/replay")).status_code == 200


async def test_letters_without_a_key_have_no_order(tiny: ServiceUnderTest) -> None:
    """Without a key nothing was in order before, so nothing waits."""
    await tiny.deliver(*(replace(tiny.record(measured(value=-n)), key=None) for n in (1, 2)))
    _, second = await ids(tiny)
    await mend(tiny, second)
    assert (await post(tiny, f"/{second}/replay")).status_code == 200


async def test_a_key_longer_than_an_index_takes_is_no_obstacle(tiny: ServiceUnderTest) -> None:
    """A key of a hundred kilobytes is kept and stands in its order."""
    await tiny.deliver(*(replace(tiny.record(measured(value=-n)), key=b"k" * 100_000) for n in (1, 2)))
    first, second = await ids(tiny)
    await mend(tiny, second)
    assert first in (await post(tiny, f"/{second}/replay")).json()["detail"]


# Many at once


async def test_many_are_replayed_in_order_around_what_fails(tiny: ServiceUnderTest) -> None:
    """Each letter is told of; the first that still fails holds back its own key and no other."""
    await tiny.deliver(*(measured(kpi, -1) for kpi in ("a", "b", "a", "b", "a")))
    letters = await ids(tiny)
    for number, (letter, kpi) in enumerate(zip(letters, "ababa", strict=True)):
        if number != 2:
            await post(tiny, f"/{letter}/edit", {"value_text": measured(kpi, number).model_dump_json()})
    answer = (await post(tiny, "/replay", {"ids": [*reversed(letters), str(uuid4())]})).json()
    told = [one["result"] for one in answer["outcomes"]]
    assert told == ["replayed", "replayed", "failed", "replayed", "waits", "missing"]
    assert [one["id"] for one in answer["outcomes"][:5]] == letters
    assert letters[2] in answer["outcomes"][4]["detail"]
    assert await effects(tiny) == [0, 1, 3]


async def test_many_are_chosen_by_a_filter_in_portions(tiny: ServiceUnderTest) -> None:
    """A filter takes the open letters that it finds, at most `limit`, and `next` takes up the rest."""
    await tiny.deliver(*(measured(f"k{n}", -1) for n in range(5)), replace(tiny.record(measured()), value=b"{"))
    body: dict[str, Any] = {"filter": {"text": "negative"}, "limit": 3, "reason": "a drill"}
    first = (await post(tiny, "/discard", body)).json()
    assert [one["result"] for one in first["outcomes"]] == ["discarded"] * 3
    second = (await post(tiny, "/discard", body | {"after": first["next"]})).json()
    assert (len(second["outcomes"]), second["next"]) == (2, None)
    assert [letter["reason"][:5] for letter in await get(tiny)] == ["data:"]
    assert {letter["note"] for letter in await get(tiny, state="discarded")} == {"a drill"}


@pytest.mark.parametrize("body", [{}, {"ids": [], "filter": {}}, {"ids": ["x"]}, {"filter": {"colour": "red"}}])
async def test_a_choice_that_is_none_is_told(tiny: ServiceUnderTest, body: Any) -> None:
    """Neither ids nor a filter, or both, or what is neither, touches nothing."""
    await tiny.deliver(measured(value=-1))
    assert (await post(tiny, "/replay", body)).status_code == 422
    assert (await get(tiny))[0]["complaint"] is None


# Told to whoever watches


async def test_what_became_of_a_letter_is_announced_once(tiny: ServiceUnderTest) -> None:
    """EventRejected tells of a letter once, DeadLetterClosed of its end once, whatever was tried between."""
    await tiny.deliver(measured("a", -1), measured("b", -2), measured("c", -3))
    first, second, third = await ids(tiny)
    await post(tiny, f"/{first}/replay")
    await mend(tiny, first)
    await post(tiny, f"/{first}/replay")
    await post(tiny, f"/{first}/replay")
    await mend(tiny, second)
    await post(tiny, f"/{second}/discard", {"reason": "a test of theirs"})
    # As if the service had been mended instead of the record.
    good = measured("c", 3).model_dump_json().encode()
    await tiny.database.pool.execute("UPDATE dead_letters SET value = $1 WHERE state = 'open'", good)
    await post(tiny, f"/{third}/replay")
    assert [told.dead_letter_id for told in await tiny.published(EventRejected)] == [first, second, third]
    closed = await tiny.published(DeadLetterClosed)
    assert [(told.dead_letter_id, told.outcome, told.edited) for told in closed] == [
        (first, "replayed", True),
        (second, "discarded", False),
        (third, "replayed", False),
    ]
    assert (closed[0].service, closed[0].event_type) == ("kpi", "earshot.KpiMeasured.v1")


# The same event again


async def test_the_same_event_again_joins_its_letter(tiny: ServiceUnderTest) -> None:
    """An event published twice, byte by byte the same, is one letter that knows both places, announced once."""
    record = tiny.record(measured(value=-1), event_id="twice")
    again = replace(record, offset=700)
    await tiny.deliver(record, again)
    await tiny.deliver(replace(record, partition=3, offset=5))
    await tiny.deliver(record, again)
    [letter] = await get(tiny)
    assert letter["repeats"] == 2
    repeated = (await get(tiny, f"/{letter['id']}"))["repeated"]
    assert sorted((one["partition"], one["offset"]) for one in repeated) == [(0, 700), (3, 5)]
    assert len(await tiny.published(EventRejected)) == 1
    await mend(tiny, letter["id"], 4)
    await post(tiny, f"/{letter['id']}/replay")
    assert await effects(tiny) == [4]


async def test_a_closed_letter_stays_closed_when_its_event_comes_again(tiny: ServiceUnderTest) -> None:
    """What an operator discarded is not laid before them once more."""
    record = tiny.record(measured(value=-1), event_id="known")
    await tiny.deliver(record)
    [letter] = await ids(tiny)
    await post(tiny, f"/{letter}/discard", {"reason": "they know"})
    await tiny.deliver(replace(record, offset=90))
    assert await ids(tiny) == []
    assert (await get(tiny, f"/{letter}"))["repeats"] == 1


async def test_what_differs_is_another_letter_with_one_effect(tiny: ServiceUnderTest) -> None:
    """The same id with other bytes is a letter of its own; replaying both takes effect once."""
    good = tiny.record(measured(value=4), event_id="x")
    await tiny.deliver(replace(good, value=b"{"), replace(good, value=b"[", offset=50))
    first, second = await ids(tiny)
    for letter in (first, second):
        await mend(tiny, letter, 4)
        assert (await post(tiny, f"/{letter}/replay")).status_code == 200
    assert await effects(tiny) == [4]


async def test_records_without_an_identity_stay_apart(tiny: ServiceUnderTest) -> None:
    """Of two equal records that name no event nobody can say that they are one, so both are kept."""
    bare = FakeRecord("earshot.kpi-measured.v1", b"{", [], key=b"k", offset=1)
    await tiny.deliver(bare, replace(bare, offset=2))
    assert len(await ids(tiny)) == 2


async def test_a_structured_event_again_joins_its_letter(tiny: ServiceUnderTest) -> None:
    """Structured events are known by the id and source inside them."""
    event = {"specversion": "1.0", "id": "s", "source": "/x", "type": "earshot.KpiMeasured.v1", "data": {}}
    headers = [("content-type", b"application/cloudevents+json")]
    record = FakeRecord("earshot.kpi-measured.v1", json.dumps(event).encode(), headers, offset=1)
    await tiny.deliver(record, replace(record, offset=2))
    assert [letter["repeats"] for letter in await get(tiny)] == [1]
