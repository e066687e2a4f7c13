"""What customers pay, as the revenue lens needs it: who belongs to which account, and what that is worth."""

from collections.abc import Sequence

from services.roadmap import store
from services.roadmap.store import AccountPerson
from shared.runtime import Transaction, unprocessable


async def replace_accounts(tx: Transaction, people: Sequence[AccountPerson]) -> int:
    """Take these as all accounts; gives how many people were left out since they asked to be forgotten.

    Raises Problem when a person is given twice or an account has two values.
    """
    values: dict[str, float] = {}
    seen: set[str] = set()
    for one in people:
        if one.person_id in seen:
            raise unprocessable(f"The person {one.person_id!r} is given twice; name each once, with one account.")
        if values.setdefault(one.account_id, one.value) != one.value:
            both = f"{values[one.account_id]:g} and {one.value:g}"
            raise unprocessable(f"The account {one.account_id!r} is worth {both}; give it one value.")
        seen.add(one.person_id)
    return await store.replace_accounts(tx.connection, people)
