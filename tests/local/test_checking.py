"""`earshot events check` as a producer team calls it."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from click.testing import CliRunner, Result

from deploy.local.cli import earshot
from deploy.local.errors import Fault
from tests.support.infra import KAFKA
from tests.support.running import topic_prefix

TOPIC = "earshot.participant-erased.v1"
HEADERS = [
    ("ce_specversion", b"1.0"),
    ("ce_id", b"1"),
    ("ce_source", b"/crm"),
    ("ce_type", b"earshot.ParticipantErased.v1"),
    ("content-type", b"application/json"),
]


def check(*arguments: str, given: str | None = None, **environment: str) -> Result:
    return CliRunner(env=environment).invoke(earshot, ["events", "check", *arguments], input=given)


def erased(event_id: str, **data: Any) -> str:
    """A line of a file."""
    given = {"participant_id": "p-1", "erased_at": "2026-03-20T08:00:00Z"} | data
    event = {"specversion": "1.0", "id": event_id, "source": "/crm", "type": "earshot.ParticipantErased.v1"}
    return json.dumps(event | {"data": given})


def test_a_right_file_passes(tmp_path: Path) -> None:
    """Exit code 0 and one line that says so."""
    (tmp_path / "events.jsonl").write_text(f"{erased('1')}\n\n{erased('2')}\n{erased('2')}\n")
    result = check(str(tmp_path / "events.jsonl"))
    assert result.exit_code == 0
    assert result.output == ("as the contract says: events 3, accepted 3, refused 0, repeats 1, wrong 0, warnings 0\n")


def test_a_wrong_line_is_told_by_its_number(tmp_path: Path) -> None:
    """Exit code 1, the line's number, the place in the event, the reason and what to do."""
    (tmp_path / "events.jsonl").write_text(f"{erased('1')}\n{erased('2', participant_id=7)}\n")
    result = check(str(tmp_path / "events.jsonl"))
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        "line 2: refused: data.participant_id: Input should be a valid string; send text",
        "NOT as the contract says: events 2, accepted 1, refused 1, repeats 0, wrong 0, warnings 0",
    ]


def test_programs_get_one_json_object() -> None:
    """An array on standard input is read too, and --json says the same for programs; a warning is no failure."""
    result = check("-", "--json", given=f"[{erased('1')}, {erased('2', reasons='x')}]")
    assert result.exit_code == 0
    said = json.loads(result.output)
    assert said["summary"] == {"events": 2, "accepted": 2, "refused": 0, "repeats": 0, "wrong": 0, "warnings": 1}
    assert said["findings"][0]["place"] == "event 2"
    assert said["findings"][0]["where"] == "data.reasons"


def test_no_more_than_asked_for_is_looked_at() -> None:
    """--limit ends the look before what would be wrong."""
    assert check("-", "--limit", "1", given=f"{erased('1')}\nnonsense\n").exit_code == 0


def test_a_half_array_is_told() -> None:
    """A file that begins as an array and is none is one message, not a traceback."""
    result = check("-", given="[1, ")
    assert isinstance(result.exception, Fault)
    assert "begins like a JSON array and is none" in str(result.exception)


def test_what_is_neither_file_nor_topic_is_told() -> None:
    """A wrong name gets the names that there are."""
    result = check("earshot.participants.v1")
    assert isinstance(result.exception, Fault)
    assert "neither a file nor a topic of the contract; topics are earshot.demo-requested.v1, " in str(result.exception)


@pytest.fixture
async def prefix() -> str:
    """Topics of one test, with three records on one of them: right, with a wrong key, and on the wrong partition."""
    made = await topic_prefix()
    value = b'{"participant_id": "p-1", "erased_at": "2026-03-20T08:00:00Z"}'
    async with AIOKafkaProducer(bootstrap_servers=os.environ[KAFKA], acks="all") as producer:
        for number, (key, partition) in enumerate(((b"p-1", None), (b"p-2", None), (b"p-1", 1))):
            headers = [*HEADERS[:1], ("ce_id", str(number).encode()), *HEADERS[2:]]
            await producer.send_and_wait(made + TOPIC, value, key=key, partition=partition, headers=headers)
    return made


def test_a_topic_is_read_to_its_end(prefix: str) -> None:
    """Records are told by partition and offset: another key than the contract's, another partition than murmur2's."""
    # murmur2("p-1") is even: partition 0 of 2.
    result = check(TOPIC, "--bootstrap", os.environ[KAFKA], "--json", EARSHOT_TOPIC_PREFIX=prefix)
    assert result.exit_code == 1, result.output
    said = json.loads(result.output)
    assert said["summary"] == {"events": 3, "accepted": 3, "refused": 0, "repeats": 0, "wrong": 2, "warnings": 0}
    assert sorted((each["where"], each["what"]) for each in said["findings"]) == [
        ("key", "is 'p-2' instead of 'p-1'"),
        ("partition", "is 1; murmur2 of the key gives 0 of 2"),
    ]
    assert all(each["place"].startswith(f"{TOPIC}[") for each in said["findings"])


def test_a_kafka_that_has_no_such_topic_or_is_not_there_is_told() -> None:
    """One message that names the topic and the address."""
    result = check(TOPIC, "--bootstrap", os.environ[KAFKA], EARSHOT_TOPIC_PREFIX="nowhere.")
    assert f"There is no topic nowhere.{TOPIC} at {os.environ[KAFKA]}" in str(result.exception)
    result = check(TOPIC, "--bootstrap", "127.0.0.1:1")
    assert isinstance(result.exception, Fault)
    assert f"{TOPIC} cannot be read at 127.0.0.1:1" in str(result.exception)
