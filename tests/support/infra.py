"""One real Kafka and one real PostgreSQL for a whole test session, on free ports and in a folder of its own."""

import os
import shutil
import socket
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

KAFKA, ADMIN_DSN, CHOICE = "EARSHOT_TEST_KAFKA", "EARSHOT_TEST_ADMIN_DSN", "EARSHOT_TEST_INFRA"

MEMORY, ENOUGH_BYTES = Path("/dev/shm"), 2 << 30  # noqa: S108 - the folder made there has a name that nobody can guess


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def in_memory() -> Path | None:
    """A folder that is kept in memory, where there is one with room for the tests' databases.

    ext4 looks past every file deleted in the last seconds when it makes one: where each test makes and drops a database
    of three hundred files, that takes longer than the tests.
    """
    has_room = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ENOUGH_BYTES
    return MEMORY if has_room else None


@dataclass
class Infrastructure:
    """Started by the process that starts the tests; its workers find the addresses in the environment.

    `durable` waits for the disk at every commit, as in production; tests need not.
    """

    stops: list[Callable[[], object]] = field(default_factory=list)
    durable: bool = False

    def start(self) -> None:
        if KAFKA in os.environ and ADMIN_DSN in os.environ:
            return
        start = self._containers if os.environ.get(CHOICE) == "docker" else self._embedded
        os.environ[KAFKA], os.environ[ADMIN_DSN] = start()

    def stop(self) -> None:
        for stop in reversed(self.stops):
            stop()

    def _embedded(self) -> tuple[str, str]:
        from deploy.local.kafka import Kafka  # noqa: PLC0415 - not needed where containers are
        from deploy.local.paths import Home, cache_from  # noqa: PLC0415
        from deploy.local.postgres import Postgres  # noqa: PLC0415

        def home(place: Path | None) -> Home:
            folder = Path(tempfile.mkdtemp(prefix="earshot-tests-", dir=place))
            folder.chmod(0o755)
            self.stops.append(lambda: shutil.rmtree(folder, ignore_errors=True))
            made = Home(folder / "home")
            made.create()
            return made

        postgres = Postgres(home(None if self.durable else in_memory()), free_port(), durable=self.durable)
        kafka = Kafka(home(None), free_port(), free_port(), cache_from(os.environ))
        self.stops += [postgres.stop, kafka.stop]
        with ThreadPoolExecutor() as pool:
            for started in [pool.submit(postgres.start), pool.submit(kafka.start)]:
                started.result()
        return kafka.address, postgres.dsn()

    def _containers(self) -> tuple[str, str]:
        from tests.support.containers import (  # noqa: PLC0415 - only with Docker
            do_without_ryuk_where_it_cannot_be_had,
            start_kafka,
            start_postgres,
        )

        do_without_ryuk_where_it_cannot_be_had()
        with ThreadPoolExecutor() as pool:
            kafka, postgres = pool.submit(start_kafka), pool.submit(start_postgres)
        (address, stop_kafka), (dsn, stop_postgres) = kafka.result(), postgres.result()
        self.stops += [stop_postgres, stop_kafka]
        return address, dsn
