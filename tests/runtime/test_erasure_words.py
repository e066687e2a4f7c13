"""What the contract says of people in events, and that events can do without it."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from shared.contract.catalogue import BY_MODEL, EVENTS, EventType
from shared.contract.events import DemoRequested, InsightTagged, ParticipantErased
from shared.contract.topics import declared, gone_after

EXAMPLES = Path(__file__).parents[2] / "shared" / "contract" / "examples"
STRIPPED = [event for event in EVENTS.values() if event.model.about and event.model.words]
NAMED = ("participant_id", "voter_id", "asked_by", "request_id", "contact", "quote", "questions")


@pytest.mark.parametrize("event", STRIPPED, ids=lambda event: event.type)
def test_an_event_is_valid_without_the_words_of_the_person(event: EventType) -> None:
    """Readers accept what an erasure leaves of an event; DemoRequested alone cannot do without its contact."""
    full = json.loads((EXAMPLES / f"{event.type}.json").read_text())["full"]
    left = {name: value for name, value in full.items() if name not in event.model.words}
    if event.model is DemoRequested:
        assert event.model.model_fields["contact"].is_required()
    else:
        assert getattr(event.model.model_validate_json(json.dumps(left)), event.model.about[0])


@pytest.mark.parametrize("event", EVENTS.values(), ids=lambda event: event.type)
def test_no_event_about_a_person_is_forgotten(event: EventType) -> None:
    """Every field that names a person or holds their words is declared as such, or the report would be silent on it."""
    declared_fields = {*event.model.about, *event.model.words}
    personal = {name for name in NAMED if name in event.model.model_fields}
    # Interviews and sessions name a request beside the participant, whom it cannot lead to once erased.
    if "participant_id" in personal:
        personal.discard("request_id")
    assert personal <= declared_fields


def test_the_log_forgets_in_time() -> None:
    """Contact details are gone nine days after the last answer, quotes a year and eight days; erasures stay."""
    assert gone_after(BY_MODEL[DemoRequested]) == timedelta(days=9)
    assert gone_after(BY_MODEL[InsightTagged]) == timedelta(days=373)
    assert gone_after(BY_MODEL[ParticipantErased]) is None
    segments = {topic.name: topic.config["segment.ms"] for topic in declared()}
    assert segments["earshot.demo-requested.v1"] == "86400000"
    assert segments["earshot.insight-tagged.v1"] == "604800000"
