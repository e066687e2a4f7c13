"""Which partition a key's records lie on: as Kafka's own clients choose it."""

from functools import lru_cache

_MULTIPLIER, _SEED, _MASK = 0x5BD1E995, 0x9747B28C, 0xFFFFFFFF


@lru_cache(maxsize=10_000)  # the same keys come again and again, and each byte costs in Python
def partition_of(key: bytes, partitions: int) -> int:
    """The partition that every producer of the topic must choose for the key."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def murmur2(data: bytes) -> int:
    """MurmurHash 2 by Austin Appleby, 32 bits, with the seed of org.apache.kafka.common.utils.Utils."""
    mixed = _SEED ^ len(data)
    whole = len(data) - len(data) % 4
    for start in range(0, whole, 4):
        part = int.from_bytes(data[start : start + 4], "little") * _MULTIPLIER & _MASK
        part = (part ^ part >> 24) * _MULTIPLIER & _MASK
        mixed = mixed * _MULTIPLIER & _MASK ^ part
    if whole < len(data):
        mixed = (mixed ^ int.from_bytes(data[whole:], "little")) * _MULTIPLIER & _MASK
    mixed = (mixed ^ mixed >> 13) * _MULTIPLIER & _MASK
    return mixed ^ mixed >> 15
