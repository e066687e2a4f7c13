"""Waiting for something that starts, with a sign of life for the person who waits too."""

import time
from collections.abc import Callable

from deploy.local.errors import Fault, Say

FIRST_SIGN_SECONDS = 2.0
NEXT_SIGN_SECONDS = 5.0
POLL_SECONDS = 0.05


def wait_until(ready: Callable[[], bool], *, what: str, patience: float, say: Say, explain: Callable[[], str]) -> None:
    """Poll `ready` until it is true; says what it waits for when that takes more than two seconds.

    Raises:
        Fault: not ready after `patience` seconds; the message ends with what `explain` gives.
    """
    begun = time.monotonic()
    sign = FIRST_SIGN_SECONDS
    while not ready():
        waited = time.monotonic() - begun
        if waited > patience:
            raise Fault(f"{what} is not ready after {patience:.0f} s. {explain()}")
        if waited > sign:
            say(f"  waiting for {what} ({waited:.0f} s)")
            sign = waited + NEXT_SIGN_SECONDS
        time.sleep(POLL_SECONDS)
