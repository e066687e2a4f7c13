"""Schemas and roles: applied once, checked, and closed to the neighbours."""

from uuid import uuid4

import asyncpg
import pytest

from shared.runtime.database import Database
from shared.runtime.health import Health
from shared.runtime.migrations import MigrationError, migrate
from shared.runtime.telemetry import Metrics
from tests.support.databases import create_database, drop_database, dsn_of


@pytest.fixture
async def database() -> str:
    return await create_database("kpi")


async def test_a_second_run_applies_nothing(database: str) -> None:
    """Migrating again finds everything applied."""
    assert await migrate("kpi", migration_dsn=dsn_of(database), service_dsn=dsn_of(database, "kpi")) == []
    await drop_database(database)


async def test_a_changed_migration_is_refused(database: str) -> None:
    """A file that was changed after it had been applied stops the migration and is named."""
    admin = await asyncpg.connect(dsn_of(database))
    await admin.execute("UPDATE kpi.schema_migrations SET checksum = 'other' WHERE name = 'shared/0001_backbone.sql'")
    await admin.close()
    with pytest.raises(MigrationError, match=r"shared/0001_backbone\.sql of kpi was changed"):
        await migrate("kpi", migration_dsn=dsn_of(database), service_dsn=dsn_of(database, "kpi"))
    await drop_database(database)


async def test_a_service_cannot_read_another_schema(database: str) -> None:
    """A service's role is denied every other service's schema, and may not change its own schema's shape."""
    await migrate("sessions", migration_dsn=dsn_of(database), service_dsn=dsn_of(database, "sessions"))
    connection = await asyncpg.connect(dsn_of(database, "kpi"))
    try:
        assert await connection.fetchval("SELECT count(*) FROM kpi.outbox") == 0
        for forbidden in (
            "SELECT * FROM sessions.outbox",
            "CREATE TABLE kpi.extra (n int)",
            "CREATE TABLE public.extra (n int)",
            "DROP TABLE kpi.inbox",
            "DELETE FROM kpi.schema_migrations",
            "SET ROLE postgres",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(forbidden)
    finally:
        await connection.close()
        await drop_database(database)


async def test_a_dsn_without_role_is_refused(database: str) -> None:
    """A service DSN that names no role is refused with the form it should have."""
    with pytest.raises(MigrationError, match="names no role"):
        await migrate("kpi", migration_dsn=dsn_of(database), service_dsn="postgresql://127.0.0.1/x")
    await drop_database(database)


async def test_a_role_that_was_there_gets_the_services_password(database: str) -> None:
    """When the secrets are made anew, migrating lets the service in with its new password."""
    role = f"earshot_kpi_{uuid4().hex}"
    place = dsn_of(database, "kpi").partition("@")[2]
    for password in ("first", "second"):
        dsn = f"postgresql://{role}:{password}@{place}"
        await migrate("kpi", migration_dsn=dsn_of(database), service_dsn=dsn)
        await (await asyncpg.connect(dsn)).close()
    await drop_database(database)


async def test_a_service_is_not_ready_before_its_migration(database: str) -> None:
    """An instance of a newer release says which file its schema lacks and what to run, and is ready when it has it."""
    admin = await asyncpg.connect(dsn_of(database))
    await admin.execute("DELETE FROM kpi.schema_migrations WHERE name = 'own/0001_kpi.sql'")
    pool = Database("kpi", dsn_of(database, "kpi"), size=3)
    await pool.open()
    health = Health(pool, None, Metrics())
    try:
        told = (await health.report())["checks"]["database"]
        assert told == {"ok": False, "detail": "the schema lacks own/0001_kpi.sql: run earshot migrate kpi"}
        await admin.execute("INSERT INTO kpi.schema_migrations (name, checksum) VALUES ('own/0001_kpi.sql', '')")
        assert (await health.report())["checks"]["database"]["ok"]
    finally:
        await admin.close()
        await pool.close()
        await drop_database(database)
