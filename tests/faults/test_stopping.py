"""Who stops the long run gets the machine back as it was."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.faults.instance import CHECKOUT

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(600)]


@pytest.fixture
def room() -> Iterator[Path]:
    """A place for temporary files that the database may enter, which as root runs as somebody else."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("told", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.long)])
def test_a_run_that_is_stopped_leaves_nothing(room: Path, told: signal.Signals) -> None:
    """SIGTERM or Ctrl-C under load: no process, no mounted disk and no file is left, and the exit code says so."""
    command = [sys.executable, "-m", "tests.faults", "--events", "4000", "--seed", "7"]
    environment = {**os.environ, "TMPDIR": str(room)}
    with subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        for line in run.stdout:
            if "five services are ready" in line:
                break
        started = _processes_of(room)
        run.send_signal(told)
        said = run.stdout.read()
        code = run.wait()
    assert {name for name in started if "postgres" in name or "java" in name}, started
    assert code == 130, said
    assert "nothing of it is left" in said
    assert _processes_of(room) == []
    assert str(room) not in Path("/proc/self/mountinfo").read_text()
    assert list(room.iterdir()) == []


def _processes_of(room: Path) -> list[str]:
    """Names of the processes that were started with this folder for temporary files, but the run itself."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("TMPDIR") == str(room) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.name())
        except (psutil.Error, OSError):
            continue  # another user's, or gone meanwhile
    return found
