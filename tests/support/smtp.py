"""An SMTP server of the test's own, which takes or refuses as it is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Mailbox:
    """What arrived; `answer` is said to every recipient (RCPT), "250 OK" takes the mail."""

    port: int = 0
    answer: str = "250 OK"
    messages: list[bytes] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speak as much of RFC 5321 as one mail needs."""
        writer.write(b"220 test\r\n")
        while line := await reader.readline():
            command = line.decode().strip()
            verb = command.upper()
            if verb.startswith("RCPT"):
                if self.answer.startswith("250"):
                    self.recipients.append(command.partition("<")[2].partition(">")[0])
                writer.write(f"{self.answer}\r\n".encode())
            elif verb == "DATA":
                writer.write(b"354 go on\r\n")
                self.messages.append((await reader.readuntil(b"\r\n.\r\n")).removesuffix(b".\r\n"))
                writer.write(b"250 OK\r\n")
            elif verb == "QUIT":
                writer.write(b"221 bye\r\n")
                break
            else:
                writer.write(b"250 OK\r\n")
            await writer.drain()
        writer.close()


@asynccontextmanager
async def smtp_server() -> AsyncIterator[Mailbox]:
    """A server at a free port of this machine."""
    mailbox = Mailbox()
    server = await asyncio.start_server(mailbox.serve, "127.0.0.1", 0)
    mailbox.port = server.sockets[0].getsockname()[1]
    try:
        yield mailbox
    finally:
        server.close()
