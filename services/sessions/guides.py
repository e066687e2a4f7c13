"""Interview guides: the numbered questions of a study, and those for a study that has none yet."""

from __future__ import annotations

from dataclasses import dataclass

MOST_QUESTIONS = 50


@dataclass(frozen=True, slots=True)
class Guide:
    """The questions in their order; the built-in guide has version 0, a study's own ones count from 1."""

    version: int
    questions: tuple[str, ...]


BUILT_IN = Guide(
    version=0,
    # Broad first, then one real occasion in depth; about what happened, never about what somebody would do.
    questions=(
        "What does a usual working day look like for you?",
        "Tell me about the last time you used our product, from the beginning.",
        "What were you trying to get done?",
        "What was the hardest part, and why?",
        "How did you get around it?",
        "What happened in the end, and whom did it affect?",
        "What should we have asked that we did not?",
    ),
)
