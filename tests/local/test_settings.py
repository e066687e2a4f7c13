"""What the environment may say of Kafka and the database."""

import pytest
from pydantic import ValidationError

from shared.runtime.settings import KafkaSettings, Settings

DSN = "postgresql://kpi:secret@db/earshot"


@pytest.mark.parametrize(
    "dsn",
    [
        DSN,
        "postgres://kpi:sec%40ret@db.example:6000/earshot?sslmode=require",
        "postgresql://kpi@[::1]:5432/earshot",
        "postgresql://kpi@first:5432,second:5433/earshot?target_session_attrs=read-write",
        "postgresql://kpi@%2Frun%2Fpostgresql/earshot",
        "postgresql:///earshot?host=/run/postgresql",
        "postgresql://kpi@/earshot?host=/run/postgresql",
    ],
)
def test_every_way_to_name_a_database_is_taken(dsn: str) -> None:
    """Ports, options, IPv6 addresses, several hosts and sockets are all fine, and the DSN stays as it was given."""
    settings = Settings(kafka_bootstrap="kafka:9092", jwks="jwks.json", database_dsn=dsn)
    assert settings.database_dsn.get_secret_value() == dsn


@pytest.mark.parametrize(
    "dsn",
    [
        "",
        "db-secret",
        "mysql://kpi:secret@db/earshot",
        "postgresql://kpi:secret@db:port/earshot",
        "postgresql://kpi:secret@db:99999/earshot",
        "postgresql://kpi:se#cret@db/earshot",
        "postgresql://kpi:secret@word@db/earshot",
        "postgresql://kpi:secret@db,/earshot",
        "postgresql://kpi:secret@[::1/earshot",
        "postgresql://kpi:secret@db/earshot?sslmode",
    ],
)
def test_a_dsn_nobody_can_read_is_refused_unseen(dsn: str) -> None:
    """Another scheme, a port that is none and a password that was not escaped are refused without being shown."""
    with pytest.raises(ValidationError, match="must be postgresql://role:password@host:port/database") as refused:
        Settings(kafka_bootstrap="kafka:9092", jwks="jwks.json", database_dsn=dsn)
    assert "cret" not in str(refused.value)


@pytest.mark.parametrize("bootstrap", ["kafka", "kafka:9092", "a:9092,b:9093", "a:9092, b:9093", "[::1]:9092"])
def test_every_way_to_name_brokers_is_taken(bootstrap: str) -> None:
    """One or several hosts, with or without a port, are fine."""
    assert KafkaSettings(kafka_bootstrap=bootstrap).kafka_bootstrap == bootstrap


@pytest.mark.parametrize(
    "bootstrap", ["", ":9092", "kafka:port", "kafka:99999", "kafka:" + "9" * 5_000, "a:9092,", "PLAINTEXT://kafka:9092"]
)
def test_what_is_no_address_of_a_broker_is_refused(bootstrap: str) -> None:
    """A missing host, a port that is none and a URL are no addresses."""
    with pytest.raises(ValidationError, match="kafka_bootstrap"):
        KafkaSettings(kafka_bootstrap=bootstrap)


@pytest.mark.parametrize("given", [{"kafka_user": "ana"}, {"kafka_password": "se-cret"}])
def test_half_a_login_is_refused(given: dict[str, str]) -> None:
    """A user without a password, or the other way round, would make a plain connection: it is refused, and unseen."""
    with pytest.raises(ValidationError, match="is missing: without it the connection would be plain") as refused:
        KafkaSettings.model_validate({"kafka_bootstrap": "kafka:9092"} | given)
    assert "se-cret" not in str(refused.value)
