"""Counting failures by where they come from."""

import pytest

from deploy.gateway.attempts import Attempts
from shared.runtime.errors import Problem


def refused(attempts: Attempts, address: str) -> bool:
    try:
        attempts.check(address)
    except Problem as problem:
        return problem.status == 429
    return False


@pytest.mark.parametrize(
    ("address", "neighbour", "stranger"),
    [
        ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "2001:db8:0:2::1"),
        ("unknown", "unknown", "192.0.2.1"),
    ],
)
def test_failures_count_for_their_neighbourhood(address: str, neighbour: str, stranger: str) -> None:
    """Twenty failures close an IPv4 address or a network of 2⁶⁴ IPv6 addresses, and nobody else's."""
    attempts = Attempts()
    for _ in range(20):
        assert not refused(attempts, neighbour)
        attempts.failed(address)
    assert (refused(attempts, neighbour), refused(attempts, stranger)) == (True, False)


def test_a_flood_takes_no_memory() -> None:
    """However many addresses fail, no more than ten thousand are remembered."""
    attempts = Attempts()
    for number in range(25_000):
        attempts.failed(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(attempts._failures) <= 10_000
