"""What comes late changes nothing that is newer: every event type of every service that carries a state."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple

import pytest

from services import SERVICES
from shared.contract.catalogue import BY_MODEL
from shared.contract.events import (
    DemoRequested,
    EventData,
    FeatureStatusChanged,
    FeatureVoted,
    InsightTagged,
    InterviewCancelled,
    InterviewRescheduled,
    InterviewScheduled,
    KpiImpactAssessed,
    KpiMeasured,
    ParticipantErased,
    SessionCompleted,
)
from shared.contract.parts import Contact
from shared.contract.types import Segment
from shared.runtime.serve import load
from tests.support.service import START, ServiceUnderTest

StartService = Callable[[str], Awaitable[ServiceUnderTest]]

DAY = timedelta(days=1)
NOT_STATE = {
    "consumer_positions",
    "dead_letter_edits",
    "dead_letter_repeats",
    "dead_letters",
    "inbox",
    "outbox",
    "schema_migrations",
}


class Case(NamedTuple):
    """What one service is told twice: how things are, and how they were before."""

    service: str
    newer: EventData
    older: EventData
    before: tuple[EventData, ...] = ()
    is_fact: bool = False  # it happened, whatever else is said about it: the first to say so holds

    def __str__(self) -> str:
        return f"{self.service}-{type(self.older).__name__}-after-{type(self.newer).__name__}"


def interview(version: int, days: int) -> dict[str, Any]:
    start = START + days * DAY
    return {
        "interview_id": "i-1",
        "version": version,
        "request_id": "r-1",
        "study_id": "s-1",
        "participant_id": "p-1",
        "moderator_id": "mia",
        "starts_at": start,
        "ends_at": start + timedelta(hours=1),
        "timezone": "Europe/Berlin",
    }


def scheduled(version: int = 1) -> InterviewScheduled:
    return InterviewScheduled(**interview(version, 1), scheduled_at=START)


def moved(version: int) -> InterviewRescheduled:
    return InterviewRescheduled(**interview(version, version), previous_starts_at=START, rescheduled_at=START)


def cancelled(version: int) -> InterviewCancelled:
    known = {name: interview(version, 1)[name] for name in ("interview_id", "request_id", "study_id", "participant_id")}
    return InterviewCancelled(**known, version=version, cancelled_at=START, cancelled_by="team")


def held(hours: int) -> SessionCompleted:
    return SessionCompleted(
        session_id="s-1",
        interview_id=f"i-{hours}",
        request_id="r-1",
        participant_id="p-1",
        completed_at=START + timedelta(hours=hours),
        segment=Segment(plan=f"plan-{hours}"),
    )


def status(version: int) -> FeatureStatusChanged:
    return FeatureStatusChanged(
        feature_id="f-1",
        version=version,
        title=f"Title {version}",
        status="shipped" if version == 2 else "planned",
        changed_at=START + version * DAY,
        released_at=START - 100 * DAY if version == 2 else None,
        kpi_ids=(f"kpi-{version}",),
        asked_by=(f"p-{version}",),
    )


def assessed(version: int) -> KpiImpactAssessed:
    return KpiImpactAssessed(
        feature_id="f-1",
        kpi_id="csat",
        version=version,
        released_at=START,
        effect=version,
        effect_low=0,
        effect_high=9,
        verdict="improved",
        periods_before=9,
        periods_after=9,
        assessed_at=START + version * DAY,
    )


def measured(value: float, *, days: int, period: int = 0) -> KpiMeasured:
    start = START + period * DAY
    return KpiMeasured(
        kpi_id="csat",
        name="Satisfaction",
        unit="points",
        period_start=start,
        period_end=start + DAY,
        value=value,
        measured_at=START + days * DAY,
        baseline=60,
        target=80,
    )


def tagged(version: int, *, withdrawn: bool = False) -> InsightTagged:
    return InsightTagged(
        insight_id="insight-1",
        version=version,
        withdrawn=withdrawn,
        feature_id="f-1",
        participant_id="p-1",
        quote=f"Quote {version}",
        importance=version,
        tagged_at=START + version * timedelta(minutes=1),
    )


def voted(minutes: int, vote: str) -> FeatureVoted:
    said = {"feature_id": "f-1", "voter_id": "v-1", "vote": vote, "voted_at": START + timedelta(minutes=minutes)}
    return FeatureVoted.model_validate(said | {"channel": f"channel-{minutes}", "segment": {"plan": "pro"}})


def asked(days: int) -> DemoRequested:
    contact = Contact(name=f"Ana {days}", email=f"ana{days}@example.com")
    return DemoRequested(request_id="r-1", requested_at=START + days * DAY, contact=contact)


def erased(days: int) -> ParticipantErased:
    return ParticipantErased(participant_id="p-1", erased_at=START + days * DAY)


CASES = [
    Case("sessions", moved(2), scheduled(1)),
    Case("sessions", moved(3), moved(2)),
    Case("sessions", cancelled(3), scheduled(1)),
    Case("sessions", cancelled(3), moved(2), (scheduled(1),)),
    Case("sessions", moved(3), cancelled(2), (scheduled(1),)),
    Case("sessions", erased(2), erased(1), (scheduled(1),), is_fact=True),
    Case("insights", held(2), held(1)),
    Case("insights", status(2), status(1)),
    Case("insights", assessed(2), assessed(1)),
    Case("insights", erased(2), erased(1), (held(1),), is_fact=True),
    Case("roadmap", voted(2, "withdrawn"), voted(1, "up")),
    Case("roadmap", voted(2, "up"), voted(1, "withdrawn")),
    Case("roadmap", tagged(2), tagged(1)),
    Case("roadmap", tagged(2, withdrawn=True), tagged(1)),
    Case("roadmap", measured(70, days=2), measured(60, days=1)),
    Case("roadmap", measured(70, days=3, period=1), measured(60, days=2)),
    Case("roadmap", assessed(2), assessed(1)),
    Case("roadmap", erased(2), erased(1), (voted(1, "up"), tagged(1)), is_fact=True),
    Case("kpi", measured(70, days=2), measured(60, days=1)),
    Case("kpi", status(2), status(1), (measured(70, days=2),)),
    Case("kpi", tagged(2), tagged(1)),
    Case("kpi", tagged(2, withdrawn=True), tagged(1)),
    Case("kpi", erased(2), erased(1), (tagged(1),), is_fact=True),
    Case("scheduling", asked(2), asked(1), is_fact=True),
    Case("scheduling", held(2), held(1), (asked(0),), is_fact=True),
    Case("scheduling", status(2), status(1)),
    Case("scheduling", erased(2), erased(1), is_fact=True),
]


async def state(service: ServiceUnderTest) -> dict[str, list[str]]:
    """Every row of the service's own tables, and what it has published about them, as text."""
    tables = await service.database.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = $1 AND tablename <> ALL ($2::text[])",
        service.name,
        list(NOT_STATE),
    )
    found = {}
    for [table] in tables:
        query = f'SELECT to_jsonb(t)::text AS row FROM "{table}" AS t ORDER BY 1'  # noqa: S608 - the catalogue's names
        rows = await service.database.fetch(query)
        found[table] = [row["row"] for row in rows]
    told = await service.published_types()
    return found | {"published": [kind for kind in told if kind not in {"EventRejected", "DeadLetterClosed"}]}


