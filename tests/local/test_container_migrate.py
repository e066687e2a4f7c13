"""The migration job of a Docker host: what is wrong with its settings is said in a sentence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.platform import CHECKOUT

PASSWORD = "kafka-pa55"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "EARSHOT_KAFKA_BOOTSTRAP"),
        ({"EARSHOT_KAFKA_BOOTSTRAP": "kafka:port"}, "EARSHOT_KAFKA_BOOTSTRAP"),
        ({"EARSHOT_KAFKA_BOOTSTRAP": "127.0.0.1:1", "EARSHOT_KAFKA_PASSWORD": PASSWORD}, "EARSHOT_KAFKA_USER"),
        ({"EARSHOT_KAFKA_BOOTSTRAP": "127.0.0.1:1"}, "The topics could not be created on 127.0.0.1:1"),
    ],
    ids=["missing", "no address", "no user", "nobody there"],
)
def test_wrong_kafka_settings_are_said_in_a_sentence(tmp_path: Path, settings: dict[str, str], said: str) -> None:
    """The job ends with exit code 1 and one line that names the setting, without a traceback or a secret."""
    inherited = {name: text for name, text in os.environ.items() if not name.startswith("EARSHOT_")}
    command = [sys.executable, "-m", "deploy.container.migrate", str(tmp_path)]
    done = subprocess.run(
        command, env=inherited | settings, cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("migrate: ")
    assert said in last
    assert "Traceback" not in done.stderr
    assert PASSWORD not in done.stdout + done.stderr
