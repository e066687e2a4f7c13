import hashlib
from pathlib import Path

import pytest

from deploy.local.errors import Fault
from deploy.local.kafka_jars import Jar, ensure, locked

GOOD = b"a jar"
JAR = Jar("org.example", "broker", "1.0", hashlib.sha256(GOOD).hexdigest())


class Shop:
    """Hands out the given contents one after the other and remembers how often it was asked."""

    def __init__(self, *contents: bytes) -> None:
        self.contents = list(contents)
        self.asked = 0

    def __call__(self, jar: Jar, scratch: Path) -> Path:
        self.asked += 1
        file = scratch / jar.file_name
        file.write_bytes(self.contents.pop(0))
        return file


def quiet(_message: str) -> None:
    pass


def test_a_jar_is_fetched_once(tmp_path: Path) -> None:
    """The second start takes the jar from the cache without asking anybody."""
    shop = Shop(GOOD)
    for _ in range(2):
        files = ensure(tmp_path, say=quiet, jars=[JAR], fetch=shop)
    assert [file.read_bytes() for file in files] == [GOOD]
    assert shop.asked == 1


def test_half_a_jar_in_the_cache_is_replaced(tmp_path: Path) -> None:
    """A jar that was cut off on disk is noticed by its hash and fetched again."""
    file = ensure(tmp_path, say=quiet, jars=[JAR], fetch=Shop(GOOD))[0]
    file.write_bytes(GOOD[:2])
    ensure(tmp_path, say=quiet, jars=[JAR], fetch=Shop(GOOD))
    assert file.read_bytes() == GOOD


def test_half_a_download_is_fetched_again(tmp_path: Path) -> None:
    """A download that does not have the locked hash is thrown away and tried once more."""
    shop = Shop(GOOD[:2], GOOD)
    assert ensure(tmp_path, say=quiet, jars=[JAR], fetch=shop)[0].read_bytes() == GOOD
    assert shop.asked == 2


def test_a_wrong_jar_is_refused(tmp_path: Path) -> None:
    """A jar that twice differs from the lock is a clear fault, and nothing wrong stays in the cache."""
    with pytest.raises(Fault, match=r"broker-1.0.jar could not be fetched: its SHA-256 is not the one in kafka-jars"):
        ensure(tmp_path, say=quiet, jars=[JAR], fetch=Shop(b"evil", b"evil"))
    assert not list(tmp_path.rglob("*.jar"))


def test_no_connection_is_told_with_a_way_out(tmp_path: Path) -> None:
    """Without a connection the message says what failed and names the alternative."""

    def unreachable(jar: Jar, scratch: Path) -> Path:
        raise ConnectionError(f"no route for {jar.artifact} to {scratch.name}")

    with pytest.raises(Fault, match=r"no route for broker.*EARSHOT_KAFKA_BOOTSTRAP"):
        ensure(tmp_path, say=quiet, jars=[JAR], fetch=unreachable)


def test_a_killed_download_does_not_disturb_the_next(tmp_path: Path) -> None:
    """Half files that a killed start left in the scratch folder are gone after the next."""
    folder = ensure(tmp_path, say=quiet, jars=[JAR], fetch=Shop(GOOD))[0].parent
    (folder / JAR.file_name).unlink()
    (folder / "download").mkdir()
    (folder / "download" / JAR.file_name).write_bytes(b"half")
    assert ensure(tmp_path, say=quiet, jars=[JAR], fetch=Shop(GOOD))[0].read_bytes() == GOOD
    assert not (folder / "download").exists()


def test_the_lock_names_every_jar_with_its_hash() -> None:
    """The committed lock holds Kafka 4.3.1 with all it needs, each with a whole SHA-256."""
    jars = locked()
    assert len(jars) == 46
    assert "kafka_2.13-4.3.1.jar" in {jar.file_name for jar in jars}
    assert {len(jar.sha256) for jar in jars} == {64}