async def replay(service: ServiceUnderTest, event: EventData) -> None:
    """The event was unreadable when it came, and is mended and replayed only now."""
    record = service.record(event)
    outcome = await service.deliver(replace(record, value=b"{"))
    assert len(outcome.refused) == 1
    [letter] = (await service.client.get("/api/v1/dead-letters", headers=service.headers())).json()
    path = f"/api/v1/dead-letters/{letter['id']}"
    text = (record.value or b"").decode()
    edit = await service.client.post(f"{path}/edit", json={"value_text": text}, headers=service.headers())
    assert edit.json()["verdict"]["accepted"], edit.text
    answer = await service.client.post(f"{path}/replay", headers=service.headers())
    assert answer.status_code == 200, answer.text
    assert answer.json()["state"] == "replayed"


LETTERS = [case for case in CASES if not isinstance(case.older, ParticipantErased)]
"""A letter that names an erased person is emptied as it comes, so there is none to replay."""


@pytest.mark.parametrize("case", LETTERS, ids=str)
async def test_an_old_state_that_is_replayed_late_changes_nothing(start_service: StartService, case: Case) -> None:
    """A dead letter with an older state, replayed after the newer one took effect, leaves every table as it was."""
    service = await start_service(case.service)
    await service.deliver(*case.before)
    service.now += 7 * DAY
    empty = await state(service)
    await service.deliver(case.newer)
    held_now = await state(service)
    assert held_now != empty, "the newer event has no effect, so this shows nothing"
    await replay(service, case.older)
    assert await state(service) == held_now


@pytest.mark.parametrize("case", [case for case in CASES if case not in LETTERS], ids=str)
async def test_an_earlier_erasure_that_comes_late_changes_no_row(start_service: StartService, case: Case) -> None:
    """An erasure asked for twice and heard of in the wrong order leaves every table as the first left it."""
    service = await start_service(case.service)
    await service.deliver(*case.before)
    service.now += 7 * DAY
    await service.deliver(case.newer)
    held_now = await state(service)
    outcome = await service.deliver(case.older)
    assert outcome.refused == []
    assert await state(service) | {"published": []} == held_now | {"published": []}


@pytest.mark.parametrize("case", [case for case in CASES if not case.is_fact], ids=str)
async def test_in_the_order_of_publication_the_newer_state_takes_over(start_service: StartService, case: Case) -> None:
    """The older state takes effect while nothing newer is known, and gives way to the newer one."""
    service = await start_service(case.service)
    await service.deliver(*case.before)
    service.now += 7 * DAY
    seen = [await state(service)]
    for event in (case.older, case.newer):
        outcome = await service.deliver(event)
        assert outcome.refused == []
        seen.append(await state(service))
    assert seen[0] != seen[1] != seen[2]


def test_every_consumed_event_has_its_case() -> None:
    """Each event type that a service consumes is the older one in a case of that service."""
    consumed = {(name, event.type) for name in SERVICES for event in load(name).consumes}
    shown = {(case.service, BY_MODEL[type(case.older)].type) for case in CASES}
    assert consumed - shown <= {("scheduling", "earshot.ErasureCompleted.v1")}
