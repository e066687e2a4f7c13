"""What a service is told by its environment, and nothing else; names start with EARSHOT_."""

from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import parse_qsl, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

from .auth.roles import Role
from .mail.smtp import Server

PREFIX = "EARSHOT_"


def complaints(wrong: ValidationError) -> list[str]:
    """What is wrong with the settings: the name of each variable and its fault."""
    found = wrong.errors(include_url=False, include_input=False)
    return [f"{PREFIX}{str(item['loc'][0]).upper()}: {item['msg']}" if item["loc"] else item["msg"] for item in found]


def _is_address(text: str) -> bool:
    """Whether the text is host or host:port, an IPv6 address in brackets."""
    try:
        parts = urlsplit(f"//{text}")
        return bool(parts.hostname) and parts.netloc == text and "@" not in text and parts.port != 0
    except ValueError:
        return False


def _bootstrap(text: str) -> str:
    for address in text.split(","):
        if not _is_address(address.strip()):
            raise PydanticCustomError(
                "kafka_bootstrap",
                "{address} is no host:port; give host:port[,host:port…]",
                {"address": repr(address[:80])},
            )
    return text


def _dsn(secret: SecretStr) -> SecretStr:
    """Refuses what asyncpg could not parse, since nothing that is waited for would mend it."""
    try:
        parts = urlsplit(secret.get_secret_value())
        user, at, rest = parts.netloc.partition("@")
        hosts = rest if at else user
        parse_qsl(parts.query, strict_parsing=True)
        readable = parts.scheme in {"postgresql", "postgres"}
    except ValueError:
        readable, hosts = False, ""
    # No host at all is a socket, or named in the query.
    if not readable or (hosts and not all(_is_address(host) for host in hosts.split(","))):
        raise PydanticCustomError(
            "database_dsn",
            "must be postgresql://role:password@host:port/database; "
            "write @ : / ? # and % in the password as %40 %3A %2F %3F %23 and %25",
        )
    return secret


def _smtp(secret: SecretStr) -> SecretStr:
    try:
        Server.at(secret.get_secret_value())
    except ValueError as wrong:
        raise PydanticCustomError("smtp_url", "{wrong}", {"wrong": str(wrong)}) from None
    return secret


Url = Annotated[str, StringConstraints(pattern=r"^https?://", strip_whitespace=True)]
Bootstrap = Annotated[str, StringConstraints(min_length=1), AfterValidator(_bootstrap)]
Dsn = Annotated[SecretStr, AfterValidator(_dsn)]
SmtpUrl = Annotated[SecretStr, AfterValidator(_smtp)]


class KafkaSettings(BaseSettings):
    """How Kafka is reached; without a user name the connection is plain."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, hide_input_in_errors=True)

    kafka_bootstrap: Bootstrap = Field(description="host:port[,host:port…]")
    kafka_user: str | None = None
    kafka_password: SecretStr | None = None
    kafka_ca: Path | None = Field(default=None, description="PEM file; none: the system's certificate authorities")
    topic_prefix: str = Field(default="", pattern=r"^[A-Za-z0-9._-]{0,60}$", description="before every topic and group")

    @model_validator(mode="after")
    def _never_plain_by_mistake(self) -> Self:
        if (self.kafka_user is None) != (self.kafka_password is None):
            missing = "EARSHOT_KAFKA_PASSWORD" if self.kafka_user else "EARSHOT_KAFKA_USER"
            raise PydanticCustomError(
                "kafka_login", "{missing} is missing: without it the connection would be plain", {"missing": missing}
            )
        return self


class TrustedIssuer(BaseModel):
    """An identity provider whose access tokens are accepted, for other systems of the company."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: str = Field(min_length=1, description="as its tokens say it in `iss`")
    jwks: str = Field(min_length=1, description="path or URL of its JSON Web Key Set")
    audience: str = Field(default="earshot", min_length=1, description="as its tokens must say it in `aud`")
    role_claim: str = Field(default="roles", min_length=1, description="may be nested: realm_access.roles")
    role_map: dict[str, Role] = Field(default={}, description="value of the claim → role; none: roles by their names")


class HttpSettings(BaseSettings):
    """Where the service listens and whose tokens it trusts."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8080, ge=0, le=65535)
    public_url: Url = "http://127.0.0.1:8400"
    gateway_url: Url | None = Field(default=None, description="the gateway as services reach it; none: public_url")
    jwks: str = Field(min_length=1, description="path or URL of the JSON Web Key Set that signs tokens")
    jwt_audience: str = "earshot"
    jwt_issuer: str = "earshot"
    trusted_issuers: tuple[TrustedIssuer, ...] = Field(default=(), description="JSON list; besides the gateway")
    log_format: Literal["json", "console"] = "json"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"


class Settings(KafkaSettings, HttpSettings):
    """One service's settings."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, hide_input_in_errors=True)

    database_dsn: Dsn = Field(description="postgresql://role:password@host:port/database, the service's own role")
    database_pool: int = Field(default=10, ge=3, le=100, description="connections at most; the relay holds one more")
    batch_records: int = Field(default=1250, ge=1, le=5000, description="records of one consumed batch at most")
    inbox_days: int | None = Field(default=None, ge=1, description="how long repeats are known; none: beyond retention")
    outbox_archive_days: int = Field(default=0, ge=0, le=36_500, description="days published events are kept; 0: not")
    smtp_url: SmtpUrl | None = Field(
        default=None, description="smtp[s]://user:password@host:port; none: nothing is sent"
    )
    mail_from: str = Field(default="Earshot <earshot@localhost>", min_length=3, description="whom mails come from")
    mailbox: bool = Field(default=False, description="admins read mails at /mailbox; for a machine of one's own")
