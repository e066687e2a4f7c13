"""Which network addresses a webhook may be sent to: the public ones, and what the installation allows besides."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network

_RELAYS = IPv4Network("192.0.0.0/24")
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NOT_FOR_HOSTS = (
    IPv6Network("2001::/23"),  # protocol assignments, Teredo among them, which carries any IPv4 address
    IPv6Network("2001:db8::/32"),  # documentation
    IPv6Network("2002::/16"),  # 6to4, which carries any IPv4 address too
)


def allowed(text: str, networks: Sequence[Network] = ()) -> bool:
    """Whether a connection to this numeric address may be made."""
    address = plain(text)
    return any(address in network for network in networks) or public(address)


def plain(text: str) -> IPv4Address | IPv6Address:
    """The address; an IPv4 one that is written as IPv6 is what it stands for."""
    address = ip_address(text.partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address


def public(address: IPv4Address | IPv6Address) -> bool:
    """Whether the address belongs to somebody on the internet.

    `is_global` alone lets multicast, NAT64, 6to4, site-local and 192.0.0.8 pass.
    """
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast and address not in _RELAYS
    return address in _GLOBAL_UNICAST and not any(address in network for network in _NOT_FOR_HOSTS)
