"""A Kano survey's answers, as counts of answer pairs: how the people who answered see an idea."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from services.roadmap.priority.scoring import KanoAnswer, KanoClass, KanoCoefficients, kano_class, kano_coefficients

Answers = Mapping[tuple[KanoAnswer, KanoAnswer], int]
"""How many people gave each pair: if we had it, if we did not."""


@dataclass(frozen=True, slots=True)
class Kano:
    """How many people see the idea in each class, the class of most of them, and what follows from all.

    Of classes with as many people the one that asks for more is taken: must-be before one-dimensional, attractive and
    indifferent (Berger et al. 1993). `coefficients` is None when all answers are reverse or questionable.
    """

    people: Mapping[KanoClass, int]
    most: KanoClass
    coefficients: KanoCoefficients | None


_BEFORE: tuple[KanoClass, ...] = ("M", "O", "A", "I", "R", "Q")


def kano(answers: Answers) -> Kano | None:
    """None without answers."""
    people: dict[KanoClass, int] = dict.fromkeys(get_args(KanoClass), 0)
    for (functional, dysfunctional), count in answers.items():
        people[kano_class(functional, dysfunctional)] += count
    if not any(people.values()):
        return None
    most = max(_BEFORE, key=lambda kind: people[kind])
    return Kano(people, most, kano_coefficients(people))
