"""Reading whatever batch the broker accepted, also those that aiokafka's own parser chokes on.

Kafka checks neither that a header's name is UTF-8, nor a record's place in an uncompressed batch, nor what follows the
data in a compressed one, nor how large it becomes. aiokafka raises on such a batch again and again, skips records of
it, or takes the memory; any of it would lose events or stop a service for one producer's mistake.
"""

import mmap
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import lt
from typing import Any, Final, final

import cramjam
import structlog
from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import (
    DefaultRecordBase,
    DefaultRecordBatch,
    _DefaultRecordBatchPy,
    _DefaultRecordPy,
)
from aiokafka.record.memory_records import _MemoryRecordsPy
from msgspec import Struct

log = structlog.get_logger(__name__)

MAX_EXPANDED_BYTES: Final = 32 << 20
"""Of one compressed batch; twice what a topic takes uncompressed."""

MAX_DRAINED_BYTES: Final = 8 << 20
"""No further batch is expanded in one go; five hundred events are about one megabyte."""

MAX_HELD_BYTES: Final = 256 << 10
"""Of an expanded batch whose records are held between the look and the handing out; larger ones are read twice."""

UNREADABLE: Final = "earshot-unreadable"
"""The only header of the record that stands for a batch nobody can read; its value says why."""

_HEADER, _ATTRIBUTES_AT = DefaultRecordBase.HEADER_STRUCT.size, DefaultRecordBase.ATTRIBUTES_OFFSET
_CODECS = {
    DefaultRecordBase.CODEC_GZIP: cramjam.gzip,
    DefaultRecordBase.CODEC_LZ4: cramjam.lz4,
    DefaultRecordBase.CODEC_ZSTD: cramjam.zstd,
}
_XERIAL_MAGIC, _XERIAL_HEADER, _XERIAL_LENGTH = b"\x82SNAPPY\x00", 16, 4


def read_every_batch() -> None:
    """Let aiokafka's consumers of this process read record batches with this module."""
    fetcher.MemoryRecords = Records
    fetcher.PartitionRecords = _Partition


class Taken(Struct, gc=False):  # made for every record: a tenth of what aiokafka's ConsumerRecord costs
    """A record as the consumer hands it out."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


class _Partition(fetcher.PartitionRecords):  # type: ignore[misc] # aiokafka is not typed
    """A partition's records that were fetched and not handed out yet."""

    def _consumer_record(self, tp: TopicPartition, record: Any) -> Taken:  # noqa: ANN401 - of two parsers
        return Taken(tp.topic, tp.partition, record.offset, record.timestamp, record.key, record.value, record.headers)


