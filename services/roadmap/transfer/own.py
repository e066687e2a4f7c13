"""What a row means by its ids: our own ideas, comments and people, known by those of wherever the file came from."""

import re
from uuid import uuid4

from pydantic import TypeAdapter

from services.roadmap import store
from services.roadmap.people.welcoming import keep_contact
from services.roadmap.store import speakers, transfer
from services.roadmap.transfer.rows import Row, Source
from shared.contract.types import Email, Id
from shared.runtime import Transaction
from shared.ui.sentences import Sentence

_id = TypeAdapter[str](Id)
_UNFIT = re.compile(r"[^A-Za-z0-9._:@-]+")


class Unfit(Exception):  # noqa: N818 - named for what the row is
    """The row cannot be taken; the message says why."""


async def person_of(tx: Transaction, source: Source, row: Row) -> str:
    """Whose row it is: somebody imported before, the owner of the address, or the id itself."""
    if given := row.values.get("person"):
        external = f"{source}:{given}"
        found = await transfer.own_id(tx.connection, "person", external)
        if found is not None:
            return found
        if source == "earshot":
            return _id.validate_python(given)
    if address := row.values.get("email"):
        email = TypeAdapter[str](Email).validate_python(address).lower()
        if owner := await speakers.speaker_at(tx.connection, email):
            return owner.person_id
        person_id = f"member-{uuid4()}"
        await speakers.keep_speaker(tx.connection, person_id, "customer", None, tx.now)
        await keep_contact(tx, person_id, email, row.values.get("name"), "en")
        return person_id
    if given:
        return own_name(source, given)
    raise Unfit(Sentence("it names nobody; give person or email"))


async def known(tx: Transaction, source: Source, kind: str, row: Row, column: str) -> str:
    given = row.values.get(column, "")
    found = await named_here(tx, kind, f"{source}:{given}", given)
    if found is None:
        if not given:
            raise Unfit(Sentence("%(column)s is empty", column=column))
        missing = {
            "idea": Sentence("there is no idea %(id)r here; import the ideas first", id=given[:60]),
            "comment": Sentence("there is no comment %(id)r here; import the comments first", id=given[:60]),
        }
        raise Unfit(missing[kind])
    return found


async def named_here(tx: Transaction, kind: str, external: str, given: str) -> str | None:
    """What we call it: as imported before, or by our own id in a file of ours."""
    if found := await transfer.own_id(tx.connection, kind, external):
        return found
    if not external.startswith("earshot:"):
        return None
    if kind == "idea":
        idea = await store.find_idea(tx.connection, given)
        exists = idea is not None and idea.named
    elif kind == "comment":
        exists = await transfer.has_comment(tx.connection, given)
    else:
        exists = await speakers.find_speaker(tx.connection, given) is not None
    return given if exists else None


def external_id(source: Source, row: Row, column: str) -> str:
    given = row.values.get(column)
    if not given:
        raise Unfit(Sentence("%(column)s is empty, so that nobody could know it again", column=column))
    return f"{source}:{given[:500]}"


def own_name(source: Source, given: str) -> str:
    """Our id for it: the id itself in a file of ours, else one that says where it came from."""
    if source == "earshot":
        return _id.validate_python(given)
    return _id.validate_python(f"{source}-{_UNFIT.sub('-', given).strip('-')[:100] or uuid4()}")
