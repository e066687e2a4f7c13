"""Apache Kafka's jars: fetched once from Maven Central, checked against committed hashes, then used from the cache."""

import hashlib
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from deploy.local.errors import Fault, Say

KAFKA = "4.3.1"
ENDPOINT = f"org.apache.kafka:kafka_2.13:{KAFKA}+org.slf4j:slf4j-simple:1.7.36"
LOCK_FILE = Path(__file__).with_name("kafka-jars.lock")
ATTEMPTS = 2
CONNECTIONS = 6
TIMEOUT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Jar:
    """One locked jar: Maven coordinates and the SHA-256 of the file."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        return f"{self.artifact}-{self.version}.jar"


Fetch = Callable[[Jar, Path], Path]
"""Fetches a jar into a scratch folder and returns where it lies there."""


def locked(lock_file: Path = LOCK_FILE) -> list[Jar]:
    """The jars that belong to this release: one `group:artifact:version sha256` a line."""
    lines = [line for line in lock_file.read_text().splitlines() if line and not line.startswith("#")]
    return [Jar(*line.replace(":", " ").split()) for line in lines]


def ensure(cache: Path, *, say: Say, jars: Sequence[Jar] | None = None, fetch: Fetch | None = None) -> list[Path]:
    """The verified jar files in the cache, fetching those that are missing or damaged.

    Raises:
        Fault: a jar cannot be fetched, or is not the one that was locked.
    """
    wanted = locked() if jars is None else jars
    folder = _folder(cache)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as wrong:
        raise Fault(
            f"The cache {cache} cannot be used ({wrong}); set EARSHOT_CACHE to a folder you may write."
        ) from wrong
    with FileLock(folder / ".lock"):
        missing = [jar for jar in wanted if not _is_intact(folder / jar.file_name, jar)]
        for attempt in range(1, ATTEMPTS + 1):
            if not missing:
                break
            failures = _fetch_all(missing, folder, fetch or _fetch_from_maven, say)
            missing = list(failures)
            if missing and attempt == ATTEMPTS:
                raise Fault(f"{missing[0].file_name} could not be fetched: {failures[missing[0]]}. {_ADVICE}")
    return [folder / jar.file_name for jar in wanted]


def intact(cache: Path) -> list[Jar]:
    """Those of the locked jars that are in the cache and undamaged."""
    return [jar for jar in locked() if _is_intact(_folder(cache) / jar.file_name, jar)]


_ADVICE = (
    "Check the connection to Maven Central (behind a mirror, set `central = <its URL>` under [repositories] "
    "in ~/.config/jgo.conf), or set EARSHOT_KAFKA_BOOTSTRAP to a Kafka that runs already."
)


def _folder(cache: Path) -> Path:
    return cache / f"kafka-{KAFKA}"


def _is_intact(file: Path, jar: Jar) -> bool:
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest() == jar.sha256
    except OSError:
        return False


def _fetch_all(jars: Sequence[Jar], folder: Path, fetch: Fetch, say: Say) -> dict[Jar, str]:
    """Fetch into a scratch folder and move what is intact into place; returns what went wrong with the others."""
    scratch = folder / "download"
    shutil.rmtree(scratch, ignore_errors=True)  # a killed start leaves half files there
    scratch.mkdir()
    say(f"  fetching Apache Kafka {KAFKA}: {len(jars)} jars")
    wrong: dict[Jar, str] = {}
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        downloads = {pool.submit(fetch, jar, scratch): jar for jar in jars}
        for done, download in enumerate(as_completed(downloads), start=1):
            jar = downloads[download]
            if error := download.exception():
                wrong[jar] = " ".join(str(error).split()) or type(error).__name__
            elif not _is_intact(download.result(), jar):
                wrong[jar] = "its SHA-256 is not the one in kafka-jars.lock"
            else:
                download.result().replace(folder / jar.file_name)
            if done % 10 == 0 or done == len(jars):
                say(f"  fetched {done - len(wrong)} of {len(jars)}")
    shutil.rmtree(scratch, ignore_errors=True)
    return wrong


def _fetch_from_maven(jar: Jar, scratch: Path) -> Path:
    from jgo.config import GlobalSettings  # noqa: PLC0415 - slow to import, and needed once per machine
    from jgo.constants import MAVEN_CENTRAL_URL  # noqa: PLC0415
    from jgo.maven import MavenContext  # noqa: PLC0415

    repositories = {"central": MAVEN_CENTRAL_URL} | GlobalSettings.load().repositories
    context = MavenContext(repo_cache=scratch, remote_repos=repositories, timeout=TIMEOUT_SECONDS)
    return context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()


def write_lock() -> None:
    """Resolve Kafka's dependencies anew and write the lock file: for whoever raises the version above."""
    import tempfile  # noqa: PLC0415

    from jgo.env import EnvironmentBuilder  # noqa: PLC0415
    from jgo.maven import MavenContext  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as scratch:
        context = MavenContext(repo_cache=Path(scratch) / "maven")
        resolved = EnvironmentBuilder(context, cache_dir=Path(scratch) / "jgo").from_endpoint(ENDPOINT)
        found = resolved.lockfile.dependencies if resolved.lockfile else []
        lines = sorted(f"{jar.groupId}:{jar.artifactId}:{jar.version} {jar.sha256}" for jar in found)
    LOCK_FILE.write_text("# written by python -m deploy.local.kafka_jars\n" + "\n".join(lines) + "\n")


if __name__ == "__main__":
    write_lock()
