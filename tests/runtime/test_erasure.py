"""What the runtime forgets for every service: dead letters, events on their way out, their archive, and the inbox."""

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from shared.contract.events import (
    DeadLetterClosed,
    ErasureCompleted,
    EventRejected,
    FeatureVoted,
    InsightTagged,
    ParticipantErased,
)
from shared.runtime.erasure.marks import erased_at, purge, remember
from shared.runtime.erasure.mentions import Person
from shared.runtime.outbox import entries, write
from tests.support.dump import dump
from tests.support.service import START, FakeRecord, ServiceUnderTest

QUOTE = "Ich kopiere vierzig Zahlen von Hand"
ERASED = ParticipantErased(participant_id="p-1", erased_at=START)
LETTERS = "/api/v1/dead-letters"


def tagged(participant_id: str, insight_id: str = "i-1", **more: Any) -> InsightTagged:
    return InsightTagged.model_validate(
        {"insight_id": insight_id, "participant_id": participant_id, "quote": QUOTE, "tagged_at": START} | more
    )


def broken(service: ServiceUnderTest, participant_id: str, **more: Any) -> FakeRecord:
    """An insight with a version that no schema allows, and the participant's words in it."""
    record = service.record(tagged(participant_id, **more))
    assert record.value is not None
    return FakeRecord(
        record.topic,
        json.dumps(json.loads(record.value) | {"version": 0}).encode(),
        record.headers,
        key=participant_id.encode(),
        offset=record.offset,
    )


@pytest.fixture
async def kpi(start_service: Any) -> ServiceUnderTest:
    service: ServiceUnderTest = await start_service("kpi")
    return service


async def letters(service: ServiceUnderTest) -> list[dict[str, Any]]:
    return [dict(row) for row in await service.database.fetch("SELECT * FROM dead_letters ORDER BY number")]


async def answer(service: ServiceUnderTest) -> ErasureCompleted:
    """The latest answer."""
    return (await service.published(ErasureCompleted))[-1]


async def found_in(service: ServiceUnderTest, *words: str) -> dict[str, list[str]]:
    """The tables in which one of the words still stands."""
    tables = await dump(service.database.fetch, service.name)
    return {name: hit for name, text in tables.items() if (hit := [word for word in words if word in text])}


async def test_a_dead_letter_of_an_erased_person_keeps_its_place_and_nothing_else(kpi: ServiceUnderTest) -> None:
    """Open letters that mention the person are closed as erased, bytes and all, and their closing is announced."""
    await kpi.deliver(broken(kpi, "p-1"), broken(kpi, "p-12", insight_id="i-2"))
    await kpi.deliver(ERASED)
    gone, other = await letters(kpi)
    assert (gone["state"], gone["key"], gone["value"], gone["headers"], gone["event_id"], gone["key_digest"]) == (
        "erased",
        None,
        None,
        [],
        None,
        None,
    )
    assert (gone["closed_by"], gone["erased_at"], gone["topic"], gone["event_type"]) == (
        "erasure",
        START,
        "earshot.insight-tagged.v1",
        "earshot.InsightTagged.v1",
    )
    assert (other["state"], other["key"]) == ("open", b"p-12")
    assert [closed.outcome for closed in await kpi.published(DeadLetterClosed)] == ["erased"]
    assert (await answer(kpi)).removed["dead_letters"] == 1


async def test_an_erased_letter_cannot_be_replayed(kpi: ServiceUnderTest) -> None:
    """An operator who replays the letter of an erased person is told that it is closed."""
    await kpi.deliver(broken(kpi, "p-1"))
    [letter] = await letters(kpi)
    await kpi.deliver(ERASED)
    refused = await kpi.client.post(f"{LETTERS}/{letter['id']}/replay", headers=kpi.headers())
    assert refused.status_code == 409
    shown = await kpi.client.get(f"{LETTERS}/{letter['id']}", headers=kpi.headers())
    assert (shown.status_code, shown.json()["state"], shown.json()["value"]) == (200, "erased", None)


async def test_closed_and_edited_letters_are_emptied_too(kpi: ServiceUnderTest) -> None:
    """A discarded letter keeps how it ended; its bytes, its note and what an operator made of it go."""
    await kpi.deliver(broken(kpi, "p-9"))
    [letter] = await letters(kpi)
    record = kpi.record(tagged("p-1"))
    await kpi.database.pool.execute(
        "INSERT INTO dead_letter_edits VALUES ($1, 1, NULL, $2, '[]', 'ana', now())", letter["id"], record.value
    )
    discarded = await kpi.client.post(
        f"{LETTERS}/{letter['id']}/discard", json={"reason": f"said: {QUOTE}"}, headers=kpi.headers()
    )
    assert discarded.status_code == 200
    await kpi.deliver(ERASED)
    [kept] = await letters(kpi)
    assert (kept["state"], kept["value"], kept["note"], kept["closed_by"]) == ("discarded", None, None, "ana")
    assert await found_in(kpi, QUOTE, "p-9") == {}


async def test_what_is_refused_after_the_erasure_is_not_kept(kpi: ServiceUnderTest) -> None:
    """A late poison event of an erased person leaves a letter without a record, and an announcement without a quote."""
    await kpi.deliver(ERASED)
    await kpi.deliver(broken(kpi, "p-1"), broken(kpi, "p-2", insight_id="i-2"))
    late, other = await letters(kpi)
    assert (late["state"], late["value"], late["headers"], late["event_id"]) == ("erased", None, [], None)
    assert other["state"] == "open"
    assert [told.event_id is None for told in await kpi.published(EventRejected)] == [True, False]


