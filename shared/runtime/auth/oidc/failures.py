"""Why nobody was signed in."""

from typing import Literal

Why = Literal["not_begun", "other_provider", "denied", "answered", "away", "used", "client", "token"]
"""Whose matter it is.

`not_begun`: it was not begun in this browser, took too long or was finished before. `other_provider`: another one
answers than was asked. `denied`: the provider did not let the person in. `answered`: it answers with another error or
without a code. `away`: it does not answer as it should. `used`: it does not know the code any more. `client`: it does
not accept us. `token`: what it says of the person cannot be accepted.
"""


class SignInFailed(Exception):  # noqa: N818 - named for what happened
    """Nobody is signed in; `said` is the provider's word, or what is wrong with its token, and may be empty."""

    def __init__(self, why: Why, said: str = "") -> None:
        super().__init__(f"{why}: {said}")
        self.why, self.said = why, said
