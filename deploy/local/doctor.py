"""What a local installation needs, whether it is there, and what to do where it is not."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from deploy.local import kafka, kafka_jars, postgres
from deploy.local.errors import Fault
from deploy.local.installation import GATEWAY, Installation
from deploy.local.ports import require_free
from deploy.local.processes import Processes
from deploy.local.unprivileged import command_prefix
from services import DEPLOYABLE

NEEDED_BYTES = 1_000_000_000
OLDEST_PYTHON = (3, 11)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `ok` False means that `earshot up` would fail."""

    subject: str
    ok: bool
    detail: str


def examine(installation: Installation) -> Iterator[Finding]:
    """Look at everything `earshot up` depends on."""
    yield _finding("Python", _python)
    yield _finding("state folder", lambda: _writable(installation.home.root))
    yield _finding("cache", lambda: _writable(installation.cache))
    if installation.external_admin_dsn:
        place = installation.database
        yield Finding("database", True, f"external, {place.host}:{place.port}, database {place.name}")
    else:
        yield _finding("PostgreSQL", lambda: _postgres(installation))
    if installation.external_broker:
        yield Finding("broker", True, f"external, {installation.external_broker}")
    else:
        yield _finding("Java", _java)
        yield _finding("Kafka's jars", lambda: _jars(installation))
    for name, port in _ports(installation).items():
        yield _finding(name, partial(_port, installation, name, port))


def _finding(subject: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, True, look())
    except (Fault, OSError) as wrong:
        return Finding(subject, False, str(wrong))


def _python() -> str:
    if sys.version_info < OLDEST_PYTHON:
        raise Fault(f"{sys.version.split()[0]} is too old; install Python 3.11 or newer.")
    return f"{sys.version.split()[0]}, {sys.executable}"


def _writable(folder: Path) -> str:
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    probe = existing / f".earshot-probe-{id(folder)}"
    probe.touch()
    probe.unlink()
    free = shutil.disk_usage(existing).free
    if free < NEEDED_BYTES:
        raise Fault(f"{folder}: only {free // 1_000_000} MB are free; make room for 1 GB or set EARSHOT_HOME.")
    return f"{folder}{'' if existing == folder else ' (will be made)'}, {free // 1_000_000_000} GB free"


def _postgres(installation: Installation) -> str:
    program = str(postgres.programs() / "postgres")
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    if version.returncode != 0:
        raise Fault(f"{program} does not run here: {version.stderr.strip()}. Set EARSHOT_ADMIN_DSN instead.")
    if installation.home.postgres.exists():
        command_prefix(program, installation.home.postgres)
    return version.stdout.strip()


def _java() -> str:
    program = str(kafka.java())
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    if version.returncode != 0:
        raise Fault(f"{program} does not run here: {version.stderr.strip()}. Set EARSHOT_KAFKA_BOOTSTRAP instead.")
    return version.stdout.splitlines()[0]


def _jars(installation: Installation) -> str:
    jars = kafka_jars.locked()
    intact = kafka_jars.intact(installation.cache)
    if len(intact) == len(jars):
        return f"{len(jars)} in {installation.cache}, all intact"
    return f"{len(intact)} of {len(jars)} in {installation.cache}; `earshot up` fetches the others"


def _ports(installation: Installation) -> dict[str, int]:
    ports = installation.ports
    listening = {GATEWAY: ports.gateway} | {name: ports.service(name) for name in DEPLOYABLE}
    if not installation.external_admin_dsn:
        listening[postgres.NAME] = ports.postgres
    if not installation.external_broker:
        listening[kafka.NAME] = ports.kafka
    return listening


def _port(installation: Installation, name: str, port: int) -> str:
    if pid := Processes(installation.home).pid(name):
        return f"runs on port {port} (pid {pid})"
    require_free(port, name)
    return f"not running, port {port} is free"
