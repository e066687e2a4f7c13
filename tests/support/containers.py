"""The same infrastructure as containers, for machines with Docker."""

import secrets
from collections.abc import Callable
from contextlib import closing

import docker
from docker.errors import APIError, ImageNotFound
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from tests.support.infra import free_port

Started = tuple[str, Callable[[], object]]


def do_without_ryuk_where_it_cannot_be_had() -> None:
    """Ryuk cleans up after tests that were killed; all others stop their containers themselves."""
    with closing(docker.from_env()) as engine:
        try:
            engine.images.get(testcontainers_config.ryuk_image)
        except ImageNotFound:
            try:
                engine.images.pull(testcontainers_config.ryuk_image)
            except APIError:
                testcontainers_config.ryuk_disabled = True


def start_kafka() -> Started:
    # The advertised port must be known before the start, so it is chosen here instead of by Docker.
    port = free_port()
    container = (
        DockerContainer("apache/kafka:4.3.1")
        .with_bind_ports(9092, port)
        .with_env("KAFKA_NODE_ID", "1")
        .with_env("KAFKA_PROCESS_ROLES", "broker,controller")
        .with_env("KAFKA_CONTROLLER_QUORUM_VOTERS", "1@localhost:9093")
        .with_env("KAFKA_LISTENERS", "PLAINTEXT://:9092,CONTROLLER://:9093")
        .with_env("KAFKA_ADVERTISED_LISTENERS", f"PLAINTEXT://127.0.0.1:{port}")
        .with_env("KAFKA_CONTROLLER_LISTENER_NAMES", "CONTROLLER")
        .with_env("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP", "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT")
        .with_env("KAFKA_AUTO_CREATE_TOPICS_ENABLE", "false")
        .with_env("KAFKA_MESSAGE_MAX_BYTES", "16777216")
        .with_env("KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR", "1")
        .with_env("KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR", "1")
        .with_env("KAFKA_TRANSACTION_STATE_LOG_MIN_ISR", "1")
        .with_env("KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR", "1")
        .with_env("KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR", "1")
        .with_env("KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS", "0")
        .waiting_for(LogMessageWaitStrategy("Kafka Server started"))
    )
    container.start()
    return f"127.0.0.1:{port}", container.stop


def start_postgres() -> Started:
    password = secrets.token_hex(16)
    container = (
        DockerContainer("postgres:18")
        .with_env("POSTGRES_PASSWORD", password)
        .with_env("POSTGRES_DB", "earshot")
        .with_exposed_ports(5432)
        .with_command("postgres -c max_connections=300 -c fsync=off")
        # The server starts twice: once to set itself up, once to serve.
        .waiting_for(LogMessageWaitStrategy("ready to accept connections", times=2))
    )
    container.start()
    port = container.get_exposed_port(5432)
    return f"postgresql://postgres:{password}@127.0.0.1:{port}/earshot", container.stop
