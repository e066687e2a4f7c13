"""A TCP proxy that can be a bad network: cut, slow, silent in one direction, resetting; and that can look inside."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from enum import Enum

CHUNK = 65_536
HOST = "127.0.0.1"


class Direction(Enum):
    """Which way bytes go: requests from the client, answers from the server."""

    REQUESTS = "requests"
    ANSWERS = "answers"


@dataclass(eq=False)
class Link:
    """One client's connection through the proxy."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    open: dict[Direction, asyncio.Event] = field(default_factory=lambda: {way: asyncio.Event() for way in Direction})

    def __post_init__(self) -> None:
        for gate in self.open.values():
            gate.set()

    @property
    def client_port(self) -> int:
        return int(self.client.get_extra_info("peername")[1])

    def hold(self, way: Direction) -> None:
        """Let nothing through that way any more; what comes is kept."""
        self.open[way].clear()

    def abort(self) -> None:
        """End both sides with a reset, dropping what is kept."""
        for writer in (self.client, self.server):
            # Linger 0 makes the kernel send a reset instead of an orderly end.
            with contextlib.suppress(OSError):
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()


Tap = Callable[[Link, Direction, bytes], bytes]
"""Sees every chunk before it is passed on and gives what is to be passed on."""


class Proxy:
    """Listens on one port of loopback and passes everything to another, until told otherwise."""

    def __init__(self, port: int, upstream_port: int) -> None:
        self.port, self.upstream_port = port, upstream_port
        self.links: set[Link] = set()
        self.refused = 0
        """Connections that ended because the other side could not be reached."""
        self._taps: list[Tap] = []
        self._silent: set[Direction] = set()
        self._latency_seconds = 0.0
        self._bytes_per_second = 0.0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, HOST, self.port, limit=CHUNK)

    async def stop(self) -> None:
        """Refuse connections from now on and end those there are."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.reset()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def reset(self, links: Iterable[Link] | None = None) -> int:
        """Reset connections, all if none are given; how many it hit."""
        hit = list(self.links if links is None else links)
        for link in hit:
            link.abort()
        return len(hit)

    @asynccontextmanager
    async def cut(self) -> AsyncIterator[int]:
        """No connection lives and none can be made."""
        broken = len(self.links)
        await self.stop()
        try:
            yield broken
        finally:
            await self.start()

    @contextmanager
    def slow(self, latency_seconds: float, bytes_per_second: float) -> Iterator[None]:
        """Every chunk is late, and few bytes fit through."""
        self._latency_seconds, self._bytes_per_second = latency_seconds, bytes_per_second
        try:
            yield
        finally:
            self._latency_seconds = self._bytes_per_second = 0.0

    @contextmanager
    def silent(self, way: Direction, *, lost: bool) -> Iterator[None]:
        """Connections stay, but nothing arrives that way; at last it is `lost` with its connection or comes late."""
        self._silent.add(way)
        for link in self.links:
            link.hold(way)
        try:
            yield
        finally:
            self._silent.discard(way)
            if lost:
                self.reset()
            for link in self.links:
                link.open[way].set()

    @contextmanager
    def tapped(self, tap: Tap) -> Iterator[None]:
        self._taps.append(tap)
        try:
            yield
        finally:
            self._taps.remove(tap)

    async def _accept(self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            from_server, to_server = await asyncio.open_connection(HOST, self.upstream_port, limit=CHUNK)
        except OSError:
            self.refused += 1
            to_client.transport.abort()
            return
        link = Link(to_client, to_server)
        for way in self._silent:
            link.hold(way)
        self.links.add(link)
        pumps = [
            asyncio.create_task(self._pump(link, Direction.REQUESTS, from_client, to_server)),
            asyncio.create_task(self._pump(link, Direction.ANSWERS, from_server, to_client)),
        ]
        try:
            # Neither protocol closes one half alone, so the end of one side is the end of both.
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            pass  # the proxy stops; asyncio of Python 3.11 would complain about a connection that was cancelled
        finally:
            self.links.discard(link)
            for pump in pumps:
                pump.cancel()
            to_client.close()
            to_server.close()

    async def _pump(
        self, link: Link, way: Direction, source: asyncio.StreamReader, target: asyncio.StreamWriter
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(CHUNK):
                if self._latency_seconds:
                    await asyncio.sleep(self._latency_seconds + len(data) / self._bytes_per_second)
                for tap in self._taps:
                    data = tap(link, way, data)
                await link.open[way].wait()
                target.write(data)
                await target.drain()
