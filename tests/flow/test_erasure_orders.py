"""Whatever comes about an erased person before, with or after the erasure, in any order: no service keeps anything."""

import itertools
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from shared.contract import events as contract
from shared.contract.catalogue import BY_MODEL
from shared.contract.events import EventData, ParticipantErased
from tests.scheduling.support import MIA, STUDY, completed, demo, get, post, status
from tests.support.dump import dump
from tests.support.service import START, FakeRecord, ServiceUnderTest

Start = Callable[[str], Awaitable[ServiceUnderTest]]

WHERE_THE_BARE_ID_STAYS = {
    "roadmap": {"people"},
    "scheduling": {"participants", "erasures", "erasure_answers", "requests", "interviews"},
}
"""Besides the outbox, whose events name the person by id alone."""

INTERVIEW = {
    "request_id": "r",
    "study_id": "s",
    "moderator_id": "mia",
    "starts_at": START,
    "ends_at": START + timedelta(hours=1),
    "timezone": "Europe/Madrid",
}


def about(person: str, secret: str) -> dict[str, list[EventData]]:
    """For each service everything it may hear about a person; all of it says the secret."""
    segment = {"segment": {"plan": secret, "region": "EU"}}
    recorded = {"recorded_by": "ana", "source_url": f"https://tickets.example/{secret}"}
    said: dict[str, list[tuple[str, dict[str, Any]]]] = {
        "sessions": [
            (
                "InterviewScheduled",
                {"version": 1, "scheduled_at": START, "questions": [secret], **INTERVIEW, **segment},
            ),
            (
                "InterviewRescheduled",
                {
                    "version": 2,
                    "rescheduled_at": START,
                    "previous_starts_at": START,
                    "questions": [secret],
                    **INTERVIEW,
                    **segment,
                },
            ),
            (
                "InterviewCancelled",
                {
                    "version": 3,
                    "cancelled_at": START,
                    "cancelled_by": "team",
                    "reason": secret,
                    "request_id": "r",
                    "study_id": "s",
                },
            ),
        ],
        "insights": [
            ("SessionCompleted", {"completed_at": START + timedelta(hours=hours), **_transcript(secret), **segment})
            for hours in (1, 2)
        ],
        "roadmap": [
            # Counts by segment stay, so the segment is no secret here.
            ("FeatureVoted", {"feature_id": "f", "voted_at": START, "voter_id": person, "on_behalf": recorded}),
            ("InsightTagged", {"version": 1, "quote": secret, "feature_id": "f", "tagged_at": START}),
            ("InsightTagged", {"version": 2, "quote": secret, "feature_id": "g", "tagged_at": START}),
        ],
        "kpi": [
            ("InsightTagged", {"version": version, "quote": secret, "feature_id": "f", "tagged_at": START})
            for version in (1, 2)
        ],
    }
    ids = {name: f"{name[:3]}-{person}" for name in ("interview_id", "session_id", "insight_id")}
    anonymous = {name: value.replace(person, secret[-8:]) for name, value in ids.items()}
    return {
        service: [
            getattr(contract, name).model_validate(
                {"participant_id": person, **{key: anonymous[key] for key in anonymous}, **data}
            )
            for name, data in which
        ]
        for service, which in said.items()
    }


def _transcript(secret: str) -> dict[str, Any]:
    return {"transcript": {"url": f"https://x.example/{secret}", "format": "vtt", "sha256": "0" * 64}}


