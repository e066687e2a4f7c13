"""What the generator publishes: a seeded stream of events, some twice, some late, some that are none.

Each event carries its own id in a field that the services store, so that the database tells which event took effect.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

Headers = tuple[tuple[str, bytes | None], ...]
Json = dict[str, Any]

START = datetime(2025, 3, 3, tzinfo=UTC)
"""A Monday; every event has a moment of its own, a second after the one before."""

SOURCE = "/faults"
FEATURES, VOTERS, INSIGHTS, SESSIONS, KPIS, PERIODS = 20, 300, 60, 60, 10, 52
SHIPPED = ("f-0", "f-1", "f-2")
RELEASED = START + timedelta(weeks=34)
REPEATED, LATE, POISONED, ODD = 0.05, 0.05, 0.01, 0.005
LATEST = 60


@dataclass(frozen=True, slots=True)
class Draft:
    """A record to publish; `rejected_by` names the services that cannot handle it."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers
    kind: str = "plain"
    event_id: str | None = None
    rejected_by: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.value or b"").hexdigest()


def event(name: str, key: str, data: Json, event_id: str) -> Draft:
    """A CloudEvent in binary mode."""
    words = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")
    headers: Headers = (
        ("ce_specversion", b"1.0"),
        ("ce_id", event_id.encode()),
        ("ce_source", SOURCE.encode()),
        ("ce_type", f"earshot.{name}.v1".encode()),
        ("content-type", b"application/json"),
    )
    return Draft(f"earshot.{words}.v1", key.encode(), json.dumps(data).encode(), headers, event_id=event_id)


class Stream:
    """An endless stream of plain events; the same seed gives the same events."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._count = 0
        self._versions: dict[str, int] = {}
        self._requests: list[str] = []

    def next(self) -> Draft:
        self._count += 1
        makers: list[Callable[[], Draft]] = [
            self._vote,
            self._insight,
            self._measurement,
            self._status,
            self._session,
            self._request,
        ]
        [make] = self._random.choices(makers, weights=[50, 15, 15, 8, 9, 3])
        return make()

    def _vote(self) -> Draft:
        feature, identifier = f"f-{self._random.randrange(FEATURES)}", self._identifier("vote")
        data = {
            "feature_id": feature,
            "voter_id": f"v-{self._random.randrange(VOTERS)}",
            "vote": self._random.choices(["up", "withdrawn"], weights=[4, 1])[0],
            "voted_at": self._now(),
            "channel": identifier,
        }
        return event("FeatureVoted", feature, data, identifier)

    def _insight(self) -> Draft:
        # An insight stays with its feature, so that all its versions share a key.
        number, identifier = self._random.randrange(INSIGHTS), self._identifier("tag")
        feature, name = f"f-{number % FEATURES}", f"i-{number}"
        data = {
            "insight_id": name,
            "version": self._version(name),
            "withdrawn": self._random.random() < 0.2,
            "feature_id": feature,
            "participant_id": f"p-{number % 40}",
            "quote": identifier,
            "importance": self._random.randrange(4),
            "tagged_at": self._now(),
        }
        return event("InsightTagged", feature, data, identifier)

    def _measurement(self) -> Draft:
        kpi, identifier = f"k-{self._random.randrange(KPIS)}", self._identifier("kpi")
        week = self._random.randrange(PERIODS)
        starts = START + timedelta(weeks=week)
        data = {
            "kpi_id": kpi,
            "name": identifier,
            "period_start": starts.isoformat(),
            "period_end": (starts + timedelta(weeks=1)).isoformat(),
            "value": 50 + week % 5 + self._random.random() + (4 if starts >= RELEASED else 0),
            "sample_size": self._count,
            "measured_at": self._now(),
        }
        return event("KpiMeasured", kpi, data, identifier)

    def _status(self) -> Draft:
        number, identifier = self._random.randrange(FEATURES), self._identifier("status")
        feature = f"f-{number}"
        shipped = feature in SHIPPED
        data = {
            "feature_id": feature,
            "version": self._version(feature),
            "title": identifier,
            "status": "shipped" if shipped else self._random.choice(["considered", "planned", "now"]),
            "changed_at": self._now(),
            "kpi_ids": [f"k-{number % KPIS}"],
            "asked_by": [f"p-{number}"],
            **({"released_at": RELEASED.isoformat()} if shipped else {}),
        }
        return event("FeatureStatusChanged", feature, data, identifier)

    def _session(self) -> Draft:
        number, identifier = self._random.randrange(SESSIONS), self._identifier("session")
        session = f"s-{number}"
        data = {
            "session_id": session,
            "participant_id": f"p-{number % 40}",
            "study_id": identifier,
            "completed_at": self._now(),
        }
        if self._requests and self._random.random() < 0.2:
            # A session of its own: it completes the request, whichever of the two is heard of first.
            data |= {"session_id": f"s-{identifier}", "request_id": self._random.choice(self._requests)}
        return event("SessionCompleted", data["session_id"], data, identifier)

    def _request(self) -> Draft:
        identifier = self._identifier("request")
        self._requests.append(identifier)
        contact = {"name": f"Customer {self._count}", "email": f"{identifier}@example.org"}
        data = {"request_id": identifier, "requested_at": self._now(), "contact": contact, "study_id": "study"}
        return event("DemoRequested", identifier, data, identifier)

    def _identifier(self, what: str) -> str:
        return f"{what}-{self._count}"

    def _now(self) -> str:
        return (START + timedelta(seconds=self._count)).isoformat()

    def _version(self, name: str) -> int:
        self._versions[name] = self._versions.get(name, 0) + 1
        return self._versions[name]


def traffic(
    random: Random, count: int, spoil: Callable[[int, Draft], Draft], twist: Callable[[int], Draft]
) -> Iterator[Draft]:
    """`count` records: events, repeats of them, events that come late, and what `spoil` and `twist` make of some."""
    stream, recent, waiting = Stream(random), list[Draft](), list[tuple[int, Draft]]()
    for number in range(count):
        due = next((place for place, (at, _) in enumerate(waiting) if at <= number), None)
        if due is not None:
            yield replace(waiting.pop(due)[1], kind="late")
            continue
        chance = random.random()
        if recent and chance < REPEATED:
            yield replace(random.choice(recent), kind="repeat")
            continue
        draft = stream.next()
        if chance < REPEATED + POISONED:
            yield spoil(number, draft)
        elif chance < REPEATED + POISONED + ODD:
            yield twist(number)
        else:
            if chance > 1 - LATE:
                waiting.append((number + random.randrange(2, LATEST), draft))
                draft = stream.next()
            recent = [*recent[-99:], draft]
            yield draft
