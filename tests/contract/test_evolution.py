"""What may change about an event and what may not, on the real models, schemas and everything ever released."""

import json
import warnings
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import jsonschema
import pytest
from pydantic import Field, model_validator

from shared.contract import history, schemas
from shared.contract.catalogue import BY_MODEL, EVENTS, EventType
from shared.contract.compatibility import breaks
from shared.contract.events import EventData, FeatureVoted, InsightTagged, KpiMeasured
from shared.contract.examples import complaints, examples
from shared.contract.history import Golden, Release, releases
from shared.contract.types import Line

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its source has escapes that newer Pythons complain of
    from jsonsubschema import isSubschema

Json = dict[str, Any]

EVERY_PAYLOAD = [
    pytest.param(release, golden, id=f"{release.file} {golden.name}")
    for release in releases()
    for golden in release.golden
]


def with_model(monkeypatch: pytest.MonkeyPatch, model: type[Any], changed: type[Any]) -> dict[str, Json]:
    """The contract with another model in the place of one, and all its schemas by event type."""
    old = BY_MODEL[model]
    changed.__name__, changed.__doc__ = model.__name__, model.__doc__
    new = EventType(changed, old.version, old.topic, old.publishers, old.consumers, old.retention)
    monkeypatch.setattr(history, "EVENTS", dict(EVENTS) | {old.type: new})
    return {name: schemas.schema(event) for name, event in EVENTS.items()} | {old.type: schemas.schema(new)}


def without(model: type[Any], field: str) -> type[Any]:
    """The model less one field."""

    class Less(model):  # type: ignore[misc] # whichever model the test names
        pass

    del Less.model_fields[field]
    Less.model_rebuild(force=True)
    return Less


class VotedWithMore(FeatureVoted):
    reason: Line | None = None


class VotedWithPlace(FeatureVoted):
    place: Line


class VotedByNumber(FeatureVoted):
    voter_id: int  # type: ignore[assignment] # the break under test


class VotedAnonymously(FeatureVoted):
    voter_id: str | None = None  # type: ignore[assignment] # the break under test


class VotedOnShortChannels(FeatureVoted):
    channel: Annotated[str, Field(min_length=1, max_length=20)] = "unknown"


class VotedOnLongChannels(FeatureVoted):
    channel: Annotated[str, Field(min_length=1, max_length=3000)] = "unknown"


class VotedUpOnly(FeatureVoted):
    vote: Literal["up"] = "up"


class VotedDownToo(FeatureVoted):
    vote: Literal["up", "withdrawn", "down"] = "up"  # type: ignore[assignment] # the break under test


class VotedDownByDefault(FeatureVoted):
    vote: Literal["up", "withdrawn"] = "withdrawn"


class TaggedForSessions(InsightTagged):
    key = ("session_id", "insight_id")


class MeasuredWithAnswers(KpiMeasured):
    """A rule that no schema shows."""

    @model_validator(mode="after")
    def _answered(self) -> Self:
        if self.sample_size == 0:
            raise ValueError("sample_size must not be 0")
        return self


def test_today_breaks_nothing_that_was_released() -> None:
    """Today's models and schemas serve every release, every release is as it was, and all changes are released."""
    new = schemas.generated()
    assert schemas.findings(new) == []
    assert schemas.stale(new) == []
    assert {release.type for release in releases()} == set(EVENTS)


@pytest.mark.parametrize(("release", "golden"), EVERY_PAYLOAD)
def test_readers_of_today_take_what_was_ever_right(release: Release, golden: Golden) -> None:
    """Every payload ever released is read by today's models, under the key it had."""
    event = EVENTS[release.type]
    data = event.model.model_validate_json(json.dumps(golden.data), strict=True)
    assert event.key_of(data) == golden.key


