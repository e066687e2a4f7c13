"""Folders that are whole or not there."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def draft_of(folder: Path) -> Iterator[Path]:
    """A path beside `folder` that takes its place when the block succeeds, so that a half-made one is never used.

    What a killed attempt left is removed; what already stands in the place is set aside, never deleted.
    """
    draft = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    yield draft
    if folder.exists():
        folder.replace(folder.with_name(f"{folder.name}.unusable-{os.getpid()}"))
    draft.replace(folder)
