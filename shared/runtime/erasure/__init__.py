"""Forgetting a person in what every service keeps alike; a handler calls `complete`, which does it and answers."""

from .completing import complete

__all__ = ["complete"]
