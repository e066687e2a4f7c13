"""The whole platform, started as a user starts it, in a folder and on ports of its own."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parents[2]
BLOCK = 13


def free_block() -> int:
    """The first of thirteen neighbouring ports nobody listens on."""
    for base in range(20_000 + os.getpid() % 2000 * 16, 60_000, 16):
        if all(_is_free(port) for port in range(base, base + BLOCK)):
            return base
    raise RuntimeError("no block of free ports")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


@dataclass
class Platform:
    """One local installation."""

    home: Path
    port_base: int

    @property
    def environment(self) -> dict[str, str]:
        ours = {name: text for name, text in os.environ.items() if not name.startswith("EARSHOT_")}
        kept = {name: os.environ[name] for name in ("EARSHOT_CACHE",) if name in os.environ}
        return ours | kept | {"EARSHOT_HOME": str(self.home), "EARSHOT_PORT_BASE": str(self.port_base)}

    def earshot(self, *arguments: str, given: str | None = None) -> str:
        """What the command prints; fails when the command does."""
        done = subprocess.run(
            [sys.executable, "-m", "deploy.local", *arguments],
            cwd=CHECKOUT,
            env=self.environment,
            input=given,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, f"earshot {' '.join(arguments)}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.earshot("status", "--json"))
        return found

    def kill(self, service: str) -> None:
        """As the kernel would when memory runs out."""
        os.kill(self.status()["services"][service]["pid"], signal.SIGKILL)

    def end(self) -> None:
        """Stop everything and leave nothing of it; once is enough."""
        if self.home.exists():
            self.earshot("down", "--erase")

    async def up(self, *options: str) -> str:
        return await asyncio.to_thread(self.earshot, "up", *options)
