"""Lists, page by page."""

from collections.abc import Callable

from cli.local.stripe.account import Account
from cli.local.stripe.params import Params
from cli.local.stripe.refusal import missing
from cli.local.stripe.store import Object
from cli.local.stripe.views import a_list, render

PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX = 10, 100
NAMES = ("created", "ending_before", "expand", "limit", "starting_after")


def listing(
    account: Account, url: str, kind: str, params: Params, wanted: Callable[[Object], bool] = lambda _: True
) -> Object:
    """A page of the objects that are wanted, newest first."""
    limit = params.whole("limit", 1, PAGE_SIZE_MAX) or PAGE_SIZE_DEFAULT
    made = _created(params)
    found = [one for one in account.store.all(kind) if not one.get("_deleted") and wanted(one) and made(one["created"])]
    params.one_of("starting_after", "ending_before")
    if (after := params.text("starting_after")) is not None:
        found = found[_place(account, found, kind, after, "starting_after") + 1 :]
    if (before := params.text("ending_before")) is not None:
        found = found[: _place(account, found, kind, before, "ending_before")]
        page, more = found[-limit:], len(found) > limit
    else:
        page, more = found[:limit], len(found) > limit
    return a_list(url, [render(account, one) for one in page], more=more)


def _place(account: Account, found: list[Object], kind: str, identity: str, param: str) -> int:
    account.store.get(kind, identity, param)
    for number, one in enumerate(found):
        if one["id"] == identity:
            return number
    raise missing(kind, identity, param)


def _created(params: Params) -> Callable[[int], bool]:
    if isinstance(params.values.get("created"), str):
        exactly = params.whole("created")
        return lambda moment: moment == exactly
    limits = params.within("created").only("gt", "gte", "lt", "lte")
    gt, gte, lt, lte = (limits.whole(name) for name in ("gt", "gte", "lt", "lte"))

    def within(moment: int) -> bool:
        return (
            (gt is None or moment > gt)
            and (gte is None or moment >= gte)
            and (lt is None or moment < lt)
            and (lte is None or moment <= lte)
        )

    return within
