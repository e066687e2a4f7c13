"""The loop driven from outside: a foreign Kafka client, and HTTP through the gateway."""

import asyncio
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
from confluent_kafka import Consumer, Message, Producer

from tests.support.platform import Platform

Json = dict[str, Any]
PATIENCE_SECONDS = 60.0
VTT = """WEBVTT

00:01.000 --> 00:04.000
<v Ana>How was last week?</v>

00:05.000 --> 00:15.000
<v Mara>I copied every number by hand again. Please let me export the rows.</v>
"""


@dataclass(frozen=True)
class Seen:
    """One event as a foreign reader sees it."""

    name: str
    key: str
    id: str
    correlation: str
    cause: str | None
    data: Json


@dataclass
class Outside:
    """Another system: its own Kafka client with default settings but the partitioner, and a token."""

    platform: Platform
    run: str = field(default_factory=lambda: uuid4().hex[:8])

    def __post_init__(self) -> None:
        status = self.platform.status()
        self.bootstrap, self.url = status["broker"]["address"], status["gateway"]["url"]
        token = self.platform.earshot("token", "--role", "admin").strip()
        self.http = httpx.AsyncClient(base_url=self.url, headers={"Authorization": f"Bearer {token}"}, timeout=20)
        self.visitor = httpx.AsyncClient(base_url=self.url, timeout=20)
        self.producer = Producer({"bootstrap.servers": self.bootstrap, "partitioner": "murmur2_random"})

    async def close(self) -> None:
        await self.http.aclose()
        await self.visitor.aclose()

    def name(self, word: str) -> str:
        """An id of this run alone."""
        return f"{word}-{self.run}"

    def publish(self, name: str, key: str, data: Json, event_id: str) -> None:
        words = re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()
        headers: list[tuple[str, str | bytes | None]] = [
            ("ce_specversion", b"1.0"),
            ("ce_id", event_id.encode()),
            ("ce_source", b"https://website.example"),
            ("ce_type", f"earshot.{name}.v1".encode()),
            ("content-type", b"application/json"),
        ]
        self.producer.produce(f"earshot.{words}.v1", value=json.dumps(data), key=key, headers=headers)
        assert self.producer.flush(20) == 0

    async def get(self, path: str) -> Any:
        answer = await self.http.get(path)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def post(self, path: str, body: Json) -> Any:
        answer = await self.http.post(path, json=body)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def wait(self, path: str, enough: Callable[[Any], Any]) -> Any:
        """The answer once it is enough; services may be away meanwhile."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            answer = await self.http.get(path)
            if answer.is_success and enough(answer.json()):
                return answer.json()
            assert time.monotonic() < deadline, f"waited in vain at {path}: {answer.status_code} {answer.text}"
            await asyncio.sleep(0.1)

    def log(self) -> list[Seen]:
        """Every event in Kafka that belongs to this run, topic by topic in the order of each partition."""
        reader = Consumer(
            {
                "bootstrap.servers": self.bootstrap,
                "group.id": f"flow-{uuid4()}",
                "auto.offset.reset": "earliest",
                "enable.partition.eof": True,
            }
        )
        reader.subscribe(["^earshot\\..*"])
        found: list[Seen] = []
        ended: set[tuple[str | None, int | None]] = set()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (assigned := reader.assignment()) or len(ended) < len(assigned):
            assert time.monotonic() < deadline, "the log cannot be read to its end"
            message = reader.poll(0.5)
            if message is None:
                continue
            if message.error():
                ended.add((message.topic(), message.partition()))
            elif self.run.encode() in (message.value() or b""):
                found.append(_seen(message))
        reader.close()
        return found


def _seen(message: Message) -> Seen:
    pairs: list[tuple[str, bytes | None]] = message.headers() or []  # type: ignore[assignment] # read values are bytes
    headers = {name: (value or b"").decode() for name, value in pairs}
    return Seen(
        name=headers["ce_type"].split(".")[1],
        key=(message.key() or b"").decode(),
        id=headers["ce_id"],
        correlation=headers.get("ce_correlationid", headers["ce_id"]),
        cause=headers.get("ce_causationid"),
        data=json.loads(message.value() or b"null"),
    )


class Loop:
    """The loop's steps, in order; each may be interrupted by whatever the test does between them."""

    def __init__(self, outside: Outside) -> None:
        self.outside = outside
        self.request, self.study, self.feature, self.kpi = map(outside.name, ("request", "study", "feature", "kpi"))
        self.released = datetime.now(UTC).replace(microsecond=0) - timedelta(weeks=10)
        self.interview: Json = {}
        self.session: Json = {}

    async def prepare(self) -> None:
        out = self.outside
        study = {"study_id": self.study, "title": f"Study {out.run}", "notice_minutes": 0, "length_minutes": 30}
        await out.post("/scheduling/api/v1/studies", study)
        hours = {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "start": "00:00", "end": "24:00"}
        host = {
            "host_id": out.name("host"),
            "name": "Ana",
            "email": f"ana-{out.run}@earshot.example",
            "timezone": "Europe/Berlin",
            "weekly": [hours],
            "studies": [{"study_id": self.study, "role": "moderator"}],
        }
        await out.post("/scheduling/api/v1/hosts", host)
        await out.post("/kpi/api/v1/kpis", {"kpi_id": self.kpi, "name": f"Satisfaction {out.run}", "unit": "points"})
        idea = {"feature_id": self.feature, "title": f"Export {out.run}", "effort_weeks": 2, "kpi_ids": [self.kpi]}
        await out.post("/roadmap/api/v1/ideas", idea)

    def ask_for_a_demo(self) -> None:
        out = self.outside
        start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=2)
        data = {
            "request_id": self.request,
            "requested_at": datetime.now(UTC).isoformat(),
            "contact": {"name": "Mara", "email": f"mara-{out.run}@customer.example"},
            "timezone": "Europe/Stockholm",
            "preferred_times": [{"start": start.isoformat(), "end": (start + timedelta(minutes=30)).isoformat()}],
            "questions": ["Can I export?"],
            "study_id": self.study,
            "segment": {"plan": "team", "region": "EU"},
        }
        # Twice, as producers do.
        out.publish("DemoRequested", self.request, data, out.name("e-request"))
        out.publish("DemoRequested", self.request, data, out.name("e-request"))

    async def interview_is_booked(self) -> None:
        path = f"/scheduling/api/v1/requests/{self.request}"
        self.interview = (await self.outside.wait(path, lambda found: found.get("interview")))["interview"]

    async def hold_the_interview(self) -> None:
        out = self.outside

        def mine(found: list[Json]) -> list[Json]:
            return [one for one in found if one["interview_id"] == self.interview["interview_id"]]

        [self.session] = mine(await out.wait("/sessions/api/v1/sessions?limit=1000", mine))
        path = f"/sessions/api/v1/sessions/{self.session['session_id']}"
        await out.post(f"{path}/start", {})
        answer = await out.http.put(
            f"{path}/transcript?moderator=Ana", content=VTT.encode(), headers={"Content-Type": "text/vtt"}
        )
        assert answer.is_success, answer.text
        await out.post(f"{path}/complete", {})

    async def tag_a_quote(self) -> None:
        out = self.outside
        await out.wait(f"/insights/api/v1/sessions/{self.session['session_id']}", bool)
        turns = await out.get(f"/insights/api/v1/sessions/{self.session['session_id']}/turns")
        assert "copied every number by hand" in turns[1]["text"]
        insight = {
            "insight_id": out.name("insight"),
            "session_id": self.session["session_id"],
            "turn": 2,
            "quote": "let me export the rows",
            "feature_id": self.feature,
            "tags": ["export"],
            "sentiment": "negative",
            "importance": 3,
        }
        await out.post("/insights/api/v1/insights", insight)

    async def priority(self) -> Json:
        found: Json = await self.outside.get(f"/roadmap/api/v1/ideas/{self.feature}/priority")
        return found

    async def priority_when(self, enough: Callable[[Json], bool]) -> Json:
        found: Json = await self.outside.wait(f"/roadmap/api/v1/ideas/{self.feature}/priority", enough)
        return found

    def vote_over_kafka(self, voters: int) -> None:
        out = self.outside
        for number in range(voters):
            vote = {
                "feature_id": self.feature,
                "voter_id": out.name(f"voter{number}"),
                "voted_at": datetime.now(UTC).isoformat(),
                "channel": "in-app",
            }
            for _ in range(2):
                out.publish("FeatureVoted", self.feature, vote, out.name(f"e-vote{number}"))

    async def vote_on_the_board(self) -> None:
        page = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
        for _ in range(2):  # the visitor's cookie makes the second one the same person's
            board = await self.outside.visitor.get(f"/roadmap/board/{self.feature}", headers=page)
            assert board.status_code == 200
        answer = await self.outside.visitor.post(
            f"/roadmap/board/{self.feature}/vote", data={"vote": "up"}, headers=page
        )
        assert answer.status_code == 303, answer.text

    async def confirm_the_vote(self) -> None:
        """Sign in by the link of a mail, as the board asks of whoever voted without being known."""
        page = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
        address = f"{self.outside.name('visitor')}@customer.example"
        answer = await self.outside.visitor.post("/roadmap/sign-in", data={"email": address}, headers=page)
        assert answer.status_code == 200, answer.text
        box = await self.outside.http.get("/roadmap/mailbox", headers={"Accept": "text/html"})
        link = re.search(rf"{address}.*?(/roadmap/sign-in/[\w-]{{20,}})", box.text, re.DOTALL)
        assert link is not None, box.text
        answer = await self.outside.visitor.post(link[1], headers=page)
        assert answer.status_code == 303, answer.text

    async def ship(self) -> None:
        body = {"status": "shipped", "released_at": self.released.isoformat()}
        await self.outside.post(f"/roadmap/api/v1/ideas/{self.feature}/status", body)

    def measure(self) -> None:
        out = self.outside
        for week in range(-26, 10):
            start = self.released + timedelta(weeks=week)
            # A plain zigzag around 70, six points higher after the release.
            value = 70 + (week % 3 - 1) * 0.8 + (6 if week >= 0 else 0)
            data = {
                "kpi_id": self.kpi,
                "period_start": start.isoformat(),
                "period_end": (start + timedelta(weeks=1)).isoformat(),
                "value": value,
                "measured_at": (start + timedelta(weeks=1)).isoformat(),
            }
            out.publish("KpiMeasured", self.kpi, data, out.name(f"e-week{week}"))

    async def effect(self) -> Json:
        path = f"/kpi/api/v1/assessments?feature_id={self.feature}&kpi_id={self.kpi}"
        [found] = await self.outside.wait(path, lambda all_: all_ and all_[0]["periods_after"] == 10)
        assert isinstance(found, dict)
        return found

    async def notices(self) -> list[Json]:
        def mine(found: list[Json]) -> list[Json]:
            return [one for one in found if one["feature_id"] == self.feature and one["status"] == "shipped"]

        return mine(await self.outside.wait("/scheduling/api/v1/notices?limit=1000", mine))
