"""What any producer can ask of its own events: would they be taken, and are they ordered and told apart as meant?

Pure rules over records and structured events; nothing is read from or written to anywhere. A *refused* event would
become a dead letter; a *wrong* one is taken, but breaks what the contract says of keys, partitions, ids or versions; a
*warning* is taken too and may be meant.
"""

import difflib
import hashlib
import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from pydantic import BaseModel, ValidationError

from .catalogue import EVENTS, EventType
from .envelope import STRUCTURED, Envelope, Undecodable, from_record, from_structured
from .events import EventData, InsightTagged, Interview, KpiImpactAssessed
from .partitioning import partition_of

Severity = Literal["refused", "wrong", "warning"]
Json = dict[str, Any]

_ADVICE = {
    "missing": "add it",
    "string_type": "send text",
    "int_type": "send a whole number, without quotes",
    "float_type": "send a number, without quotes",
    "bool_type": "send true or false, without quotes",
    "literal_error": "send one of those",
    "string_pattern_mismatch": "send an identifier: letters, digits and . _ : @ - , at most 128 characters",
    "datetime_parsing": "send date, time and offset",
    "timezone_aware": "add the offset: Z, or for instance +02:00",
    "json_invalid": "send JSON in UTF-8",
}
_OTHER_ADVICE = "see the event's JSON Schema"
_LEGACY_PREFIXES = ("ce-", "cloudevents:", "cloudevents_", "ce.")


