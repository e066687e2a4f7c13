"""The committed documents: what the models say, and never a break for anybody out there."""

import json
from copy import deepcopy
from typing import Any

import jsonschema
import pytest

from shared.contract.asyncapi import document
from shared.contract.catalogue import EVENTS
from shared.contract.compatibility import breaks
from shared.contract.schemas import committed, generated
from shared.contract.topics import declared

OLD: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "maxLength": 10},
        "kind": {"enum": ["a", "b"]},
        "at": {"type": "string", "format": "date-time"},
        "part": {"$ref": "#/$defs/Part"},
        "more": {"type": "array", "items": {"type": "integer", "minimum": 0}},
    },
    "required": ["id"],
    "$defs": {"Part": {"type": "object", "properties": {"n": {"type": "number"}}}},
    "x-topic": "t",
    "x-key": ["id"],
}


def changed(**at: Any) -> dict[str, Any]:
    """OLD with some places set, given as path__to__place=value; None removes the place."""
    new = deepcopy(OLD)
    for path, value in at.items():
        *parents, last = path.split("__")
        place = new
        for parent in parents:
            place = place[parent]
        if value is None:
            del place[last]
        else:
            place[last] = value
    return new


def test_committed_documents_are_what_the_models_say() -> None:
    """Generating the documents again gives the committed files."""
    assert generated() == committed()


def test_every_event_of_the_design_has_a_schema_and_a_topic() -> None:
    """There is one schema and one topic for each of the event types, the thirteen of the loop among them."""
    assert set(EVENTS) >= {
        f"earshot.{name}.v1"
        for name in (
            *("DemoRequested", "InterviewScheduled", "InterviewRescheduled", "InterviewCancelled", "SessionCompleted"),
            *("InsightTagged", "FeatureVoted", "FeaturePriorityChanged", "FeatureStatusChanged"),
            *("KpiMeasured", "KpiImpactAssessed", "ParticipantErased", "EventRejected"),
        )
    }
    assert {f"{name}.json" for name in EVENTS} | {"asyncapi.json"} == set(committed())
    assert len({topic.name for topic in declared()}) == len(EVENTS)
    assert {topic.partitions for topic in declared()} == {12}


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_schemas_are_valid_json_schema(name: str) -> None:
    """Each committed schema is a valid schema of its draft."""
    jsonschema.Draft202012Validator.check_schema(committed()[f"{name}.json"])


@pytest.mark.parametrize(
    "new",
    [
        changed(),
        changed(properties__extra={"type": "string"}),
        changed(properties__id__description="words"),
    ],
)
def test_harmless_changes_pass(new: dict[str, Any]) -> None:
    """An added optional field and better words break nobody."""
    assert breaks(OLD, new) == []


@pytest.mark.parametrize(
    ("new", "word"),
    [
        (changed(properties__at=None), "data.at is gone"),
        (changed(required=["id", "at"]), "data.at is newly required"),
        (changed(required=[]), "data.id is no longer required"),
        (changed(properties__id__type="integer"), "data.id: type"),
        (changed(properties__id__maxLength=5), "data.id: maxLength 5 is tighter than 10"),
        (changed(properties__id__maxLength=20), "data.id: maxLength 20 is wider than 10"),
        (changed(properties__more__items__minimum=None), "data.more[]: minimum None is wider than 0"),
        (changed(properties__kind__default="b"), "data.kind: default changed from None to 'b'"),
        (changed(properties__id__pattern="^a"), "data.id: pattern"),
        (changed(properties__kind__enum=["a"]), "data.kind: enum"),
        (changed(properties__kind__enum=["a", "b", "c"]), "data.kind: enum"),
        (changed(properties__at__format=None), "data.at: format"),
        ({**OLD, "$defs": {"Part": {"type": "object", "properties": {"n": {"type": "string"}}}}}, "data.part.n: type"),
        (changed(properties__more__items__minimum=1), "data.more[]: minimum 1 is tighter than 0"),
        ({**OLD, "x-topic": "u"}, "x-topic"),
        ({**OLD, "x-key": ["kind"]}, "x-key"),
    ],
)
def test_breaking_changes_are_named(new: dict[str, Any], word: str) -> None:
    """Removing, retyping, tightening, requiring, rekeying: each is found and named."""
    assert any(word in found for found in breaks(OLD, new)), breaks(OLD, new)


def test_asyncapi_refers_to_what_it_has() -> None:
    """Every reference inside the AsyncAPI document leads somewhere."""
    whole = document()
    references = [part.split('"')[0] for part in json.dumps(whole).split('"$ref": "#/')[1:]]
    assert references
    for reference in references:
        place: Any = whole
        for part in reference.split("/"):
            place = place[part]
