"""How clients reach Kafka: one place for address, security and the settings that keep events."""

import ssl
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError, KafkaTimeoutError
from faststream.kafka import KafkaBroker
from faststream.security import SASLScram512

from shared.contract.topics import MAX_MESSAGE_BYTES

from .connections import tell_of_lost_connections
from .record_batches import read_every_batch
from .settings import KafkaSettings


def client_options(settings: KafkaSettings) -> dict[str, Any]:
    """Options that every aiokafka client takes."""
    tell_of_lost_connections()
    options: dict[str, Any] = {"bootstrap_servers": settings.kafka_bootstrap.split(",")}
    if settings.kafka_user and settings.kafka_password:
        options |= {
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": settings.kafka_user,
            "sasl_plain_password": settings.kafka_password.get_secret_value(),
            "ssl_context": _trust(settings),
        }
    return options


def producer(settings: KafkaSettings) -> AIOKafkaProducer:
    """A producer that neither loses nor doubles nor reorders what it was given."""
    return AIOKafkaProducer(
        **client_options(settings),
        acks="all",
        enable_idempotence=True,
        linger_ms=0,
        compression_type="zstd",
        max_batch_size=256 << 10,  # the relay's batches, a thousand events over twelve partitions, fit whole
        max_request_size=MAX_MESSAGE_BYTES,
        request_timeout_ms=10_000,
    )


async def drop(client: AIOKafkaProducer) -> None:
    """Stop the producer and forget what Kafka has not taken; its own `stop` waits for that, perhaps for ever."""
    await client._sender.close()  # noqa: SLF001 - there is no other way to it
    client._message_accumulator.fail_all(KafkaTimeoutError())  # noqa: SLF001
    await client.stop()


def admin(settings: KafkaSettings) -> AIOKafkaAdminClient:
    return AIOKafkaAdminClient(**client_options(settings))


async def cluster_id(settings: KafkaSettings) -> str:
    """Which Kafka this is; offsets mean something only there."""
    client = admin(settings)
    try:
        await client.start()
        return str((await client.describe_cluster())["cluster_id"])
    finally:
        await client.close()


def onlooker(settings: KafkaSettings, topics: Sequence[str], auto_offset_reset: str) -> AIOKafkaConsumer:
    """A consumer that belongs to no group: it sees what services see and moves nothing."""
    read_every_batch()
    return AIOKafkaConsumer(
        *topics,
        **client_options(settings),
        auto_offset_reset=auto_offset_reset,
        isolation_level="read_committed",
    )


def consuming_broker(settings: KafkaSettings, parser: Any) -> KafkaBroker:  # noqa: ANN401 - FastStream's own type
    """FastStream's broker for consumption alone: publishing goes through the outbox."""
    tell_of_lost_connections()
    read_every_batch()
    security = None
    if settings.kafka_user and settings.kafka_password:
        # Without an SSL context FastStream would fall back to an unencrypted connection without a word.
        security = SASLScram512(
            settings.kafka_user, settings.kafka_password.get_secret_value(), ssl_context=_trust(settings)
        )
    return KafkaBroker(
        settings.kafka_bootstrap.split(","),
        security=security,
        parser=parser,
        allow_auto_create_topics=False,
        graceful_timeout=15.0,
        logger=None,
    )


def why(fault: BaseException, settings: KafkaSettings) -> str:
    """The fault for the log; a broker that refuses a login says no more than one that is away."""
    if settings.kafka_user and isinstance(fault, KafkaConnectionError):
        return f"{fault!r}; if it is reachable, look at user, password, CA and whether it takes SCRAM-SHA-512 over TLS"
    return repr(fault)


def _trust(settings: KafkaSettings) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(settings.kafka_ca) if settings.kafka_ca else None)
