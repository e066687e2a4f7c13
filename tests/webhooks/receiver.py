"""A receiver of webhooks: a real TLS server that remembers what came and answers as it is told."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h11
import trustme
from standardwebhooks import Webhook


@dataclass(frozen=True)
class Delivered:
    """One request that came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def verified(self, secret: str) -> dict[str, Any]:
        """The event, its signature checked as the convention's own library does."""
        event: dict[str, Any] = Webhook(secret).verify(self.body, self.headers)
        return event


@dataclass(frozen=True)
class Reply:
    status: int = 204
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    after: asyncio.Event | None = None
    endless: bool = False


@dataclass
class Receiver:
    """Answers each path by its replies, one after the other, the last one again and again."""

    port: int
    authority: Path
    replies: dict[str, list[Reply]] = field(default_factory=dict)
    came: list[Delivered] = field(default_factory=list)

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"https://{host}:{self.port}{path}"

    def of(self, path: str) -> list[Delivered]:
        return [one for one in self.came if one.path == path]

    def answer(self, path: str, *replies: Reply) -> None:
        self.replies[path] = list(replies)

    def _next(self, path: str) -> Reply:
        replies = self.replies.get(path, [])
        return (replies.pop(0) if len(replies) > 1 else replies[0]) if replies else Reply()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h11.Connection(h11.SERVER)
        try:
            while (request := await _event(connection, reader)) and isinstance(request, h11.Request):
                body = bytearray()
                while isinstance(part := await _event(connection, reader), h11.Data):
                    body += part.data
                headers = {name.decode(): value.decode() for name, value in request.headers}
                path = request.target.decode()
                self.came.append(Delivered(path, headers, bytes(body)))
                await self._reply(connection, writer, self._next(path))
                connection.start_next_cycle()
        except (ConnectionError, ssl.SSLError, h11.ProtocolError, asyncio.IncompleteReadError):
            pass  # the sender went away, which some tests want
        finally:
            writer.close()

    async def _reply(self, connection: h11.Connection, writer: asyncio.StreamWriter, reply: Reply) -> None:
        if reply.after is not None:
            await reply.after.wait()
        length = [] if reply.endless else [("Content-Length", str(len(reply.body)))]
        headers = [*reply.headers.items(), *length]
        await _send(connection, writer, h11.Response(status_code=reply.status, headers=headers))
        while reply.endless:
            await _send(connection, writer, h11.Data(data=reply.body))
        if reply.body:
            await _send(connection, writer, h11.Data(data=reply.body))
        await _send(connection, writer, h11.EndOfMessage())


async def _event(connection: h11.Connection, reader: asyncio.StreamReader) -> object:
    while (event := connection.next_event()) is h11.NEED_DATA:
        connection.receive_data(await reader.read(65_536))
    return event


async def _send(connection: h11.Connection, writer: asyncio.StreamWriter, event: Any) -> None:
    writer.write(connection.send(event) or b"")
    await writer.drain()


@asynccontextmanager
async def receiving(folder: Path, names: Sequence[str] = ("127.0.0.1", "localhost")) -> AsyncIterator[Receiver]:
    """A receiver on a free port, whose certificate is for the names and signed by an authority of its own."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    receiver = Receiver(0, folder / "authority.pem")
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, ssl=context)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
