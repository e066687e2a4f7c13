"""The one kind of failure that is told to a person in a sentence instead of as a traceback."""

from collections.abc import Callable

Say = Callable[[str], None]


class Fault(Exception):  # noqa: N818 - named for what it is to the person who reads it
    """Something foreseeable is wrong; the message says what, where, and what to do."""
