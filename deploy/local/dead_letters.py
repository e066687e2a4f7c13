"""`earshot dead-letters`: what could not be handled, for operators at a terminal."""

import base64
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, BinaryIO
from uuid import UUID

import click

from services import DEPLOYABLE, SERVICES

if TYPE_CHECKING:  # slow to import, and `serve` shall start quickly
    from deploy.local.letters import Letters

Json = dict[str, Any]
Reach = Callable[[], "Letters"]

DONE = frozenset({"replayed", "discarded"})
SHOWN = 2000


@click.group(name="dead-letters")
def dead_letters() -> None:
    """Look at what could not be handled, mend it, replay it, discard it."""


def _somewhere(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say whose letters; the command gets how to reach them."""

    @click.option("--service", "services", multiple=True, type=click.Choice(DEPLOYABLE), help="Of this service only.")
    @click.option("--url", help="The gateway of another installation; EARSHOT_TOKEN then holds a token for it.")
    @wraps(command)
    def reaching(*, services: tuple[str, ...], url: str | None, **options: object) -> None:
        from deploy.local.letters import reach  # noqa: PLC0415

        command(partial(reach, url, services or SERVICES), **options)

    return reaching


def _filtered(command: Callable[..., None]) -> Callable[..., None]:
    """The options by which letters are found."""
    for option in (
        click.option("--text", help="Words of the reason."),
        click.option("--since", help="Received at that time or later: 2026-11-22T10:00:00Z."),
        click.option("--key", help="The record's key."),
        click.option("--topic", help="The record's topic."),
        click.option("--type", "event_type", help="The event's type: earshot.KpiMeasured.v1."),
    ):
        command = option(command)
    return command


_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_chosen = click.argument("letters", nargs=-1, type=click.UUID)
_every = click.option("--all", "every", is_flag=True, help="All open letters that the options find.")


@dead_letters.command(name="list")
@click.option(
    "--state",
    type=click.Choice(["open", "replayed", "discarded", "erased", "any"]),
    default="open",
    show_default=True,
    help="What became of them.",
)
@_filtered
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="Of each service at most.")
@_as_json
@_somewhere
def list_(reach: Reach, state: str, limit: int, as_json: bool, **wanted: str | None) -> None:  # noqa: FBT001
    """List letters, oldest first."""
    found = list(reach().every(_given(wanted) | {"state": state}, limit))
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for letter in found:
        click.echo("\n".join(_lines(letter)))
    click.echo(f"{len(found)} letters" if len(found) != 1 else "1 letter")


@dead_letters.command()
@click.argument("letter", type=click.UUID)
@click.option(
    "--value", "value_only", is_flag=True, help="Print the bytes of the value as it now is, and nothing else."
)
@_as_json
@_somewhere
def show(reach: Reach, letter: UUID, value_only: bool, as_json: bool) -> None:  # noqa: FBT001
    """Show one letter with its record."""
    whole = reach().whole(letter)
    if value_only:
        sys.stdout.buffer.write(base64.b64decode(_present(whole)["value"] or ""))
    elif as_json:
        click.echo(json.dumps(whole, indent=2))
    else:
        click.echo("\n".join([*_lines(whole), *_record(whole)]))


@dead_letters.command()
@click.argument("letter", type=click.UUID)
@click.option("--value", type=click.File("rb"), help="A file with the new value; - for standard input.")
@click.option("--key", help="The new key.")
@click.option("--no-key", is_flag=True, help="Take the key away.")
@click.option("--header", "headers", multiple=True, metavar="NAME=TEXT", help="Set a header.")
@click.option("--without-header", "removed", multiple=True, metavar="NAME", help="Take a header away.")
@_as_json
@_somewhere
def edit(
    reach: Reach,
    letter: UUID,
    value: BinaryIO | None,
    key: str | None,
    no_key: bool,  # noqa: FBT001
    headers: tuple[str, ...],
    removed: tuple[str, ...],
    as_json: bool,  # noqa: FBT001
) -> None:
    """Mend a letter's record; what came is kept beside it."""
    if key is not None and no_key:
        raise click.UsageError("--key and --no-key contradict each other")
    if any("=" not in header for header in headers):
        raise click.BadParameter("write it as NAME=TEXT", param_hint="--header")
    letters = reach()
    whole = letters.whole(letter)
    changes: Json = {} if value is None else {"value": base64.b64encode(value.read()).decode()}
    if key is not None or no_key:
        changes["key_text"] = key
    if headers or removed:
        changes["headers"] = _with_headers(_present(whole)["headers"], headers, removed)
    if not changes:
        raise click.UsageError("nothing to change; give --value, --key, --no-key, --header or --without-header")
    edited = letters.edit(whole, changes)
    if as_json:
        click.echo(json.dumps(edited, indent=2))
    else:
        click.echo(_verdict(edited))


@dead_letters.command()
@_chosen
@_every
@_filtered
@_as_json
@_somewhere
def replay(
    reach: Reach,
    letters: tuple[UUID, ...],
    every: bool,  # noqa: FBT001
    as_json: bool,  # noqa: FBT001
    **wanted: str | None,
) -> None:
    """Handle letters again, each once, oldest first; exit code 1 where one still fails or waits."""
    _settle(reach, "replay", letters, wanted, {}, every=every, as_json=as_json)


@dead_letters.command()
@_chosen
@click.option("--reason", required=True, help="Why; it is kept with the letters.")
@_every
@_filtered
@_as_json
@_somewhere
def discard(
    reach: Reach,
    letters: tuple[UUID, ...],
    reason: str,
    every: bool,  # noqa: FBT001
    as_json: bool,  # noqa: FBT001
    **wanted: str | None,
) -> None:
    """Put letters away for good; their bytes are kept."""
    _settle(reach, "discard", letters, wanted, {"reason": reason}, every=every, as_json=as_json)


def _settle(
    reach: Reach,
    verb: str,
    identifiers: Sequence[UUID],
    wanted: dict[str, str | None],
    body: Json,
    *,
    every: bool,
    as_json: bool,
) -> None:
    narrowed = _given(wanted)
    if every == bool(identifiers) or (narrowed and not every):
        raise click.UsageError("name letters by their ids, or take --all with or without filters")
    letters = reach()
    outcomes = letters.settle_all(verb, narrowed, body) if every else letters.settle(verb, identifiers, body)
    if not _told(outcomes, as_json=as_json):
        sys.exit(1)


def _told(outcomes: Iterable[Json], *, as_json: bool) -> bool:
    """Say what became of each letter; whether all is done."""
    seen = []
    for outcome in outcomes:
        seen.append(outcome)
        if not as_json:
            detail = f": {_safe(outcome['detail'])}" if outcome["detail"] else ""
            click.echo(f"{outcome['service']:<10} {outcome['id']} {outcome['result']}{detail}")
    if as_json:
        click.echo(json.dumps(seen, indent=2))
    else:
        counts = Counter(outcome["result"] for outcome in seen)
        click.echo(", ".join(f"{count} {result}" for result, count in counts.items()) or "nothing to do")
    return all(outcome["result"] in DONE for outcome in seen)


def _given(wanted: dict[str, str | None]) -> Json:
    return {name: text for name, text in wanted.items() if text is not None}


def _with_headers(present: list[list[str | None]], added: Sequence[str], removed: Sequence[str]) -> list[list[Any]]:
    """All headers as the API takes them; a header that is set anew keeps its place."""
    given = dict(header.split("=", maxsplit=1) for header in added)
    new: dict[str, Any] = {name: base64.b64encode(text.encode()).decode() for name, text in given.items()}
    kept = [[name, new.pop(str(name), content)] for name, content in present if name not in removed]
    return kept + [[name, content] for name, content in new.items()]


def _present(whole: Json) -> Json:
    """The record as it now is."""
    return whole["edited"][-1] if whole["edited"] else whole


def _lines(letter: Json) -> list[str]:
    place = f"{letter['topic']}[{letter['partition']}]@{letter['offset']}"
    key = "" if letter["key_text"] is None else f" key {_safe(letter['key_text'])}"
    lines = [
        f"{letter['service']:<10} {letter['id']} {letter['state']}, number {letter['number']}, {letter['received_at']}",
        f"    {_safe(letter['event_type'] or 'no event')} {_safe(place)}{key}",
        f"    {_safe(letter['reason'])}",
    ]
    if letter["complaint"]:
        lines.append(f"    replayed in vain by {_safe(letter['tried_by'])}: {_safe(letter['complaint'])}")
    if letter["closed_by"]:
        lines.append(
            f"    closed by {_safe(letter['closed_by'])} at {letter['closed_at']}: {_safe(letter['note'] or '')}"
        )
    return lines


def _record(whole: Json) -> list[str]:
    from shared.runtime.dead_letters.record_text import shown, write_headers  # noqa: PLC0415

    now = _present(whole)
    value = now["value_json"].encode() if now["value_json"] else base64.b64decode(now["value"] or "")
    headers = [(name, None if text is None else base64.b64decode(text)) for name, text in now["headers"]]
    edits = [f"    edited by {_safe(one['edited_by'])} at {one['edited_at']}" for one in whole["edited"]]
    written = shown(write_headers(headers).encode(), SHOWN)
    return [*edits, f"    {_verdict(whole)}", "", written, "", shown(value, SHOWN)]


def _verdict(whole: Json) -> str:
    verdict = whole["verdict"]
    return f"{'It can be replayed' if verdict['accepted'] else 'It would be refused'}: {_safe(verdict['detail'])}"


def _safe(text: str) -> str:
    """What a sender chose, without anything that a terminal would act on."""
    from shared.runtime.dead_letters.record_text import visible  # noqa: PLC0415

    return visible(text, SHOWN).replace("\n", " ")
