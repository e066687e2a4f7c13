"""The whole platform on this machine: bring it up, keep it up, take it down, say how it is."""

import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

from filelock import FileLock, Timeout

from deploy.local import kafka, postgres
from deploy.local.errors import Fault, Say
from deploy.local.installation import GATEWAY, Installation
from deploy.local.kafka import Kafka
from deploy.local.ports import require_free
from deploy.local.postgres import Postgres
from deploy.local.probe import readiness
from deploy.local.processes import Processes
from deploy.local.waiting import wait_until
from services import DEPLOYABLE

READY_SECONDS = 90.0
LOCK_SECONDS = 180.0
SERVING = (*DEPLOYABLE, GATEWAY)
EVERYTHING = (*SERVING, kafka.NAME, postgres.NAME)


class Stack:
    """One installation's processes and the order in which they depend on each other."""

    def __init__(self, installation: Installation, *, say: Say) -> None:
        self.installation = installation
        self._say = say
        home, ports = installation.home, installation.ports
        self.processes = Processes(home)
        self._kafka = Kafka(home, ports.kafka, ports.kafka_controller, installation.cache, say=say)
        self._postgres = Postgres(home, ports.postgres, say=say)

    def up(self) -> None:
        """Start what does not run; returns when all is ready.

        Raises:
            Fault: something cannot be started; what was started keeps running, the next `up` goes on from there.
        """
        self.installation.home.create()
        with self._alone():
            self._say(f"Earshot in {self.installation.home.root}")
            self.processes.adopt(EVERYTHING)
            self._leave_other_ports()
            missing = [name for name in SERVING if self.processes.find(name) is None]
            for name in missing:
                require_free(self._port(name), name)
            self._start_infrastructure()
            for name in missing:
                self.start_serving(name)
            self._await_services(missing)

    def down(self, *, erase: bool = False) -> None:
        """Stop everything, services first; with `erase` remove the state folder too.

        Raises:
            Fault: the state folder is not ours, or a process belongs to another user.
        """
        home = self.installation.home
        if not home.is_ours:
            if erase and home.root.exists():
                home.erase()
            self._say(f"nothing to stop: there is no installation in {home.root}")
            return
        home.create()
        with self._alone():
            self._stop_everything()
            if erase:
                home.erase()
                self._say(f"erased {home.root}")

    def start_serving(self, name: str) -> None:
        """Start the process of a service or of the gateway."""
        command = [sys.executable, "-m", "deploy.local", "serve", name]
        self.processes.start(name, command, environment=self.installation.environment(name), port=self._port(name))

    def status(self) -> dict[str, Any]:
        """What runs where; pids are None for what does not run or is not ours, numbers where nobody answers."""
        here, database = self.installation, self.installation.database
        with ThreadPoolExecutor(len(DEPLOYABLE)) as pool:
            reports = dict(zip(DEPLOYABLE, pool.map(readiness, map(here.service_url, DEPLOYABLE)), strict=True))
        return {
            "broker": {"address": here.bootstrap, "pid": None if here.external_broker else self._kafka.pid},
            "database": {
                "host": database.host,
                "port": database.port,
                "name": database.name,
                "pid": None if here.external_admin_dsn else self._postgres.pid,
            },
            "gateway": {"url": here.gateway_url, "pid": self.processes.pid(GATEWAY)},
            "services": {
                name: {
                    "url": here.service_url(name),
                    "pid": self.processes.pid(name),
                    "ready": report.ready,
                    "lag": report.lag,
                    "outbox": report.outbox,
                    "dead_letters": report.dead_letters,
                }
                for name, report in reports.items()
            },
        }

    def keep_up(self) -> None:
        """Watch the processes and start again, with a message, whatever dies; until interrupted."""
        while True:
            time.sleep(1)
            dead = [name for name in self._ours() if self.processes.find(name) is None]
            if dead:
                self._say(f"stopped unexpectedly: {', '.join(dead)}; starting again")
                try:
                    self.up()
                except Fault as fault:
                    self._say(f"{fault} Trying again.")

    def _ours(self) -> list[str]:
        external = {kafka.NAME: self.installation.external_broker, postgres.NAME: self.installation.external_admin_dsn}
        return [name for name in EVERYTHING if not external.get(name)]

    def _port(self, name: str) -> int:
        ports = self.installation.ports
        return ports.gateway if name == GATEWAY else ports.service(name)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep a second `up` or `down` of the same installation waiting."""
        lock = FileLock(self.installation.home.run / "lock")
        try:
            lock.acquire(timeout=0.2)
        except Timeout:
            self._say("  waiting for another `earshot up` or `earshot down` to finish")
            try:
                lock.acquire(timeout=LOCK_SECONDS)
            except Timeout:
                raise Fault("Another `earshot up` or `earshot down` does not finish; stop it first.") from None
        try:
            yield
        finally:
            lock.release()

    def _leave_other_ports(self) -> None:
        """Stop everything if it runs on another block of ports than the environment now asks for."""
        wanted = {name: self._port(name) for name in SERVING}
        wanted |= {kafka.NAME: self.installation.ports.kafka, postgres.NAME: self.installation.ports.postgres}
        if any((port := self.processes.port(name)) is not None and port != wanted[name] for name in EVERYTHING):
            self._say("  moving to another block of ports")
            self._stop_everything()

    def _stop_everything(self) -> None:
        self.processes.adopt(EVERYTHING)
        stopped = self.processes.stop(SERVING)
        self._say(f"stopped {', '.join(stopped)}" if stopped else "no service was running")
        if self._kafka.stop():
            self._say("stopped the broker")
        if self._postgres.stop():
            self._say("stopped the database")

    def _start_infrastructure(self) -> None:
        """Broker and database start side by side; the schemas are made while the broker still starts."""
        here = self.installation
        begun = time.monotonic()
        if not here.external_admin_dsn:
            self._postgres.launch()
        if not here.external_broker:
            self._kafka.launch()
        from deploy.local import preparing  # noqa: PLC0415 - slow to import, so meanwhile

        settings = preparing.kafka_settings(here.bootstrap, prefix=here.topic_prefix)
        if not here.external_admin_dsn:
            self._postgres.wait()
        for name in SERVING:
            preparing.migrate_one(name, migration_dsn=here.admin_dsn, service_dsn=here.service_dsn(name))
        self._say(f"  database {here.database.host}:{here.database.port} is ready ({_since(begun)})")
        if not here.external_broker:
            self._kafka.wait()
        preparing.create_topics(settings)
        self._say(f"  broker {here.bootstrap} is ready ({_since(begun)})")

    def _await_services(self, started: list[str]) -> None:
        begun = time.monotonic()
        for name in SERVING:
            wait_until(
                partial(self._serves, name),
                what=name,
                patience=READY_SECONDS,
                say=self._say,
                explain=partial(self._complaint, name),
            )
            self._say(f"  {name} is ready ({_since(begun)})" if name in started else f"  {name} was running")

    def _serves(self, name: str) -> bool:
        if self.processes.find(name) is None:
            raise Fault(f"{name} stopped during its start.{self.processes.last_words(name)}")
        return readiness(self._url(name)).ready

    def _complaint(self, name: str) -> str:
        return f"{readiness(self._url(name)).complaint}{self.processes.last_words(name)}"

    def _url(self, name: str) -> str:
        return self.installation.gateway_url if name == GATEWAY else self.installation.service_url(name)


def _since(begun: float) -> str:
    return f"{time.monotonic() - begun:.1f} s"
