"""The checker by itself: a small true story passes, and each forged one fails with the right word."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.faults.checker.evidence import Effect, Evidence, Letter, Logged
from tests.faults.checker.verdict import judge
from tests.faults.ledger import Entry, Ledger, Place

STATUS, SESSION, VOTE = "earshot.feature-status-changed.v1", "earshot.session-completed.v1", "earshot.feature-voted.v1"
PRIORITY, REJECTED = "earshot.feature-priority-changed.v1", "earshot.event-rejected.v1"
CHECKOUT = Path(__file__).parents[2]


class Story:
    """Two statuses of a feature, the second sent twice; a session; a vote with its priority; one record of poison."""

    def __init__(self) -> None:
        self.ledger, self.log = Ledger(), list[Logged]()
        for version in (1, 2, 2):
            self.send(
                STATUS, f"status-{version}", {"feature_id": "f", "version": version, "title": f"status-{version}"}
            )
        session = {"session_id": "s", "study_id": "session-1", "completed_at": "2026-03-02T10:00:00+00:00"}
        self.send(SESSION, "session-1", session)
        vote = {
            "feature_id": "f",
            "voter_id": "v",
            "vote": "up",
            "voted_at": "2026-03-02T10:00:00Z",
            "channel": "vote-1",
        }
        self.send(VOTE, "vote-1", vote)
        self.send(VOTE, None, "broken", rejected_by=("roadmap",))
        self.publish(PRIORITY, "priority-1", {"feature_id": "f", "version": 1, "score": 0.5})
        self.publish(REJECTED, "rejected-1", {"dead_letter_id": "letter-1"})
        poison = self.log[5]
        self.letters = [
            Letter("roadmap", "letter-1", VOTE, 0, poison.offset, b"f", poison.value, poison.headers or (), "no event")
        ]
        self.effects = [
            *(Effect(service, "features", "f", f"status-{v}") for service in ("insights", "kpi") for v in (1, 2)),
            *(Effect("scheduling", "features", "f", str(version)) for version in (1, 2)),
            Effect("insights", "sessions", "s", "session-1"),
            Effect("roadmap", "votes", "f/v", "vote-1"),
        ]
        self.rows: dict[str, list[dict[str, Any]]] = {
            "roadmap.priorities": [{"feature_id": "f", "version": 1, "score": 0.5}],
            "roadmap.ideas": [{"feature_id": "f", "supporters": 1}],
            "roadmap.support_counts": [{"feature_id": "f", "people": 1}],
            "kpi.impacts": [],
            "roadmap.impacts": [],
            "insights.impacts": [],
            "scheduling.interviews": [],
            "scheduling.requests": [],
            "scheduling.held_sessions": [{"session_id": "s"}],
        }

    def send(self, topic: str, event_id: str | None, data: Any, *, rejected_by: tuple[str, ...] = ()) -> None:
        n, value = len(self.ledger.entries) + 1, json.dumps(data).encode()
        offset = sum(record.topic == topic for record in self.log)
        self.log.append(Logged(topic, 0, offset, b"f", value, (("ledger", str(n).encode()),)))
        self.ledger.entries[n] = Entry(n, topic, "plain", hashlib.sha256(value).hexdigest(), event_id, rejected_by)
        self.ledger.places[n], self.ledger.active[n] = Place(0, offset), ("service killed (kpi)",)

    def publish(self, topic: str, event_id: str, data: Any) -> None:
        offset = sum(record.topic == topic for record in self.log)
        headers = (("ce_id", event_id.encode()), ("ce_source", b"/earshot/roadmap"))
        self.log.append(Logged(topic, 0, offset, b"f", json.dumps(data).encode(), headers))

    def judged(self) -> list[str]:
        return [
            str(finding) for finding in judge(Evidence(self.ledger, self.log, self.effects, self.letters, self.rows))
        ]


def _acknowledged_but_gone(story: Story) -> None:
    story.ledger.places[5] = Place(0, 17)


def _never_took_effect(story: Story) -> None:
    story.effects.remove(Effect("kpi", "features", "f", "status-1"))


def _older_state_won(story: Story) -> None:
    story.effects.append(Effect("roadmap", "votes", "f/v", "vote-2"))
    vote = {"feature_id": "f", "voter_id": "v", "vote": "up", "voted_at": "2026-03-01T10:00:00Z", "channel": "vote-2"}
    story.send(VOTE, "vote-2", vote)


def _took_effect_twice(story: Story) -> None:
    story.effects.append(Effect("insights", "sessions", "s", "session-1"))


def _effects_out_of_order(story: Story) -> None:
    first = story.effects.index(Effect("insights", "features", "f", "status-1"))
    story.effects[first : first + 2] = reversed(story.effects[first : first + 2])


def _counted_twice(story: Story) -> None:
    story.rows["roadmap.support_counts"] = [{"feature_id": "f", "people": 2}]


def _came_from_nowhere(story: Story) -> None:
    story.effects.append(Effect("kpi", "features", "g", "status-1"))


def _never_published(story: Story) -> None:
    story.rows["roadmap.priorities"] = [{"feature_id": "f", "version": 2, "score": 0.5}]


def _published_under_two_ids(story: Story) -> None:
    story.publish(PRIORITY, "priority-2", {"feature_id": "f", "version": 1, "score": 0.5})


def _published_again_with_other_words(story: Story) -> None:
    story.publish(PRIORITY, "priority-1", {"feature_id": "f", "version": 1, "score": 0.7})


def _rejection_kept_quiet(story: Story) -> None:
    story.log.pop()


def _poison_dropped(story: Story) -> None:
    story.letters.clear()
    story.log.pop()


def _poison_changed(story: Story) -> None:
    story.letters[0] = replace(story.letters[0], value=b"broken!")


def _good_event_rejected(story: Story) -> None:
    story.letters.append(replace(story.letters[0], identifier="letter-2", offset=0))
    story.publish(REJECTED, "rejected-2", {"dead_letter_id": "letter-2"})


def _stranger(story: Story) -> None:
    story.log.append(Logged(VOTE, 1, 0, b"f", b"{}", ()))


FORGERIES: list[tuple[Callable[[Story], None], str]] = [
    (_acknowledged_but_gone, "BROKER earshot.feature-voted.v1/0@17: record 5 (vote-1) was acknowledged"),
    (_never_took_effect, "LOST kpi.features f: 1 effects, first: status-1 (earshot.feature-status-changed.v1/0@0, key"),
    (_older_state_won, "ORDER roadmap.votes f/v: vote-1"),
    (_took_effect_twice, "TWICE insights.sessions s: 1 effects, first: session-1"),
    (_effects_out_of_order, "ORDER insights.features f: from place 0 on ['status-2', 'status-1']"),
    (_counted_twice, "TWICE roadmap.support_counts f: counts 2 supporters, 1 there are"),
    (_came_from_nowhere, "INVENTED kpi.features g"),
    (_never_published, "LOST FeaturePriorityChanged f: owed and never published: versions [2] of 2"),
    (_published_under_two_ids, "TWICE FeaturePriorityChanged f: version 1 under 2 event ids"),
    (_published_again_with_other_words, "TWICE event priority-1: means different things"),
    (_rejection_kept_quiet, "LOST EventRejected letter-1 of roadmap: published 0 times"),
    (
        _poison_dropped,
        "POISON dead letters of roadmap, earshot.feature-voted.v1/0@1: record 6 (plain) is in no dead letter",
    ),
    (_poison_changed, "POISON dead letters of roadmap, earshot.feature-voted.v1/0@1: the dead letter's value"),
    (_good_event_rejected, "POISON dead letters of roadmap, earshot.feature-voted.v1/0@0: plain was rejected"),
    (_stranger, "BROKER earshot.feature-voted.v1/1@0: nobody who is known"),
]


def test_a_true_story_is_believed() -> None:
    """Where everything took effect once and in order, repeats included, there is nothing to find."""
    assert Story().judged() == []


@pytest.mark.parametrize(("forge", "beginning"), FORGERIES, ids=lambda given: getattr(given, "__name__", None))
def test_a_forged_story_is_seen_through(forge: Callable[[Story], None], beginning: str) -> None:
    """Each forgery is found, told by its word, with event, place and the faults of the time."""
    story = Story()
    forge(story)
    found = story.judged()
    assert any(finding.startswith(beginning) for finding in found), found


def test_a_finding_names_the_faults_of_its_time() -> None:
    """Whoever reads it sees what was going on when the event was sent."""
    story = Story()
    _never_took_effect(story)
    assert "sent during service killed (kpi)" in story.judged()[0]


def test_the_checker_knows_nothing_of_the_services_code() -> None:
    """What it imports holds no module of the services, of what they share, or of their deployment."""
    program = "import sys, tests.faults.checker.__main__; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert not {"services", "shared", "deploy"} & set(done.stdout.split())
