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
from tests.openapi.seeds import Calls, Known, sow
from tests.support.infra import free_port
from tests.support.running import stage
from tests.support.service import OWN_SETTINGS

CONFIG = Path(__file__).with_name("fuzz.toml")
OFTEN = {"path": 0.8, "query": 0.5, "body": 0.5}
"""How often a value is one that is there."""


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


async def fuzz(service: Service, folder: Path, made: Calls, *, examples: int, seed: int) -> Outcome:
    """Call every operation, as an admin and without a token, with right, odd and wrong input.

    Events have reached the service and `made` was called, so that much of what is asked for by its name is there.
    `examples` bounds the random cases of an operation, which come after all edges of its schema; the seed repeats it.
    """
    async with _served(service, folder, made) as (address, token, known):
        config = folder / "fuzz.toml"
        config.write_text(f"{CONFIG.read_text()}\n{_bindings(known)}")
        bounds = ["--max-examples", str(examples), "--seed", str(seed)]
        command = ["-m", "schemathesis.cli", "--config-file", str(config), "run", f"{address}/openapi.json"]
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


def _bindings(known: Known) -> str:
    """The part of schemathesis's configuration that has it call by their names what is there."""
    values = [f"[dictionaries.{name}]\nvalues = {json.dumps(of_name)}" for name, of_name in known.items()]
    bound = [
        f'"{place}.{name}" = {{ dictionary = "{name}", probability = {probability} }}'
        for name in known
        for place, probability in OFTEN.items()
    ]
    return "\n".join([*values, "[parameters]", *bound, ""])


@asynccontextmanager
async def _served(service: Service, folder: Path, made: Calls) -> AsyncIterator[tuple[str, str, Known]]:
    """Its address, an admin's token, and what there is to be called."""
    key = Ed25519PrivateKey.generate()
    async with stage(service, folder, **OWN_SETTINGS.get(service.name, {})) as staged:
        public = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": key_id(key), "use": "sig"}
        (folder / "jwks.json").write_text(json.dumps({"keys": [public]}))
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        token = issue(pem, subject="fuzz", role="admin", lifetime=timedelta(hours=12), now=datetime.now(UTC))
        async with staged.run() as running:
            known = await sow(service, running, made, token)
            port = free_port()
            server = uvicorn.Server(uvicorn.Config(running.app, port=port, lifespan="off", log_config=None))
            serving = asyncio.create_task(server.serve())
            yield f"http://127.0.0.1:{port}", token, known
            server.should_exit = True
            await serving
