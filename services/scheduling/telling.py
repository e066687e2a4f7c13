"""Which moves of a feature are news to the people who asked for it."""

from __future__ import annotations

WORTH_TELLING = frozenset({"planned", "now", "shipped", "declined"})
"""A promise, a delivery or a no; that an idea is being considered is none of these."""
