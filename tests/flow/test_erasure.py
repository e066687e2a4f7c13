"""A person goes all the way round and asks to be forgotten: then nothing of them stands in any table of any service."""

import json
import unicodedata
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import uuid4

import asyncpg
import pytest

from deploy.local.paths import Home
from deploy.local.postgres import Postgres
from services import SERVICES
from tests.flow.loop import Json, Loop, Outside
from tests.support.dump import dump
from tests.support.platform import Platform
from tests.support.running import until

if TYPE_CHECKING:
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]
else:
    Connection = Any

pytestmark = pytest.mark.xdist_group("platform")

REFUSED = {"scheduling": 2, "sessions": 1, "insights": 1, "roadmap": 2, "kpi": 1}
"""How many of five records that nobody can handle each service reads."""


class Recognisable(Loop):
    """The loop with somebody whose name, address and words stand nowhere else."""

    def __init__(self, outside: Outside) -> None:
        super().__init__(outside)
        self.mark = f"zq{outside.run}"
        self.name = f"Zoë {self.mark.title()}"
        self.email = f"zoë.{self.mark}@customer.example"
        self.quote = f"please let me export {self.mark} rows"

    @property
    def contact(self) -> Json:
        return {"name": self.name, "email": self.email, "company": f"{self.mark} GmbH", "phone": "+46 8 123 456 78"}

    def request_data(self) -> Json:
        return {
            "request_id": self.request,
            "requested_at": datetime.now(UTC).isoformat(),
            "contact": self.contact,
            "timezone": "Europe/Stockholm",
            "preferred_times": [],
            "questions": [f"Does {self.mark} export?"],
            "study_id": self.study,
            "segment": {"plan": "team"},
        }

    def ask_for_a_demo(self) -> None:
        self.outside.publish("DemoRequested", self.request, self.request_data(), f"{self.email}-1")

    async def hold_the_interview(self) -> None:
        out = self.outside

        def mine(found: list[Json]) -> list[Json]:
            return [one for one in found if one["interview_id"] == self.interview["interview_id"]]

        [self.session] = mine(await out.wait("/sessions/api/v1/sessions?limit=1000", mine))
        path = f"/sessions/api/v1/sessions/{self.session['session_id']}"
        await out.post(f"{path}/start", {})
        await out.post(f"{path}/notes", {"kind": "note", "text": f"{self.name} sounded happy"})
        words = f"WEBVTT\n\n00:01.000 --> 00:04.000\n<v {self.name}>{self.quote}\n"
        answer = await out.http.put(f"{path}/transcript", content=words.encode(), headers={"Content-Type": "text/vtt"})
        assert answer.is_success, answer.text
        await out.post(f"{path}/complete", {})

    async def tag_a_quote(self) -> None:
        out = self.outside
        await out.wait(f"/insights/api/v1/sessions/{self.session['session_id']}", bool)
        insight = {"session_id": self.session["session_id"], "quote": self.quote, "feature_id": self.feature}
        await out.post("/insights/api/v1/insights", insight | {"tags": ["export"], "importance": 3})

    def vote(self, participant_id: str) -> None:
        data = {"feature_id": self.feature, "voter_id": participant_id, "voted_at": datetime.now(UTC).isoformat()}
        self.outside.publish("FeatureVoted", self.feature, data, self.outside.name("e-vote"))

    def poison_everybody(self, participant_id: str) -> None:
        """Records that no service can handle and that hold the person in one way or another."""
        person: Json = {"participant_id": participant_id, "words": self.quote}
        decomposed = unicodedata.normalize("NFD", self.name)
        broken = {
            "DemoRequested": {"contact": {"name": decomposed, "email": self.email.upper()}},
            "InterviewScheduled": person,
            "SessionCompleted": {"wrapped": json.dumps(person)},
            "InsightTagged": person,
            "FeatureVoted": person | {"voter": self.name},
        }
        for name, data in broken.items():
            self.outside.publish(name, "key", data, f"{self.mark}-{uuid4()}")


