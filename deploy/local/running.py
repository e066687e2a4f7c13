"""`earshot up`, `down`, `status` and `logs`: the local installation as a whole."""

import json
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:  # slow to import, and `serve` shall start quickly
    from deploy.local.installation import Installation
    from deploy.local.stack import Stack

COUNTS = {"lag": "lag", "outbox": "outbox", "dead_letters": "dead letters"}


def installation() -> "Installation":
    import os  # noqa: PLC0415

    from deploy.local.installation import Installation  # noqa: PLC0415

    return Installation.of(os.environ)


@click.command()
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


@click.command()
@click.option("--erase", is_flag=True, help="Remove data, logs and keys as well.")
def down(erase: bool) -> None:  # noqa: FBT001
    """Stop everything."""
    _stack().down(erase=erase)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status(as_json: bool) -> None:  # noqa: FBT001
    """Say what runs where and how much waits."""
    found = _stack().status()
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    _show(found)


@click.command()
@click.option("-f", "--follow", "stay", is_flag=True, help="Go on as lines are added.")
@click.argument("service", nargs=-1)
def logs(stay: bool, service: tuple[str, ...]) -> None:  # noqa: FBT001
    """Show the last lines of the logs, of all processes or of those named."""
    from deploy.local.logs import follow, last_lines  # noqa: PLC0415
    from deploy.local.stack import EVERYTHING  # noqa: PLC0415

    if unknown := set(service) - set(EVERYTHING):
        raise click.BadParameter(f"{', '.join(sorted(unknown))} is none of {', '.join(EVERYTHING)}")
    files = _log_files(installation(), service or EVERYTHING)
    for file in files:
        for line in last_lines(file):
            click.echo(f"{file.stem:<10} {line}")
    if stay:
        follow(files, click.echo)


def _stack() -> "Stack":
    from deploy.local.stack import Stack  # noqa: PLC0415

    return Stack(installation(), say=click.echo)


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
