"""`earshot rebuild`, and `earshot events export` for what Kafka will not keep for ever."""

import asyncio
import os
import sys
from collections.abc import Awaitable
from typing import TYPE_CHECKING, BinaryIO, TypeVar

import click

from deploy.local.errors import Fault, Say
from services import SERVICES

if TYPE_CHECKING:  # slow to import, and `serve` shall start quickly
    from shared.runtime.recovery.rebuild import Report
    from shared.runtime.settings import KafkaSettings

T = TypeVar("T")


@click.command()
@click.argument("service", type=click.Choice(SERVICES))
@click.option("--archive", "archives", type=click.File("rb"), multiple=True, help="Events that Kafka no longer has.")
@click.option("--check", is_flag=True, help="Compare only: nothing is changed; exit code 1 where something differs.")
@click.option("--allow-gaps", is_flag=True, help="Go on though records are missing; what follows from them is lost.")
def rebuild(service: str, archives: tuple[BinaryIO, ...], check: bool, allow_gaps: bool) -> None:  # noqa: FBT001
    """Build what SERVICE derives from events again, from the log; all its instances must be stopped."""
    from shared.runtime.recovery.rebuild import rebuild as run  # noqa: PLC0415
    from shared.runtime.serve import load  # noqa: PLC0415

    dsn, settings = reached(service)
    report = carried_out(run(load(service), dsn, settings, archives=archives, check=check, allow_gaps=allow_gaps))
    show(report, click.echo)
    if check and report.differing:
        sys.exit(1)


@click.command()
@click.argument("service", type=click.Choice(SERVICES))
@click.option("--consumed", is_flag=True, help="What it consumes, from Kafka, instead of the archive of its outbox.")
def export(service: str, consumed: bool) -> None:  # noqa: FBT001
    """Print events as structured CloudEvents, one a line, as `rebuild --archive` and `events publish` read them."""
    from deploy.local import exporting  # noqa: PLC0415

    dsn, settings = reached(service)
    work = exporting.from_kafka(service, settings) if consumed else exporting.from_archive(service, dsn)
    click.echo(f"events exported: {carried_out(work)}", err=True)


def reached(service: str) -> "tuple[str, KafkaSettings]":
    """How the service's database and its Kafka are reached: by the environment, else in the local installation."""
    from deploy.local.installation import Installation  # noqa: PLC0415
    from deploy.local.preparing import kafka_settings  # noqa: PLC0415

    here = Installation.of(os.environ)
    dsn = os.environ.get("EARSHOT_DATABASE_DSN") or here.service_dsn(service)
    return dsn, kafka_settings(here.bootstrap, prefix=here.topic_prefix)


def carried_out(work: Awaitable[T]) -> T:
    """The work's result.

    Raises:
        Fault: for everything that is foreseeable.
    """
    import asyncpg  # noqa: PLC0415
    from aiokafka.errors import KafkaError  # noqa: PLC0415

    from shared.runtime.recovery.history import Unreadable  # noqa: PLC0415
    from shared.runtime.recovery.presence import InstancesRun  # noqa: PLC0415
    from shared.runtime.recovery.rebuild import CannotRebuild  # noqa: PLC0415

    async def run() -> T:
        return await work

    try:
        return asyncio.run(run())
    except (CannotRebuild, InstancesRun, Unreadable) as wrong:
        raise Fault(f"{wrong}") from None
    except (asyncpg.PostgresError, asyncpg.InterfaceError, KafkaError, OSError) as wrong:
        raise Fault(f"The database or Kafka cannot be worked with: {wrong or type(wrong).__name__}") from wrong


def show(report: "Report", say: Say) -> None:
    """What was done, and how each table came out."""
    say(
        f"events that took effect again: {report.repeated} from Kafka, {report.archived} from archives, "
        f"{report.letters} from replayed dead letters"
    )
    if report.refused:
        say(f"refused now, and kept as dead letters: {len(report.refused)}; the first: {report.refused[0].reason}")
    if report.waiting:
        say(f"not published yet: {report.waiting}; what follows from them here comes when they come back")
    for table, before in report.before.items():
        after = report.after[table]
        word = "equal" if before == after else "DIFFERS"
        say(f"  {table:<18} {before.rows:>9} → {after.rows:>9} rows  {before.digest} → {after.digest}  {word}")
