"""What services owe to others: every effect that is an event, published once by its id and in order per key."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from tests.faults.checker.evidence import Evidence, Logged
from tests.faults.checker.findings import Expected, Finding, exact

PRIORITY, IMPACT = "earshot.feature-priority-changed.v1", "earshot.kpi-impact-assessed.v1"
SCHEDULED, REJECTED = "earshot.interview-scheduled.v1", "earshot.event-rejected.v1"


def check_outgoing(evidence: Evidence) -> Iterator[Finding]:
    yield from _check_priorities(evidence)
    yield from _check_impacts(evidence)
    yield from _check_interviews(evidence)
    yield from _check_rejections(evidence)
    yield from _check_repeats(evidence)


def _versions(evidence: Evidence, topic: str, entity: Callable[[dict[str, Any]], str]) -> dict[str, list[Logged]]:
    found: defaultdict[str, list[Logged]] = defaultdict(list)
    for record in evidence.published(topic):
        found[entity(record.data)].append(record)
    return found


def _check_gapless(where: str, records: list[Logged], stored: int) -> Iterator[Finding]:
    """Versions 1 to the stored one, each published once and in order."""
    versions = [record.data["version"] for record in records]
    if versions == list(range(1, stored + 1)):
        return
    if missing := sorted(set(range(1, stored + 1)) - set(versions)):
        yield Finding("LOST", where, f"owed and never published: versions {missing[:10]} of {stored}")
    for version, times in Counter(versions).items():
        if times > 1:
            ids = [f"{r.header('ce_id')} ({r})" for r in records if r.data["version"] == version]
            yield Finding("TWICE", where, f"version {version} under {times} event ids: {', '.join(ids)}")
    if any(version > stored for version in versions):
        yield Finding("INVENTED", where, f"published up to version {max(versions)}, stored is {stored}")
    if versions != sorted(versions):
        yield Finding("ORDER", where, f"published in the order {versions}: {', '.join(map(str, records[:5]))}")


def _check_priorities(evidence: Evidence) -> Iterator[Finding]:
    published = _versions(evidence, PRIORITY, lambda data: data["feature_id"])
    stored = {row["feature_id"]: row for row in evidence.rows["roadmap.priorities"]}
    for feature in sorted(published.keys() | stored.keys()):
        where = f"FeaturePriorityChanged {feature}"
        version = stored[feature]["version"] if feature in stored else 0
        yield from _check_gapless(where, published[feature], version)
        if published[feature] and published[feature][-1].data["score"] != stored.get(feature, {}).get("score"):
            yield Finding("ORDER", where, "the last score published is not the one that is stored")
    for row in evidence.rows["roadmap.support_counts"]:
        if row["people"] and row["feature_id"] not in stored:
            yield Finding("LOST", f"FeaturePriorityChanged {row['feature_id']}", "has supporters and no priority")


def _check_impacts(evidence: Evidence) -> Iterator[Finding]:
    """Published by kpi, kept as copies by roadmap and insights."""
    published = _versions(evidence, IMPACT, lambda data: f"{data['feature_id']}/{data['kpi_id']}")
    for relation in ("kpi.impacts", "roadmap.impacts", "insights.impacts"):
        stored = {f"{row['feature_id']}/{row['kpi_id']}": row["version"] for row in evidence.rows[relation]}
        for entity in sorted(published.keys() | stored.keys()):
            yield from _check_gapless(
                f"KpiImpactAssessed {entity} in {relation}", published[entity], stored.get(entity, 0)
            )


def _check_interviews(evidence: Evidence) -> Iterator[Finding]:
    """Every booked interview is announced once, and sessions plans it once."""
    published = _versions(evidence, SCHEDULED, lambda data: data["interview_id"])
    planned = evidence.effects_of("sessions", "sessions")
    booked = {row["interview_id"]: row["request_id"] for row in evidence.rows["scheduling.interviews"]}
    for request, times in Counter(booked.values()).items():
        if times > 1:
            yield Finding("TWICE", f"scheduling.interviews {request}", f"{times} interviews for one request")
    for interview in sorted(published.keys() | planned.keys() | booked.keys()):
        where = f"InterviewScheduled {interview}"
        yield from _check_gapless(where, published[interview], 1 if interview in booked else 0)
        expected = [Expected("1", 1, record) for record in published[interview][:1]]
        yield from exact(evidence, f"sessions.sessions {interview}", expected, planned.get(interview, []))


def _check_rejections(evidence: Evidence) -> Iterator[Finding]:
    """Each dead letter is announced once."""
    announced = Counter(record.data["dead_letter_id"] for record in evidence.published(REJECTED))
    letters = {letter.identifier: letter for letter in evidence.letters}
    for identifier in sorted(announced.keys() | letters.keys()):
        times, letter = announced[identifier], letters.get(identifier)
        where = f"EventRejected {identifier}" + (f" of {letter.service}" if letter else "")
        if letter is None:
            yield Finding("INVENTED", where, "there is no such dead letter")
        elif times != 1:
            place = f"{letter.topic}/{letter.partition}@{letter.offset}"
            yield Finding("TWICE" if times else "LOST", where, f"published {times} times for the letter of {place}")


def _check_repeats(evidence: Evidence) -> Iterator[Finding]:
    """Published again is the same event again, byte for byte."""
    first: dict[str, Logged] = {}
    for record in evidence.log:
        identifier = record.header("ce_id")
        if record in evidence.entries or identifier is None:
            continue
        before = first.setdefault(identifier, record)
        if (before.key, json.loads(before.value or b"")) != (record.key, json.loads(record.value or b"")):
            yield Finding("TWICE", f"event {identifier}", f"means different things at {before} and {record}")
