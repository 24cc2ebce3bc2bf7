from datetime import timedelta

from runtime.errors import InvalidArgument, NotFound
from services.quota_svc.domain.account import Account
from services.quota_svc.domain.batch import Stopped, all_or_nothing, each
from services.quota_svc.domain.hold import Hold, HoldState, ReserveOrder
from services.quota_svc.domain.reserving import Refused, Reserved, reserve
from services.quota_svc.domain.resolving import SettleOrder, settle
from tests.unit.quota_svc.customer import HOUR, NOW, chat, plan, tariff, uuid

RATES = tariff(plan("free", chat(5)))


def accounts() -> dict[str, Account]:
    return {user: Account(user, NOW, version=1) for user in ("ann", "ben")}


def order(number: int, user: str, units: int, meter: str = "chat") -> ReserveOrder:
    return ReserveOrder(user, uuid(number), {meter: units}, HOUR)


def taking(account: Account, wish: ReserveOrder) -> Reserved | Refused:
    return reserve(account, wish, RATES, NOW)


def charging(account: Account, wish: SettleOrder) -> Hold:
    return settle(account, wish, RATES, NOW + timedelta(minutes=1))


def holds(found: dict[str, Account]) -> dict[str, list[int]]:
    return {user: [one.id.int for one in account.holds.values()] for user, account in found.items()}


def test_each_order_is_decided_on_by_itself() -> None:
    found = accounts()
    orders = [
        order(1, "ann", 4),
        order(2, "ann", 2),
        order(3, "ben", 5),
        order(4, "ann", 1, "song"),
        order(5, "ann", 1),
    ]
    outcomes = each(found, orders, taking)
    assert [type(one) for one in outcomes] == [Reserved, Refused, Reserved, InvalidArgument, Reserved]
    assert holds(found) == {"ann": [1, 5], "ben": [3]}


def test_all_orders_are_carried_out_when_none_fails() -> None:
    found = accounts()
    outcomes = all_or_nothing(found, [order(1, "ann", 4), order(2, "ben", 5), order(3, "ann", 1)], taking)
    assert isinstance(outcomes, list)
    assert holds(found) == {"ann": [1, 3], "ben": [2]}


def test_the_first_refusal_undoes_all() -> None:
    found = accounts()
    outcome = all_or_nothing(found, [order(1, "ben", 1), order(2, "ann", 4), order(3, "ann", 2)], taking)
    assert isinstance(outcome, Stopped)
    assert isinstance(outcome.failure, Refused)
    assert (outcome.index, outcome.failure.decision.figures.remaining) == (2, 1)
    assert holds(found) == {"ann": [], "ben": []}
    assert not any(account.changes for account in found.values())


def test_the_first_error_undoes_all_charges() -> None:
    found = accounts()
    each(found, [order(1, "ann", 2), order(2, "ben", 2)], taking)
    wishes = [SettleOrder("ann", uuid(1), {"chat": 2}), SettleOrder("ben", uuid(9), {"chat": 1})]
    outcome = all_or_nothing(found, wishes, charging)
    assert isinstance(outcome, Stopped)
    assert isinstance(outcome.failure, NotFound)
    assert (outcome.index, holds(found)) == (1, {"ann": [1], "ben": [2]})


def test_a_batch_again_gives_the_same_holds_and_takes_nothing_more() -> None:
    found = accounts()
    orders = [order(1, "ann", 2), order(2, "ann", 3)]
    first = all_or_nothing(found, orders, taking)
    again = all_or_nothing(found, orders, taking)
    assert isinstance(first, list)
    assert isinstance(again, list)
    assert [one.hold for one in again if isinstance(one, Reserved)] == [
        one.hold for one in first if isinstance(one, Reserved)
    ]
    settled = each(found, [SettleOrder("ann", uuid(1), {"chat": 2})] * 2, charging)
    assert [one.state for one in settled if isinstance(one, Hold)] == [HoldState.SETTLED] * 2
    assert settled[0] == settled[1]
