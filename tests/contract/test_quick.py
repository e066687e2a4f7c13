"""The short way of reading records: what it takes, the long way takes and reads alike."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.contract import envelope, quick
from shared.contract.catalogue import BY_MODEL, EVENTS
from shared.contract.events import FeatureVoted
from shared.contract.examples import examples

VOTE: dict[str, Any] = {
    "feature_id": "export",
    "voter_id": "customer-17",
    "voter_kind": "customer",
    "vote": "up",
    "voted_at": "2026-03-02T10:00:00.5Z",
    "channel": "in-app",
    "on_behalf": {"recorded_by": "ana", "source_url": "https://crm.example/7"},
    "segment": {"plan": "pro", "region": "eu"},
}
HEADERS = {
    "ce_specversion": b"1.0",
    "ce_id": b"vote-1",
    "ce_source": b"https://app.example",
    "ce_type": b"earshot.FeatureVoted.v1",
    "content-type": b"application/json",
}
TOPIC = BY_MODEL[FeatureVoted].topic

TIMES = [
    "2026-03-02T10:00:00Z",
    "2026-03-02t10:00:00z",
    "2026-03-02 10:00Z",
    "2026-03-02T10:00:00+00:00",
    "2026-03-02T10:00:00-00:00",
    "2026-03-02T10:00:00+02:00",
    "2026-03-02T10:00:00",
    "2026-03-02T24:00:00Z",
    "2026-03-02T10:00:60Z",
    "2026-02-29T10:00:00Z",
    "2026-W10-1T10:00:00Z",
    "2026-03-02T10:00:00.1234567Z",
    "0001-01-01T00:00:00Z",
    "0001-01-02T00:00:00Z",
    "9999-12-31T00:00:00Z",
    "9998-12-31T23:59:59Z",
    "1772445600",
    "٢٠٢٦-03-02T10:00:00Z",
]
TEXTS = ["", "x", "x" * 300, "x" * 301, "a\x00b", "\ud800", "🦉" * 300, "a\n"]
values: st.SearchStrategy[object] = st.one_of(
    st.sampled_from(TIMES + TEXTS),
    st.datetimes().map(lambda time: time.isoformat() + "Z"),
    st.datetimes(timezones=st.timezones()).map(lambda time: time.isoformat()),
    st.text(max_size=5),
    st.none() | st.booleans() | st.integers() | st.floats() | st.just([]) | st.just({}),
)


@settings(max_examples=500)
@given(st.sampled_from([*VOTE, "plan", "loyalty", "recorded_by", "source_url", "unknown"]), values)
def test_data_taken_the_short_way_are_those_of_the_model(name: str, value: object) -> None:
    """Whatever one field of a vote holds, what the quick validator accepts the model accepts, as the same value."""
    vote = VOTE | {"segment": dict(VOTE["segment"]), "on_behalf": dict(VOTE["on_behalf"])}
    place = {"plan": "segment", "loyalty": "segment", "recorded_by": "on_behalf", "source_url": "on_behalf"}.get(name)
    (vote[place] if place else vote)[name] = value
    _same_or_refused(json.dumps(vote).encode())


@pytest.mark.parametrize("text", TIMES)
def test_times_taken_the_short_way_are_those_of_the_model(text: str) -> None:
    """Of every spelling of a time, right or wrong, the two ways make the same, or the short one leaves it."""
    _same_or_refused(json.dumps(VOTE | {"voted_at": text}).encode())


@pytest.mark.parametrize("text", TEXTS)
def test_texts_taken_the_short_way_are_those_of_the_model(text: str) -> None:
    """The same for texts at the limits of what may be stored."""
    _same_or_refused(json.dumps(VOTE | {"channel": text}).encode())


@given(st.sampled_from(list(VOTE)))
def test_a_vote_may_leave_out_what_has_a_default(left_out: str) -> None:
    """A missing field means the same on both ways."""
    _same_or_refused(json.dumps({name: given for name, given in VOTE.items() if name != left_out}).encode())


@pytest.mark.parametrize("name", list(EVENTS))
def test_every_type_has_its_short_way(name: str) -> None:
    """What is full and usual of each event type is taken the short way, as what the model makes of it."""
    event = EVENTS[name]
    body = json.dumps(examples(event)["full"]).encode()
    headers = list((HEADERS | {"ce_type": name.encode()}).items())
    found = quick.read(headers, body, event.topic)
    assert found is not None
    assert repr(found[3]) == repr(event.model.model_validate_json(body, strict=True))


@pytest.mark.parametrize("time", ["2026-03-02T10:00:00Z", "2026-01-31T10:00:00.25+02:00"])
def test_the_common_vote_is_taken(time: str) -> None:
    """The short way is taken at all, on any day of a month: a plain vote does not need the long one."""
    assert quick.read([*HEADERS.items(), ("ce_time", time.encode())], json.dumps(VOTE).encode(), TOPIC) is not None


contents = st.one_of(
    st.sampled_from(
        [*HEADERS.values(), b"", b"\xff", b"a\x00", b"x" * 301, "ü".encode(), b"application/json; charset=utf-8"]
    ),
    st.sampled_from([b"2026-03-02T10:00:00Z", b"2026-03-02T10:00:00", b"yesterday", b"application/cloudevents+json"]),
    st.none(),
    st.binary(max_size=5),
)
names = st.sampled_from(
    [
        *HEADERS,
        "ce_time",
        "ce_subject",
        "ce_correlationid",
        "traceparent",
        "ce_datacontenttype",
        "CE_ID",
        "x",
        "ce_Type",
    ]
)


@given(st.lists(st.tuples(names, contents), max_size=5), st.sets(st.sampled_from(list(HEADERS)), max_size=1))
def test_headers_taken_the_short_way_are_those_of_the_long_way(
    more: list[tuple[str, bytes | None]], left_out: set[str]
) -> None:
    """Whatever headers a record has, what is taken the short way is the event the long way reads."""
    _read_alike([(name, content) for name, content in HEADERS.items() if name not in left_out] + more)


@pytest.mark.parametrize(
    "more",
    [
        [("ce_id", b"another")],
        [("ce_id", b"a\x00b")],
        [("ce_id", b"x" * 301)],
        [("ce_source", b"")],
        [("CE_ID", b"another")],
        [("ce_time", b"yesterday")],
        [("ce_time", b"2026-03-02T10:00:00")],
        [("ce_time", b"2026-02-30T10:00:00Z")],
        [("ce_time", b"2026-01-31T10:00:00Z")],
        [("ce_time", b"2026-03-02T24:00:00Z")],
        [("ce_time", "2026-03-02T10:00:0٢Z".encode())],
        [("ce_time", b"")],
        [("ce_correlationid", b"a\x00b")],
        [("ce_correlationid", b"x" * 301)],
        [("ce_correlationid", b"")],
        [("traceparent", "ü".encode())],
        [("content-type", b"application/cloudevents+json")],
        [("ce_datacontenttype", b"text/plain")],
        [("x", b"\xff"), ("y", None)],
    ],
    ids=str,
)
def test_odd_headers_are_read_as_the_long_way_reads_them(more: list[tuple[str, bytes | None]]) -> None:
    """Headers twice, in capitals, too long, empty or not text make no difference between the two ways."""
    _read_alike([*HEADERS.items(), *more])
    _read_alike([*(HEADERS | dict(more)).items()])


def _read_alike(headers: list[tuple[str, bytes | None]]) -> None:
    body = json.dumps(VOTE).encode()
    found = quick.read(headers, body, TOPIC)
    if found is None:
        return
    event = envelope.from_record(headers, body)
    event_type, data = envelope.decode(event, TOPIC)
    extensions = event.extensions
    related, trace = extensions.get("correlationid", event.id), extensions.get("traceparent", "")
    assert found == (event_type, event.id, event.source, data, related, trace)


def _same_or_refused(body: bytes) -> None:
    found = quick.read(list(HEADERS.items()), body, TOPIC)
    assert found is None or repr(found[3]) == repr(FeatureVoted.model_validate_json(body, strict=True))
