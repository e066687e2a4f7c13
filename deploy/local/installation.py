"""One local installation: where everything is, and what each process is told."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote, urlsplit

from deploy.local import keys
from deploy.local.errors import Fault
from deploy.local.paths import DATABASE, HOST, SUPERUSER, Home, Ports, cache_from, home_from, ports_from
from services import DEPLOYABLE

GATEWAY = "gateway"
SIGN_IN_AUDIENCE = "earshot-signin"
SIGN_IN_LIFETIME = timedelta(minutes=15)
WEBHOOK_KEY = "EARSHOT_WEBHOOK_KEY"
NOT_FOR_SERVICES = frozenset({"EARSHOT_ADMIN_DSN", "EARSHOT_MIGRATION_DSN", "EARSHOT_SIGNING_KEY", WEBHOOK_KEY})
FOR_ONE_ALONE = {
    "EARSHOT_OIDC_CLIENT_SECRET": GATEWAY,
    "EARSHOT_BOARD_OIDC_CLIENT_SECRET": "roadmap",
    "EARSHOT_BOARD_KEYS": "roadmap",
}
"""Secrets that only one process is given."""


@dataclass(frozen=True, slots=True)
class Database:
    """Where the database listens."""

    host: str
    port: int
    name: str


@dataclass(frozen=True, slots=True)
class Installation:
    """Everything that the environment decides; with an external broker or database, ours is not started."""

    home: Home
    cache: Path
    ports: Ports
    topic_prefix: str
    external_broker: str | None
    external_admin_dsn: str | None
    external_signing_key: Path | None = None
    external_gateway: str | None = None
    external_public_url: str | None = None

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Installation":
        """Read the environment.

        Raises:
            Fault: a setting cannot be used.
        """
        admin_dsn = environment.get("EARSHOT_ADMIN_DSN") or None
        if admin_dsn:
            _database(admin_dsn)
        return cls(
            home=home_from(environment),
            cache=cache_from(environment),
            ports=ports_from(environment),
            topic_prefix=environment.get("EARSHOT_TOPIC_PREFIX", ""),
            external_broker=environment.get("EARSHOT_KAFKA_BOOTSTRAP") or None,
            external_admin_dsn=admin_dsn,
            external_signing_key=Path(key) if (key := environment.get("EARSHOT_SIGNING_KEY")) else None,
            external_gateway=environment.get("EARSHOT_GATEWAY_URL") or None,
            external_public_url=environment.get("EARSHOT_PUBLIC_URL") or None,
        )

    @property
    def bootstrap(self) -> str:
        return self.external_broker or f"{HOST}:{self.ports.kafka}"

    @property
    def gateway_url(self) -> str:
        """Where the gateway answers from here."""
        return self.external_gateway or f"http://{HOST}:{self.ports.gateway}"

    @property
    def public_url(self) -> str:
        """Where people find the gateway."""
        return self.external_public_url or self.gateway_url

    def service_url(self, name: str) -> str:
        return f"http://{HOST}:{self.ports.service(name)}"

    @property
    def database(self) -> Database:
        if self.external_admin_dsn:
            return _database(self.external_admin_dsn)
        return Database(HOST, self.ports.postgres, DATABASE)

    @property
    def admin_dsn(self) -> str:
        if self.external_admin_dsn:
            return self.external_admin_dsn
        password = keys.password(self.home, SUPERUSER)
        return f"postgresql://{SUPERUSER}:{password}@{HOST}:{self.ports.postgres}/{DATABASE}"

    def service_dsn(self, name: str) -> str:
        """How a service connects: as its own role."""
        role = f"earshot_{name}"
        place = self.database
        return f"postgresql://{role}:{keys.password(self.home, role)}@{place.host}:{place.port}/{quote(place.name)}"

    def environment(self, name: str) -> dict[str, str]:
        """The environment of a service's or the gateway's process."""
        hidden = NOT_FOR_SERVICES | {secret for secret, owner in FOR_ONE_ALONE.items() if owner != name}
        inherited = {key: text for key, text in os.environ.items() if key not in hidden}
        common = {
            "EARSHOT_KAFKA_BOOTSTRAP": self.bootstrap,
            "EARSHOT_HTTP_HOST": HOST,
            "EARSHOT_PUBLIC_URL": self.public_url,
            "EARSHOT_JWKS": str(keys.jwks(self.home)),
            "EARSHOT_LOG_FORMAT": "json",
        }
        return inherited | common | (self._for_gateway() if name == GATEWAY else self._for_service(name))

    def token(self, *, subject: str, role: str, lifetime: timedelta, audience: str = "earshot") -> str:
        """A bearer token that this installation accepts.

        Raises:
            Fault: there is no installation yet.
        """
        if self.external_signing_key is None and not self.home.is_ours:
            raise Fault(f"There is no installation in {self.home.root} yet; run `earshot up` first.")
        from shared.runtime.auth.tokens import issue  # noqa: PLC0415 - slow to import

        key = (self.external_signing_key or keys.signing_key(self.home)).read_bytes()
        return issue(key, subject=subject, role=role, audience=audience, lifetime=lifetime, now=datetime.now(UTC))

    def sign_in_link(self) -> str:
        """A link that signs its reader in once, as administrator."""
        token = self.token(subject="local-admin", role="admin", lifetime=SIGN_IN_LIFETIME, audience=SIGN_IN_AUDIENCE)
        return f"{self.public_url}/sign-in?token={token}"

    def _for_service(self, name: str) -> dict[str, str]:
        own = {"EARSHOT_HTTP_PORT": str(self.ports.service(name)), "EARSHOT_DATABASE_DSN": self.service_dsn(name)}
        if name == "webhooks":
            own[WEBHOOK_KEY] = os.environ.get(WEBHOOK_KEY) or keys.password(self.home, "webhooks_sealing")
        if "EARSHOT_SMTP_URL" not in os.environ:
            own["EARSHOT_MAILBOX"] = "true"  # nothing is sent from here, so its admin reads the mails
        return own

    def _for_gateway(self) -> dict[str, str]:
        import json  # noqa: PLC0415

        return {
            "EARSHOT_HTTP_PORT": str(self.ports.gateway),
            "EARSHOT_DATABASE_DSN": self.service_dsn(GATEWAY),
            "EARSHOT_SIGNING_KEY": str(keys.signing_key(self.home)),
            "EARSHOT_SERVICE_URLS": json.dumps({name: self.service_url(name) for name in DEPLOYABLE}),
        }


def _database(dsn: str) -> Database:
    try:
        parts = urlsplit(dsn)
        if parts.scheme in {"postgresql", "postgres"} and parts.hostname and parts.path.strip("/"):
            return Database(parts.hostname, parts.port or 5432, parts.path.strip("/"))
    except ValueError:
        pass  # a port that is no number
    raise Fault("EARSHOT_ADMIN_DSN cannot be used: write postgresql://user:password@host:port/database.")
