"""What producers are told about their events, before a service ever sees them."""

import json
from dataclasses import replace
from typing import Any

import pytest
from aiokafka.partitioner import murmur2 as by_aiokafka
from hypothesis import given
from hypothesis import strategies as st

from shared.contract.catalogue import EVENTS
from shared.contract.checking import Checker, Finding, Sample
from shared.contract.examples import examples
from shared.contract.partitioning import murmur2, partition_of

TOPIC = "earshot.feature-voted.v1"
VOTE = {"feature_id": "csv-export", "voter_id": "customer-17", "voted_at": "2026-03-10T10:00:00Z"}
HEADERS = {
    "ce_specversion": b"1.0",
    "ce_id": b"vote-1",
    "ce_source": b"https://app.example",
    "ce_type": b"earshot.FeatureVoted.v1",
    "content-type": b"application/json",
}


def on_topic(data: dict[str, Any] = VOTE, **changed: Any) -> Sample:
    """A right record on the topic of votes, with some of its parts changed; headers of None are left out."""
    headers = HEADERS | changed.pop("headers", {})
    right = Sample(
        place="here",
        topic=TOPIC,
        key=b"csv-export",
        partition=partition_of(b"csv-export", 12),
        partitions=12,
        headers=[(name, content) for name, content in headers.items() if content is not None],
        value=json.dumps(data).encode(),
    )
    return replace(right, **changed)


def in_file(place: str = "line 1", /, type_name: str = "FeatureVoted", **changed: Any) -> Sample:
    """A structured event of a file; changes to its data are given as data={...}."""
    data = examples(EVENTS[f"earshot.{type_name}.v1"])["minimal"] | changed.pop("data", {})
    event = {"specversion": "1.0", "id": "1", "source": "/crm", "type": f"earshot.{type_name}.v1", "data": data}
    return Sample(place, json.dumps(event | changed).encode())


def told(*samples: Sample) -> list[str]:
    """What one checker says of the events, one after the other."""
    checker = Checker()
    return [str(finding).removeprefix("here: ") for sample in samples for finding in checker.check(sample)]


@pytest.mark.parametrize("name", sorted(EVENTS))
@pytest.mark.parametrize("which", ["minimal", "full"])
def test_what_is_right_is_passed_over(name: str, which: str) -> None:
    """The examples of every event get no remark, in a file or on their topic."""
    event = EVENTS[name]
    data = examples(event)[which]
    key = event.key_of(event.model.model_validate_json(json.dumps(data), strict=True)).encode()
    headers = {"ce_type": name.encode()}
    record = on_topic(data, headers=headers, topic=event.topic, key=key, partition=partition_of(key, 12))
    assert told(record) == []
    assert told(in_file(type_name=event.model.__name__, data=data)) == []


def test_partitions_are_those_of_kafkas_own_clients() -> None:
    """Our murmur2 gives what org.apache.kafka.common.utils.Utils.murmur2 is tested to give."""
    known = {b"21": -973932308, b"foobar": -790332482, b"a-little-bit-long-string": -985981536}
    known |= {
        b"a-little-bit-longer-string": -1486304829,
        b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    }
    known |= {b"abc": 479470107}
    assert {key: murmur2(key) - (1 << 32 if murmur2(key) >> 31 else 0) for key in known} == known
    assert partition_of(b"foobar", 12) == 6


