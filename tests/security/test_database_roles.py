"""One PostgreSQL role per service: what it can reach is its own, and nothing else."""

from collections.abc import AsyncIterator
from itertools import permutations

import asyncpg
import pytest

from services import SERVICES
from shared.runtime.migrations import migrate
from tests.support.databases import create_database, drop_database, dsn_of


@pytest.fixture
async def database() -> AsyncIterator[str]:
    """A database with every service's schema."""
    name = await create_database(SERVICES[0])
    for service in SERVICES[1:]:
        await migrate(service, migration_dsn=dsn_of(name), service_dsn=dsn_of(name, service))
    yield name
    await drop_database(name)


async def test_no_service_can_touch_a_table_of_another(database: str) -> None:
    """For every pair of services, no table, column or sequence of the one can be read or changed by the other."""
    admin = await asyncpg.connect(dsn_of(database))
    reachable = await admin.fetch(
        """
        SELECT role, nspname, relname
          FROM unnest($1::text[]) AS service, LATERAL (SELECT 'earshot_' || service AS role) AS named,
               pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
         WHERE nspname = ANY($1::text[]) AND nspname <> service
           AND CASE WHEN relkind = 'S' THEN has_sequence_privilege(role, pg_class.oid, 'USAGE, SELECT, UPDATE')
                    WHEN relkind IN ('r', 'v', 'm', 'p') THEN
                         has_table_privilege(role, pg_class.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')
                         OR has_any_column_privilege(role, pg_class.oid, 'SELECT, INSERT, UPDATE')
                    ELSE false END
        """,
        list(SERVICES),
    )
    tables = await admin.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = ANY($1::text[])", list(SERVICES))
    await admin.close()
    assert tables > 50
    assert [tuple(row) for row in reachable] == []


async def test_a_service_is_refused_when_it_tries(database: str) -> None:
    """A query over a neighbour's schema ends in "permission denied", for each of the twenty pairs."""
    refused = 0
    for service, neighbour in permutations(SERVICES, 2):
        connection = await asyncpg.connect(dsn_of(database, service))
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match=f"permission denied for schema {neighbour}"):
            await connection.fetch(f"SELECT * FROM {neighbour}.outbox")  # noqa: S608 - names of our services
        await connection.close()
        refused += 1
    assert refused == 20


async def test_a_service_has_no_power_over_the_server(database: str) -> None:
    """No role of ours is a superuser, makes roles or databases, replicates, passes row security or inherits another."""
    admin = await asyncpg.connect(dsn_of(database))
    powers = await admin.fetch(
        """
        SELECT rolname FROM pg_roles
         WHERE rolname = ANY($1::text[])
           AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls OR rolinherit
                OR EXISTS (SELECT FROM pg_auth_members WHERE member = pg_roles.oid)
                OR has_schema_privilege(rolname, 'public', 'CREATE')
                OR has_database_privilege(rolname, current_database(), 'CREATE'))
        """,
        [f"earshot_{service}" for service in SERVICES],
    )
    await admin.close()
    assert [row["rolname"] for row in powers] == []
