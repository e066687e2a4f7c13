"""One way to the provider and back, bound to the browser that began it.

All of it is in a cookie of that browser: nothing is kept here for whoever never comes back. State, nonce and code
verifier are derived from the cookie's text, so that no other browser can finish, and neither time nor goal be changed.
"""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self
from urllib.parse import quote, unquote

LIFETIME = timedelta(minutes=10)
LEEWAY = timedelta(seconds=30)
"""By how much the clocks of our own instances may differ."""
LONGEST_GOAL = 1500
"""Bytes, percent-encoded: browsers drop a cookie of more than 4096."""

_INSIDE = re.compile(r"/(?![/\\])[^\x00-\x20\x7f\\]{0,500}")
_COOKIE = re.compile(r"[A-Za-z0-9_-]{43}\.([0-9]{1,11})\.([A-Za-z0-9%._~-]{0,1500})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Attempt:
    """`cookie` is what the browser keeps, `to` where it goes in the end, a path of ours as it was given."""

    cookie: str
    begun_at: datetime
    to: str

    @classmethod
    def begin(cls, now: datetime, to: str) -> Self:
        """Under a secret of its own."""
        seconds = int(now.timestamp())
        return cls(
            f"{secrets.token_urlsafe(32)}.{seconds}.{quote(to, safe='')}", datetime.fromtimestamp(seconds, UTC), to
        )

    @classmethod
    def read(cls, cookie: str | None, now: datetime) -> Self | None:
        """The attempt of a browser that shows this cookie; None for what is no attempt, and ten minutes after it."""
        found = _COOKIE.fullmatch(cookie or "")
        if cookie is None or found is None:
            return None
        begun_at = datetime.fromtimestamp(int(found[1]), UTC)
        if not begun_at - LEEWAY <= now < begun_at + LIFETIME + LEEWAY:
            return None
        return cls(cookie, begun_at, unquote(found[2]))

    @property
    def state(self) -> str:
        return self._derived("state")

    @property
    def nonce(self) -> str:
        return self._derived("nonce")

    @property
    def verifier(self) -> str:
        return self._derived("verifier")

    @property
    def challenge(self) -> str:
        """S256 of the verifier."""
        return _text(hashlib.sha256(self.verifier.encode()).digest())

    @property
    def digest(self) -> bytes:
        """What may be stored of the attempt, so that it works once."""
        return hashlib.sha256(self.cookie.encode()).digest()

    @property
    def expires_at(self) -> datetime:
        """From then on it need not be remembered: it is not read any more."""
        return self.begun_at + LIFETIME + 2 * LEEWAY

    def _derived(self, purpose: str) -> str:
        """43 characters that only who holds the cookie can compute, others for every purpose."""
        return _text(hmac.digest(self.cookie.encode(), purpose.encode(), "sha256"))


def inside(path: str, *, home: str = "/") -> str:
    """The path if it leads to a page of ours and not to a sign-in, else `home`: the link may be anybody's."""
    fits = _INSIDE.fullmatch(path) and len(quote(path, safe="")) <= LONGEST_GOAL
    return path if fits and not path.startswith("/sign-in") else home


def same(given: object, expected: str) -> bool:
    """Whether a secret is the expected one, in a time that does not tell."""
    return isinstance(given, str) and hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
