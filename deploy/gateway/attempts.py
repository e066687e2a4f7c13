"""How often a visitor may fail to sign in."""

import time
from collections import defaultdict, deque
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

from shared.runtime.errors import Problem

LIMIT = 20
WINDOW_SECONDS = 300.0
MOST_VISITORS = 10_000


class Attempts:
    """Failures of the last five minutes by address; in memory, since guessing would take ages at many gateways too."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: defaultdict[str, deque[float]] = defaultdict(deque)

    def check(self, address: str) -> None:
        """Raises Problem 429 when too much failed from there."""
        if len(self._recent(address)) >= LIMIT:
            raise Problem(
                429,
                "Too many attempts",
                f"Signing in failed {LIMIT} times from your address; it can be tried again in five minutes.",
            )

    def failed(self, address: str) -> None:
        if len(self._failures) >= MOST_VISITORS:
            self._failures.clear()  # a flood from everywhere: to remember all of it would be the greater harm
        self._recent(address).append(self._clock())

    def _recent(self, address: str) -> deque[float]:
        failures = self._failures[_neighbourhood(address)]
        while failures and failures[0] <= self._clock() - WINDOW_SECONDS:
            failures.popleft()
        return failures


def _neighbourhood(address: str) -> str:
    """Whoever has one IPv6 address has 2⁶⁴ of them."""
    try:
        known = ip_address(address)
    except ValueError:
        return address
    return str(IPv6Address(int(known) >> 64 << 64)) if isinstance(known, IPv6Address) else address
