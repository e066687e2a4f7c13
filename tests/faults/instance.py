"""One instance of a service as a process, as `earshot serve` runs it."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

CHECKOUT = Path(__file__).parents[2]
SERVE = (sys.executable, "-m", "deploy.local", "serve")
ANSWER_SECONDS = 6.0
STOP_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Readiness:
    """What /readyz says; `answered` is false when nobody does."""

    answered: bool
    ready: bool = False
    failing: tuple[str, ...] = ()
    body: dict[str, Any] = field(default_factory=dict)


@dataclass
class Instance:
    """A process that can be started again, with the same name and port."""

    service: str
    number: int
    port: int
    environment: dict[str, str]
    log: Path
    command: Sequence[str] = SERVE
    code: Path = CHECKOUT
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def name(self) -> str:
        return f"{self.service}-{self.number}"

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        assert not self.running
        with self.log.open("ab") as sink:
            self.process = subprocess.Popen(
                [*self.command, self.service],
                cwd=self.code,
                env={**self.environment, "EARSHOT_HTTP_PORT": str(self.port)},
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
            )

    async def kill(self) -> int:
        """As the kernel would; gives the code the process ended with."""
        return await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """As an orchestrator would, waiting until what is in flight is done."""
        return await self._end(signal.SIGTERM)

    def freeze(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def has_connection_from(self, port: int) -> bool:
        """Whether one of its sockets has this local port."""
        assert self.process is not None
        open_sockets = psutil.Process(self.process.pid).net_connections(kind="tcp")
        return any(found.laddr and found.laddr.port == port for found in open_sockets)

    async def readiness(self) -> Readiness:
        try:
            async with httpx.AsyncClient(timeout=ANSWER_SECONDS) as client:
                answer = await client.get(f"http://127.0.0.1:{self.port}/readyz")
        except httpx.HTTPError:
            return Readiness(answered=False)
        body = answer.json()
        failing = tuple(name for name, check in body["checks"].items() if not check["ok"])
        assert body["ready"] == (answer.status_code == httpx.codes.OK) == (not failing)
        return Readiness(True, body["ready"], failing, body)

    async def _end(self, by: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(by)
        try:
            return await asyncio.to_thread(self.process.wait, STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"{self.name} did not end within {STOP_SECONDS:.0f} s; its log: {self.log}") from None
