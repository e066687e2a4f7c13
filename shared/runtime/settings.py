"""What a service is told by its environment, and nothing else; names start with EARSHOT_."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, StringConstraints
from pydantic_settings import BaseSettings, SettingsConfigDict

Url = Annotated[str, StringConstraints(pattern=r"^https?://", strip_whitespace=True)]


class KafkaSettings(BaseSettings):
    """How Kafka is reached; without a user name the connection is plain."""

    model_config = SettingsConfigDict(env_prefix="EARSHOT_", frozen=True)

    kafka_bootstrap: str = Field(min_length=1, description="host:port[,host:port…]")
    kafka_user: str | None = None
    kafka_password: SecretStr | None = None
    kafka_ca: Path | None = Field(default=None, description="PEM file; none: the system's certificate authorities")
    topic_prefix: str = Field(default="", pattern=r"^[A-Za-z0-9._-]{0,60}$", description="before every topic and group")


class HttpSettings(BaseSettings):
    """Where the service listens and whose tokens it trusts."""

    model_config = SettingsConfigDict(env_prefix="EARSHOT_", frozen=True)

    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8080, ge=0, le=65535)
    public_url: Url = "http://127.0.0.1:8400"
    gateway_url: Url | None = Field(default=None, description="the gateway as services reach it; none: public_url")
    jwks: str = Field(min_length=1, description="path or URL of the JSON Web Key Set that signs tokens")
    jwt_audience: str = "earshot"
    jwt_issuer: str = "earshot"
    log_format: Literal["json", "console"] = "json"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"


class Settings(KafkaSettings, HttpSettings):
    """One service's settings."""

    model_config = SettingsConfigDict(env_prefix="EARSHOT_", frozen=True)

    database_dsn: SecretStr = Field(description="postgresql://role:password@host:port/database, the service's own role")
    database_pool: int = Field(default=10, ge=3, le=100, description="connections at most; the relay holds one more")
    batch_records: int = Field(default=500, ge=1, le=5000, description="records of one consumed batch at most")
