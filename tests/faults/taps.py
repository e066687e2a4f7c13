"""What the proxies look for in the traffic: the moment between two messages at which a fault is to strike."""

import re
import struct
from collections import defaultdict
from dataclasses import dataclass, field

from tests.faults.proxy import Direction, Link, Proxy

PRODUCE = 0
"""Kafka's api key of a produce request."""

COMMIT = re.compile(rb"Q....COMMIT;?\x00", re.DOTALL)
RELAY = re.compile(rb"application_name\x00[^\x00]*-relay\x00")


@dataclass
class LostCommits:
    """PostgreSQL's answer to COMMIT never reaches the client: the transaction holds, the client cannot know."""

    wanted: int
    lost: int = 0
    _committing: set[Link] = field(default_factory=set)

    def __call__(self, link: Link, way: Direction, data: bytes) -> bytes:
        if way is Direction.REQUESTS:
            if self.lost < self.wanted and COMMIT.search(data):
                self._committing.add(link)
            return data
        if link not in self._committing:
            return data
        self._committing.discard(link)
        self.lost += 1
        link.abort()
        return b""


@dataclass
class Relays:
    """Which of the database's connections belong to a relay, told by the name they give themselves."""

    links: set[Link] = field(default_factory=set)

    def __call__(self, link: Link, way: Direction, data: bytes) -> bytes:
        if way is Direction.REQUESTS and RELAY.search(data):
            self.links.add(link)
        return data


@dataclass
class Acknowledged:
    """When the broker acknowledges a produce request, whoever sent it can tell the database nothing any more."""

    database: Proxy
    relays: Relays
    held: list[Link] = field(default_factory=list)
    _frames: dict[tuple[Link, Direction], "Frames"] = field(default_factory=lambda: defaultdict(Frames))
    _produced: set[tuple[Link, int]] = field(default_factory=set)

    def __call__(self, link: Link, way: Direction, data: bytes) -> bytes:
        for head in self._frames[link, way].feed(data):
            if way is Direction.REQUESTS:
                api_key, _, correlation = struct.unpack(">hhi", head[:8])
                if api_key == PRODUCE:
                    self._produced.add((link, correlation))
            elif (link, struct.unpack(">i", head[:4])[0]) in self._produced and not self.held:
                self._hold()
        return data

    def _hold(self) -> None:
        self.held += [link for link in self.relays.links if link in self.database.links]
        for link in self.held:
            link.hold(Direction.REQUESTS)


@dataclass
class Unsent:
    """The first produce request does not reach the broker; its sender waits for an answer that will not come."""

    held: list[Link] = field(default_factory=list)
    _frames: dict[Link, "Frames"] = field(default_factory=lambda: defaultdict(Frames))

    def __call__(self, link: Link, way: Direction, data: bytes) -> bytes:
        if way is Direction.REQUESTS and not self.held:
            for head in self._frames[link].feed(data):
                if struct.unpack(">h", head[:2])[0] == PRODUCE:
                    link.hold(way)
                    self.held.append(link)
        return data


class Frames:
    """Cuts one direction of a Kafka connection into messages and gives the head of each as soon as it is there."""

    HEAD = 8

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._skip = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The heads (up to eight bytes) of the messages that begin in the data."""
        heads: list[bytes] = []
        self._buffer += data
        while True:
            passed = min(self._skip, len(self._buffer))
            del self._buffer[:passed]
            self._skip -= passed
            if self._skip or len(self._buffer) < 4:
                return heads
            (size,) = struct.unpack(">i", self._buffer[:4])
            head = min(self.HEAD, size)
            if len(self._buffer) < 4 + head:
                return heads
            heads.append(bytes(self._buffer[4 : 4 + head]))
            self._skip = 4 + size
