"""Files that are generated from the contract and committed, so that a change of one is seen in the other's review."""

import sys
from collections.abc import Mapping
from pathlib import Path


def main(what: str, folder: Path, documents: Mapping[str, str]) -> int:
    """`write` the files, or `check` which are out of date; gives the process's exit code."""
    if what == "write":
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in documents.items():
            (folder / name).write_text(text, encoding="utf-8")
        return 0
    old = [
        folder / name
        for name, text in documents.items()
        if not (folder / name).exists() or (folder / name).read_text(encoding="utf-8") != text
    ]
    for file in old:
        print(f"{file} is out of date; run make schemas", file=sys.stderr)  # noqa: T201 - a command line prints
    return 1 if old else 0
