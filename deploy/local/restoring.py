"""`earshot restore`: after a service's schema was put back from a backup."""

import sys
from typing import TYPE_CHECKING

import click

from deploy.local.errors import Say
from deploy.local.rebuilding import carried_out, reached
from services import SERVICES

if TYPE_CHECKING:  # slow to import, and `serve` shall start quickly
    from shared.runtime.recovery.restore import Findings

SHOWN = 20


@click.command()
@click.argument("service", type=click.Choice(SERVICES))
@click.option("--check", "step", flag_value="check", default=True, help="Compare with Kafka (default).")
@click.option("--finish", "step", flag_value="finish", help="Lift the versions above what others have heard.")
@click.option("--accept-loss", "step", flag_value="accept-loss", help="Go on without what Kafka dropped unseen.")
def restore(service: str, step: str) -> None:
    """Make SERVICE go on after its schema was put back from a backup.

    Stop all its instances, put the backup back, run --check and --finish, start it. It catches up by itself.
    """
    if step == "accept-loss":
        _accept_loss(service)
        return
    findings = carried_out(_finish(service) if step == "finish" else _check(service))
    show(findings, click.echo)
    if step == "finish":
        click.echo(f"versions are handed out above {max(findings.highest, findings.floor)} from now on")
    elif findings.lost or findings.ahead:
        sys.exit(1)


async def _check(service: str) -> "Findings":
    from shared.runtime.recovery.rebuild import connected  # noqa: PLC0415
    from shared.runtime.recovery.restore import look  # noqa: PLC0415
    from shared.runtime.serve import load  # noqa: PLC0415

    dsn, settings = reached(service)
    async with connected(service, dsn) as connection:
        return await look(load(service), connection, settings)


async def _finish(service: str) -> "Findings":
    from shared.runtime.recovery.rebuild import alone  # noqa: PLC0415
    from shared.runtime.recovery.restore import finish  # noqa: PLC0415
    from shared.runtime.serve import load  # noqa: PLC0415

    dsn, settings = reached(service)
    async with alone(service, dsn) as connection:
        return await finish(load(service), connection, settings)


def _accept_loss(service: str) -> None:
    from shared.runtime.recovery.rebuild import connected  # noqa: PLC0415
    from shared.runtime.recovery.restore import accept_loss  # noqa: PLC0415
    from shared.runtime.serve import load  # noqa: PLC0415

    dsn, settings = reached(service)

    async def accept() -> dict[tuple[str, int], int]:
        async with connected(service, dsn) as connection:
            return await accept_loss(load(service), connection, settings)

    lost = carried_out(accept())
    for (topic, partition), oldest in lost.items():
        click.echo(f"{topic}/{partition} goes on with record {oldest}")
    if not lost:
        click.echo("nothing is lost; every partition goes on where the service left it")


def show(findings: "Findings", say: Say) -> None:
    """Where the database stands, and what to do."""
    for standing in findings.standings:
        if standing.to_come or standing.lost:
            topic, partition = standing.place
            lost = f", {standing.lost} LOST: expired before this database had them" if standing.lost else ""
            say(f"{topic}/{partition}: {standing.to_come} records will be handled{lost}")
    say(f"outbox: {findings.outbox} events wait, {findings.outbox_known} of them go out again under the same ids")
    for line in findings.ahead[:SHOWN]:
        say(f"others are ahead: {line}")
    if len(findings.ahead) > SHOWN:
        say(f"and {len(findings.ahead) - SHOWN} more")
    if findings.lost:
        say("Put a newer backup back, or let the service go on without what is lost: --accept-loss")
    if findings.ahead:
        say("Others have heard of versions that would be handed out again: --finish")
