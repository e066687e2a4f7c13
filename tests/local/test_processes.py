import json
import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

from deploy.local.errors import Fault
from deploy.local.paths import Home
from deploy.local.processes import Processes

SLEEP = ["sleep", "60"]
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


def start(processes: Processes, name: str = "kpi", command: list[str] | None = None) -> psutil.Process:
    processes.start(name, command or SLEEP, environment=dict(os.environ), port=4711)
    found = processes.find(name)
    assert found is not None
    return found


def test_a_process_is_found_again_by_a_later_command(home: Home, processes: Processes) -> None:
    """Another command finds the running process, with its port, by the record alone."""
    process = start(processes)
    later = Processes(home)
    assert later.pid("kpi") == process.pid
    assert later.port("kpi") == 4711


def test_a_recycled_pid_is_neither_found_nor_stopped(home: Home, processes: Processes) -> None:
    """A record whose pid now belongs to a process that started at another time touches that process in no way."""
    stranger = start(processes, "stranger")
    stale = {"pid": stranger.pid, "started": stranger.create_time() - 3600, "port": 4711}
    (home.run / "kpi.json").write_text(json.dumps(stale))
    assert processes.find("kpi") is None
    assert processes.stop(["kpi"]) == []
    assert stranger.is_running()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}', '{"pid": "x", "started": 0}', '{"pid": 99999999}'])
def test_a_damaged_record_means_not_running(home: Home, content: str) -> None:
    """A record that a crash left half written is no running process and no error."""
    (home.run / "kpi.json").write_text(content)
    assert Processes(home).find("kpi") is None


def test_a_killed_process_is_not_found(processes: Processes) -> None:
    """After kill -9 the process counts as gone, even while it is a zombie nobody has waited for."""
    process = start(processes)
    process.kill()
    deadline = time.monotonic() + 5
    while processes.find("kpi") is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert processes.find("kpi") is None


def test_a_process_without_record_is_adopted(home: Home, processes: Processes) -> None:
    """A process whose starter was killed before it wrote the record is found and can be stopped."""
    process = start(processes)
    (home.run / "kpi.json").unlink()
    later = Processes(home)
    later.adopt(["kpi", "roadmap"])
    assert later.pid("kpi") == process.pid
    assert later.stop(["kpi", "roadmap"]) == ["kpi"]


def test_another_installation_adopts_nothing(tmp_path: Path, processes: Processes) -> None:
    """Two installations on one machine do not take each other's processes for their own."""
    start(processes)
    neighbour = Home(tmp_path / "neighbour")
    neighbour.create()
    other = Processes(neighbour)
    other.adopt(["kpi"])
    assert other.find("kpi") is None


def test_what_ignores_sigterm_is_killed(processes: Processes) -> None:
    """Stopping ends even a process that ignores the polite signal."""
    process = start(processes, command=[sys.executable, "-c", STUBBORN])
    while "up" not in processes.log_file("kpi").read_text():
        time.sleep(0.01)
    assert processes.stop(["kpi"], by=signal.SIGTERM, patience=0.2) == ["kpi"]
    assert not process.is_running()


def test_output_is_kept_in_the_log(processes: Processes) -> None:
    """What a process printed before it died is in its log and in the message about it."""
    start(processes, command=[sys.executable, "-c", "print('out of cheese')"]).wait(10)
    assert "out of cheese" in processes.last_words("kpi")


def test_a_missing_program_is_a_fault(processes: Processes) -> None:
    """A program that does not exist is told by name instead of as a traceback."""
    with pytest.raises(Fault, match=r"kpi cannot be started: .*no-such-program"):
        processes.start("kpi", ["no-such-program"], environment={}, port=4711)
