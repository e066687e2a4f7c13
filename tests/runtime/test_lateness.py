"""How far behind a consumer says it is."""

from dataclasses import dataclass

from shared.runtime.lateness import Lateness

VOTES, KPIS = ("votes", 0), ("kpis", 3)


@dataclass
class At:
    """A record of one place, published at a second."""

    place: tuple[str, int]
    published: int

    @property
    def topic(self) -> str:
        return self.place[0]

    @property
    def partition(self) -> int:
        return self.place[1]

    @property
    def timestamp(self) -> int:
        return self.published * 1000


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_nothing_that_waits_is_not_late() -> None:
    """Without waiting records the age is 0, however long ago the last one came."""
    clock = Clock()
    lateness = Lateness(clock)
    lateness.handled([At(VOTES, 10)])
    assert lateness.seconds({VOTES: 0}) == 0


def test_after_a_pause_a_new_record_is_as_old_as_its_waiting() -> None:
    """A record that comes to an idle partition is not as old as the partition's last one."""
    clock = Clock()
    lateness = Lateness(clock)
    lateness.handled([At(VOTES, 10)])
    clock.now = 5000
    assert lateness.seconds({VOTES: 1}) == 0
    clock.now = 5007
    assert lateness.seconds({VOTES: 1}) == 7


def test_while_catching_up_the_age_is_that_of_the_records() -> None:
    """A consumer that was away says how old the records are that it handles now."""
    clock = Clock()
    lateness = Lateness(clock)
    assert lateness.seconds({VOTES: 500}) == 0
    clock.now = 1001
    lateness.handled([At(VOTES, 400)])
    assert lateness.seconds({VOTES: 300}) == 601
    lateness.handled([At(VOTES, 1000)])
    assert lateness.seconds({VOTES: 1}) == 1
    assert lateness.seconds({VOTES: 0}) == 0


def test_the_partition_that_is_furthest_behind_counts() -> None:
    """Of several partitions the greatest age is told."""
    clock = Clock()
    lateness = Lateness(clock)
    lateness.seconds({VOTES: 1, KPIS: 1})
    clock.now = 1010
    lateness.handled([At(VOTES, 1005), At(KPIS, 900)])
    assert lateness.seconds({VOTES: 1, KPIS: 1}) == 110
