"""Who works on a service's database: its running instances together, or one rebuild alone."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncpg

    from shared.runtime.database import Connection

RESET = "CLOSE ALL; UNLISTEN *; RESET ALL"
"""What a connection goes back to the pool with: asyncpg's own reset without giving up advisory locks."""


class BeingRebuilt(ConnectionError):  # noqa: N818 - named for what is going on
    """The service's state is being rebuilt or restored; its instances wait until that is over."""


class InstancesRun(Exception):  # noqa: N818 - named for what is the case
    """Instances of the service are connected."""


async def join(connection: "Connection", service: str) -> None:
    """Be one of the running instances for as long as the connection lives.

    Raises:
        BeingRebuilt: somebody works alone.
    """
    # On every connection, so that none that outlives a restart of the database can slip in beside a rebuild.
    if not await connection.fetchval(f"SELECT pg_try_advisory_lock_shared({_KEY})", service):
        raise BeingRebuilt(f"{service} is being rebuilt or restored; waiting for the end")


async def stay(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Reset a connection of the pool that goes on being present."""
    await connection.execute(RESET)


async def be_alone(connection: "Connection", service: str) -> None:
    """Keep instances out for as long as the connection lives.

    Raises:
        InstancesRun: there are some.
    """
    if not await connection.fetchval(f"SELECT pg_try_advisory_lock({_KEY})", service):
        raise InstancesRun(f"{service} is running; stop all its instances first")
    # Locks that keep concurrent transactions apart protect from nobody now, and a long log would need too many.
    await connection.execute("SET earshot.alone = 'yes'")


_KEY = "hashtextextended('earshot service ' || $1, 0)"
