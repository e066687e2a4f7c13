"""What follows from an attempt for the delivery and for its subscription."""

from datetime import datetime, timedelta
from typing import Literal

from shared.runtime import Transaction

from . import schedule
from .sending import Answer
from .store import claims, deliveries, subscriptions
from .store.claims import Attempt, Claim
from .subscriptions import Subscription

Outcome = Literal["delivered", "again", "failed", "gone"]


async def settle(
    tx: Transaction, claim: Claim, began: datetime, answer: Answer, *, disable_after: timedelta, chance: float
) -> Outcome:
    """Note how the attempt ended; `chance` in [0, 1) spreads the next ones."""
    subscription = await subscriptions.find(tx.connection, claim.subscription_id, lock=True)
    if subscription is None:
        return "gone"
    held = await claims.holds(tx.connection, claim)
    await claims.record(
        tx.connection, claim, Attempt(began, answer.milliseconds, answer.status, answer.error, answer.text)
    )
    verdict = "failed" if answer.status is None else schedule.verdict(answer.status)
    if verdict == "delivered":
        # True whoever holds the claim by now.
        await claims.finish(tx.connection, claim, "delivered", None, tx.now)
        if held:
            await claims.release(tx.connection, claim, tx.now)
        if subscription.failing_since is not None:
            await subscriptions.set_failing(tx.connection, subscription.id, None)
        return "delivered"
    if not held or subscription.state == "disabled":
        return "again"  # somebody else has it now, or nobody will
    if verdict == "gone":
        await disable(tx, subscription, "The receiver answered 410: it wants no more events.")
        return "gone"
    return await _failed(tx, claim, subscription, answer, disable_after=disable_after, chance=chance)


async def disable(tx: Transaction, subscription: Subscription, reason: str) -> None:
    """Send nothing more there; what is pending can be replayed later."""
    await subscriptions.set_state(tx.connection, subscription.id, "disabled", reason)
    await deliveries.give_up(tx.connection, tx.now, "the subscription was disabled", subscription_id=subscription.id)


async def _failed(
    tx: Transaction,
    claim: Claim,
    subscription: Subscription,
    answer: Answer,
    *,
    disable_after: timedelta,
    chance: float,
) -> Outcome:
    since = subscription.failing_since
    if since is not None and tx.now - since >= disable_after:
        said = answer.error or f"status {answer.status}"
        await disable(tx, subscription, f"Nothing was taken since {since:%Y-%m-%d %H:%M} UTC; the last answer: {said}.")
        return "failed"
    if since is None:
        await subscriptions.set_failing(tx.connection, subscription.id, tx.now)
    wait = schedule.asked_to_wait(answer.status or 0, answer.retry_after, tx.now)
    due_at = schedule.next_attempt(claim.failures + 1, tx.now, chance, wait)
    if due_at is None:
        note = f"given up after {claim.failures + 1} attempts"
        await claims.finish(tx.connection, claim, "failed", note, tx.now)
        await claims.release(tx.connection, claim, tx.now)
        return "failed"
    await claims.fail_once(tx.connection, claim, due_at)
    return "again"
