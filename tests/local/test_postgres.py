import asyncio
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from deploy.local.errors import Fault
from deploy.local.paths import Home
from deploy.local.postgres import Postgres


@pytest.fixture
def private_home(tmp_path: Path) -> Home:
    """A state folder below one that nobody else may enter, as below /root."""
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    place = Home(private / "home")
    place.create()
    return place


@pytest.fixture
def postgres(private_home: Home, free_port: Callable[[], int]) -> Iterator[Postgres]:
    server = Postgres(private_home, free_port(), durable=False)
    yield server
    server.stop()


def ask(dsn: str, *statements: str) -> object:
    """The value of the last statement."""

    async def run() -> object:
        connection = await asyncpg.connect(dsn, timeout=10)
        try:
            for statement in statements[:-1]:
                await connection.execute(statement)
            return await connection.fetchval(statements[-1])
        finally:
            await connection.close()

    return asyncio.run(run())


def kill(pid: int | None) -> None:
    assert pid is not None
    process = psutil.Process(pid)
    process.kill()
    psutil.wait_procs([process], timeout=5)


def test_data_survive_a_killed_server(postgres: Postgres) -> None:
    """After kill -9 the next start recovers by itself, and what was committed is still there."""
    postgres.start()
    ask(postgres.dsn(), "CREATE TABLE vote (n int)", "INSERT INTO vote VALUES (42) RETURNING n")
    kill(postgres.pid)
    postgres.start()
    assert ask(postgres.dsn(), "SELECT n FROM vote") == 42


def test_a_stale_pid_file_that_names_a_living_program_is_no_obstacle(postgres: Postgres, private_home: Home) -> None:
    """A postmaster.pid whose number now belongs to another program of the same user does not prevent the start."""
    postgres.start()
    kill(postgres.pid)
    pid_file = private_home.postgres / "data" / "postmaster.pid"
    with subprocess.Popen(["sleep", "60"], user=pid_file.stat().st_uid if os.geteuid() == 0 else None) as stranger:
        pid_file.write_text("\n".join([str(stranger.pid), *pid_file.read_text().splitlines()[1:]]) + "\n")
        postgres.start()
        assert ask(postgres.dsn(), "SELECT 1") == 1
        stranger.kill()


def test_a_half_made_data_folder_is_made_anew(postgres: Postgres, private_home: Home) -> None:
    """What a start that was killed during initdb left behind does not disturb the next one."""
    half = private_home.postgres / "data.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    postgres.start()
    assert ask(postgres.dsn(), "SELECT current_database()::text") == "earshot"
    assert not half.exists()


def test_only_the_password_opens_the_database(postgres: Postgres) -> None:
    """The server asks for a password even on loopback and offers no socket file."""
    postgres.start()
    with pytest.raises(asyncpg.InvalidPasswordError):
        ask(f"postgresql://postgres:guess@{postgres.address}/earshot", "SELECT 1")
    assert ask(postgres.dsn(), "SHOW unix_socket_directories") == ""


def test_folders_above_keep_their_rights(postgres: Postgres, private_home: Home) -> None:
    """The server reaches its data below a private folder without any change to that folder."""
    postgres.start()
    private = private_home.root.parent.stat()
    assert (private.st_mode & 0o777, private.st_uid) == (0o700, os.geteuid())


def test_starting_twice_keeps_the_running_server(postgres: Postgres) -> None:
    """A second start finds the first server and leaves it running."""
    postgres.start()
    pid = postgres.pid
    began = time.monotonic()
    postgres.start()
    assert postgres.pid == pid
    assert time.monotonic() - began < 2


def test_a_server_that_cannot_start_says_why(postgres: Postgres, private_home: Home) -> None:
    """A start that fails ends with the server's own last words and the place of its log."""
    postgres.start()
    postgres.stop()
    (private_home.postgres / "data" / "pg_hba.conf").write_text("nonsense\n")
    with pytest.raises(Fault, match=r"(?s)PostgreSQL stopped during its start\..*pg_hba\.conf.*postgres\.log"):
        postgres.start()
