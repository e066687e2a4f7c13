"""A connection to Kafka that is lost between two requests is an error that aiokafka mends."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvloop
from aiokafka import conn
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.metadata import MetadataRequest

from shared.runtime.connections import tell_of_lost_connections
from tests.support.infra import KAFKA

Send = Callable[[Any], Awaitable[object]]


async def send_over_a_lost_connection(send: Send) -> None:
    """The transport is closed, and who reads from it has not been told yet."""
    host, port = os.environ[KAFKA].split(":")
    connection = await conn.create_conn(host, int(port))
    _, lost = await asyncio.open_connection(host, int(port))
    lost.transport.abort()
    await asyncio.sleep(0.1)
    connection._writer.close()
    connection._writer = lost
    assert connection.connected()
    try:
        await send(connection)
    finally:
        assert not connection.connected()


@pytest.mark.parametrize(
    "send",
    [lambda lost: lost.send(MetadataRequest([])), lambda lost: lost._send_sasl_token(b"token")],
    ids=["request", "sign-in"],
)
def test_a_lost_connection_is_an_error_of_kafka(send: Send) -> None:
    """Uvloop's RuntimeError becomes one, and the connection is closed, so that the next request opens another."""
    tell_of_lost_connections()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner, pytest.raises(KafkaConnectionError):
        runner.run(send_over_a_lost_connection(send))
