"""Mails: written with what makes them due, sent over SMTP, tried again, given up, forgotten."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from asyncpg import Record
from prometheus_client import generate_latest

from shared.runtime.mail import Mail, forget, write
from shared.runtime.mail.delivering import observe, pause_after, send_next
from shared.runtime.mail.smtp import Server
from shared.runtime.telemetry import Metrics
from tests.support.service import ServiceUnderTest, service_under_test
from tests.support.smtp import Mailbox, smtp_server

Start = Callable[[str], Awaitable[ServiceUnderTest]]
SENDER = "Ada & Co <board@example.com>"


@pytest.fixture
async def roadmap(start_service: Start) -> ServiceUnderTest:
    """Any service: the table is the runtime's."""
    return await start_service("roadmap")


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with smtp_server() as server:
        yield server


def mail(key: str = "one", **fields: Any) -> Mail:
    """A mail with what the test is not about filled in."""
    told = {"recipient": "ana@example.com", "language": "de", "subject": "Hallo", "text": "Text", "html": "<p>Text</p>"}
    return Mail(key=key, **{**told, **fields})


async def put(service: ServiceUnderTest, *mails: Mail) -> None:
    async with service.database.transaction() as tx:
        await write(tx, *mails)


async def send(service: ServiceUnderTest, server: Mailbox) -> int:
    """Send all that is due; gives how many were looked at."""
    count = 0
    while await send_next(service.database, Server.at(f"smtp://127.0.0.1:{server.port}?starttls=no"), SENDER):
        count += 1
    return count


async def row(service: ServiceUnderTest) -> Record:
    [found] = await service.database.fetch("SELECT * FROM mails")
    return found


async def test_a_mail_arrives_once(roadmap: ServiceUnderTest, mailbox: Mailbox) -> None:
    """With text and HTML in letters of all kinds, and how to end such mails in its head."""
    letter = mail(
        subject="Grüße, 你好\r\nBcc: eve@example.com",
        text="Zeile\n.\nPunkt 你好\n",
        html="<p>你好</p>",
        unsubscribe="https://example.com/unsubscribe/x",
    )
    await put(roadmap, letter)
    assert await send(roadmap, mailbox) == 1
    assert await send(roadmap, mailbox) == 0
    [raw] = mailbox.messages
    message = message_from_bytes(raw, policy=default)
    assert (message["From"], message["To"]) == (SENDER, "ana@example.com")
    assert (message["Subject"], message["Bcc"]) == ("Grüße, 你好 Bcc: eve@example.com", None)
    assert message["List-Unsubscribe"] == "<https://example.com/unsubscribe/x>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Content-Language"] == "de"
    assert str(message["Message-ID"]).endswith("@example.com>")
    text, html = message.iter_parts()
    assert "Punkt 你好" in text.get_content()
    assert html.get_content().strip() == "<p>你好</p>"
    assert mailbox.recipients == ["ana@example.com"]


async def test_one_occasion_is_one_mail(roadmap: ServiceUnderTest, mailbox: Mailbox) -> None:
    """Written twice, in one transaction or two, it is sent once."""
    await put(roadmap, mail(), mail())
    await put(roadmap, mail(subject="another"))
    await put(roadmap, mail("two"))
    assert await send(roadmap, mailbox) == 2


async def _write_and_fail(service: ServiceUnderTest) -> None:
    async with service.database.transaction() as tx:
        await write(tx, mail())
        raise ZeroDivisionError


async def test_what_was_not_committed_is_not_sent(roadmap: ServiceUnderTest, mailbox: Mailbox) -> None:
    """A transaction that fails takes its mails with it."""
    with pytest.raises(ZeroDivisionError):
        await _write_and_fail(roadmap)
    assert await send(roadmap, mailbox) == 0


@pytest.mark.parametrize("answer", ["451 try later", "421 going down"])
async def test_a_server_that_is_busy_is_asked_again(roadmap: ServiceUnderTest, mailbox: Mailbox, answer: str) -> None:
    """The mail waits with the reason, and goes out once the pause is over and the server takes it."""
    mailbox.answer = answer
    await put(roadmap, mail())
    assert await send(roadmap, mailbox) == 1
    waiting = await row(roadmap)
    assert (waiting["state"], waiting["attempts"]) == ("waiting", 1)
    assert answer[:3] in waiting["complaint"]
    mailbox.answer = "250 OK"
    assert await send(roadmap, mailbox) == 0
    roadmap.now += timedelta(minutes=1)
    assert await send(roadmap, mailbox) == 1
    assert (await row(roadmap))["state"] == "sent"


