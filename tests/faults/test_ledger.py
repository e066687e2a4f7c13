"""The ledger and the traffic: what the generator writes down, and that a seed says everything."""

from pathlib import Path
from random import Random

from tests.faults import poison
from tests.faults.events import traffic
from tests.faults.ledger import Entry, Place, Writer, read


def test_a_ledger_that_was_cut_off_is_read_to_its_last_whole_line(tmp_path: Path) -> None:
    """Whoever is killed while writing leaves half a line; what was flushed before counts."""
    file = tmp_path / "ledger.jsonl"
    writer = Writer(file)
    writer.sent(Entry(1, "votes", "plain", "ab", "vote-1"))
    with writer.fault("service killed (kpi)"):
        writer.sent(Entry(2, "votes", "poison: tombstone", "cd", None, ("roadmap",)))
    writer.acked(1, Place(3, 17))
    writer.sent(Entry(3, "votes", "plain", "ef", "vote-3"))
    writer.close()
    file.write_text(file.read_text()[:-10])
    ledger = read(file)
    assert list(ledger.entries) == [1, 2]
    assert ledger.entries[2].rejected_by == ("roadmap",)
    assert ledger.places == {1: Place(3, 17)}
    assert ledger.active == {1: (), 2: ("service killed (kpi)",)}


def test_a_seed_gives_the_same_traffic_again() -> None:
    """Two streams of one seed are equal, those of two seeds are not."""
    once, again, other = (list(traffic(Random(seed), 500, poison.spoil, poison.twist)) for seed in (7, 7, 8))
    assert once == again
    assert once != other


def test_some_events_come_twice_some_late_and_some_are_none() -> None:
    """Of 20,000 records about 5 % are repeats, 5 % late, 1 % poison of every kind and 0.5 % odd in every way."""
    drafts = list(traffic(Random(7), 20_000, poison.spoil, poison.twist))
    kinds = [draft.kind for draft in drafts]
    assert len(drafts) == 20_000
    assert 900 < kinds.count("repeat") < 1100
    assert 850 < kinds.count("late") < 1150
    assert 150 < sum(bool(draft.rejected_by) for draft in drafts) < 250
    assert len({kind for kind in kinds if kind.startswith("poison")}) == 22
    assert len({kind for kind in kinds if kind.startswith("odd")}) == 6