@given(st.binary(max_size=40))
def test_partitions_are_those_of_our_own_client(key: bytes) -> None:
    """Any key gets the number that aiokafka gives it."""
    assert murmur2(key) == by_aiokafka(key) & 0xFFFFFFFF


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        (
            on_topic(
                {"feature_id": "f", "voted_at": "2026-03-10T10:00:00Z"}, key=b"f", partition=None, partitions=None
            ),
            "refused: data.voter_id: Field required; add it",
        ),
        (
            on_topic(VOTE | {"voter_id": 17}),
            "refused: data.voter_id: Input should be a valid string; send text",
        ),
        (
            on_topic(VOTE | {"vote": "down"}),
            "refused: data.vote: Input should be 'up' or 'withdrawn'; send one of those",
        ),
        (
            on_topic(VOTE | {"voted_at": "2026-03-10T10:00:00"}),
            "refused: data.voted_at: Input should have timezone info; add the offset: Z, or for instance +02:00",
        ),
        (
            on_topic(VOTE | {"segment": {"plan": 5}}),
            "refused: data.segment.plan: Input should be a valid string; send text",
        ),
        (on_topic(value=b"{"), "refused: data: Invalid JSON"),
        (on_topic(value=None), "refused: event: the record has no value (a tombstone); an event needs data"),
        (on_topic(headers={"ce_id": None}), "refused: event: the required attribute id is missing or empty"),
        (
            on_topic(headers={"ce_time": b"2026-03-10 10:00"}),
            "refused: event: attribute time '2026-03-10 10:00' is no RFC 3339 time; send date, time and offset",
        ),
        (
            on_topic(headers={"ce_type": b"earshot.FeatureVotes.v1"}),
            "refused: type: 'earshot.FeatureVotes.v1' is no event of the contract; perhaps earshot.FeatureVoted.v1",
        ),
        (
            on_topic(topic="earshot.kpi-measured.v1"),
            "refused: topic: earshot.FeatureVoted.v1 does not belong on earshot.kpi-measured.v1; publish it to",
        ),
        (on_topic(key=None), "wrong: key: is None instead of 'csv-export'; use the value of data.feature_id"),
        (on_topic(key=b"\xff"), r"wrong: key: is '\\xff' instead of 'csv-export'; use the value of data.feature_id"),
        (
            on_topic(partition=11),
            "wrong: partition: is 11; murmur2 of the key gives 1 of 12; choose the partitioner murmur2",
        ),
        (
            on_topic(headers={"ce-id": b"vote-1"}),
            "warning: header ce-id: is not read; in Kafka it is ce_id",
        ),
        (
            on_topic(headers={"cloudEvents:source": b"/x"}),
            "warning: header cloudEvents:source: is not read; in Kafka it is ce_source",
        ),
        (on_topic(headers={"ce_Subject": b"x"}), "warning: header ce_Subject: has capital letters; send ce_subject"),
        (
            on_topic(headers={"ce_correlation_id": b"x"}),
            "warning: header ce_correlation_id: is no attribute's name; attribute names are lower-case letters and",
        ),
        (on_topic(headers={"content-type": None}), "warning: header content-type: is missing; send application/json"),
        (
            on_topic(headers={"ce_datacontenttype": b"text/plain"}),
            "warning: header ce_datacontenttype: says 'text/plain' beside content-type 'application/json'; leave",
        ),
        (
            on_topic(VOTE | {"chanel": "in-app"}),
            "warning: data.chanel: is not known and left alone; perhaps channel is meant",
        ),
        (
            on_topic(VOTE | {"segment": {"plans": "team"}}),
            "warning: data.segment.plans: is not known and left alone; perhaps plan is meant",
        ),
        (
            in_file(type_name="DemoRequested", data={"preferred_times": [{"start": "x", "zone": "UTC"}]}),
            "line 1: refused: data.preferred_times.0.end: Field required; add it",
        ),
        (Sample("line 7", b"{"), "line 7: refused: event: the structured event is not JSON"),
        (Sample("line 7", b"[]"), "line 7: refused: event: a structured event is one JSON object, not list"),
    ],
)
def test_each_fault_is_named_with_its_place_and_what_to_do(sample: Sample, expected: str) -> None:
    """Whatever is the matter with an event is said with where it is, why, and what to do."""
    found = told(sample)
    assert any(line.startswith(expected) for line in found), found


def test_unknown_fields_are_looked_for_in_lists() -> None:
    """A misspelt field in a list's item is found by its place; the keys of a free mapping are none."""
    times = [{"start": "2026-03-09T09:00:00Z", "end": "2026-03-09T10:00:00Z", "Start": "x"}]
    assert told(in_file(type_name="DemoRequested", data={"preferred_times": times})) == [
        "line 1: warning: data.preferred_times.0.Start: is not known and left alone; perhaps start is meant"
    ]
    assert told(in_file(type_name="KpiMeasured", data={"dimensions": {"anything": "x"}})) == []


def test_every_fault_of_an_event_is_named() -> None:
    """Not five of them, but all: who mends a hundred fields wants one list."""
    data = {f"k{number}": number for number in range(20)}
    assert len(told(in_file(type_name="KpiMeasured", data={"dimensions": data}))) > 5


def test_repeats_are_counted_and_other_content_under_an_id_is_wrong() -> None:
    """The same event again is no fault; another one under the same id and source would have no effect."""
    checker = Checker()
    assert checker.check(in_file("line 1")) == []
    assert checker.check(in_file("line 2")) == []
    assert checker.check(in_file("line 3", source="/other", data={"vote": "withdrawn"})) == []
    assert checker.check(in_file("line 4", data={"vote": "withdrawn"})) == [
        Finding(
            "line 4",
            "wrong",
            "id",
            "id '1' of source '/crm' was at line 1 already, with other content",
            "this one has no effect; give each event an id of its own",
        )
    ]
    assert (checker.events, checker.repeats, checker.refused) == (4, 2, 0)


def test_versions_that_go_back_are_named() -> None:
    """A version below the newest of its subject is told; the same version with other content is wrong."""

    def scheduled(place: str, version: int, **data: Any) -> Sample:
        return in_file(place, type_name="InterviewScheduled", id=place, data={"version": version} | data)

    cancelled = in_file("line 5", type_name="InterviewCancelled", id="c", data={"version": 2})
    back, changed = told(
        scheduled("line 1", 1),
        scheduled("line 2", 3),
        scheduled("line 3", 3),
        scheduled("line 4", 9, interview_id="another"),
        cancelled,
        scheduled("line 6", 3, moderator_id="ben"),
    )
    assert back.startswith(
        "line 5: warning: data.version: version 2 of 'interview-1' comes after 3 (line 2); it changes"
    )
    assert changed.startswith(
        "line 6: wrong: data.version: version 3 of 'interview-1' was at line 2 already, with other"
    )


def test_versions_count_by_what_they_are_of() -> None:
    """Insights of one feature, and KPIs of one release, have versions of their own though they share a key."""
    tagged = [
        in_file(
            "a", type_name="InsightTagged", id=name, data={"insight_id": name, "feature_id": "f", "version": version}
        )
        for name, version in (("one", 5), ("two", 1))
    ]
    assessed = [
        in_file("b", type_name="KpiImpactAssessed", id=name, data={"kpi_id": name, "version": version})
        for name, version in (("three", 5), ("four", 1))
    ]
    assert told(*tagged, *assessed) == []
