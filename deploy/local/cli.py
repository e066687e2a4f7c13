"""The `earshot` command."""

import logging
import sys
from typing import TYPE_CHECKING, BinaryIO

import click

from deploy.local.checking import check
from deploy.local.dead_letters import dead_letters
from deploy.local.errors import Fault
from deploy.local.rebuilding import export, rebuild
from deploy.local.restoring import restore
from deploy.local.running import down, installation, logs, status, up
from services import DEPLOYABLE

if TYPE_CHECKING:  # everything else is imported by the command that needs it: `serve` shall start quickly
    from shared.runtime.settings import KafkaSettings

SERVABLE = (*DEPLOYABLE, "gateway")
MAX_TOKEN_HOURS = 8760


def main() -> None:
    """Run the command line; a foreseeable fault is one message and exit code 1."""
    logging.getLogger().addHandler(logging.NullHandler())  # libraries' complaints reach people as our messages
    try:
        earshot(prog_name="earshot")
    except (Fault, OSError) as wrong:
        click.echo(f"earshot: {wrong}", err=True)
        sys.exit(1)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def earshot() -> None:
    """Earshot: from customer interviews to roadmap priorities and their effect."""


@earshot.command()
@click.argument("service", type=click.Choice(SERVABLE))
def serve(service: str) -> None:
    """Run one service (or the gateway), configured by the environment alone."""
    if service == "gateway":
        from deploy.gateway.app import serve as serve_gateway  # noqa: PLC0415

        serve_gateway()
    else:
        from shared.runtime.serve import serve as serve_service  # noqa: PLC0415

        serve_service(service)


@earshot.command()
@click.argument("service", type=click.Choice(SERVABLE))
def migrate(service: str) -> None:
    """Bring one service's schema up to date (EARSHOT_MIGRATION_DSN, EARSHOT_DATABASE_DSN)."""
    from deploy.local.preparing import migrate_one, required  # noqa: PLC0415

    applied = migrate_one(
        service, migration_dsn=required("EARSHOT_MIGRATION_DSN"), service_dsn=required("EARSHOT_DATABASE_DSN")
    )
    click.echo(f"{service}: applied {', '.join(applied)}" if applied else f"{service}: up to date")


@earshot.command()
def topics() -> None:
    """Create the topics of the contract that do not exist yet."""
    from deploy.local.preparing import create_topics  # noqa: PLC0415

    created = create_topics(_kafka_settings())
    click.echo("\n".join(created) if created else "all topics exist")


@earshot.command()
def acls() -> None:
    """Print the calls of kafka-acls.sh that give every service its rights in Kafka, and no more."""
    from deploy.kafka.access import as_commands, grants  # noqa: PLC0415

    settings = _kafka_settings()
    click.echo("\n".join(as_commands(grants(settings.topic_prefix), bootstrap=settings.kafka_bootstrap)))


def _allowed_hours(_context: click.Context, _option: click.Parameter, hours: float) -> float:
    if not 0 < hours <= MAX_TOKEN_HOURS:  # nan is refused as well: it compares with nothing
        raise click.BadParameter(f"{hours:g} is not allowed; give more than 0 and at most {MAX_TOKEN_HOURS} (a year)")
    return hours


def _well_formed(_context: click.Context, _option: click.Parameter, text: str) -> str:
    """Bytes that are no UTF-8 reach us as halves of surrogate pairs, which nothing can write."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise click.BadParameter(f"{text!r} is not UTF-8") from None
    return text


@earshot.command()
@click.option("--role", required=True, help="What the bearer may do.")
@click.option("--subject", default="local-user", show_default=True, callback=_well_formed, help="Who the bearer is.")
@click.option("--hours", default=8.0, show_default=True, callback=_allowed_hours, help="How long, at most 8760.")
def token(role: str, subject: str, hours: float) -> None:
    """Print a bearer token for the local installation."""
    from datetime import timedelta  # noqa: PLC0415

    from shared.runtime.auth.roles import ROLES  # noqa: PLC0415

    if role not in ROLES:
        raise click.BadParameter(f"{role!r} is none of {', '.join(ROLES)}", param_hint="--role")
    click.echo(installation().token(subject=subject, role=role, lifetime=timedelta(hours=hours)))


@earshot.command()
def signin() -> None:
    """Print a link that signs you in; it works once, for 15 minutes."""
    click.echo(installation().sign_in_link())


@earshot.group()
def keys() -> None:
    """The keys that sign tokens and sign-in links."""


@keys.command()
@click.option("--forget-old", is_flag=True, help="Refuse what the last key signed within five minutes: it leaked.")
def rotate(forget_old: bool) -> None:  # noqa: FBT001
    """Sign with a new key from now on; nobody is signed out."""
    from deploy.local import keys as of_installation  # noqa: PLC0415

    home = installation().home
    if not home.is_ours:
        raise Fault(f"There is no installation in {home.root} yet; run `earshot up` first.")
    click.echo(f"signing with key {of_installation.rotate(home, forget_old=forget_old)}")


@earshot.group()
def events() -> None:
    """Publish events by hand, or watch them."""


@events.command()
@click.argument("file", type=click.File("rb"))
def publish(file: BinaryIO) -> None:
    """Publish the CloudEvents of FILE (- for standard input), one JSON object a line."""
    from deploy.local import events as by_hand  # noqa: PLC0415

    click.echo(f"events published: {by_hand.publish(file, _kafka_settings())}")


@events.command()
@click.argument("topic", nargs=-1)
@click.option("--from-start", is_flag=True, help="Begin with the oldest event that is kept.")
def tail(topic: tuple[str, ...], from_start: bool) -> None:  # noqa: FBT001
    """Show events as they come, of all topics or of those named."""
    from deploy.local import events as by_hand  # noqa: PLC0415

    by_hand.tail(topic, _kafka_settings(), click.echo, from_start=from_start)


for command in (check, export):
    events.add_command(command)
for command in (up, down, status, logs, dead_letters, rebuild, restore):
    earshot.add_command(command)


@earshot.command()
def demo() -> None:
    """Send a demo request through the whole chain and show each step."""
    from deploy.local.demo import play  # noqa: PLC0415

    play(installation(), click.echo)


@earshot.command()
def doctor() -> None:
    """Say what is there, what is missing and what to do."""
    from deploy.local.doctor import examine  # noqa: PLC0415

    findings = list(examine(installation()))
    for finding in findings:
        click.echo(f"{'ok     ' if finding.ok else 'WRONG  '} {finding.subject:<12} {finding.detail}")
    if not all(finding.ok for finding in findings):
        sys.exit(1)


def _kafka_settings() -> "KafkaSettings":
    from deploy.local.preparing import kafka_settings  # noqa: PLC0415

    here = installation()
    return kafka_settings(here.bootstrap, prefix=here.topic_prefix)
