"""People are counted, never highlights."""

from services.insights.model import Sentiment
from services.insights.opinions import Opinions, count

Said = list[tuple[str, Sentiment | None]]


def test_a_person_who_repeats_it_counts_once() -> None:
    """Three complaints of one person and one of another are two negative people."""
    said: Said = [("ana", "negative"), ("ana", "negative"), ("ana", "negative"), ("ben", "negative")]
    assert count(said) == Opinions(negative=2)


def test_good_and_bad_from_one_person_is_mixed() -> None:
    """Who praises and complains is neither dropped nor counted twice."""
    said: Said = [("ana", "negative"), ("ana", "positive"), ("ben", "mixed"), ("ben", "positive")]
    assert count(said) == Opinions(mixed=2)


def test_neutral_words_do_not_soften_an_opinion() -> None:
    """An opinion holds beside neutral words, and neutral holds beside silence."""
    said: Said = [("ana", "neutral"), ("ana", "positive"), ("ben", None), ("ben", "neutral"), ("eva", None)]
    assert count(said) == Opinions(positive=1, neutral=1, unstated=1)
    assert count(said).people == 3


def test_nobody_has_no_opinion() -> None:
    """Without insights there are no people."""
    assert count([]).people == 0
