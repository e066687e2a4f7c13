"""The proxy is a network like any other until it is told to be a bad one."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import asyncpg
import pytest

from tests.faults.ground import free_ports
from tests.faults.proxy import Direction, Proxy
from tests.faults.taps import Frames, LostCommits
from tests.support.databases import create_database, drop_database, dsn_of

GONE = (ConnectionError, asyncio.IncompleteReadError)


@asynccontextmanager
async def proxied() -> AsyncIterator[Proxy]:
    """A proxy before a server that sends back what it gets."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1000):
            writer.write(data)
        writer.close()

    port, upstream = free_ports(2)
    async with await asyncio.start_server(echo, "127.0.0.1", upstream):
        proxy = Proxy(port, upstream)
        await proxy.start()
        try:
            yield proxy
        finally:
            await proxy.stop()


class Client:
    """One connection through the proxy."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def of(cls, proxy: Proxy) -> "Client":
        return cls(*await asyncio.open_connection("127.0.0.1", proxy.port))

    async def says(self, data: bytes) -> bytes:
        self.writer.write(data)
        return await self.reader.readexactly(len(data))


async def test_everything_passes_both_ways() -> None:
    """A megabyte comes back as it was sent."""
    async with proxied() as proxy:
        client = await Client.of(proxy)
        assert await client.says(b"x" * 1_000_000) == b"x" * 1_000_000


async def test_a_cut_ends_connections_and_refuses_new_ones_until_it_is_mended() -> None:
    """During a cut nobody gets through, afterwards everybody does."""
    async with proxied() as proxy:
        client = await Client.of(proxy)
        await client.says(b"hello")
        async with proxy.cut() as broken:
            assert broken == 1
            with pytest.raises(GONE):
                await client.says(b"hello")
            with pytest.raises(ConnectionRefusedError):
                await Client.of(proxy)
        assert await (await Client.of(proxy)).says(b"again") == b"again"


@pytest.mark.parametrize("way", Direction)
async def test_what_is_held_back_comes_late(way: Direction) -> None:
    """In a silence nothing arrives; when it ends, all does."""
    async with proxied() as proxy:
        client = await Client.of(proxy)
        await client.says(b"hello")
        with proxy.silent(way, lost=False):
            answer = asyncio.create_task(client.says(b"late"))
            other = await Client.of(proxy)
            other.writer.write(b"held, too")
            await asyncio.sleep(0)
            assert not answer.done()
        assert await answer == b"late"
        assert await other.reader.readexactly(9) == b"held, too"


async def test_what_is_lost_takes_its_connection_with_it() -> None:
    """TCP loses no bytes from the middle: the connection is reset."""
    async with proxied() as proxy:
        client = await Client.of(proxy)
        await client.says(b"hello")
        with proxy.silent(Direction.ANSWERS, lost=True):
            client.writer.write(b"lost")
        with pytest.raises(GONE):
            await client.reader.readexactly(4)


async def test_a_reset_ends_what_there_is_and_nothing_else() -> None:
    """Connections made after it live."""
    async with proxied() as proxy:
        client = await Client.of(proxy)
        await client.says(b"hello")
        assert proxy.reset() == 1
        with pytest.raises(GONE):
            await client.says(b"hello")
        assert await (await Client.of(proxy)).says(b"again") == b"again"


async def test_a_slow_network_loses_nothing() -> None:
    """Late and narrow, but all of it."""
    async with proxied() as proxy:
        client = await Client.of(proxy)
        with proxy.slow(0.01, 10_000_000):
            assert await client.says(b"x" * 300_000) == b"x" * 300_000


async def test_a_commit_without_an_answer_holds() -> None:
    """The client is told that its connection is gone; the row is there."""
    database = await create_database("kpi")
    direct = urlsplit(dsn_of(database))
    assert direct.port is not None
    [port] = free_ports(1)
    proxy, lost = Proxy(port, direct.port), LostCommits(wanted=1)
    await proxy.start()
    owner = await asyncpg.connect(dsn_of(database))
    try:
        await owner.execute("CREATE TABLE unanswered (id int)")
        client = await asyncpg.connect(dsn_of(database).replace(f":{direct.port}/", f":{port}/"))
        with proxy.tapped(lost), pytest.raises((asyncpg.PostgresConnectionError, ConnectionError)):
            async with client.transaction():
                await client.execute("INSERT INTO unanswered VALUES (1)")
        assert lost.lost == 1
        assert await owner.fetchval("SELECT count(*) FROM unanswered") == 1
    finally:
        await owner.close()
        await proxy.stop()
        await drop_database(database)


def test_messages_are_told_apart_wherever_they_are_cut() -> None:
    """The head of every Kafka message is found once, byte by byte as in one piece."""
    bodies = [
        struct.pack(">hhi", 0, 9, 1) + b"x" * 50,
        struct.pack(">hhi", 3, 1, 2),
        struct.pack(">hhi", 0, 9, 3) + b"y",
    ]
    stream = b"".join(struct.pack(">i", len(body)) + body for body in bodies)
    expected = [body[:8] for body in bodies]
    whole, single = Frames(), Frames()
    assert whole.feed(stream) == expected
    assert [head for byte in stream for head in single.feed(bytes([byte]))] == expected