@pytest.mark.parametrize(("release", "golden"), EVERY_PAYLOAD)
def test_readers_of_every_release_take_what_is_written_today(release: Release, golden: Golden) -> None:
    """What today's models write is right under every schema ever released, today's examples included."""
    model = EVENTS[release.type].model
    reader = jsonschema.Draft202012Validator(release.schema)
    for payload in (golden.data, *examples(EVENTS[release.type]).values()):
        reader.validate(payload)
        reader.validate(json.loads(model.model_validate_json(json.dumps(payload), strict=True).model_dump_json()))


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_examples_are_the_least_the_most_and_the_odd(name: str) -> None:
    """Each event has examples of that kind; minimal cannot do with less."""
    event = EVENTS[name]
    assert complaints(event) == []
    minimal = examples(event)["minimal"]
    validator = jsonschema.Draft202012Validator(schemas.schema(event))
    for field in minimal:
        assert not validator.is_valid({other: value for other, value in minimal.items() if other != field}), field


def test_an_optional_field_more_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Adding an optional field to a real model breaks nobody."""
    assert list(history.broken_by(with_model(monkeypatch, FeatureVoted, VotedWithMore))) == []


@pytest.mark.parametrize(
    ("model", "changed", "words"),
    [
        (FeatureVoted, without(FeatureVoted, "on_behalf"), "data.on_behalf is gone"),
        (FeatureVoted, VotedWithPlace, "data.place is newly required"),
        (FeatureVoted, VotedWithPlace, "'minimal' was right and would be refused: place: Field required"),
        (FeatureVoted, VotedByNumber, "data.voter_id: type changed from 'string' to 'integer'"),
        (FeatureVoted, VotedAnonymously, "data.voter_id is no longer required"),
        (FeatureVoted, VotedOnShortChannels, "data.channel: maxLength 20 is tighter than 300"),
        (FeatureVoted, VotedOnShortChannels, "'odd' was right and would be refused: channel"),
        (FeatureVoted, VotedOnLongChannels, "data.channel: maxLength 3000 is wider than 300"),
        (FeatureVoted, VotedUpOnly, "data.vote: "),
        (FeatureVoted, VotedDownToo, "data.vote: enum changed"),
        (FeatureVoted, VotedDownByDefault, "data.vote: default changed from 'up' to 'withdrawn'"),
        (InsightTagged, TaggedForSessions, "x-key changed from ['feature_id', 'insight_id'] to"),
        (InsightTagged, TaggedForSessions, "'full' had the key 'csv-export' and would have 'session-1'"),
        (KpiMeasured, MeasuredWithAnswers, "'odd' was right and would be refused: data: Value error, sample_size"),
    ],
)
def test_a_break_of_a_real_model_is_named(
    monkeypatch: pytest.MonkeyPatch, model: type[Any], changed: type[Any], words: str
) -> None:
    """Removing, retyping, tightening, widening, requiring, other defaults, keys and hidden rules: each is named."""
    found = list(history.broken_by(with_model(monkeypatch, model, changed)))
    assert any(words in line and line.endswith("; add a new version instead") for line in found), found


@pytest.mark.parametrize(
    ("word", "value", "said"),
    [
        ("x-topic", "earshot.votes.v1", "x-topic changed from 'earshot.feature-voted.v1' to 'earshot.votes.v1'"),
        ("x-key", ["voter_id"], "x-key changed from ['feature_id'] to ['voter_id']"),
        ("type", "array", "data: type changed from 'object' to 'array'"),
    ],
)
def test_another_topic_key_or_type_is_named(word: str, value: object, said: str) -> None:
    """A schema whose topic, key or type is another one breaks everybody."""
    old = schemas.schema(BY_MODEL[FeatureVoted])
    assert said in breaks(old, old | {word: value})


def test_an_event_type_that_is_gone_is_named() -> None:
    """Taking an event type out of the contract fails for each of its releases."""
    remaining = {name: schemas.schema(event) for name, event in EVENTS.items() if name != "earshot.KpiMeasured.v1"}
    assert next(history.broken_by(remaining)) == (
        "earshot.KpiMeasured.v1/0001.json: the event type is gone; others may still send or read it"
    )


def variants(schema: Json) -> Iterator[tuple[str, Json]]:
    """The schema with one thing changed at a time, at every place of the event itself."""
    for name, field in schema["properties"].items():
        changes: dict[str, Json] = {"retyped": {"type": "array", "items": {"type": "integer"}}}
        if "anyOf" not in field:
            changes["nullable"] = {"anyOf": [field, {"type": "null"}]}
        for word, step in (("maxLength", 1), ("minLength", 1), ("minimum", 1), ("maximum", 1)):
            if word in field:
                changes |= {f"{word} up": field | {word: field[word] + step}}
                changes |= {f"{word} down": field | {word: field[word] - step}}
        if "enum" in field:
            changes["one less"] = field | {"enum": field["enum"][1:]}
            changes["one more"] = field | {"enum": [*field["enum"], "another"]}
        for what, changed in changes.items():
            yield f"{name}: {what}", schema | {"properties": schema["properties"] | {name: changed}}
        if name not in schema["required"]:
            yield f"{name}: required", schema | {"required": [*schema["required"], name]}
    more = schema["properties"] | {"more": {"type": "string"}}
    yield "optional more", schema | {"properties": more}
    yield "required more", schema | {"properties": more, "required": [*schema["required"], "more"]}
    yield "the same", deepcopy(schema)


@pytest.mark.parametrize("model", [FeatureVoted, InsightTagged, KpiMeasured])
def test_a_program_that_is_not_ours_judges_alike(model: type[EventData]) -> None:
    """Of every change of a real schema jsonsubschema says what we say: nobody breaks, or somebody does."""
    old = schemas.schema(BY_MODEL[model])
    verdicts = {}
    for what, new in variants(old):
        verdicts[what] = not breaks(old, new)
        theirs = isSubschema(closed(old), opened(new)) and isSubschema(closed(new), opened(old))
        assert verdicts[what] == theirs, (what, breaks(old, new))
    assert len(verdicts) >= 25
    assert {what for what, is_harmless in verdicts.items() if is_harmless} == {"optional more", "the same"}


def closed(schema: Any) -> Any:
    """As writers see it: no field but those that are named."""
    return plain(schema, additional=False)


def opened(schema: Any) -> Any:
    """As readers see it: what they do not know they leave alone."""
    return plain(schema, additional=True)


def plain(schema: Any, *, additional: bool) -> Any:
    """Without the words that jsonsubschema does not take, references followed."""
    root = schema

    def walk(node: Any) -> Any:
        if isinstance(node, list):
            return [walk(each) for each in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            return walk(root["$defs"][node["$ref"].rsplit("/", 1)[-1]])
        kept = {
            word: {name: walk(each) for name, each in content.items()} if word == "properties" else walk(content)
            for word, content in node.items()
            if word not in {"$schema", "$id", "$defs", "title", "description", "default", "format"}
            and not word.startswith("x-")
        }
        if "properties" in kept:
            kept["additionalProperties"] = additional
        return kept

    return walk(schema)


def test_the_history_is_only_added_to(tmp_path: Path) -> None:
    """Releasing the same again adds nothing, something new adds a file; a changed, lost or slipped-in file is named."""
    golden = (Golden("minimal", "k", {"id": "k"}),)
    first = history.add("earshot.X.v1", {"type": "object"}, golden, tmp_path)
    assert history.add("earshot.X.v1", {"type": "object"}, golden, tmp_path) is None
    second = history.add("earshot.X.v1", {"type": "object", "title": "X"}, golden, tmp_path)
    assert first is not None
    assert second is not None
    assert [release.file for release in releases(tmp_path)] == ["earshot.X.v1/0001.json", "earshot.X.v1/0002.json"]
    assert releases(tmp_path)[0].golden == golden
    assert history.altered(tmp_path) == []
    first.write_text(first.read_text().replace('"k"', '"l"'))
    second.rename(second.with_name("0003.json"))
    assert [line.split(";")[0] for line in history.altered(tmp_path)] == [
        "history/earshot.X.v1/0002.json: was released and is gone",
        "history/earshot.X.v1/0003.json: was never released",
        "history/earshot.X.v1/0001.json: was changed after its release",
    ]