@dataclass(frozen=True, slots=True)
class Sample:
    """One event as it lies somewhere; a line of a file has no topic, key or partition."""

    place: str
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = ()
    topic: str | None = None
    key: bytes | None = None
    partition: int | None = None
    partitions: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What is the matter with one event: where in it, why, and what to do."""

    place: str
    severity: Severity
    where: str
    what: str
    advice: str

    def __str__(self) -> str:
        return f"{self.place}: {self.severity}: {self.where}: {self.what}; {self.advice}"


@dataclass(slots=True)
class Checker:
    """Looks at events one after the other and remembers what the later ones must be compared with."""

    _contents: dict[tuple[str, str], tuple[str, bytes]] = field(default_factory=dict)
    _newest: dict[tuple[str, ...], tuple[int, str, bytes]] = field(default_factory=dict)
    events: int = 0
    refused: int = 0
    repeats: int = 0

    def check(self, sample: Sample) -> list[Finding]:
        """Everything that is the matter with the event."""
        self.events += 1
        found = list(self._look(sample))
        self.refused += any(finding.severity == "refused" for finding in found)
        return found

    def _look(self, sample: Sample) -> Iterator[Finding]:
        yield from _spelling(sample)
        try:
            in_file = sample.topic is None
            event = from_structured(sample.value or b"") if in_file else from_record(sample.headers, sample.value)
        except Undecodable as wrong:
            yield Finding(sample.place, "refused", "event", *_split(str(wrong)))
            return
        event_type = EVENTS.get(event.type)
        if event_type is None:
            yield _unknown_type(sample, event)
            return
        if sample.topic is not None and sample.topic != event_type.topic:
            what = f"{event.type} does not belong on {sample.topic}"
            yield Finding(sample.place, "refused", "topic", what, f"publish it to {event_type.topic}")
        try:
            data = event_type.model.model_validate_json(event.data, strict=True)
        except ValidationError as wrong:
            yield from _misfits(sample, wrong)
            return
        given = json.loads(event.data)
        yield from _unknown_fields(sample, event_type.model, given, "data")
        yield from _order(sample, event_type.key_of(data), event_type)
        if (yield from self._identity(sample, event, given)):
            return
        yield from self._version(sample, data, given)

    def _identity(self, sample: Sample, event: Envelope, given: Json) -> Generator[Finding, None, bool]:
        """Returns whether the id was there before; then nothing else of the event counts."""
        content = _digest([event.type, given])
        place, known = self._contents.setdefault((event.source, event.id), (sample.place, content))
        if place == sample.place:
            return False
        self.repeats += 1
        if known != content:
            what = f"id {event.id!r} of source {event.source!r} was at {place} already, with other content"
            yield Finding(sample.place, "wrong", "id", what, "this one has no effect; give each event an id of its own")
        return True

    def _version(self, sample: Sample, data: EventData, given: Json) -> Iterator[Finding]:
        subject = _versioned(data)
        if subject is None:
            return
        version, content = int(getattr(data, "version")), _digest(given)  # noqa: B009 - not every event has one
        newest, place, known = self._newest.get(subject, (0, "", b""))
        if version > newest:
            self._newest[subject] = (version, sample.place, content)
        elif version < newest:
            what = f"version {version} of {subject[-1]!r} comes after {newest} ({place})"
            yield Finding(
                sample.place, "warning", "data.version", what, "it changes nothing, if it is not meant as late"
            )
        elif content != known:
            what = f"version {version} of {subject[-1]!r} was at {place} already, with other content"
            yield Finding(sample.place, "wrong", "data.version", what, "raise the version with every change")


def _digest(content: object) -> bytes:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).digest()


def _split(reason: str) -> tuple[str, str]:
    """What is wrong, and what to do where the reason says so."""
    what, _, advice = reason.partition("; ")
    return what, advice or "see docs/events.md"


def _unknown_type(sample: Sample, event: Envelope) -> Finding:
    near = difflib.get_close_matches(event.type, EVENTS, n=1)
    advice = f"perhaps {near[0]}" if near else f"send one of {', '.join(EVENTS)}"
    return Finding(sample.place, "refused", "type", f"{event.type[:80]!r} is no event of the contract", advice)


def _misfits(sample: Sample, wrong: ValidationError) -> Iterator[Finding]:
    for error in wrong.errors(include_url=False, include_input=False):
        where = ".".join(("data", *(str(part)[:80] for part in error["loc"])))
        yield Finding(sample.place, "refused", where, error["msg"], _ADVICE.get(error["type"], _OTHER_ADVICE))


def _spelling(sample: Sample) -> Iterator[Finding]:
    """Headers that are read although they are not as the binding says, and those that nobody reads."""
    if sample.topic is None:
        return
    names = [name for name, _ in sample.headers]
    for name in names:
        low = name.lower()
        if low.startswith(_LEGACY_PREFIXES):
            advice = f"in Kafka it is ce_{low.split(':')[-1].split('-')[-1].split('.')[-1]}"
            yield Finding(sample.place, "warning", f"header {name}", "is not read", advice)
        elif low.startswith("ce_") and name != low:
            yield Finding(sample.place, "warning", f"header {name}", "has capital letters", f"send {low}")
        elif low.startswith("ce_") and not low[3:].isalnum():
            advice = f"attribute names are lower-case letters and digits: {''.join(filter(str.isalnum, low[3:]))}"
            yield Finding(sample.place, "warning", f"header {name}", "is no attribute's name", advice)
    texts = {name.lower(): (content or b"").decode("utf-8", "replace") for name, content in sample.headers}
    stated = texts.get("content-type", "")
    if "ce_id" in texts and not stated.startswith(STRUCTURED):
        if not stated:
            yield Finding(sample.place, "warning", "header content-type", "is missing", "send application/json")
        elif texts.get("ce_datacontenttype", stated) != stated:
            what = f"says {texts['ce_datacontenttype']!r} beside content-type {stated!r}"
            yield Finding(sample.place, "warning", "header ce_datacontenttype", what, "leave it out")


def _order(sample: Sample, key: str, event_type: EventType) -> Iterator[Finding]:
    """Key and partition: they keep the events of one thing in order."""
    if sample.topic is None:
        return
    if sample.key != key.encode():
        shown = None if sample.key is None else sample.key.decode("utf-8", "backslashreplace")
        advice = f"use the value of {' or, where absent, '.join(f'data.{name}' for name in event_type.key)}"
        yield Finding(sample.place, "wrong", "key", f"is {shown!r} instead of {key!r}", advice)
    elif sample.partitions and sample.partition != (expected := partition_of(sample.key, sample.partitions)):
        what = f"is {sample.partition}; murmur2 of the key gives {expected} of {sample.partitions}"
        advice = "choose the partitioner murmur2 (murmur2_random in librdkafka)"
        yield Finding(sample.place, "wrong", "partition", what, advice)


def _versioned(data: EventData) -> tuple[str, ...] | None:
    """Whose versions these are: all events of an interview count on, the others by type and subject."""
    if not hasattr(data, "version"):
        return None
    if isinstance(data, Interview):
        return "Interview", data.interview_id
    if isinstance(data, InsightTagged):
        return "InsightTagged", data.insight_id
    if isinstance(data, KpiImpactAssessed):
        return "KpiImpactAssessed", data.feature_id, data.kpi_id
    return type(data).__name__, data.key_value()


def _unknown_fields(sample: Sample, model: type[BaseModel], given: Mapping[str, Any], place: str) -> Iterator[Finding]:
    for name, value in given.items():
        info = model.model_fields.get(name)
        if info is None:
            near = difflib.get_close_matches(name, model.model_fields, n=1)
            advice = f"perhaps {near[0]} is meant" if near else "leave it out, or wait for a release that knows it"
            yield Finding(sample.place, "warning", f"{place}.{name[:80]}", "is not known and left alone", advice)
        elif (inner := _model_in(info.annotation)) is not None:
            for index, part in enumerate(value if isinstance(value, list) else [value]):
                if isinstance(part, dict):
                    at = f"{place}.{name}.{index}" if isinstance(value, list) else f"{place}.{name}"
                    yield from _unknown_fields(sample, inner, part, at)


def _model_in(annotation: object) -> type[BaseModel] | None:
    """The model that a field holds, one or many of, if it holds one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _model_in(inner))), None)
