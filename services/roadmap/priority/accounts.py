"""What customers pay, as the revenue lens needs it: who belongs to which account, and what that is worth."""

from collections.abc import Sequence

from services.roadmap import store
from services.roadmap.store import AccountPerson
from shared.runtime import Transaction, unprocessable
from shared.ui.sentences import Sentence


async def replace_accounts(tx: Transaction, people: Sequence[AccountPerson]) -> int:
    """Take these as all accounts; gives how many people were left out since they asked to be forgotten.

    Raises Problem when a person is given twice or an account has two values.
    """
    values: dict[str, float] = {}
    seen: set[str] = set()
    for one in people:
        if one.person_id in seen:
            raise unprocessable(
                Sentence("The person %(id)r is given twice; name each once, with one account.", id=one.person_id)
            )
        if values.setdefault(one.account_id, one.value) != one.value:
            raise unprocessable(
                Sentence(
                    "The account %(id)r is worth %(one)s and %(other)s; give it one value.",
                    id=one.account_id,
                    one=f"{values[one.account_id]:g}",
                    other=f"{one.value:g}",
                )
            )
        seen.add(one.person_id)
    return await store.replace_accounts(tx.connection, people)