async def test_a_server_that_is_away_is_asked_again(roadmap: ServiceUnderTest) -> None:
    """Twelve times, then the mail has failed."""
    await put(roadmap, mail())
    nowhere = Server.at("smtp://127.0.0.1:1?starttls=no")
    for _ in range(12):
        assert (await row(roadmap))["state"] == "waiting"
        assert await send_next(roadmap.database, nowhere, SENDER)
        roadmap.now += timedelta(hours=8)
    failed = await row(roadmap)
    assert (failed["state"], failed["attempts"]) == ("failed", 12)


async def test_an_address_that_is_refused_is_given_up(roadmap: ServiceUnderTest, mailbox: Mailbox) -> None:
    """Nobody there means at once, and what the server said stays to be read."""
    mailbox.answer = "550 no such user"
    await put(roadmap, mail())
    await send(roadmap, mailbox)
    failed = await row(roadmap)
    assert failed["state"] == "failed"
    assert "no such user" in failed["complaint"]


async def test_a_mail_that_is_worthless_is_not_sent(roadmap: ServiceUnderTest, mailbox: Mailbox) -> None:
    """A link that has expired meanwhile stays here."""
    await put(roadmap, mail(expires_at=roadmap.now + timedelta(minutes=15)))
    roadmap.now += timedelta(minutes=15)
    await send(roadmap, mailbox)
    assert mailbox.messages == []
    assert (await row(roadmap))["state"] == "failed"


def test_pauses_double_up_to_eight_hours() -> None:
    """1, 2, 4 … minutes, then 8 hours each."""
    assert [pause_after(attempts) for attempts in (0, 1, 2, 8, 9, 11)] == [
        timedelta(minutes=1),
        timedelta(minutes=2),
        timedelta(minutes=4),
        timedelta(minutes=256),
        timedelta(hours=8),
        timedelta(hours=8),
    ]


async def test_what_waits_is_counted_and_what_is_old_forgotten(roadmap: ServiceUnderTest, mailbox: Mailbox) -> None:
    """The metrics say how many wait, how many failed and since when; a week later the sent one is gone."""
    await put(roadmap, mail())
    await send(roadmap, mailbox)
    await put(roadmap, mail("two"))
    roadmap.now += timedelta(days=7)
    metrics = Metrics()
    await observe(roadmap.database, metrics)
    text = generate_latest(metrics.registry).decode()
    assert "earshot_mails_waiting 1.0" in text
    assert "earshot_mails_failed 0.0" in text
    assert "earshot_mails_oldest_seconds 604800.0" in text
    assert (await row(roadmap))["key"] == "two"


async def test_an_erased_person_has_no_mails(roadmap: ServiceUnderTest) -> None:
    """By id and by address, whatever became of them."""
    await put(roadmap, mail(person_id="ana", recipient="old@example.com"), mail("two", recipient="Ana@example.com"))
    await put(roadmap, mail("three", recipient="ben@example.com"))
    async with roadmap.database.transaction() as tx:
        assert await forget(tx.connection, "ana", "ana@example.com") == 2
    assert (await row(roadmap))["recipient"] == "ben@example.com"


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://u%40x:p%2Fw@mail.example", Server("mail.example", 587, "u@x", "p/w", tls=False, starttls=True)),
        ("smtps://mail.example", Server("mail.example", 465, None, None, tls=True, starttls=False)),
        ("smtp://localhost:1025?starttls=no", Server("localhost", 1025, None, None, tls=False, starttls=False)),
    ],
)
def test_a_server_is_named_by_an_address(url: str, server: Server) -> None:
    """Encrypted unless the address says that it is not."""
    assert Server.at(url) == server
    assert "p/w" not in repr(Server.at(url))


async def test_mails_are_read_where_nothing_is_sent(tmp_path: Path) -> None:
    """The mailbox shows text, links and HTML without scripts, to admins of an installation that has it on."""
    async with service_under_test("roadmap", tmp_path, told={"mailbox": True}) as service:
        await put(service, mail(text="Open https://example.com/x now", html="<script>alert(1)</script>"))
        page = await service.client.get("/mailbox", headers=service.headers("admin"))
        assert '<a href="https://example.com/x"' in page.text
        shown = await service.client.get(f"/mailbox/{(await row(service))['id']}", headers=service.headers("admin"))
        assert shown.headers["content-security-policy"].startswith("sandbox ")
        assert (await service.client.get("/mailbox", headers=service.headers("manager"))).status_code == 403


async def test_elsewhere_there_is_no_mailbox(roadmap: ServiceUnderTest) -> None:
    """Mails hold links that sign in, so nobody reads them unless the operator says so."""
    assert (await roadmap.client.get("/mailbox", headers=roadmap.headers("admin"))).status_code == 404
