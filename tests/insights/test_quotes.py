"""Quotes are verbatim."""

import time

import pytest

from services.insights.quotes import locate, marked


@pytest.mark.parametrize(
    ("quote", "text", "span"),
    [
        ("sheet", "the same sheet", (9, 14)),
        ("a  b", "x a\n b y", (2, 6)),
        ("\u00a0a\tb ", "a b", (0, 3)),
        ("b", "😀b", (1, 2)),
        ("cafe\u0301", "le caf\u00e9", (3, 7)),
        ("a b", "  a   b  ", (2, 7)),
        ("שלום", "אמר שלום", (4, 8)),
    ],
)
def test_a_quote_is_found_whatever_its_white_space(quote: str, text: str, span: tuple[int, int]) -> None:
    """Offsets are code points of the text, and white space counts as one space."""
    assert locate(quote, text) == span


@pytest.mark.parametrize(
    ("quote", "text"),
    [("Sheet", "sheet"), ("sheets", "sheet"), ("ab", "a b"), ("", "sheet"), (" \n", "a b"), ("a", "")],
)
def test_a_paraphrase_is_not_found(quote: str, text: str) -> None:
    """Other words, other case and no words at all are no quote."""
    assert locate(quote, text) is None


def test_a_long_hostile_quote_costs_linear_time() -> None:
    """A quote that nearly matches everywhere in 400,000 characters is refused in less than two seconds."""
    began = time.perf_counter()
    assert locate("a " * 9_999 + "b", "a " * 200_000) is None
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize(
    ("spans", "pieces"),
    [
        ([], [("abcdef", False)]),
        ([(0, 6)], [("abcdef", True)]),
        ([(1, 3), (2, 4)], [("a", False), ("bcd", True), ("ef", False)]),
        ([(4, 99)], [("abcd", False), ("ef", True)]),
        ([(7, 9)], [("abcdef", False)]),
    ],
)
def test_quoted_pieces_are_marked(spans: list[tuple[int, int]], pieces: list[tuple[str, bool]]) -> None:
    """Overlapping spans are one marked piece, and what lies beyond the text marks nothing."""
    assert marked("abcdef", spans) == pieces


def test_an_empty_text_has_no_pieces() -> None:
    """A turn without words is shown as nothing."""
    assert marked("", [(0, 1)]) == []
