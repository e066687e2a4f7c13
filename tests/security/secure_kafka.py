"""A real Kafka that asks for SCRAM over TLS and lets nobody do what no ACL allows."""

import base64
import os
import subprocess
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from pydantic import SecretStr

from deploy.kafka.access import Grant
from deploy.local import kafka_jars
from deploy.local.kafka import JVM, SETTINGS, java
from deploy.local.paths import cache_from
from deploy.local.ports import answers
from deploy.local.waiting import wait_until
from shared.runtime.settings import KafkaSettings
from tests.support.infra import free_port

ADMIN = "admin"
PASSWORDS = {"broker": "broker-secret", ADMIN: "admin-secret"}
JAAS = "org.apache.kafka.common.security.scram.ScramLoginModule required"


@dataclass(frozen=True, slots=True)
class SecureKafka:
    """Where the broker is, and who vouches for its certificate."""

    address: str
    authority: Path

    def settings(self, user: str, password: str, prefix: str = "") -> KafkaSettings:
        return KafkaSettings(
            kafka_bootstrap=self.address,
            kafka_user=user,
            kafka_password=SecretStr(password),
            kafka_ca=self.authority,
            topic_prefix=prefix,
        )

    def admin(self) -> AdminClient:
        return AdminClient(
            {
                "bootstrap.servers": self.address,
                "security.protocol": "SASL_SSL",
                "sasl.mechanism": "SCRAM-SHA-512",
                "sasl.username": ADMIN,
                "sasl.password": PASSWORDS[ADMIN],
                "ssl.ca.location": str(self.authority),
                "log_level": 0,
            }
        )

    def add_user(self, name: str, password: str) -> None:
        how = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        admin = self.admin()
        change = UserScramCredentialUpsertion(name, how, password.encode())
        for answer in admin.alter_user_scram_credentials([change]).values():
            answer.result(30)

    def allow(self, given: Sequence[Grant]) -> None:
        bindings = [AclBinding(*_fields(grant, operation)) for grant in given for operation in grant.operations]
        admin = self.admin()
        for answer in admin.create_acls(bindings).values():
            answer.result(30)

    def withdraw(self, grant: Grant) -> None:
        filters = [AclBindingFilter(*_fields(grant, operation)) for operation in grant.operations]
        admin = self.admin()
        for answer in admin.delete_acls(filters).values():
            answer.result(30)


Fields = tuple[ResourceType, str, ResourcePatternType, str, str, AclOperation, AclPermissionType]


def _fields(grant: Grant, operation: str) -> Fields:
    return (
        ResourceType[grant.resource.upper()],
        grant.name,
        ResourcePatternType.LITERAL,
        f"User:{grant.user}",
        "*",
        AclOperation[operation.upper()],
        AclPermissionType.ALLOW,
    )


@contextmanager
def secure_kafka(folder: Path) -> Iterator[SecureKafka]:
    """The broker, stopped at the end; its users are the broker itself and an administrator."""
    authority = folder / "ca.pem"
    _write_certificates(folder, authority)
    port, controller_port = free_port(), free_port()
    properties = folder / "server.properties"
    properties.write_text(
        "".join(f"{name}={value}\n" for name, value in _properties(folder, port, controller_port).items())
    )
    jars = kafka_jars.ensure(cache_from(os.environ), say=lambda _: None)
    environment = os.environ | {"CLASSPATH": os.pathsep.join(map(str, jars))}
    command = [str(java()), *JVM, f"-Djava.io.tmpdir={folder}"]
    users = [f"--add-scram=SCRAM-SHA-512=[name={name},password={word}]" for name, word in PASSWORDS.items()]
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
    subprocess.run(
        [*command, "kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "-c", str(properties), *users],
        env=environment,
        check=True,
        capture_output=True,
    )
    kafka = SecureKafka(f"127.0.0.1:{port}", authority)
    with (folder / "kafka.log").open("wb") as output:
        running = subprocess.Popen(
            [*command, "kafka.Kafka", str(properties)], env=environment, stdout=output, stderr=output
        )
        try:
            wait_until(
                lambda: answers(port) and bool(kafka.admin().list_topics(timeout=20).brokers),
                what="Kafka with SCRAM",
                say=lambda _: None,
                patience=90,
                explain=lambda: (folder / "kafka.log").read_text()[-2000:],
            )
            yield kafka
        finally:
            running.terminate()
            running.wait(30)


def _write_certificates(folder: Path, authority: Path) -> None:
    ca = trustme.CA()
    leaf = ca.issue_cert("localhost", "127.0.0.1")
    ca.cert_pem.write_to_path(str(authority))
    # Kafka reads PKCS #8 only.
    key = load_pem_private_key(leaf.private_key_pem.bytes(), None)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "broker.pem").write_bytes(pem + b"".join(part.bytes() for part in leaf.cert_chain_pems))


def _properties(folder: Path, port: int, controller_port: int) -> dict[str, str]:
    return SETTINGS | {
        "log.dirs": str(folder / "data"),
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "listeners": f"SASL_SSL://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"SASL_SSL://127.0.0.1:{port}",
        "inter.broker.listener.name": "SASL_SSL",
        "listener.security.protocol.map": "SASL_SSL:SASL_SSL,CONTROLLER:SSL",
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
        "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": (
            f'{JAAS} username="broker" password="{PASSWORDS["broker"]}";'
        ),
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(folder / "broker.pem"),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(folder / "ca.pem"),
        "listener.name.controller.ssl.client.auth": "required",
        "ssl.principal.mapping.rules": "RULE:^.*$/controller/",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "false",
        "super.users": f"User:broker;User:{ADMIN};User:controller",
    }
