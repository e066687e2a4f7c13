"""Connections to receivers: to public addresses and allowed ports only, checked where the connection is made.

The text of a URL says little: `0x7f.1`, `127.1` and a name that changes its address all lead here. So the name is
resolved once, every address is checked, and the connection goes to the checked one; TLS and Host keep the name.
"""

import asyncio
import socket
from collections.abc import Iterable

import httpcore

from .addresses import allowed
from .subscriptions import Reach

RESOLVE_SECONDS = 3.0


class Refused(Exception):  # noqa: N818 - named for what happened to the connection
    """Nothing may be sent there; the message says why."""


class Unresolved(Exception):  # noqa: N818 - named for what the name is
    """The name has no address now; the message says so."""


class Guard(httpcore.AsyncNetworkBackend):
    """A network that leads to nobody inside."""

    def __init__(self, reach: Reach) -> None:
        self._reach, self._network = reach, httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first of the name's addresses.

        Raises:
            Refused: the port or one of the addresses is not allowed.
            Unresolved: the name has no address.
            httpcore.ConnectError: nobody answers there.
        """
        if port not in self._reach.ports:
            raise Refused(f"port {port} is not allowed")
        found = await _resolved(host, port)
        if not all(allowed(address, self._reach.networks) for address in found):
            raise Refused(f"{host} has an address that is not public")
        return await self._network.connect_tcp(found[0], port, timeout, local_address, socket_options)


async def _resolved(host: str, port: int) -> list[str]:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(RESOLVE_SECONDS):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except TimeoutError:
        raise Unresolved(f"the name {host} was not resolved in time") from None
    except (OSError, UnicodeError):
        raise Unresolved(f"the name {host} has no address") from None
    return [str(entry[4][0]) for entry in found]
