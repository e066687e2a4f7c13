"""Reading whatever batch the broker accepted, also those that aiokafka's own parser chokes on.

Kafka checks neither that a header's name is UTF-8 nor how large a compressed batch becomes. aiokafka raises on the
first, again and again, and takes the memory for the second; either would stop a service for one producer's mistake.
"""

import mmap
import struct
from collections.abc import Iterator
from itertools import islice
from typing import Any, final

import cramjam
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import (
    DefaultRecordBase,
    DefaultRecordBatch,
    _DefaultRecordBatchPy,
    _DefaultRecordPy,
)
from aiokafka.record.memory_records import _MemoryRecordsPy

MAX_EXPANDED_BYTES = 64 << 20
"""Four times what a topic takes uncompressed; a batch of a producer that means well never comes near."""

_HEADER, _ATTRIBUTES_AT = DefaultRecordBase.HEADER_STRUCT.size, DefaultRecordBase.ATTRIBUTES_OFFSET
_CODECS = {
    DefaultRecordBase.CODEC_GZIP: cramjam.gzip,
    DefaultRecordBase.CODEC_LZ4: cramjam.lz4,
    DefaultRecordBase.CODEC_ZSTD: cramjam.zstd,
}
# Memory costs only the pages that were written, and mapping it anew costs more than expanding a small batch.
_ROOM = mmap.mmap(-1, MAX_EXPANDED_BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
_XERIAL_MAGIC, _XERIAL_HEADER = b"\x82SNAPPY\x00", 16


class Unreadable(str):
    """The name of the only header of a record that stands for a batch nobody can read; says why."""

    __slots__ = ()


def read_every_batch() -> None:
    """Let aiokafka's consumers of this process read record batches with this module."""
    fetcher.MemoryRecords = Records


class Records(_MemoryRecordsPy):  # type: ignore[misc] # aiokafka is not typed
    """The batches of one fetched response."""

    def next_batch(self) -> Any:  # noqa: ANN401 - one of aiokafka's batches, or ours around one
        raw = self._next_slice
        batch = super().next_batch()
        return _Batch(raw, batch) if isinstance(batch, DefaultRecordBatch) else batch


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
            raw = _expanded(self._raw)
        except cramjam.DecompressionError as fault:
            reason = f"a compressed batch of this many bytes cannot be expanded within {MAX_EXPANDED_BYTES:,}: {fault}"
            # In the last record's place: a position inside the batch must not skip it.
            last = self._batch.next_offset - 1
            yield _DefaultRecordPy(
                last, self._batch.max_timestamp, 0, None, bytes(self._raw), [(Unreadable(reason), None)]
            )
            return
        read = 0
        try:
            for read, record in enumerate(DefaultRecordBatch(raw), 1):  # noqa: B007 - counted for the case below
                yield record
        except UnicodeDecodeError:
            yield from islice(_read_any_name(raw), read, None)


def _expanded(raw: memoryview) -> memoryview | bytes:
    """The batch without compression.

    Raises:
        cramjam.DecompressionError: broken, or larger than MAX_EXPANDED_BYTES.
    """
    (attributes,) = struct.unpack_from(">h", raw, _ATTRIBUTES_AT)
    codec = attributes & DefaultRecordBase.CODEC_MASK
    if codec == DefaultRecordBase.CODEC_NONE:
        return raw
    header = bytearray(raw[:_HEADER])
    struct.pack_into(">h", header, _ATTRIBUTES_AT, attributes & ~DefaultRecordBase.CODEC_MASK)
    try:
        if codec == DefaultRecordBase.CODEC_SNAPPY:
            size = _expand_snappy(raw[_HEADER:])
        else:
            size = _CODECS[codec].decompress_into(raw[_HEADER:], _ROOM)
    except cramjam.DecompressionError:
        _ROOM.madvise(mmap.MADV_DONTNEED)  # it was filled: give the pages back
        raise
    return bytes(header) + _ROOM[:size]


def _expand_snappy(payload: memoryview) -> int:
    """Expand a raw block, or the framed blocks that Java's producers write; returns the number of bytes."""
    if payload[: len(_XERIAL_MAGIC)] != _XERIAL_MAGIC:
        return int(cramjam.snappy.decompress_raw_into(payload, _ROOM))
    at = _XERIAL_HEADER
    with memoryview(_ROOM) as room:
        size = 0
        while at < len(payload):
            (length,) = struct.unpack_from(">i", payload, at)
            with room[size:] as rest:
                size += cramjam.snappy.decompress_raw_into(payload[at + 4 : at + 4 + length], rest)
            at += 4 + length
        return size


def _read_any_name(raw: memoryview | bytes) -> Iterator[_DefaultRecordPy]:
    batch = _DefaultRecordBatchPy(raw)
    batch._buffer = _AnyName(batch._buffer)  # noqa: SLF001 - the parser has no other way in
    return iter(batch)


class _AnyName(bytearray):
    """Bytes whose parts are read as text whatever they hold; the parser reads only headers' names as text."""

    def __getitem__(self, at: Any) -> Any:  # noqa: ANN401 - as bytearray's
        part = super().__getitem__(at)
        return _AnyName(part) if isinstance(part, bytearray) else part

    def decode(self, encoding: str = "utf-8", _: str = "") -> str:
        return super().decode(encoding, "backslashreplace")