class _Room:
    """Where batches are expanded, one after the other, and how much was since the consumer last asked."""

    def __init__(self) -> None:
        # Memory costs only the pages that were written, and mapping it anew costs more than expanding a small batch.
        self._memory = mmap.mmap(-1, MAX_EXPANDED_BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self.spent = 0

    @property
    def is_spent(self) -> bool:
        return self.spent >= MAX_DRAINED_BYTES

    def without_compression(self, raw: memoryview) -> memoryview | bytes:
        """The batch, expanded.

        Raises:
            Exception: whatever the codec says of a body that is broken or larger than MAX_EXPANDED_BYTES.
        """
        (attributes,) = struct.unpack_from(">h", raw, _ATTRIBUTES_AT)
        codec = attributes & DefaultRecordBase.CODEC_MASK
        if codec == DefaultRecordBase.CODEC_NONE:
            return raw
        header = bytearray(raw[:_HEADER])
        struct.pack_into(">h", header, _ATTRIBUTES_AT, attributes & ~DefaultRecordBase.CODEC_MASK)
        try:
            size = self._expand(codec, raw[_HEADER:])
        except Exception:
            self.spent = MAX_EXPANDED_BYTES
            self._memory.madvise(mmap.MADV_DONTNEED)  # it may be filled: give the pages back
            raise
        self.spent += size
        return bytes(header) + self._memory[:size]

    def _expand(self, codec: int, payload: memoryview) -> int:
        if codec != DefaultRecordBase.CODEC_SNAPPY:
            return int(_CODECS[codec].decompress_into(payload, self._memory))
        if payload[: len(_XERIAL_MAGIC)] != _XERIAL_MAGIC:
            return int(cramjam.snappy.decompress_raw_into(payload, self._memory))
        return self._expand_blocks(payload)

    def _expand_blocks(self, payload: memoryview) -> int:
        """Snappy in the frame that Java's producers write; like Java, pass over what is too short for a block."""
        at, size = _XERIAL_HEADER, 0
        with memoryview(self._memory) as memory:
            while at + _XERIAL_LENGTH <= len(payload):
                (length,) = struct.unpack_from(">i", payload, at)
                at += _XERIAL_LENGTH
                with memory[size:] as rest:
                    size += cramjam.snappy.decompress_raw_into(payload[at : at + length], rest)
                at += length
        return size


_room = _Room()


def is_amid_batch(fetched: Any) -> bool:  # noqa: ANN401 - what aiokafka's fetcher holds of a partition
    """Whether an expanded batch is held there, since only a part of it was handed out."""
    records = getattr(fetched, "_partition_records", None)
    return isinstance(records, _Partition) and bool(records.next_fetch_offset < records._records.upto)  # noqa: SLF001 - aiokafka's


def drain_anew() -> None:
    """The consumer asks for records: there is room again."""
    _room.spent = 0


class Records(_MemoryRecordsPy):  # type: ignore[misc] # aiokafka is not typed
    """The batches of one fetched response; those that find no room any more are fetched again."""

    _arrived = False
    upto = 0
    """The offset behind the batch that was begun last."""

    def has_next(self) -> bool:
        more: bool = super().has_next()
        # aiokafka asks once when the response arrives, where "no" would be taken for too large a record.
        arriving, self._arrived = not self._arrived, True
        return more and (arriving or not _room.is_spent)

    def next_batch(self) -> Any:  # noqa: ANN401 - one of aiokafka's batches, or ours around one
        raw = self._next_slice
        batch = super().next_batch()
        if not isinstance(batch, DefaultRecordBatch):
            return batch
        self.upto = batch.next_offset
        return _Batch(raw, batch)


@final
class _Batch:
    """A batch as aiokafka's fetcher uses it."""

    def __init__(self, raw: memoryview, batch: Any) -> None:  # noqa: ANN401 - aiokafka is not typed
        self._raw, self._batch = raw, batch

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - the batch's own attributes
        return getattr(self._batch, name)

    def __next__(self) -> Any:  # noqa: ANN401 - a record of the batch
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        try:
            expanded = _room.without_compression(self._raw)
        except Exception as fault:  # noqa: BLE001 - a codec's own errors, of four codecs
            yield self._set_aside(f"cannot be expanded within {MAX_EXPANDED_BYTES:,} bytes: {fault}")
            return
        for read in (DefaultRecordBatch, _reading_any_name):
            if (records := self._sound(read, expanded)) is not None:
                yield from records
                return
        yield self._set_aside("holds records that cannot be read, or not in their order")

    def _sound(self, read: Callable[..., Iterable[Any]], expanded: memoryview | bytes) -> Iterable[Any] | None:
        """The records, if every one can be read and none would be skipped; looked at before the first is handed out."""
        is_small = len(expanded) <= MAX_HELD_BYTES
        try:
            records = list(read(expanded)) if is_small else read(expanded)
            is_sound = self._in_order(records)
        except Exception as fault:  # noqa: BLE001 - a parser's own errors, of two parsers
            log.info("a batch is not read in the usual way", upto=self._batch.next_offset, because=repr(fault))
            return None
        if not is_sound:
            return None
        return records if is_small else read(expanded)

    def _in_order(self, records: Iterable[Any]) -> bool:
        offsets = [self._batch.base_offset - 1, *[record.offset for record in records], self._batch.next_offset]
        return all(map(lt, offsets, offsets[1:]))

    def _set_aside(self, why: str) -> _DefaultRecordPy:
        """One record for all of them, in the last one's place: a position inside the batch must not skip it."""
        reason = f"a batch of {self._batch.next_offset - self._batch.base_offset} records {why}"
        headers = [(UNREADABLE, reason.encode())]
        return _DefaultRecordPy(
            self._batch.next_offset - 1, self._batch.max_timestamp, 0, None, bytes(self._raw), headers
        )


def _reading_any_name(raw: memoryview | bytes) -> _DefaultRecordBatchPy:
    batch = _DefaultRecordBatchPy(raw)
    batch._buffer = _AnyName(batch._buffer)  # noqa: SLF001 - the parser has no other way in
    return batch


class _AnyName(bytearray):
    """Bytes whose parts are read as text whatever they hold; the parser reads only headers' names as text."""

    def __getitem__(self, at: Any) -> Any:  # noqa: ANN401 - as bytearray's
        part = super().__getitem__(at)
        return _AnyName(part) if isinstance(part, bytearray) else part

    def decode(self, encoding: str = "utf-8", _: str = "") -> str:
        return super().decode(encoding, "backslashreplace")
