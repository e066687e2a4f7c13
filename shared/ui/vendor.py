"""The files taken from npm packages: what they are, and whether they are still what was taken.

A vendor folder holds a `vendor.lock`; each of its lines names one file beside it::

    <sha256> <package>@<version> <path in the package> <path in the folder>

`python -m shared.ui.vendor check [FOLDER]` compares the hashes, offline.
`python -m shared.ui.vendor fetch [FOLDER]` takes every file again with `npm pack` and refuses one whose hash differs;
to take a new version, edit the line and put `new` for its hash.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

FOLDER = Path(__file__).parent / "static" / "vendor"
UNKNOWN = "new"


@dataclass(frozen=True, slots=True)
class Locked:
    """One vendored file: its hash, the package (`name@version`) and member it came from, its path in the folder."""

    sha256: str
    package: str
    member: str
    path: str

    def __str__(self) -> str:
        return f"{self.sha256} {self.package} {self.member} {self.path}"


def read_lock(folder: Path) -> list[Locked]:
    """Return the files that the lock of `folder` names."""
    lines = (folder / "vendor.lock").read_text(encoding="utf-8").splitlines()
    return [Locked(*line.split()) for line in lines if line and not line.startswith("#")]


def check(folder: Path) -> list[str]:
    """Return one sentence for each file of `folder` that is missing or is not what its lock says."""
    wrong = []
    for locked in read_lock(folder):
        file = folder / locked.path
        if not file.is_file():
            wrong.append(f"{file} is missing; run `python -m shared.ui.vendor fetch`")
        elif _sha256(file.read_bytes()) != locked.sha256:
            wrong.append(f"{file} is not {locked.member} of {locked.package}; run `python -m shared.ui.vendor fetch`")
    return wrong


def fetch(folder: Path) -> None:
    """Take every locked file out of its package again and write the lock back.

    Raises ValueError when a file is not what the lock says it was.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError("npm is needed to fetch vendored files and was not found; install Node.js")
    locked = read_lock(folder)
    with tempfile.TemporaryDirectory() as scratch:
        archives = {name: _pack(npm, name, Path(scratch)) for name in sorted({each.package for each in locked})}
        taken = [_take(archives[each.package], each, folder) for each in locked]
    head = [line for line in (folder / "vendor.lock").read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    (folder / "vendor.lock").write_text("\n".join([*head, *map(str, taken)]) + "\n", encoding="utf-8")


def _pack(npm: str, package: str, scratch: Path) -> Path:
    packed = subprocess.run(  # noqa: S603 - an argument list, no shell; the name comes from our own lock
        [npm, "pack", "--silent", package], cwd=scratch, check=True, capture_output=True, text=True
    )
    return scratch / packed.stdout.strip().splitlines()[-1]


def _take(archive: Path, locked: Locked, folder: Path) -> Locked:
    with tarfile.open(archive) as tar:
        member = tar.extractfile(f"package/{locked.member}")
        if member is None:
            raise ValueError(f"{locked.package} has no file {locked.member}")
        content = member.read()
    found = _sha256(content)
    if locked.sha256 not in {found, UNKNOWN}:
        raise ValueError(f"{locked.member} of {locked.package} has sha256 {found}, the lock says {locked.sha256}")
    target = folder / locked.path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return replace(locked, sha256=found)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def main(arguments: list[str]) -> int:
    """Run `check` or `fetch`; return the exit code."""
    if not arguments or arguments[0] not in {"check", "fetch"}:
        sys.stderr.write("usage: python -m shared.ui.vendor check|fetch [FOLDER]\n")
        return 2
    folder = Path(arguments[1]) if arguments[1:] else FOLDER
    if arguments[0] == "fetch":
        fetch(folder)
    wrong = check(folder)
    sys.stderr.writelines(f"{sentence}\n" for sentence in wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
