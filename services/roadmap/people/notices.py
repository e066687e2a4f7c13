"""Tells whoever follows an idea that it moved: once per change and person, and not before it has stood a while.

It starts from how ideas stand and not from events, so however often Kafka delivers one again, nobody is told twice. An
idea that moves back before its people were told is nothing to tell of.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from hashlib import sha256

from services.roadmap.ideas import Status
from services.roadmap.people import writing
from services.roadmap.store import speakers, subscriptions
from services.roadmap.store.subscriptions import Notice, Reader
from services.roadmap.templates import templates
from shared.runtime import Transaction, mail
from shared.runtime.service import Work
from shared.runtime.settings import Settings
from shared.ui.letters import Part, compose
from shared.ui.markdown import plain
from shared.ui.words import _, marked, ngettext

HOLD_BACK = timedelta(minutes=10)
LONGEST_WAIT = timedelta(hours=1)
"""Of whoever follows ideas that keep moving."""
PAUSE_SECONDS = 10.0
READERS = 100
"""Of one transaction."""

SAID: Mapping[Status, str] = {
    "new": marked("“%(title)s” is open again."),
    "considered": marked("We are considering “%(title)s”."),
    "planned": marked("“%(title)s” is planned."),
    "now": marked("We are working on “%(title)s”."),
    "shipped": marked("“%(title)s” is there: you can use it now."),
    "declined": marked("We will not do “%(title)s”."),
}


async def tell(work: Work) -> None:
    """Until cancelled."""
    while True:
        async with work.database.transaction() as tx:
            await speakers.tidy_speakers(tx.connection, tx.now)
            readers = await tell_due(tx, work.settings)
        await asyncio.sleep(0 if readers == READERS else PAUSE_SECONDS)


async def tell_due(tx: Transaction, settings: Settings) -> int:
    """Note what moved, and write to whoever is due; gives how many people."""
    for change in await subscriptions.changes(tx.connection):
        if not change.is_first:
            await subscriptions.expect_notices(tx.connection, change)
        await subscriptions.settle_change(tx.connection, change)
    quiet_since = tx.now - HOLD_BACK
    readers = await subscriptions.waiting_readers(tx.connection, quiet_since, tx.now - LONGEST_WAIT, READERS)
    for reader in readers:
        await subscriptions.drop_unfollowed(tx.connection, reader.person_id)
        notices = await subscriptions.notices_of(tx.connection, reader.person_id, quiet_since)
        if notices:
            letter = _letter(reader, notices, settings)
            await mail.write(tx, letter)
            await subscriptions.mark_told(tx.connection, reader.person_id, notices, mail.id_of(letter.key))
    return len(readers)


def _letter(reader: Reader, notices: Sequence[Notice], settings: Settings) -> mail.Mail:
    base = writing.base(settings)
    with templates.words.speaking(reader.language):
        if len(notices) == 1:
            title, page = _said(notices[0]), _page(notices[0], base)
        else:
            title, page = ngettext("%(count)s idea moved", "%(count)s ideas moved", len(notices)), None
        parts = [part for notice in notices for part in _parts(notice, base)]
        every = f"{base}/unsubscribe/{reader.unsubscribe}"
        foot = [
            Part(
                _(
                    "You get this because you voted for it or follow it at %(company)s.",
                    company=writing.company(settings),
                )
            )
        ]
        foot += [
            Part(_("No more about “%(title)s”:", title=notice.title), f"{every}?idea={notice.feature_id}", _("Stop"))
            for notice in notices
        ]
        foot.append(Part(_("No more such mails at all:"), every, _("Unsubscribe")))
        text, html = compose(parts, foot, title=title, link=page, language=reader.language)
    told = "\n".join(f"{notice.feature_id} {notice.status_version}" for notice in notices)
    return mail.Mail(
        key=f"notice {reader.person_id} {sha256(told.encode()).hexdigest()}",
        person_id=reader.person_id,
        recipient=reader.email,
        language=reader.language,
        subject=title,
        text=text,
        html=html,
        unsubscribe=f"{every}?idea={notices[0].feature_id}" if len(notices) == 1 else every,
    )


def _parts(notice: Notice, base: str) -> list[Part]:
    parts = [Part(_said(notice), _page(notice, base))]
    if notice.through is not None:
        parts.append(Part(_("“%(title)s”, which you asked for, is part of it now.", title=notice.through)))
    if notice.note:
        parts.append(Part(plain(notice.note)))
    return parts


def _page(notice: Notice, base: str) -> str:
    return f"{base}/board/{notice.feature_id}"


def _said(notice: Notice) -> str:
    if notice.status_name is not None:
        return _("“%(title)s” is now “%(status)s”.", title=notice.title, status=notice.status_name)
    return _(SAID[notice.status], title=notice.title)
