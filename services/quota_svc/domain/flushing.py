"""What a transaction writes of an account, with the news that its meters have moved."""

from datetime import datetime

from services.quota_svc.domain.account import Account
from services.quota_svc.domain.changes import Changes
from services.quota_svc.domain.decision import figures
from services.quota_svc.domain.event import Updated
from services.quota_svc.domain.plan import Tariff


def flush(account: Account, tariff: Tariff, now: datetime) -> Changes:
    """The account's changes; however many entries a meter got, its users are told of it once, first."""
    newest = {entry.meter: entry.number for entry in account.changes.entries}
    changes = account.flush()
    updates = []
    for meter, number in newest.items():
        stand = figures(account, meter, tariff, now)
        updates.append(Updated(meter, stand.remaining, stand.limit is None, number))
    told = {update.meter for update in updates}
    kept = [event for event in changes.events if not (isinstance(event, Updated) and event.meter in told)]
    changes.events = [*updates, *kept]
    return changes
