import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def earshot(tmp_path: Path) -> Run:
    """Runs the command with a state folder of its own and nothing else set."""
    inherited = {name: text for name, text in os.environ.items() if not name.startswith("EARSHOT_")}

    def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        environment = inherited | {"EARSHOT_HOME": str(tmp_path / "home"), "EARSHOT_PORT_BASE": "1500"} | settings
        command = [sys.executable, "-m", "deploy.local", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)

    return run


def test_status_has_the_documented_shape(earshot: Run) -> None:
    """Where nothing runs, the status has every key, and None for what nobody can tell."""
    status = json.loads(earshot("status", "--json").stdout)
    assert status["broker"] == {"address": "127.0.0.1:1511", "pid": None}
    assert status["database"] == {"host": "127.0.0.1", "port": 1510, "name": "earshot", "pid": None}
    assert status["gateway"] == {"url": "http://127.0.0.1:1500", "pid": None}
    assert list(status["services"]) == ["scheduling", "sessions", "insights", "roadmap", "kpi", "webhooks"]
    assert status["services"]["kpi"] == {
        "url": "http://127.0.0.1:1505",
        "pid": None,
        "ready": False,
        "lag": None,
        "outbox": None,
        "dead_letters": None,
    }


def test_external_broker_and_database_are_shown_without_pid(earshot: Run) -> None:
    """With addresses given from outside the status shows those, and no process of ours."""
    dsn = "postgresql://admin:secret@db.example:6000/product"
    shown = earshot("status", "--json", EARSHOT_KAFKA_BOOTSTRAP="kafka.example:9092", EARSHOT_ADMIN_DSN=dsn).stdout
    status = json.loads(shown)
    assert status["broker"] == {"address": "kafka.example:9092", "pid": None}
    assert status["database"] == {"host": "db.example", "port": 6000, "name": "product", "pid": None}
    assert "secret" not in shown


@pytest.mark.parametrize(
    ("arguments", "settings", "message"),
    [
        (["signin"], {}, "There is no installation in"),
        (["demo"], {}, "Nothing answers at http://127.0.0.1:1500; run `earshot up` first."),
        (["up"], {"EARSHOT_PORT_BASE": "80"}, "EARSHOT_PORT_BASE is '80'"),
        (["status"], {"EARSHOT_ADMIN_DSN": "mysql://x"}, "write postgresql://user:password@host:port/database"),
        (["migrate", "kpi"], {}, "EARSHOT_MIGRATION_DSN is not set"),
        (["events", "tail", "votes"], {}, "There is no topic votes; there are earshot.demo-requested.v1"),
        (["topics"], {"EARSHOT_KAFKA_BOOTSTRAP": "127.0.0.1:1"}, "The topics could not be created on 127.0.0.1:1"),
        (["topics"], {"EARSHOT_TOPIC_PREFIX": "bad prefix!"}, "EARSHOT_TOPIC_PREFIX: String should match pattern"),
        (["events", "tail"], {"EARSHOT_TOPIC_PREFIX": "bad!"}, "EARSHOT_TOPIC_PREFIX: String should match pattern"),
        (["topics"], {"EARSHOT_KAFKA_BOOTSTRAP": "host:port"}, "EARSHOT_KAFKA_BOOTSTRAP: 'host:port' is no host:port"),
        (["events", "tail"], {"EARSHOT_KAFKA_BOOTSTRAP": "a:1,b:x"}, "EARSHOT_KAFKA_BOOTSTRAP: 'b:x' is no host:port"),
    ],
)
def test_a_foreseeable_fault_is_one_sentence(
    earshot: Run, arguments: list[str], settings: dict[str, str], message: str
) -> None:
    """What a person can get wrong ends with exit code 1 and one line that says what to do, never a traceback."""
    done = earshot(*arguments, **settings)
    assert done.returncode == 1
    assert done.stderr.startswith("earshot: ")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments", [["serve", "billing"], ["logs", "billing"], ["token", "--role", "king"], ["token"], ["upp"]]
)
def test_wrong_usage_ends_with_two(earshot: Run, arguments: list[str]) -> None:
    """A command line that makes no sense ends with exit code 2."""
    assert earshot(*arguments).returncode == 2


@pytest.mark.parametrize("hours", ["nan", "inf", "-inf", "0", "-1", "8760.5"])
def test_hours_no_token_can_have_are_refused_with_those_it_can(earshot: Run, hours: str) -> None:
    """A token's hours that are no amount, none or more than a year are wrong usage, with the bounds named."""
    done = earshot("token", "--role", "admin", "--hours", hours)
    assert done.returncode == 2
    assert "'--hours'" in done.stderr
    assert "more than 0 and at most 8760" in done.stderr


def test_a_subject_that_is_no_text_is_refused(earshot: Run) -> None:
    """A subject with a byte that is no UTF-8 is wrong usage, shown escaped."""
    done = earshot("token", "--role", "admin", "--subject", "ana\udcff")
    assert done.returncode == 2
    assert r"'--subject': 'ana\udcff' is not UTF-8" in done.stderr


@pytest.mark.parametrize("dsn", ["nonsense-secret", "postgresql://kpi:sec/ret@db:5432/earshot"])
def test_a_dsn_that_cannot_be_read_stops_the_service_at_its_start(earshot: Run, dsn: str) -> None:
    """A service ends with 2 and says how a DSN is written, without showing the one it was given."""
    settings = {"EARSHOT_KAFKA_BOOTSTRAP": "127.0.0.1:1", "EARSHOT_JWKS": "jwks.json", "EARSHOT_HTTP_PORT": "0"}
    done = earshot("serve", "kpi", EARSHOT_DATABASE_DSN=dsn, **settings)
    assert done.returncode == 2
    assert done.stderr.startswith("EARSHOT_DATABASE_DSN: must be postgresql://role:password@host:port/database")
    assert "sec" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_down_without_an_installation_is_no_fault(earshot: Run) -> None:
    """Stopping what was never started says so and succeeds."""
    done = earshot("down")
    assert done.returncode == 0
    assert "nothing to stop" in done.stdout


def test_down_erase_refuses_a_foreign_folder(earshot: Run, tmp_path: Path) -> None:
    """A folder that is not recognisably ours is not erased, whatever EARSHOT_HOME says."""
    (tmp_path / "thesis.txt").write_text("years of work")
    done = earshot("down", "--erase", EARSHOT_HOME=str(tmp_path))
    assert done.returncode == 1
    assert "nothing was erased" in done.stderr
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_an_event_that_breaks_the_contract_is_not_published(earshot: Run, tmp_path: Path) -> None:
    """A file with one wrong line is refused as a whole, with the line's number, before any broker is asked."""
    event: dict[str, Any] = {"specversion": "1.0", "id": "1", "source": "/crm", "type": "earshot.ParticipantErased.v1"}
    good = event | {"data": {"participant_id": "p1", "erased_at": "2026-01-01T00:00:00Z"}}
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in (good, event | {"data": {}})))
    done = earshot("events", "publish", str(file))
    assert done.returncode == 1
    assert done.stderr.startswith("earshot: Line 2: participant_id: Field required")
    assert done.stderr.endswith("Nothing was published.\n")
