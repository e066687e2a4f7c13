"""Where a local installation keeps what it needs: its state folder, the cache and the block of ports."""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import Fault
from services import DEPLOYABLE

HOST = "127.0.0.1"
DATABASE = "earshot"
SUPERUSER = "postgres"

CODE = Path(__file__).resolve().parents[2]
"""The folder that holds the packages: the checkout, or site-packages."""

MARKER = ".earshot-home"
MARKER_TEXT = (
    "Earshot keeps its local broker, database, logs and keys here; `earshot down --erase` removes the folder.\n"
)
CONTENT = ("postgres", "kafka", "log", "run", "secrets")


@dataclass(frozen=True, slots=True)
class Home:
    """The state folder of one installation."""

    root: Path

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def kafka(self) -> Path:
        return self.root / "kafka"

    @property
    def log(self) -> Path:
        return self.root / "log"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def secrets(self) -> Path:
        return self.root / "secrets"

    @property
    def is_ours(self) -> bool:
        return (self.root / MARKER).is_file()

    def create(self) -> None:
        """Make the folder and its rooms.

        Raises:
            Fault: the folder holds something else, or cannot be written.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            if not self.is_ours and any(self.root.iterdir()):
                raise Fault(f"{self.root} is not empty and not Earshot's; set EARSHOT_HOME to a folder of its own.")
            (self.root / MARKER).write_text(MARKER_TEXT)
            for room in CONTENT:
                (self.root / room).mkdir(exist_ok=True)
            self.secrets.chmod(0o700)
        except OSError as wrong:
            raise Fault(f"{self.root} cannot be used ({wrong}); set EARSHOT_HOME to a folder you may write.") from wrong

    def erase(self) -> None:
        """Remove what Earshot put there, and the folder if nothing else is left.

        Raises:
            Fault: the folder is not recognisably ours, or something cannot be removed.
        """
        if not self.is_ours:
            raise Fault(f"{self.root} is not an Earshot folder (no {MARKER} in it), so nothing was erased.")
        try:
            for room in CONTENT:
                if (self.root / room).exists():
                    shutil.rmtree(self.root / room)
            (self.root / MARKER).unlink()
            if not any(self.root.iterdir()):
                self.root.rmdir()
        except OSError as wrong:
            raise Fault(f"{self.root} could not be erased completely: {wrong}") from wrong


@dataclass(frozen=True, slots=True)
class Ports:
    """One block of ports, so that two installations differ in one number."""

    base: int

    @property
    def gateway(self) -> int:
        return self.base

    @property
    def postgres(self) -> int:
        return self.base + 10

    @property
    def kafka(self) -> int:
        return self.base + 11

    @property
    def kafka_controller(self) -> int:
        return self.base + 12

    def service(self, name: str) -> int:
        return self.base + 1 + DEPLOYABLE.index(name)


def home_from(environment: Mapping[str, str]) -> Home:
    """`EARSHOT_HOME`, else `var` in the checkout, else the user's data folder."""
    if given := environment.get("EARSHOT_HOME"):
        return Home(Path(given).expanduser().absolute())
    if (CODE / "pyproject.toml").is_file():
        return Home(CODE / "var")
    return Home(Path.home() / ".local" / "share" / "earshot")


def cache_from(environment: Mapping[str, str]) -> Path:
    """`EARSHOT_CACHE`, else `earshot` in the user's cache folder."""
    if given := environment.get("EARSHOT_CACHE"):
        return Path(given).expanduser().absolute()
    return Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "earshot"


def ports_from(environment: Mapping[str, str]) -> Ports:
    """The block that starts at `EARSHOT_PORT_BASE`, 8400 if not given.

    Raises:
        Fault: not a port number with room for the block above it.
    """
    given = environment.get("EARSHOT_PORT_BASE", "8400")
    base = int(given) if re.fullmatch("[0-9]{1,5}", given) else 0
    if not 1024 <= base <= 65535 - 12:  # noqa: PLR2004 - unprivileged ports, the block is 13 long
        raise Fault(f"EARSHOT_PORT_BASE is {given[:20]!r}; it must be a number from 1024 to 65523.")
    return Ports(base)
