"""Which failures are whose: the input's (dead letter, 4xx) or the infrastructure's (try again)."""

import asyncpg

from shared.ui.sentences import Sentence


class Rejected(Exception):  # noqa: N818 - named for what happens to the event
    """An event breaks a rule; it goes to the dead letters with this message, and those behind it are handled."""


class Problem(Exception):  # noqa: N818 - RFC 9457's own word
    """An HTTP answer by RFC 9457; `detail` says what was wrong and what to do.

    Pages say it in their reader's language where it is a `Sentence`; programs are told in English.
    """

    def __init__(self, status: int, title: str, detail: str, *, kind: str = "about:blank") -> None:
        super().__init__(f"{status} {title}: {detail}")
        self.status, self.title, self.detail, self.kind = status, title, detail, kind


def not_found(what: str, identifier: str) -> Problem:
    """`what` is a word of the service's catalogue."""
    named = Sentence(what)
    detail = Sentence(
        "There is no %(what)s %(identifier)s; check the address.", what=named, identifier=repr(identifier)
    )
    return Problem(404, Sentence("No such %(what)s", what=named), detail)


def conflict(detail: str) -> Problem:
    return Problem(409, Sentence("Conflict"), detail)


def unprocessable(detail: str) -> Problem:
    return Problem(422, Sentence("Cannot be processed"), detail)


_BAD_DATA_CLASSES = frozenset({"21", "22", "23", "54", "P0"})
"""SQLSTATE classes the values cause: cardinality, data, constraint, limit exceeded, raised by a function."""


def is_bad_data(error: BaseException) -> bool:
    """Whether PostgreSQL refused the values themselves."""
    return isinstance(error, asyncpg.PostgresError) and (error.sqlstate or "")[:2] in _BAD_DATA_CLASSES


def is_transient(error: BaseException) -> bool:
    """Whether the same work may succeed later without other input: not the event is at fault, but what we run on."""
    if isinstance(error, asyncpg.PostgresError):
        return not is_bad_data(error)
    return isinstance(error, OSError | TimeoutError | asyncpg.InterfaceError | asyncpg.InternalClientError)
