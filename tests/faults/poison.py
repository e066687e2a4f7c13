"""Records that no service can handle, of every kind that producers are known to send, and odd ones that all take."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from tests.faults.events import Draft, Headers, event

CONSUMERS = {
    "earshot.demo-requested.v1": ("scheduling",),
    "earshot.session-completed.v1": ("insights", "scheduling"),
    "earshot.insight-tagged.v1": ("roadmap", "kpi"),
    "earshot.feature-voted.v1": ("roadmap",),
    "earshot.feature-status-changed.v1": ("kpi", "insights", "scheduling"),
    "earshot.kpi-measured.v1": ("kpi", "roadmap"),
}
TOO_LARGE = 1_200_000
STRUCTURED: Headers = (("content-type", b"application/cloudevents+json"),)
Change = Callable[[Draft], Draft]


def spoil(number: int, draft: Draft) -> Draft:
    """The next kind of poison in place of a good event; consumers keep it as a dead letter each."""
    names = [*POISON, *RULES]
    name = names[number % len(names)]
    if name in RULES:
        made = RULES[name](f"poison-{number}")
        return replace(made, kind=f"poison: {name}")
    made = POISON[name](draft)
    return replace(made, kind=f"poison: {name}", event_id=None, rejected_by=CONSUMERS[draft.topic])


def twist(number: int) -> Draft:
    """An event that is odd yet good, about a KPI of its own, so that its order does not matter."""
    name = list(ODD)[number % len(ODD)]
    return replace(ODD[name](_measured(f"odd-{number}", 1.0)), kind=f"odd: {name}")


def _with(draft: Draft, **changed: bytes | None) -> Draft:
    """Other values for some headers; None leaves the header out."""
    headers = {**dict(draft.headers), **{name.replace("__", "-"): content for name, content in changed.items()}}
    return replace(draft, headers=tuple((name, content) for name, content in headers.items() if content is not None))


def _said(draft: Draft, value: bytes | None) -> Draft:
    return replace(draft, value=value)


def _broken_type(draft: Draft) -> Draft:
    assert draft.value is not None
    name = next(iter(json.loads(draft.value)))
    return _said(draft, json.dumps({**json.loads(draft.value), name: 5}).encode())


POISON: dict[str, Change] = {
    "bad JSON": lambda draft: _said(draft, (draft.value or b"")[:-3]),
    "unknown version": lambda draft: _with(draft, ce_type=dict(draft.headers)["ce_type"][:-1] + b"9"),  # type: ignore[index]
    "unknown type": lambda draft: _with(draft, ce_type=b"who.knows"),
    "another topic's type": lambda draft: _with(draft, ce_type=b"earshot.ParticipantErased.v1"),
    "no attributes": lambda draft: replace(draft, headers=()),
    "missing id": lambda draft: _with(draft, ce_id=None),
    "empty source": lambda draft: _with(draft, ce_source=b""),
    "binary id of NULs": lambda draft: _with(draft, ce_id=b"\x00\x80\xff"),
    "null type": lambda draft: replace(
        draft, headers=tuple((name, None if name == "ce_type" else content) for name, content in draft.headers)
    ),
    "wrong specversion": lambda draft: _with(draft, ce_specversion=b"0.3"),
    "wrong content type": lambda draft: _with(draft, content__type=b"text/xml"),
    "tombstone": lambda draft: _said(draft, None),
    "empty value": lambda draft: _said(draft, b""),
    "not UTF-8": lambda draft: _said(draft, b"\xff\xfe\x00" + (draft.value or b"")),
    "too large": lambda draft: _said(draft, b"[" + b" " * TOO_LARGE + b"]"),
    "deep nesting": lambda draft: _said(draft, b"[" * 20_000),
    "wrong type of a field": _broken_type,
    "structured, no JSON": lambda draft: replace(draft, headers=STRUCTURED, value=b'{"specversion": "1.0", '),
    "structured, not an object": lambda draft: replace(draft, headers=STRUCTURED, value=b"[1]"),
    "structured without data": lambda draft: replace(
        draft,
        headers=STRUCTURED,
        value=b'{"specversion":"1.0","id":"x","source":"/x","type":"earshot.FeatureVoted.v1"}',
    ),
}


def _vote_from_the_future(event_id: str) -> Draft:
    data = {"feature_id": "f-3", "voter_id": event_id, "voted_at": "2999-01-01T00:00:00Z", "channel": event_id}
    return replace(event("FeatureVoted", "f-3", data, event_id), rejected_by=("roadmap",))


def _endless_value(event_id: str) -> Draft:
    return replace(_measured(event_id, 1e101), rejected_by=("kpi",))


RULES: dict[str, Callable[[str], Draft]] = {
    "rule: a vote from the future": _vote_from_the_future,
    "rule: a value beyond 1e100": _endless_value,
}


def _measured(event_id: str, value: float) -> Draft:
    start, end = datetime(2025, 3, 3, tzinfo=UTC), datetime(2025, 3, 10, tzinfo=UTC)
    data = {
        "kpi_id": event_id,
        "name": event_id,
        "period_start": start.isoformat(),
        "period_end": end.isoformat(),
        "value": value,
        "measured_at": end.isoformat(),
    }
    return event("KpiMeasured", event_id, data, event_id)


def _structured(draft: Draft) -> Draft:
    attributes = {name[3:]: (content or b"").decode() for name, content in draft.headers if name.startswith("ce_")}
    whole = json.dumps({**attributes, "data": json.loads(draft.value or b"")}).encode()
    return replace(draft, headers=STRUCTURED, value=whole)


def _with_more(draft: Draft, **fields: object) -> Draft:
    return _said(draft, json.dumps({**json.loads(draft.value or b""), **fields}).encode())


ODD: dict[str, Change] = {
    "binary and null headers": lambda draft: replace(
        draft, headers=(("schema-id", b"\x00\x80\xff"), ("nothing", None), *draft.headers)
    ),
    "no key": lambda draft: replace(draft, key=None),
    "wrong key": lambda draft: replace(draft, key=b"\x00\xffwrong"),
    "structured mode": _structured,
    "a field of a later release": lambda draft: _with_more(draft, confidence={"low": 1, "high": 2}),
    "header names that are not UTF-8": lambda draft: replace(draft, headers=((RAW_NAME, b"x"), *draft.headers)),
}
RAW_NAME = "\udcff\udcfe"
"""Stands for the bytes FF FE, which no client library lets through: whoever publishes it must forge the batch."""
