"""People at the board: signing in as they do, reading the mails they get."""

import re
from datetime import timedelta

from asyncpg import Record

from services.roadmap.people.notices import tell_due
from tests.support.service import ServiceUnderTest

LINK = re.compile(r"http://test/roadmap(/\S+)")


async def mails(service: ServiceUnderTest, recipient: str | None = None) -> list[Record]:
    """The mails that were written, the oldest first."""
    return list(
        await service.database.fetch(
            "SELECT * FROM mails WHERE $1::text IS NULL OR recipient = $1 ORDER BY created_at, id", recipient
        )
    )


def links(mail: Record) -> list[str]:
    """The addresses in a mail, as paths of the service."""
    return LINK.findall(mail["text"])


async def ask_link(service: ServiceUnderTest, email: str, to: str | None = None) -> str:
    """Ask for a sign-in link, on the way to a page; gives the link's path."""
    before = {mail["id"] for mail in await mails(service, email)}
    typed = {"email": email} if to is None else {"email": email, "to": to}
    answer = await service.client.post("/sign-in", data=typed)
    assert answer.status_code == 200, answer.text
    [new] = [mail for mail in await mails(service, email) if mail["id"] not in before]
    return links(new)[0]


async def sign_in(service: ServiceUnderTest, email: str) -> str:
    """Sign in by mail; gives the person's id."""
    answer = await service.client.post(await ask_link(service, email))
    assert answer.status_code == 303, answer.text
    rows = await service.database.fetch("SELECT person_id FROM contacts WHERE email = $1", email)
    return str(rows[0]["person_id"])


async def vote(service: ServiceUnderTest, feature_id: str, choice: str = "up") -> None:
    """Vote at the board, as whoever the client's cookies are."""
    answer = await service.client.post(f"/board/{feature_id}/vote", data={"vote": choice})
    assert answer.status_code == 303, answer.text


async def move(service: ServiceUnderTest, idea: str, status: str, note: str | None = None) -> None:
    """Move the idea, as a manager."""
    body = {"status": status, "note": note}
    answer = await service.client.post(f"/api/v1/ideas/{idea}/status", json=body, headers=service.headers("manager"))
    assert answer.status_code == 200, answer.text


async def tell(service: ServiceUnderTest) -> None:
    """Do what the job does every few seconds."""
    async with service.database.transaction() as tx:
        await tell_due(tx, service.app.state.settings)


async def wait(service: ServiceUnderTest, minutes: float) -> None:
    """Let the job run now and so many minutes later."""
    await tell(service)
    service.now += timedelta(minutes=minutes)
    await tell(service)


async def notices(service: ServiceUnderTest) -> list[str]:
    """The subjects of the mails about ideas, in order."""
    return [mail["subject"] for mail in await letters(service)]


async def letters(service: ServiceUnderTest, recipient: str | None = None) -> list[Record]:
    """The mails about ideas, in order."""
    return [mail for mail in await mails(service, recipient) if mail["key"].startswith("notice")]
