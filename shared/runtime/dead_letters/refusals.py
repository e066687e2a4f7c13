"""Why an event was refused, in words that somebody can act on."""

import re
from collections.abc import Iterator, Mapping

import structlog
from pydantic import BaseModel

from shared.runtime.errors import Rejected, is_bad_data
from shared.runtime.records import Decoded, Refused

log = structlog.get_logger(__name__)

_BITS = {"int16": 16, "smallint": 16, "int32": 32, "integer": 32, "int64": 64, "bigint": 64}
_TOO_LARGE = re.compile(rf"out of ({'|'.join(_BITS)}) range|\b({'|'.join(_BITS)}) out of range")
_ARGUMENT = re.compile(r"invalid input for query argument \$\d+: .*\((?P<why>[^()]*)\)$", re.DOTALL)
_READABLE = 10**30


def refusal(event: Decoded, fault: Exception) -> Refused:
    """The event as it goes to the dead letters; a fault in a handler is logged with its traceback."""
    if isinstance(fault, Rejected):
        reason = str(fault)
    elif is_bad_data(fault):
        reason = _in_plain_words(event.event.data, str(fault.args[0]))  # its DETAIL would quote the row
    else:
        log.error("handler failed", event_id=event.event.id, event_type=event.event_type.type, exc_info=fault)
        reason = f"the handler failed: {type(fault).__name__}: {fault}"
    return Refused(event.record, reason, event.event.id, event.event_type.type)


def _in_plain_words(data: BaseModel, said: str) -> str:
    """What the database said, with the fields at fault where it is about the size of whole numbers."""
    # asyncpg quotes the values of the whole batch before it says what is wrong.
    argument = _ARGUMENT.match(said)
    why = argument["why"] if argument else said
    if too_large := _TOO_LARGE.search(why):
        most = 2 ** (_BITS[too_large[1] or too_large[2]] - 1) - 1
        beyond = [
            f"{place} is {_shown(number)}" for place, number in _integers(data.model_dump()) if abs(number) > most
        ]
        if beyond:
            return (
                f"{'; '.join(beyond[:5])}; the largest whole number that can be kept is {most:,}, so send a smaller one"
            )
    return f"the database refused the values: {why}"


def _integers(value: object, place: str = "") -> Iterator[tuple[str, int]]:
    """Every whole number in the data with the path to it."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from _integers(part, f"{place}.{name}" if place else str(name))
    elif isinstance(value, list | tuple):
        for number, part in enumerate(value):
            yield from _integers(part, f"{place}.{number}")
    elif isinstance(value, int) and not isinstance(value, bool):
        yield place, value


def _shown(number: int) -> str:
    return f"{number:,}" if abs(number) < _READABLE else "a number of more than 30 digits"
