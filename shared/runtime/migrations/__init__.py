"""Numbered SQL files, applied forward only, each in its own transaction, remembered with its checksum."""

import contextlib
import hashlib
import importlib
from collections.abc import Iterator
from importlib import resources
from urllib.parse import unquote, urlsplit

import asyncpg

from shared.runtime.packages import package_of

LOCK_TIMEOUT = "5s"


class MigrationError(Exception):
    """The schema cannot be brought up to date; the message says which file and what to do."""


async def migrate(service: str, *, migration_dsn: str, service_dsn: str) -> list[str]:
    """Create the service's role and schema where missing and apply what is new; gives the names of the applied files.

    The migrator owns everything; the service's role may only read and write rows of its own schema.
    """
    role = urlsplit(service_dsn)
    if not role.username:
        raise MigrationError("the service's DSN names no role; use postgresql://role:password@host:port/database")
    connection = await asyncpg.connect(migration_dsn)
    try:
        # One migrator per schema at a time; the lock goes with the connection.
        await connection.execute("SELECT pg_advisory_lock(hashtextextended('earshot migrate ' || $1, 0))", service)
        await _create_role(connection, unquote(role.username), unquote(role.password or ""), service)
        applied = [name for package in _packages(service) for name in await _apply(connection, service, package)]
        await _grant(connection, unquote(role.username), service)
        await _let_in(connection, service_dsn)
    finally:
        await connection.close()
    return applied


def _packages(service: str) -> list[str]:
    """Where its files lie; what has no events says `BACKBONE = False` and gets none of the backbone's tables."""
    own = f"{package_of(service)}.migrations"
    has_events = getattr(importlib.import_module(own), "BACKBONE", True)
    return ["shared.runtime.migrations", own] if has_events else [own]


async def _create_role(connection: "asyncpg.Connection[asyncpg.Record]", role: str, password: str, schema: str) -> None:
    if not await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", role):
        # Identifiers and passwords cannot be parameters of CREATE ROLE, so the server itself quotes them. Two services
        # never share a role; a second migrator that was faster is no fault.
        statement = await connection.fetchval(
            "SELECT format('CREATE ROLE %I LOGIN NOINHERIT PASSWORD %L', $1::text, $2::text)", role, password
        )
        with contextlib.suppress(asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):
            await connection.execute(statement)
    await connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
    await connection.execute(
        f"""
        CREATE TABLE IF NOT EXISTS "{schema}".schema_migrations (
            name       text PRIMARY KEY,
            checksum   text NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now()
        )
        """
    )


async def _let_in(connection: "asyncpg.Connection[asyncpg.Record]", service_dsn: str) -> None:
    """Give a role that was there before the password the service now has."""
    try:
        await (await asyncpg.connect(service_dsn)).close()
    except asyncpg.InvalidPasswordError:
        role = urlsplit(service_dsn)
        statement = await connection.fetchval(
            "SELECT format('ALTER ROLE %I PASSWORD %L', $1::text, $2::text)",
            unquote(role.username or ""),
            unquote(role.password or ""),
        )
        await connection.execute(statement)


async def missing(pool: "asyncpg.Pool[asyncpg.Record]", service: str) -> list[str]:
    """The files that this release of the service brings and the database has not had yet."""
    rows = await pool.fetch(f'SELECT name FROM "{service}".schema_migrations')
    known = {row["name"] for row in rows}
    return [name for package in _packages(service) for name, _ in _files(package) if name not in known]


def _files(package: str) -> Iterator[tuple[str, str]]:
    """Name and text of each file, in their order."""
    prefix = "shared" if package.startswith("shared.") else "own"
    for file in sorted(resources.files(package).iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".sql"):
            yield f"{prefix}/{file.name}", file.read_text(encoding="utf-8")


async def _apply(connection: "asyncpg.Connection[asyncpg.Record]", schema: str, package: str) -> list[str]:
    rows = await connection.fetch(f'SELECT name, checksum FROM "{schema}".schema_migrations')
    known = {row["name"]: row["checksum"] for row in rows}
    applied = []
    for name, text in _files(package):
        checksum = hashlib.sha256(text.encode()).hexdigest()
        if name in known:
            if known[name] != checksum:
                raise MigrationError(
                    f"{name} of {schema} was changed after it had been applied; add a new file instead"
                )
            continue
        async with connection.transaction():
            await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
            await connection.execute(f'SET LOCAL search_path = "{schema}", public')
            await connection.execute(text)
            await connection.execute(
                f'INSERT INTO "{schema}".schema_migrations (name, checksum) VALUES ($1, $2)',
                name,
                checksum,
            )
        applied.append(name)
    return applied


async def _grant(connection: "asyncpg.Connection[asyncpg.Record]", role: str, schema: str) -> None:
    quoted = await connection.fetchval("SELECT quote_ident($1)", role)
    for statement in (
        f'GRANT USAGE ON SCHEMA "{schema}" TO {quoted}',
        f'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "{schema}" TO {quoted}',
        f'REVOKE ALL ON "{schema}".schema_migrations FROM {quoted}',
        f'GRANT SELECT ON "{schema}".schema_migrations TO {quoted}',
        f'GRANT USAGE ON ALL SEQUENCES IN SCHEMA "{schema}" TO {quoted}',
    ):
        await connection.execute(statement)
