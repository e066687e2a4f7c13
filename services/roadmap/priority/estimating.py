"""What managers estimate of an idea for formulas other than the measured one; shared by the API and the pages."""

from services.roadmap import store
from services.roadmap.priority.lenses import Estimates
from shared.runtime import Transaction, not_found


async def keep_estimates(tx: Transaction, feature_id: str, given: Estimates, who: str) -> None:
    """Take these in place of what was estimated before; the measured priority does not change by it.

    Raises Problem when there is no such idea.
    """
    if not await store.lock_ideas(tx.connection, [feature_id]):
        raise not_found("idea", feature_id)
    await store.keep_estimates(tx.connection, feature_id, given, tx.now, who)
