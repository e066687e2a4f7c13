"""A service as it runs in production, on a port of its own, and schemathesis against it."""

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwt.algorithms import OKPAlgorithm

from shared.runtime.auth.tokens import issue, key_id
from shared.runtime.service import Service
from tests.support.infra import free_port
from tests.support.running import stage
from tests.support.service import OWN_SETTINGS

CONFIG = Path(__file__).with_name("fuzz.toml")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended; `report` is what schemathesis printed."""

    passed: bool
    report: str

    @property
    def is_clean(self) -> bool:
        """Nothing failed, and every operation was called: an empty run passes too."""
        counts = re.search(r"Selected: (\d+)/(\d+)\n\s+Tested: (\d+)", self.report)
        return self.passed and counts is not None and len(set(counts.groups())) == 1

    @property
    def failures(self) -> list[str]:
        """The kinds of failure with their counts, e.g. "ST101 Server error: 1"."""
        return re.findall(r"(ST\d{3} [^\n]*: \d+)$", self.report, re.MULTILINE)


async def fuzz(service: Service, folder: Path, *, examples: int, seed: int) -> Outcome:
    """Call every operation, as an admin and without a token, with right, odd and wrong input.

    `examples` bounds the random cases of an operation, which come after all edges of its schema; the seed repeats it.
    """
    async with _served(service, folder) as (address, token):
        bounds = ["--max-examples", str(examples), "--seed", str(seed)]
        command = ["-m", "schemathesis.cli", "--config-file", str(CONFIG), "run", f"{address}/openapi.json"]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *command,
            *("--url", address, "--header", f"Authorization: Bearer {token}", "--no-color", *bounds),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=folder,
        )
        said, _ = await process.communicate()
    return Outcome(process.returncode == 0, said.decode())


@asynccontextmanager
async def _served(service: Service, folder: Path) -> AsyncIterator[tuple[str, str]]:
    """Its address and an admin's token."""
    key = Ed25519PrivateKey.generate()
    async with stage(service, folder, **OWN_SETTINGS.get(service.name, {})) as made:
        public = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": key_id(key), "use": "sig"}
        (folder / "jwks.json").write_text(json.dumps({"keys": [public]}))
        async with made.run() as running:
            port = free_port()
            server = uvicorn.Server(uvicorn.Config(running.app, port=port, lifespan="off", log_config=None))
            serving = asyncio.create_task(server.serve())
            pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            lifetime = timedelta(hours=12)
            yield (
                f"http://127.0.0.1:{port}",
                issue(pem, subject="fuzz", role="admin", lifetime=lifetime, now=datetime.now(UTC)),
            )
            server.should_exit = True
            await serving