def in_batches(records: Sequence[FakeRecord], turn: int) -> list[Sequence[FakeRecord]]:
    """By turns all at once, each alone, and in halves."""
    size = (len(records), 1, (len(records) + 1) // 2)[turn % 3]
    return [records[start : start + size] for start in range(0, len(records), size)]


def poison(service: ServiceUnderTest, event: EventData) -> FakeRecord:
    """The event as a record that cannot be handled."""
    record = service.record(event)
    assert record.value is not None
    return FakeRecord(BY_MODEL[type(event)].topic, record.value[:-1], record.headers, offset=record.offset)


async def assert_nothing_is_kept(service: ServiceUnderTest, people: dict[str, str]) -> None:
    allowed = WHERE_THE_BARE_ID_STAYS.get(service.name, set()) | {"outbox"}
    for table, text in (await dump(service.database.fetch, service.name)).items():
        folded = text.lower()
        told = {secret for secret in people.values() if secret in folded}
        assert not told, f"{service.name}.{table} still holds {sorted(told)[:3]}"
        if table not in allowed:
            named = {person for person in people if person in folded}
            assert not named, f"{service.name}.{table} still names {sorted(named)[:3]}"


@pytest.mark.parametrize("name", ["sessions", "insights", "roadmap", "kpi"])
async def test_every_order_ends_in_forgetting(start_service: Start, name: str) -> None:
    """All permutations of everything about a person, poison included, in several batches, and heard all over again."""
    service = await start_service(name)
    people: dict[str, str] = {}
    everything: list[FakeRecord] = []
    kinds = len(about("any", "any")[name]) + 2
    for number, order in enumerate(itertools.permutations(range(kinds))):
        person, secret = f"person-{number:03}-end", f"secret-{number:03}-said"
        people[person] = secret
        events = about(person, secret)[name]
        records = [service.record(event) for event in events]
        records += [poison(service, events[-1])]
        records += [service.record(ParticipantErased(participant_id=person, erased_at=START))]
        everything += records
        for batch in in_batches([records[place] for place in order], number):
            await service.deliver(*batch)
    await assert_nothing_is_kept(service, people)

    await service.database.pool.execute("DELETE FROM inbox")
    await service.deliver(*reversed(everything))
    await assert_nothing_is_kept(service, people)


async def test_every_order_ends_in_forgetting_where_contacts_are_kept(start_service: Start) -> None:
    """A repeated request, another one from before the erasure, poison with the address: none brings contacts back."""
    scheduling = await start_service("scheduling")
    await post(scheduling, "/studies", STUDY)
    await post(scheduling, "/hosts", MIA)
    people: dict[str, str] = {}
    everything: list[FakeRecord] = []
    yesterday = START - timedelta(days=1)
    for number, order in enumerate(itertools.permutations(range(5))):
        secret = f"secret{number:03}said"

        def asked(request_id: str, secret: str = secret) -> FakeRecord:
            event = demo(request_id, name=f"{secret.title()} Lind", requested_at=yesterday, questions=(f"{secret}?",))
            return scheduling.record(event)

        first = asked(f"r-{number}-1")
        await scheduling.deliver(first)
        [person] = [one["participant_id"] for one in await get(scheduling, "/participants")]
        people[person] = secret
        broken = asked(f"r-{number}-3")
        assert broken.value is not None
        records = [
            scheduling.record(ParticipantErased(participant_id=person, erased_at=START)),
            asked(f"r-{number}-1"),
            asked(f"r-{number}-2"),
            FakeRecord(broken.topic, broken.value[:-1], broken.headers, offset=broken.offset),
            scheduling.record(status(f"f-{number}", 1, "shipped", person)),
        ]
        everything += [first, *records]
        for place in order:
            await scheduling.deliver(records[place])
        assert await get(scheduling, "/notices") == []
    await assert_nothing_is_kept(scheduling, people)

    for table in ("inbox", "bookings", "interviews", "requests"):
        await scheduling.database.pool.execute(f"DELETE FROM {table}")  # noqa: S608 - the names above
    await scheduling.deliver(*everything)
    await assert_nothing_is_kept(scheduling, people)
    assert await get(scheduling, "/participants") == []


async def test_a_session_of_an_erased_person_leaves_no_name(start_service: Start) -> None:
    """Scheduling remembers that a session took place, not whose it was."""
    scheduling = await start_service("scheduling")
    await scheduling.deliver(ParticipantErased(participant_id="person-1-end", erased_at=START))
    await scheduling.deliver(completed("s-1", participant_id="person-1-end"))
    await assert_nothing_is_kept(scheduling, {"person-1-end": "no secret"})
