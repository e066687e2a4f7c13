"""How a mail goes to the SMTP server, and what its refusals mean."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib

TIMEOUT_SECONDS = 20.0
PORTS = {"smtp": 587, "smtps": 465}
PERMANENT = range(500, 600)


class Refused(Exception):  # noqa: N818 - named for what happened to the mail
    """The server will never take this mail; the message is its own."""


class Unsent(Exception):  # noqa: N818 - the same
    """The mail did not go out this time; it may at another."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where mails go; encrypted from the start (smtps), by STARTTLS, or not at all where the address says so."""

    host: str
    port: int
    user: str | None
    password: str | None = field(repr=False)
    tls: bool
    starttls: bool

    @classmethod
    def at(cls, url: str) -> Self:
        """`smtp://user:password@host:587`, `smtps://host`, or `smtp://localhost:1025?starttls=no`.

        Raises:
            ValueError: the address is none of these.
        """
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname:
            raise ValueError("must be smtp://user:password@host:587 or smtps://user:password@host:465")
        tls = parts.scheme == "smtps"
        return cls(
            parts.hostname,
            parts.port or PORTS[parts.scheme],
            unquote(parts.username) if parts.username else None,
            unquote(parts.password) if parts.password else None,
            tls=tls,
            starttls=not tls and parse_qs(parts.query).get("starttls") != ["no"],
        )

    async def send(self, message: EmailMessage) -> None:
        """Hand the message over.

        Raises:
            Refused: the server will never take it.
            Unsent: it was not taken now.
        """
        try:
            await aiosmtplib.send(
                message,
                hostname=self.host,
                port=self.port,
                username=self.user,
                password=self.password,
                use_tls=self.tls,
                start_tls=self.starttls,
                timeout=TIMEOUT_SECONDS,
            )
        except aiosmtplib.SMTPRecipientsRefused as refused:
            codes = [each.code for each in refused.recipients]
            said = "; ".join(f"{each.code} {each.message}" for each in refused.recipients)
            raise (Refused if all(code in PERMANENT for code in codes) else Unsent)(said) from None
        except (aiosmtplib.SMTPAuthenticationError, aiosmtplib.SMTPSenderRefused) as ours:
            # What is wrong is how we are set up, and the mail goes out once that is mended.
            raise Unsent(f"{ours.code} {ours.message}") from None
        except aiosmtplib.SMTPResponseException as answer:
            raise (Refused if answer.code in PERMANENT else Unsent)(f"{answer.code} {answer.message}") from None
        except (aiosmtplib.SMTPException, OSError) as fault:
            raise Unsent(f"{type(fault).__name__}: {fault}") from None
        except ValueError as wrong:
            raise Refused(f"it cannot be written as a mail: {wrong}") from None


def message_of(mail: Mapping[str, Any], sender: str, now: datetime) -> EmailMessage:
    """The row as a message of text and HTML; its id stays the same however often it is sent."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = mail["recipient"]
    message["Subject"] = mail["subject"]
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{mail['id']}@{parseaddr(sender)[1].rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    if mail["unsubscribe"]:
        message["List-Unsubscribe"] = f"<{mail['unsubscribe']}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(mail["text"])
    message.add_alternative(mail["html"], subtype="html")
    message["Content-Language"] = mail["language"].replace(
        "_", "-"
    )  # last: whatever sets content takes such heads away
    return message
