"""Where the benchmarks run: a Kafka and a durable PostgreSQL of their own, and the programs that are compared."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psutil
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwt.algorithms import OKPAlgorithm

from shared.runtime.auth.tokens import issue, key_id
from shared.runtime.topics import create_topics
from tests.support.databases import create_database, drop_database, dsn_of
from tests.support.infra import ADMIN_DSN, KAFKA, Infrastructure, free_port

CHECKOUT = Path(__file__).parents[2]
PARTITIONS = 12
"""As the contract says."""


@dataclass(frozen=True, slots=True)
class Place:
    """Addresses of what runs, and the postmaster, whose children's CPU time is PostgreSQL's."""

    kafka: str
    postmaster: psutil.Process
    folder: Path
    python: Path
    """Runs the services."""

    async def topics(self) -> str:
        """A prefix whose topics exist and are empty."""
        prefix = f"b{uuid4().hex[:8]}."
        await create_topics(self.kafka, prefix=prefix, partitions=PARTITIONS)
        return prefix

    @asynccontextmanager
    async def database(self, service: str = "roadmap") -> AsyncIterator[str]:
        """The name of a fresh database with the service's schema."""
        name = await create_database(service)
        try:
            yield name
        finally:
            await drop_database(name)


@contextmanager
def place(folder: Path, *, as_in_images: bool) -> Iterator[Place]:
    """Start Kafka and PostgreSQL, with fsync and synchronous_commit on.

    Services run with the packages of the images alone, as libraries load what else they find, or with those here.
    """
    for name in (KAFKA, ADMIN_DSN):  # a server that others use too would not be measured alone
        os.environ.pop(name, None)
    infrastructure = Infrastructure(durable=True)
    infrastructure.start()
    try:
        (folder / "jwks.json").write_text('{"keys": []}')
        port = urlsplit(os.environ[ADMIN_DSN]).port
        python = _as_in_images(folder / "venv") if as_in_images else Path(sys.executable)
        yield Place(os.environ[KAFKA], _listening_on(port), folder, python)
    finally:
        infrastructure.stop()


def _as_in_images(venv: Path) -> Path:
    uv, python = Path(sys.executable).with_name("uv"), venv / "bin" / "python"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, venv], check=True)
    install: list[str | Path] = [
        uv,
        "pip",
        "sync",
        "--quiet",
        "--require-hashes",
        "--compile-bytecode",
        "--python",
        python,
    ]
    subprocess.run([*install, CHECKOUT / "requirements" / "runtime.lock"], check=True)
    return python


@dataclass(frozen=True, slots=True)
class Program:
    """A program that is measured, and where it answers if it speaks HTTP."""

    process: psutil.Process
    url: str


@contextmanager
def service(place: Place, name: str, database: str, prefix: str, **settings: str) -> Iterator[Program]:
    """One process of the service, as it is run everywhere."""
    command = [str(place.python), "-m", "deploy.local", "serve", name]
    own = {"EARSHOT_JWKS": str(place.folder / "jwks.json"), **settings}
    with _running(place, command, dsn_of(database, name), prefix, own) as program:
        yield program


@contextmanager
def rival(place: Place, module: str, database: str, prefix: str, **settings: str) -> Iterator[Program]:
    """One process of something a service is compared with."""
    command = [sys.executable, "-m", f"tests.bench.rivals.{module}"]
    with _running(place, command, dsn_of(database, "roadmap"), prefix, settings) as program:
        yield program


def signed(place: Place) -> tuple[str, dict[str, str]]:
    """A file of keys for EARSHOT_JWKS, and the headers of an administrator whose token they prove."""
    key = Ed25519PrivateKey.generate()
    public = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": key_id(key), "use": "sig"}
    jwks = place.folder / f"{uuid4().hex[:8]}-jwks.json"
    jwks.write_text(json.dumps({"keys": [public]}))
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    token = issue(pem, subject="bench", role="admin", lifetime=timedelta(hours=1), now=datetime.now(UTC))
    return str(jwks), {"Authorization": f"Bearer {token}"}


@contextmanager
def _running(place: Place, command: list[str], dsn: str, prefix: str, settings: Mapping[str, str]) -> Iterator[Program]:
    port = free_port()
    ours = {name: text for name, text in os.environ.items() if not name.startswith("EARSHOT_")}
    told = {
        "EARSHOT_KAFKA_BOOTSTRAP": place.kafka,
        "EARSHOT_TOPIC_PREFIX": prefix,
        "EARSHOT_DATABASE_DSN": dsn,
        "EARSHOT_HTTP_PORT": str(port),
        "EARSHOT_LOG_LEVEL": "WARNING",
        **settings,
    }
    log = place.folder / f"{uuid4().hex[:8]}.log"
    with log.open("wb") as written:
        process = subprocess.Popen(command, cwd=CHECKOUT, env=ours | told, stdout=written, stderr=subprocess.STDOUT)
    try:
        yield Program(psutil.Process(process.pid), f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(timeout=30)
        if process.returncode > 0:
            raise RuntimeError(f"{' '.join(command[1:])} failed:\n{log.read_text()[-3000:]}")


def _listening_on(port: int | None) -> psutil.Process:
    for connection in psutil.net_connections("tcp4"):
        is_it = connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
        if is_it and connection.pid is not None:
            return psutil.Process(connection.pid)
    raise RuntimeError(f"nobody listens on port {port}")
