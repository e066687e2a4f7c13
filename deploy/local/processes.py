"""Detached processes of one installation: start, find again, stop; safe against recycled process ids."""

import json
import os
import signal
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import psutil

from deploy.local.errors import Fault
from deploy.local.paths import CODE, Home

MARK = "EARSHOT_PROCESS"
"""Environment variable that names home and process, so that a process is found even if its record was never written."""

SAME_START_SECONDS = 2.0
LOG_BYTES = 20_000_000
LOG_TAIL_BYTES = 4_000


class Processes:
    """Each process has a name, a log `log/<name>.log` and a record `run/<name>.json` with pid, start time and port."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, command: Sequence[str], *, environment: Mapping[str, str], port: int) -> None:
        """Start the command in a session of its own, its output going to its log.

        Raises:
            Fault: the program cannot be started.
        """
        log = self.log_file(name)
        if log.exists() and log.stat().st_size > LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))
        try:
            with log.open("ab") as sink:
                child = subprocess.Popen(
                    command,
                    env={**environment, MARK: self._mark(name)},
                    cwd=CODE,
                    stdin=subprocess.DEVNULL,
                    stdout=sink,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        except OSError as wrong:
            raise Fault(f"{name} cannot be started: {wrong}") from wrong
        self._children[name] = child
        self._record(name, psutil.Process(child.pid), port)

    def find(self, name: str) -> psutil.Process | None:
        """The running process of that name, if there is one."""
        try:
            record = json.loads(self._record_file(name).read_text())
            process = psutil.Process(record["pid"])
            started = process.create_time()
            is_same = abs(started - record["started"]) < SAME_START_SECONDS
            return process if is_same and process.status() != psutil.STATUS_ZOMBIE else None
        except (OSError, ValueError, KeyError, TypeError, psutil.Error):
            return None

    def pid(self, name: str) -> int | None:
        process = self.find(name)
        return process.pid if process else None

    def port(self, name: str) -> int | None:
        """The port the running process was started with."""
        if self.find(name) is None:
            return None
        port = json.loads(self._record_file(name).read_text()).get("port")
        return port if isinstance(port, int) else None

    def adopt(self, names: Iterable[str]) -> None:
        """Write the missing record of a process whose starter was killed before it could."""
        marks = {self._mark(name): name for name in names if self.find(name) is None}
        found: defaultdict[str, list[psutil.Process]] = defaultdict(list)
        for process in psutil.process_iter() if marks else ():
            try:
                name = marks.get(process.environ().get(MARK, ""))
                if name and process.status() != psutil.STATUS_ZOMBIE:
                    found[name].append(process)
            except (psutil.Error, OSError):
                continue  # another user's, or gone meanwhile
        for name, family in found.items():
            eldest = min(family, key=psutil.Process.create_time)
            self._record(name, eldest, None)

    def stop(self, names: Iterable[str], *, by: signal.Signals = signal.SIGTERM, patience: float = 20.0) -> list[str]:
        """Stop what runs of these, killing what still runs after `patience` seconds; returns the names that ran.

        Raises:
            Fault: a process belongs to another user.
        """
        running = {name: process for name in names if (process := self.find(name))}
        for name, process in running.items():
            try:
                process.send_signal(by)
            except psutil.NoSuchProcess:
                continue
            except psutil.AccessDenied as denied:
                raise Fault(f"{name} (pid {process.pid}) belongs to another user; stop it as that user.") from denied
        _, stubborn = psutil.wait_procs(list(running.values()), timeout=patience)
        for process in stubborn:
            process.kill()
        psutil.wait_procs(stubborn, timeout=patience)
        for name in running:
            self._record_file(name).unlink(missing_ok=True)
            if child := self._children.pop(name, None):
                child.wait()
        return list(running)

    def log_file(self, name: str) -> Path:
        return self._home.log / f"{name}.log"

    def last_words(self, name: str) -> str:
        """The last lines of the log, indented, with the log's path: for a message about a process that stopped."""
        log = self.log_file(name)
        tail = log.read_bytes()[-LOG_TAIL_BYTES:].decode("utf-8", "replace") if log.exists() else ""
        lines = [f"    {line[:300]}" for line in tail.splitlines()[-8:]]
        return "\n".join(["", *lines, f"  The whole log: {log}"])

    def _mark(self, name: str) -> str:
        return f"{self._home.root}:{name}"

    def _record_file(self, name: str) -> Path:
        return self._home.run / f"{name}.json"

    def _record(self, name: str, process: psutil.Process, port: int | None) -> None:
        file = self._record_file(name)
        draft = file.with_suffix(f".{os.getpid()}.new")
        draft.write_text(json.dumps({"pid": process.pid, "started": process.create_time(), "port": port}))
        draft.replace(file)
