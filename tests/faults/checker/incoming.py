"""What the published events should have done in each service's database, by a model of the checker's own."""

import operator
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.faults.checker.evidence import Evidence, Logged
from tests.faults.checker.findings import Expected, Finding, Word, exact, rising

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """How the events of a topic show in a relation."""

    service: str
    relation: str
    topic: str
    entity: Callable[[Data], str]
    mark: Callable[[Data], str]
    rank: Callable[[Data], Any]
    replaces: Callable[[Any, Any], bool] | None = None
    """For relations behind the inbox, where every event is handled by itself: whether a rank replaces the one before.
    None where a natural key guards: several events of a batch may take effect as one."""


def said(*names: str) -> Callable[[Data], str]:
    return lambda data: "/".join(str(data[name]) for name in names)


def number(name: str) -> Callable[[Data], int]:
    return lambda data: int(data[name])


def moments(*names: str) -> Callable[[Data], tuple[datetime, ...]]:
    return lambda data: tuple(datetime.fromisoformat(data[name]) for name in names)


STATUS, SESSION, VOTE = "earshot.feature-status-changed.v1", "earshot.session-completed.v1", "earshot.feature-voted.v1"
INSIGHT, KPI, DEMO = "earshot.insight-tagged.v1", "earshot.kpi-measured.v1", "earshot.demo-requested.v1"
VOTER, CHANGE = said("feature_id", "voter_id"), said("feature_id")

RULES = (
    Rule("insights", "sessions", SESSION, said("session_id"), said("study_id"), moments("completed_at"), operator.ge),
    Rule("insights", "features", STATUS, CHANGE, said("title"), number("version"), operator.gt),
    Rule("kpi", "features", STATUS, CHANGE, said("title"), number("version"), operator.gt),
    Rule("scheduling", "features", STATUS, CHANGE, said("version"), number("version"), operator.gt),
    Rule("scheduling", "requests", DEMO, said("request_id"), said("request_id"), said("request_id"), operator.gt),
    Rule("roadmap", "votes", VOTE, VOTER, said("channel"), moments("voted_at")),
    Rule("roadmap", "insights", INSIGHT, said("insight_id"), said("version"), number("version")),
    Rule("kpi", "evidence", INSIGHT, said("insight_id"), said("version"), number("version")),
    Rule("kpi", "measurements", KPI, said("kpi_id", "period_start"), said("measured_at"), moments("measured_at")),
    Rule("roadmap", "kpis", KPI, said("kpi_id"), said("name"), moments("period_end", "measured_at")),
)


def check_incoming(evidence: Evidence) -> Iterator[Finding]:
    for rule in RULES:
        yield from _check(evidence, rule)
    yield from _check_supporters(evidence)
    yield from _check_held_sessions(evidence)


def _check(evidence: Evidence, rule: Rule) -> Iterator[Finding]:
    found = evidence.effects_of(rule.service, rule.relation)
    expected: defaultdict[str, list[Expected]] = defaultdict(list)
    for record in evidence.accepted(rule.topic, rule.service):
        data = record.data
        expected[rule.entity(data)].append(Expected(rule.mark(data), rule.rank(data), record))
    for entity in sorted(expected.keys() | found.keys()):
        where = f"{rule.service}.{rule.relation} {entity}"
        if entity not in expected:
            yield Finding("INVENTED", where, "no event speaks of it")
        elif rule.replaces:
            yield from exact(evidence, where, _holding(expected[entity], rule.replaces), found[entity])
        else:
            yield from rising(evidence, where, expected[entity], found[entity])


def _holding(expected: list[Expected], replaces: Callable[[Any, Any], bool]) -> list[Expected]:
    """Those that were news when they came."""
    kept: list[Expected] = []
    for one in expected:
        if not kept or replaces(one.rank, kept[-1].rank):
            kept.append(one)
    return kept


def _check_supporters(evidence: Evidence) -> Iterator[Finding]:
    """Who supports an idea counts once in its counters, however often and in whatever order the votes came."""
    people: defaultdict[str, set[str]] = defaultdict(set)
    for vote in _latest(evidence, VOTE, VOTER, moments("voted_at")):
        if vote["vote"] == "up":
            people[vote["feature_id"]].add(vote["voter_id"])
    for insight in _latest(evidence, INSIGHT, said("insight_id"), number("version")):
        if not insight["withdrawn"]:
            people[insight["feature_id"]].add(insight["participant_id"])
    counted = {row["feature_id"]: row["people"] for row in evidence.rows["roadmap.support_counts"]}
    on_ideas = {row["feature_id"]: row["supporters"] for row in evidence.rows["roadmap.ideas"]}
    for feature in sorted(people.keys() | counted.keys() | on_ideas.keys()):
        wanted = len(people[feature])
        for where, count in (("support_counts", counted.get(feature, 0)), ("ideas", on_ideas.get(feature, 0))):
            if count != wanted:
                word: Word = "LOST" if count < wanted else "TWICE"
                yield Finding(word, f"roadmap.{where} {feature}", f"counts {count} supporters, {wanted} there are")


def _latest(evidence: Evidence, topic: str, key: Callable[[Data], Any], rank: Callable[[Data], Any]) -> list[Data]:
    held: dict[Any, Data] = {}
    for record in evidence.accepted(topic, "roadmap"):
        data = record.data
        if key(data) not in held or rank(data) > rank(held[key(data)]):
            held[key(data)] = data
    return list(held.values())


def _check_held_sessions(evidence: Evidence) -> Iterator[Finding]:
    """Scheduling remembers every session, and a request whose session took place is completed."""
    sessions: dict[str, Logged] = {}
    for record in evidence.accepted(SESSION, "scheduling"):
        sessions.setdefault(record.data["session_id"], record)
    held = {row["session_id"] for row in evidence.rows["scheduling.held_sessions"]}
    for session in sorted(sessions.keys() ^ held):
        word: Word = "LOST" if session in sessions else "INVENTED"
        yield Finding(word, f"scheduling.held_sessions {session}", f"first told by {sessions.get(session)}")
    completed = {record.data.get("request_id") for record in sessions.values()}
    for row in evidence.rows["scheduling.requests"]:
        if (row["request_id"] in completed) != (row["state"] == "completed"):
            where = f"scheduling.requests {row['request_id']}"
            yield Finding("LOST", where, f"is {row['state']}, its session took place: {row['request_id'] in completed}")