async def test_a_letter_kept_at_the_same_moment_is_not_missed(kpi: ServiceUnderTest) -> None:
    """Whoever comes first, the erasure or the poison, nothing of the person is left."""
    for turn in range(8):
        person = f"same-{turn}"
        erased = ParticipantErased(participant_id=person, erased_at=START)
        await asyncio.gather(kpi.deliver(broken(kpi, person)), kpi.deliver(erased))
    assert {letter["state"] for letter in await letters(kpi)} == {"erased"}
    assert {letter["value"] for letter in await letters(kpi)} == {None}


async def test_an_announcement_on_its_way_quotes_nothing(kpi: ServiceUnderTest) -> None:
    """EventRejected of an emptied letter that has not gone out yet goes out without id and reason."""
    foreign = kpi.record(tagged("p-1"), event_id="mara@customer.example")
    headers = [(name, value if name != "ce_type" else b"mara@customer.example") for name, value in foreign.headers]
    await kpi.deliver(FakeRecord(foreign.topic, foreign.value, headers, offset=foreign.offset))
    assert (await kpi.published(EventRejected))[0].event_id == "mara@customer.example"
    await kpi.deliver(ERASED)
    [told] = await kpi.published(EventRejected)
    assert (told.event_id, told.event_type) == (None, None)
    assert "mara" not in told.reason
    assert await found_in(kpi, "mara@customer.example") == {}


@pytest.mark.parametrize("table", ["outbox", "outbox_archive"])
async def test_events_on_their_way_out_lose_what_the_person_said(kpi: ServiceUnderTest, table: str) -> None:
    """The events stay, with their ids and versions, without quote and segment; those of others stay whole."""
    events = [
        tagged("p-1", segment={"plan": "enterprise"}),
        tagged("p-12", "i-2"),
        FeatureVoted.model_validate(
            {"feature_id": "f", "voter_id": "p-1", "voted_at": START, "on_behalf": {"recorded_by": "x"}}
        ),
    ]
    async with kpi.database.transaction() as tx:
        await write(
            tx.connection, [entry for event in events for entry in entries("kpi", event, START, "cause@mail.example")]
        )
        if table == "outbox_archive":
            await tx.connection.execute("INSERT INTO outbox_archive SELECT *, now() FROM outbox")
            await tx.connection.execute("DELETE FROM outbox")
    await kpi.deliver(ERASED)
    rows = await kpi.database.fetch(f"SELECT * FROM {table} WHERE type NOT LIKE '%Erasure%' ORDER BY seq")  # noqa: S608
    insight, other, vote = (json.loads(row["payload"]) for row in rows)
    assert (insight["participant_id"], insight["insight_id"], insight["version"]) == ("p-1", "i-1", 1)
    assert "quote" not in insight
    assert "segment" not in insight
    assert other["quote"] == QUOTE
    assert (vote["voter_id"], "on_behalf" in vote) == ("p-1", False)
    assert ["causationid" in row["headers"] for row in rows] == [False, True, False]
    assert (await answer(kpi)).removed[table] == 2


async def test_ids_that_producers_chose_stand_in_the_inbox_as_hashes(kpi: ServiceUnderTest) -> None:
    """An id that is an address is not kept, and recognises a repeated event all the same; a UUID stays readable."""
    ours = str(uuid4())
    events = [
        kpi.record(ERASED, event_id="mara@customer.example"),
        kpi.record(ParticipantErased(participant_id="p-2", erased_at=START), event_id=ours),
    ]
    await kpi.deliver(*events)
    outcome = await kpi.deliver(*events)
    assert (len(outcome.applied), len(outcome.duplicates)) == (0, 2)
    kept = {row["id"] for row in await kpi.database.fetch("SELECT id FROM inbox")}
    assert kept == {ours, "sha256:c8bb8a818eca597757206f1b5dec059c5b0af86d1bad2dbfa43a50364d2f0691"}


async def test_a_second_request_is_answered_and_finds_nothing(kpi: ServiceUnderTest) -> None:
    """The services may be asked again: the answer says that nothing was left, and what was erased stays so."""
    await kpi.deliver(tagged("p-1", feature_id="f"), broken(kpi, "p-1"))
    await kpi.deliver(ERASED)
    await kpi.deliver(ERASED)
    first, second = await kpi.published(ErasureCompleted)
    assert (first.removed["evidence"], first.removed["dead_letters"]) == (1, 1)
    assert set(second.removed.values()) == {0}
    assert (first.service, first.participant_id, first.erased_at, first.completed_at) == ("kpi", "p-1", START, START)


async def test_marks_of_addresses_expire(kpi: ServiceUnderTest) -> None:
    """What recognises an address is forgotten when no event from before the erasure can come any more."""
    mara = Person(("p-1",), email="mara@customer.example")
    async with kpi.database.transaction() as tx:
        await remember(tx, mara, START, START + timedelta(days=9))
        by_address = Person((), email="MARA@customer.example")
        assert await erased_at(tx.connection, by_address, START + timedelta(days=8)) == START
        assert await erased_at(tx.connection, by_address, START + timedelta(days=9)) is None
        await purge(tx.connection, START + timedelta(days=9))
        assert await tx.connection.fetchval("SELECT count(*) FROM erased_marks") == 1
        assert await erased_at(tx.connection, Person(("p-1",)), START + timedelta(days=900)) == START
