"""Looks for secrets in the history and for known faults in the locked dependencies: `python -m tests.audit`."""

import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROGRAMS = Path(sysconfig.get_path("scripts"))
LOCKS = ("runtime", "local")
UNREACHABLE = "not found on PyPI and could not be audited"
"""What pip-audit says of a package whose advisories it cannot read, a package index without them included."""


def secrets_in(folder: Path) -> str:
    """What looks like a secret in the folder and, where it is a repository, in all of its history; empty: nothing.

    Whether a secret still works is not tried: nothing of it leaves the machine.
    """
    done = _run("kingfisher", "scan", str(folder), "--no-validate", "--no-update-check", "--quiet", "--no-rule-cache")
    return "" if done.returncode == 0 else done.stdout + done.stderr


def faults_of(lock: Path) -> tuple[str, bool]:
    """What is known against the packages of a lock file, and whether the advisories could be read at all."""
    done = _run("pip-audit", "-r", str(lock), "--require-hashes", "--disable-pip", "--strict", "--progress-spinner=off")
    said = done.stdout + done.stderr
    if done.returncode == 0:
        return "", True
    return (said, True) if UNREACHABLE not in said and "ConnectionError" not in said else ("", False)


def main() -> int:
    """Say what was found; 1 when something was."""
    found = secrets_in(ROOT)
    for name in LOCKS:
        lock = ROOT / "requirements" / f"{name}.lock"
        faults, read = faults_of(lock)
        found += faults
        if not read:
            print(f"{lock.name}: the advisories cannot be reached from here, so it was NOT audited", file=sys.stderr)  # noqa: T201
    if found:
        print(found, file=sys.stderr)  # noqa: T201
    return 1 if found else 0


def _run(program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([str(PROGRAMS / program), *arguments], capture_output=True, text=True, check=False)


if __name__ == "__main__":
    sys.exit(main())
