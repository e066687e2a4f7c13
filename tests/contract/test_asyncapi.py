"""The AsyncAPI documents, before AsyncAPI's own parser and by what that does not look at."""

import json
from copy import deepcopy
from typing import Any

import jsonschema
import pytest

from services import SERVICES
from shared.contract.asyncapi import document
from shared.contract.catalogue import EVENTS
from tests.contract.programs import FOLDER, run_node

ERROR, WARNING = 0, 1
Json = dict[str, Any]


def parsed(*documents: Json) -> list[Json]:
    """What the parser says of each."""
    found: list[Json] = json.loads(run_node(FOLDER / "asyncapi.mjs", given=json.dumps(documents)))
    return found


def test_the_official_parser_accepts_every_document() -> None:
    """The platform's document and that of each service are accepted without an error or a warning."""
    for name, said in zip(("platform", *SERVICES), parsed(document(), *map(document, SERVICES)), strict=True):
        assert said["accepted"], (name, said)
        assert [each for each in said["diagnostics"] if each["severity"] <= WARNING] == [], name


def test_who_hears_everything_has_a_document_of_everything() -> None:
    """An adapter that the contract does not name receives what it consumes and sends what the runtime publishes."""
    whole = document("webhooks", frozenset(EVENTS))
    operations = {(each["action"], each["channel"]["$ref"].split("/")[-1]) for each in whole["operations"].values()}
    sent = {("send", name) for name in ("ErasureCompleted", "EventRejected", "DeadLetterClosed")}
    assert operations == sent | {("receive", event.model.__name__) for event in EVENTS.values()}
    [said] = parsed(whole)
    assert said["accepted"], said


def test_the_parser_refuses_what_is_wrong() -> None:
    """That parser is strict: a binding, a reference and an action that are wrong are refused."""
    binding, reference, action = (deepcopy(document()) for _ in range(3))
    binding["channels"]["KpiMeasured"]["bindings"]["kafka"]["partitions"] = "twelve"
    reference["channels"]["KpiMeasured"]["messages"]["KpiMeasured"]["$ref"] = "#/components/messages/Nothing"
    action["operations"]["publishKpiMeasured"]["action"] = "shout"
    for said in parsed(binding, reference, action):
        assert not said["accepted"]
        assert any(each["severity"] == ERROR for each in said["diagnostics"])


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_examples_obey_what_is_written_beside_them(name: str) -> None:
    """Each message's examples are right under its own payload and header schemas, and lead to a key."""
    whole = document()
    event = EVENTS[name]
    message = whole["components"]["messages"][event.model.__name__]
    payload = {"$ref": f"#/components/schemas/{event.model.__name__}", "components": whole["components"]}
    assert message["payload"]["$ref"] == payload["$ref"]
    assert [example["name"] for example in message["examples"]] == ["minimal", "full", "odd"]
    for example in message["examples"]:
        jsonschema.Draft202012Validator(payload).validate(example["payload"])
        jsonschema.Draft202012Validator(message["headers"]).validate(example["headers"])
        key = next(example["payload"][field] for field in event.key if example["payload"].get(field))
        read = event.model.model_validate_json(json.dumps(example["payload"]), strict=True)
        assert event.key_of(read) == key
    assert message["bindings"]["kafka"]["key"]["description"] == "data." + " or, where absent, data.".join(event.key)


@pytest.mark.parametrize("service", SERVICES)
def test_a_services_document_has_its_own_events(service: str) -> None:
    """It sends what it publishes and receives what it consumes, on the contract's topics, and nothing else."""
    whole = document(service)
    operations = {(each["action"], each["channel"]["$ref"].split("/")[-1]) for each in whole["operations"].values()}
    sent = {("send", event.model.__name__) for event in EVENTS.values() if service in event.publishers}
    received = {("receive", event.model.__name__) for event in EVENTS.values() if service in event.consumers}
    assert operations == sent | received
    topics = {event.topic for event in EVENTS.values() if service in (*event.publishers, *event.consumers)}
    assert {channel["address"] for channel in whole["channels"].values()} == topics
