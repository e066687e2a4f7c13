"""One secure Kafka for the tests of access; they are in one group, so that one worker starts it."""

from collections.abc import Iterator

import pytest

from tests.security.secure_kafka import SecureKafka, secure_kafka


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureKafka]:
    with secure_kafka(tmp_path_factory.mktemp("secure-kafka")) as running:
        yield running
