"""What happened, told as Stripe tells it: each event carries its object as it was at that moment."""

from collections.abc import Iterator
from contextlib import contextmanager

from cli.local.stripe.account import Account, made
from cli.local.stripe.store import Object, new_id
from cli.local.stripe.views import render

API_VERSION = "2026-10-28.endive"
# Stripe keeps them for 30 days; here the oldest go first.
EVENTS_MAX = 5_000


def happened(account: Account, kind: str, item: Object, previous: Object | None = None) -> None:
    """Notes an event. It is delivered once the change that it tells of is kept."""
    data: Object = {"object": render(account, item)}
    if previous is not None:
        data["previous_attributes"] = previous
    event = account.store.add(
        "event",
        made(
            account,
            "event",
            new_id("evt_"),
            api_version=API_VERSION,
            data=data,
            pending_webhooks=1,
            request={"id": None, "idempotency_key": None},
            type=kind,
        ),
    )
    account.news.append(event["id"])
    account.woken.set()


@contextmanager
def changing(account: Account, kind: str, identity: str, event: str | None) -> Iterator[Object]:
    """An object to change; the event tells of it afterwards with the values from before, if anything changed."""
    item = account.store.edit(kind, identity)
    before = render(account, item)
    yield item
    after = render(account, item)
    previous = {name: before.get(name) for name in after if before.get(name) != after[name]}
    if event and previous:
        happened(account, event, item, previous)


def prune(account: Account) -> None:
    """Forgets the oldest events beyond the limit."""
    account.store.shorten("event", EVENTS_MAX)
