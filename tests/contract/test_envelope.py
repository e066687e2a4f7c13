"""Reading what other systems send and writing what they can read."""

import json

import pytest

from shared.contract.envelope import Envelope, Undecodable, decode, encode, from_record, from_structured
from shared.contract.events import ParticipantErased

DATA = b'{"participant_id": "p-1", "erased_at": "2026-03-02T12:00:00+01:00"}'
TYPE = "earshot.ParticipantErased.v1"
TOPIC = "earshot.participant-erased.v1"


def headers(**changed: bytes | None) -> list[tuple[str, bytes | None]]:
    given: dict[str, bytes | None] = {
        "ce_specversion": b"1.0",
        "ce_id": b"1",
        "ce_source": b"/crm",
        "ce_type": TYPE.encode(),
        "content-type": b"application/json",
    }
    return list((given | changed).items())


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"content-type": b"application/json; charset=utf-8"},
        {"content-type": None},
        {"ce_datacontenttype": b"application/json"},
        {"ce_time": b"2026-03-02T12:00:00.123456789+02:00"},
        {"ce_time": b"2026-03-02T12:00:00Z"},
        {"ce_time": b"2026-03-02t12:00:00z"},
        {"ce_anything": b"an extension"},
        {"schema-id": b"\x00\xff"},
        {"content-type": b"application/vnd.earshot+json"},
    ],
)
def test_what_the_sdks_send_is_read(changed: dict[str, bytes | None]) -> None:
    """Parameters, missing content types, long fractions, extensions and binary headers are all read."""
    envelope = from_record(headers(**changed), DATA)
    _, data = decode(envelope, TOPIC)
    assert isinstance(data, ParticipantErased)
    assert data.erased_at.isoformat() == "2026-03-02T11:00:00+00:00"


def test_structured_mode_is_read() -> None:
    """An application/cloudevents+json record gives the same data."""
    event = {"specversion": "1.0", "id": "1", "source": "/crm", "type": TYPE, "data": json.loads(DATA)}
    content_type = [("content-type", b"application/cloudevents+json; charset=utf-8")]
    _, data = decode(from_record(content_type, json.dumps(event).encode()), TOPIC)
    assert data.key_value() == "p-1"


def test_structured_data_may_be_base64() -> None:
    """JSON data in data_base64 is read like data."""
    event = {
        "specversion": "1.0",
        "id": "1",
        "source": "/crm",
        "type": TYPE,
        "data_base64": "eyJwYXJ0aWNpcGFudF9pZCI6ICJwLTEiLCAiZXJhc2VkX2F0IjogIjIwMjYtMDMtMDJUMTI6MDA6MDBaIn0=",
    }
    _, data = decode(from_structured(json.dumps(event).encode()), TOPIC)
    assert data.key_value() == "p-1"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "is not JSON"),
        (b"null", "one JSON object, not NoneType"),
        (b'{"specversion": 1.0, "data": {}}', "attribute specversion must be text"),
        (rb'{"a\u001b[2J": [], "data": {}}', r"attribute 'a\\x1b\[2J' must be text"),
        (b'{"specversion": "1.0", "id": "1", "source": "/", "type": "t", "data_base64": "%%"}', "is not base64"),
        (b'{"specversion": "1.0", "id": "1", "source": "/", "type": "t"}', "has no data"),
        (b'{"specversion": "1.0", "id": "", "source": "/", "type": "t", "data": 1}', "attribute id is missing"),
    ],
)
def test_wrong_structured_events_say_what_is_wrong(body: bytes, reason: str) -> None:
    """A structured event that is none is refused with its fault named."""
    with pytest.raises(Undecodable, match=reason):
        from_structured(body)


@pytest.mark.parametrize(
    "time", ["20260101", "2026-W01-1", "2026-01-01", "2026-01-01T10:00:00", "2026-13-01T10:00:00Z", "20260101T100000Z"]
)
def test_the_attribute_time_is_rfc_3339(time: str) -> None:
    """Other ways of ISO 8601, days that are none and times without an offset are refused with the form to send."""
    with pytest.raises(Undecodable, match=f"attribute time '{time}' is no RFC 3339 time; send date, time and offset"):
        from_record(headers(ce_time=time.encode()), DATA)


@pytest.mark.parametrize("name", ["ce_id", "ce_source", "ce_type", "ce_specversion"])
def test_a_null_attribute_is_a_missing_one(name: str) -> None:
    """A required attribute whose header is null is named as missing."""
    with pytest.raises(Undecodable, match=f"attribute {name[3:]} is missing"):
        from_record(headers(**{name: None}), DATA)


