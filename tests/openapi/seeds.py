"""What a service knows before it is called: events that reached it, one that nobody can read, and things made there."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx
from confluent_kafka import Producer

from shared.contract.catalogue import BY_MODEL
from shared.contract.events import ParticipantErased
from shared.runtime.service import Service
from tests.flow.story import publish, story
from tests.support.running import RunningService, until

Known = dict[str, list[str]]
"""Values of parameters and fields by their names, e.g. those of `feature_id`."""

MOST_VALUES = 8
"""Of one name: the same few things are called again and again, as people would."""

_WEEK = {"days": ["mon", "tue", "wed", "thu", "fri"], "start": "09:00", "end": "17:00"}
_IDEAS = [{"feature_id": f"idea-{number}", "title": f"Export {number}"} for number in range(3)]
Calls = Sequence[tuple[str, str, dict[str, Any]]]
"""Methods, paths and bodies."""

MADE: Mapping[str, Calls] = {
    "scheduling": [
        ("POST", "/api/v1/studies", {"study_id": "study", "title": "Exports"}),
        (
            "POST",
            "/api/v1/hosts",
            {
                "host_id": "ana",
                "name": "Ana",
                "email": "ana@earshot.example",
                "timezone": "Europe/Berlin",
                "weekly": [_WEEK],
            },
        ),
        ("PUT", "/api/v1/studies/study/hosts/ana", {"role": "moderator"}),
        (
            "POST",
            "/api/v1/requests",
            {
                "request_id": "request",
                "study_id": "study",
                "contact": {"name": "Mara", "email": "mara@lind.example"},
                "timezone": "Europe/Stockholm",
            },
        ),
    ],
    "sessions": [
        ("PUT", "/api/v1/guides/study", {"questions": ["How did you do it last time?"]}),
        ("POST", "/api/v1/sessions", {"session_id": "session", "participant_id": "mara", "study_id": "study"}),
    ],
    "insights": [
        ("POST", "/api/v1/insights", {"insight_id": "insight", "session_id": "session0", "quote": "by hand"}),
    ],
    "roadmap": [
        *(("POST", "/api/v1/ideas", idea) for idea in _IDEAS),
        ("POST", "/api/v1/ideas/idea-0/comments", {"body": "Please."}),
        ("POST", "/api/v1/merges", {"feature_id": "idea-1", "into_id": "idea-2"}),
        ("POST", "/api/v1/changelog", {"title": "Exports", "body": "They are **there**."}),
        ("PUT", "/api/v1/statuses/soon", {"name": "Soon", "type": "planned"}),
        ("PUT", "/api/v1/categories/reports", {"name": "Reports"}),
    ],
    "kpi": [
        ("POST", "/api/v1/kpis", {"kpi_id": "csat", "name": "Satisfaction"}),
        ("PUT", "/api/v1/kpis/csat/objective", {"baseline": 60, "target": 70}),
    ],
    "webhooks": [
        (
            "POST",
            "/api/v1/subscriptions",
            {"url": "https://hooks.example.com/earshot", "event_types": ["earshot.FeatureVoted.v1"]},
        ),
    ],
}
"""What somebody makes in each service, in this order."""


async def sow(service: Service, running: RunningService, made: Calls, token: str) -> Known:
    """Have events reach the service, and make things there; gives what names what, as its lists say."""
    headers = {"Authorization": f"Bearer {token}"}
    await _tell(service, running)
    for method, path, body in made:
        answer = await running.client.request(method, path, json=body, headers=headers)
        assert answer.is_success, f"{method} {path}: {answer.text}"
    return await _known(running, headers)


async def _tell(service: Service, running: RunningService) -> None:
    consumed = {event.type for event in service.handlers.event_types}
    events = [
        event
        for event in story(seed=1)
        if BY_MODEL[type(event)].type in consumed and not isinstance(event, ParticipantErased)
    ]
    records = publish(running.settings, events, seed=1)
    producer = Producer({"bootstrap.servers": running.settings.kafka_bootstrap})
    producer.produce(f"{running.settings.topic_prefix}{service.handlers.event_types[0].topic}", value=b"no event")
    assert producer.flush(20) == 0

    async def are_handled() -> bool:
        handled = await running.database.pool.fetchval("SELECT sum(next_offset) FROM consumer_positions")
        return bool(handled == records + 1)

    await until(are_handled, what="the events to be handled", patience=120)


async def _known(running: RunningService, headers: Mapping[str, str]) -> Known:
    """The values of everything that lists call an id; a mere `id` is named as in the path to one of the list."""
    paths: dict[str, Any] = running.app.openapi()["paths"]
    ones = {path.rpartition("/")[0]: path.rpartition("/")[2].strip("{}") for path in paths if path.endswith("}")}
    known: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for path in [path for path in paths if path.startswith("/api/") and "{" not in path and "get" in paths[path]]:
        answer = await running.client.get(path, headers=headers)
        for name, value in _ids(_json(answer)):
            known[ones.get(path, "") if name == "id" else name][value] = None
    return {name: list(values)[:MOST_VALUES] for name, values in known.items() if name}


def _json(answer: httpx.Response) -> object:
    is_json = answer.is_success and answer.headers["content-type"].startswith("application/json")
    return answer.json() if is_json else None


def _ids(found: object) -> Iterator[tuple[str, str]]:
    if isinstance(found, list):
        for one in found:
            yield from _ids(one)
    elif isinstance(found, dict):
        for name, value in found.items():
            if isinstance(value, str) and (name == "id" or name.endswith("_id")):
                yield name, value
            yield from _ids(value)
