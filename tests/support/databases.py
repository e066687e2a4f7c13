"""A database of its own for every test, copied from a migrated template in some tens of milliseconds."""

import os
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg

from shared.runtime.migrations import migrate
from tests.support.infra import ADMIN_DSN

_ready: set[str] = set()


def dsn_of(database: str, service: str | None = None) -> str:
    """The administrator's DSN of the database, or the service role's."""
    admin = urlsplit(os.environ[ADMIN_DSN])
    login = f"earshot_{service}:secret" if service else f"{admin.username}:{admin.password}"
    return f"postgresql://{login}@{admin.hostname}:{admin.port}/{database}"


async def create_database(service: str) -> str:
    """The name of a fresh database with the service's schema."""
    template = f"template_{service}_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}"
    if template not in _ready:
        await _execute(f'CREATE DATABASE "{template}"')
        await migrate(service, migration_dsn=dsn_of(template), service_dsn=dsn_of(template, service))
        _ready.add(template)
    name = f"test_{uuid4().hex}"
    await _execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return name


async def empty_database() -> str:
    """The name of a fresh database without any schema."""
    name = f"test_{uuid4().hex}"
    await _execute(f'CREATE DATABASE "{name}"')
    return name


async def drop_database(name: str) -> None:
    await _execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


async def _execute(statement: str) -> None:
    connection = await asyncpg.connect(os.environ[ADMIN_DSN])
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
