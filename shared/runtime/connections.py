"""Connections to Kafka whose loss is told in a way that aiokafka understands.

Who writes to a closed transport hears nothing in asyncio's own loop, where the reader fails soon after, and a
RuntimeError in uvloop. aiokafka does not expect that: its tasks that fetch records or metadata end, and nobody is told.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from aiokafka import conn
from aiokafka.errors import KafkaConnectionError

_Usual: Final[Any] = conn.AIOKafkaConnection


def tell_of_lost_connections() -> None:
    """Let aiokafka's clients of this process use connections of this module."""
    conn.AIOKafkaConnection = _Connection


class _Connection(_Usual):  # type: ignore[misc] # aiokafka is not typed
    def send(self, *request: Any, **options: Any) -> Any:  # noqa: ANN401 - aiokafka's
        with self._told():
            return super().send(*request, **options)

    def _send_sasl_token(self, *token: Any, **options: Any) -> Any:  # noqa: ANN401 - aiokafka's
        with self._told():
            return super()._send_sasl_token(*token, **options)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as closed:
            self.close(reason=conn.CloseReason.CONNECTION_BROKEN)
            raise KafkaConnectionError(f"Connection at {self.host}:{self.port} broken: {closed}") from closed