def test_wrong_data_names_the_places() -> None:
    """Data that break the schema are refused with each field and what is wrong with it."""
    envelope = from_record(headers(), b'{"participant_id": 7}')
    with pytest.raises(Undecodable, match=r"participant_id: .*valid string; erased_at: Field required"):
        decode(envelope, TOPIC)


def test_a_foreign_name_cannot_hide_in_a_reason() -> None:
    """A field's name with control characters or of any length is shown escaped and cut."""
    measured = {
        "kpi_id": "k",
        "period_start": "2026-03-01T00:00:00Z",
        "period_end": "2026-04-01T00:00:00Z",
        "value": 1,
        "measured_at": "2026-04-01T00:00:00Z",
        "dimensions": {"plan\r\n": 1, "x" * 200: 1},
    }
    envelope = from_record(headers(ce_type=b"earshot.KpiMeasured.v1"), json.dumps(measured).encode())
    with pytest.raises(Undecodable) as refused:
        decode(envelope, "earshot.kpi-measured.v1")
    assert r"dimensions.'plan\r\n': Input should be a valid string" in str(refused.value)
    assert "x" * 80 + "':" in str(refused.value)
    assert "x" * 81 not in str(refused.value)


def test_numbers_are_not_taken_for_texts_nor_texts_for_numbers() -> None:
    """Types are strict: "2" is not 2."""
    text = b'{"insight_id": "i", "participant_id": "p", "tagged_at": "2026-03-02T12:00:00Z", "importance": "2"}'
    envelope = from_record(headers(ce_type=b"earshot.InsightTagged.v1"), text)
    with pytest.raises(Undecodable, match="importance"):
        decode(envelope, "earshot.insight-tagged.v1")


@pytest.mark.parametrize("time", ["20260302", "1772442000", "0.5", "now", "2026-03-02", "2026-03-02T10:00:00"])
def test_a_time_has_a_date_and_an_offset(time: str) -> None:
    """Neither a number in quotes, nor a mere date, nor a time somewhere on earth is taken for a time."""
    envelope = from_record(headers(), b'{"participant_id": "p", "erased_at": "' + time.encode() + b'"}')
    with pytest.raises(Undecodable, match="erased_at"):
        decode(envelope, TOPIC)


@pytest.mark.parametrize(
    "time",
    ["9999-12-31T23:59:59.999999Z", "9999-12-31T23:00:00-05:00", "0001-01-01T00:00:00Z", "0001-01-01T00:00+14:00"],
)
def test_times_that_no_zone_can_show_are_refused(time: str) -> None:
    """The very ends of the calendar are refused, since they cannot be stored or shown in every zone."""
    envelope = from_record(headers(), b'{"participant_id": "p", "erased_at": "' + time.encode() + b'"}')
    with pytest.raises(Undecodable, match="years 1 to 9999"):
        decode(envelope, TOPIC)


def test_unknown_fields_are_left_alone() -> None:
    """A newer writer's additional field does not trouble an older reader."""
    envelope = from_record(headers(), DATA[:-1] + b', "news": true}')
    assert decode(envelope, TOPIC)[1].key_value() == "p-1"


@pytest.mark.parametrize("text", [rb"\u0000", rb"\ud800"], ids=["NUL", "half a surrogate pair"])
def test_text_that_no_database_can_hold_is_refused(text: bytes) -> None:
    """NUL and unpaired surrogates are refused where free text is allowed."""
    quote = b'{"insight_id": "i", "participant_id": "p", "tagged_at": "2026-03-02T12:00:00Z", "quote": "' + text + b'"}'
    with pytest.raises(Undecodable):
        decode(from_record(headers(ce_type=b"earshot.InsightTagged.v1"), quote), "earshot.insight-tagged.v1")


def test_a_written_event_is_read_back() -> None:
    """Encoding and reading gives the same envelope, trace and correlation included."""
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    written = Envelope(
        id="1",
        source="/earshot/scheduling",
        type=TYPE,
        data=DATA,
        time="2026-03-02T12:00:00+00:00",
        subject="p-1",
        extensions={"correlationid": "c", "traceparent": trace},
    )
    record_headers, value = encode(written)
    assert ("traceparent", trace.encode()) in record_headers
    assert ("ce_correlationid", b"c") in record_headers
    assert from_record(record_headers, value) == written
