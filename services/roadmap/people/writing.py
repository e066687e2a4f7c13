"""What all mails of the board have in common: whose they are and where their links lead."""

from email.utils import parseaddr

from shared.runtime.settings import Settings

SERVICE = "roadmap"


def company(settings: Settings) -> str:
    """The name that mails come from."""
    return parseaddr(settings.mail_from)[0] or "Earshot"


def base(settings: Settings) -> str:
    """The address of the roadmap as readers reach it."""
    return f"{settings.public_url.rstrip('/')}/{SERVICE}"
