"""The `earshot` command."""

import json
import logging
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from deploy.local.checking import check
from deploy.local.dead_letters import dead_letters
from deploy.local.errors import Fault
from deploy.local.rebuilding import export, rebuild
from deploy.local.restoring import restore
from services import DEPLOYABLE

if TYPE_CHECKING:  # everything else is imported by the command that needs it: `serve` shall start quickly
    from deploy.local.installation import Installation
    from deploy.local.stack import Stack
    from shared.runtime.settings import KafkaSettings

COUNTS = {"lag": "lag", "outbox": "outbox", "dead_letters": "dead letters"}
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
@click.option("--foreground", is_flag=True, help="Stay, show the logs, restart what dies, stop all on Ctrl-C.")
@click.option("--no-demo", is_flag=True, help="Do not run the loop on the demo study at the first start.")
def up(foreground: bool, no_demo: bool) -> None:  # noqa: FBT001 - click hands flags over
    """Start what does not run yet: database, broker, five services and the gateway."""
    stack = _stack()
    if foreground:
        _stay(stack, demo=not no_demo)
        return
    _bring_up(stack, demo=not no_demo)
    click.echo(f"Stop with `make down` or `{_called()} down`; the data are kept.")


@earshot.command()
@click.option("--erase", is_flag=True, help="Remove data, logs and keys as well.")
def down(erase: bool) -> None:  # noqa: FBT001
    """Stop everything."""
    _stack().down(erase=erase)


@earshot.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status(as_json: bool) -> None:  # noqa: FBT001
    """Say what runs where and how much waits."""
    found = _stack().status()
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    _show(found)


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

    from shared.runtime.roles import ROLES  # noqa: PLC0415

    if role not in ROLES:
        raise click.BadParameter(f"{role!r} is none of {', '.join(ROLES)}", param_hint="--role")
    click.echo(_installation().token(subject=subject, role=role, lifetime=timedelta(hours=hours)))


@earshot.command()
def signin() -> None:
    """Print a link that signs you in; it works once, for 15 minutes."""
    click.echo(_installation().sign_in_link())


@earshot.group()
def keys() -> None:
    """The keys that sign tokens and sign-in links."""


@keys.command()
@click.option("--forget-old", is_flag=True, help="Refuse what the last key signed within five minutes: it leaked.")
def rotate(forget_old: bool) -> None:  # noqa: FBT001
    """Sign with a new key from now on; nobody is signed out."""
    from deploy.local import keys as of_installation  # noqa: PLC0415

    home = _installation().home
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


events.add_command(check)
events.add_command(export)
earshot.add_command(dead_letters)
earshot.add_command(rebuild)
earshot.add_command(restore)


@earshot.command()
def demo() -> None:
    """Send a demo request through the whole chain and show each step."""
    from deploy.local.demo import play  # noqa: PLC0415

    play(_installation(), click.echo)


@earshot.command()
def doctor() -> None:
    """Say what is there, what is missing and what to do."""
    from deploy.local.doctor import examine  # noqa: PLC0415

    findings = list(examine(_installation()))
    for finding in findings:
        click.echo(f"{'ok     ' if finding.ok else 'WRONG  '} {finding.subject:<12} {finding.detail}")
    if not all(finding.ok for finding in findings):
        sys.exit(1)


@earshot.command()
@click.option("-f", "--follow", "stay", is_flag=True, help="Go on as lines are added.")
@click.argument("service", nargs=-1)
def logs(stay: bool, service: tuple[str, ...]) -> None:  # noqa: FBT001
    """Show the last lines of the logs, of all processes or of those named."""
    from deploy.local.logs import follow, last_lines  # noqa: PLC0415
    from deploy.local.stack import EVERYTHING  # noqa: PLC0415

    if unknown := set(service) - set(EVERYTHING):
        raise click.BadParameter(f"{', '.join(sorted(unknown))} is none of {', '.join(EVERYTHING)}")
    files = _log_files(_installation(), service or EVERYTHING)
    for file in files:
        for line in last_lines(file):
            click.echo(f"{file.stem:<10} {line}")
    if stay:
        follow(files, click.echo)


def _installation() -> "Installation":
    import os  # noqa: PLC0415

    from deploy.local.installation import Installation  # noqa: PLC0415

    return Installation.of(os.environ)


def _stack() -> "Stack":
    from deploy.local.stack import Stack  # noqa: PLC0415

    return Stack(_installation(), say=click.echo)


def _kafka_settings() -> "KafkaSettings":
    from deploy.local.preparing import kafka_settings  # noqa: PLC0415

    installation = _installation()
    return kafka_settings(installation.bootstrap, prefix=installation.topic_prefix)


def _bring_up(stack: "Stack", *, demo: bool) -> None:
    stack.up()
    if demo:
        from deploy.local.demo import play, was_played  # noqa: PLC0415

        if not was_played(stack.installation):
            play(stack.installation, click.echo)
    _show(stack.status())
    click.echo(f"Sign in (once, within 15 minutes): {stack.installation.sign_in_link()}")
    click.echo(f"A fresh link: `{_called()} signin`")


def _stay(stack: "Stack", *, demo: bool) -> None:
    """Bring up and keep up until Ctrl-C or SIGTERM, then stop everything."""
    from deploy.local.logs import follow  # noqa: PLC0415
    from deploy.local.stack import EVERYTHING  # noqa: PLC0415

    signal.signal(signal.SIGTERM, _interrupt)
    try:
        _bring_up(stack, demo=demo)
        files = _log_files(stack.installation, EVERYTHING)
        threading.Thread(target=follow, args=(files, click.echo), daemon=True).start()
        stack.keep_up()
    except KeyboardInterrupt:
        click.echo("stopping")
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C shall not leave half of it running
        stack.down()


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _log_files(installation: "Installation", names: tuple[str, ...]) -> list[Path]:
    return [installation.home.log / f"{name}.log" for name in names]


def _show(found: dict[str, Any]) -> None:
    """The status as a table."""
    for name, service in found["services"].items():
        counts = (f"{label} {'?' if service[key] is None else service[key]}" for key, label in COUNTS.items())
        _row(name, service["url"], service["pid"], ", ".join(("ready" if service["ready"] else "not ready", *counts)))
    _row("gateway", found["gateway"]["url"], found["gateway"]["pid"])
    _row("broker", found["broker"]["address"], found["broker"]["pid"])
    database = found["database"]
    _row("database", f"{database['host']}:{database['port']}/{database['name']}", database["pid"])


def _called() -> str:
    """The command as it was called, so that what we print can be typed."""
    return sys.argv[0] if Path(sys.argv[0]).name == "earshot" else "earshot"


def _row(name: str, address: str, pid: int | None, remark: str = "") -> None:
    click.echo(f"  {name:<10} {address:<38} {f'pid {pid}' if pid else '':<12} {remark}".rstrip())