@pytest.fixture
async def loop(platform: Platform) -> AsyncIterator[Recognisable]:
    outside = Outside(platform)
    yield Recognisable(outside)
    await outside.close()


@pytest.fixture
async def tables(platform: Platform) -> AsyncIterator[Connection]:
    """The whole database, as its owner."""
    port = platform.status()["database"]["port"]
    connection = await asyncpg.connect(Postgres(Home(platform.home), port).dsn())
    yield connection
    await connection.close()


async def traces(tables: Connection, word: str) -> set[str]:
    """Every table of the five services in which the word stands, in any case and normal form."""
    return {
        f"{service}.{table}"
        for service in SERVICES
        for table, text in (await dump(tables.fetch, service)).items()
        if word in unicodedata.normalize("NFC", text).casefold()
    }


async def letters(tables: Connection, state: str) -> dict[str, int]:
    """How many dead letters each service has in this state."""
    query = "SELECT count(*) FROM {}.dead_letters WHERE state = $1"
    return {service: await tables.fetchval(query.format(service), state) for service in SERVICES}


def answered_by_everybody(report: Mapping[str, Any]) -> bool:
    """By the services that the report waits for, and by the webhooks, which answer where they are deployed."""
    return not report["waiting_for"] and "webhooks" in {one["service"] for one in report["services"]}


async def test_after_an_erasure_no_table_of_any_service_holds_the_person(
    loop: Recognisable, tables: Connection
) -> None:
    """Name, address, questions, transcript, notes, quotes, votes and dead letters go, and all five services say so."""
    out = loop.outside
    await loop.prepare()
    loop.ask_for_a_demo()
    await loop.interview_is_booked()
    await loop.hold_the_interview()
    await loop.tag_a_quote()
    participant = loop.interview["participant_id"]
    loop.vote(participant)
    await loop.priority_when(lambda found: found["raw_votes"] >= 1)
    await out.wait(f"/kpi/api/v1/kpis/{loop.kpi}", bool)
    were_open = await letters(tables, "open")
    loop.poison_everybody(participant)

    async def all_refused() -> bool:
        now = await letters(tables, "open")
        return {service: now[service] - were_open[service] for service in SERVICES} == REFUSED

    await until(all_refused, what="the poison in every service's dead letters")
    assert await traces(tables, loop.mark) >= {
        "scheduling.participants",
        "scheduling.requests",
        "sessions.notes",
        "sessions.transcripts",
        "insights.insights",
        "roadmap.insights",
        *(f"{service}.dead_letters" for service in SERVICES),
    }

    were_erased = await letters(tables, "erased")
    await out.post(f"/scheduling/api/v1/participants/{participant}/erase", {})
    report = await out.wait(f"/scheduling/api/v1/erasures/{participant}", answered_by_everybody)
    loop.ask_for_a_demo()
    loop.poison_everybody(participant)

    async def all_emptied() -> bool:
        now = await letters(tables, "erased")
        counted = {service: now[service] - were_erased[service] for service in SERVICES}
        return counted == {service: 2 * count for service, count in REFUSED.items()}

    await until(all_emptied, what="the late poison in every service's dead letters")
    await out.wait("/scheduling/readyz", lambda found: found["lag"] == 0)
    removed = {one["service"]: one["removed"] for one in report["services"]}
    assert {service: counts["dead_letters"] for service, counts in removed.items()} == {
        **REFUSED,
        "webhooks": 0,
    }
    assert (removed["scheduling"]["participants"], removed["scheduling"]["requests"]) == (1, 1)
    assert (removed["sessions"]["notes"], removed["sessions"]["transcripts"]) == (1, 1)
    assert (removed["insights"]["insights"], removed["kpi"]["evidence"]) == (1, 1)
    assert (removed["roadmap"]["votes"], removed["roadmap"]["insights"]) == (1, 1)
    assert loop.mark not in json.dumps(report)
    assert await traces(tables, loop.mark) == set()
