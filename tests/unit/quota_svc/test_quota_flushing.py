from services.quota_svc.domain.event import Depleted, Low, Updated
from services.quota_svc.domain.flushing import flush
from tests.unit.quota_svc.customer import MIDNIGHT, Customer, chat, plan, tariff, video

RATES = tariff(plan("free", chat(5)), plan("pro", chat(None), video(3)))


def test_a_meter_that_moved_is_told_once_and_first() -> None:
    ann = Customer(RATES)
    ann.use(2)
    ann.use(3)
    ann.grant(4, "video")
    changes = flush(ann.account, ann.tariff, ann.now)
    assert changes.events == [
        Updated("chat", 0, False, 3),
        Updated("video", 4, False, 4),
        Low("chat", 100, 0, MIDNIGHT),
        Depleted("chat", MIDNIGHT),
    ]


def test_a_change_of_plan_and_its_entries_are_told_as_one() -> None:
    ann = Customer(RATES)
    ann.use(2)
    ann.move("pro")
    changes = flush(ann.account, ann.tariff, ann.now)
    assert changes.events == [Updated("chat", 0, True, 3), Updated("video", 3, False, 0)]


def test_what_was_flushed_is_not_flushed_again() -> None:
    ann = Customer(RATES)
    ann.hold(1)
    assert flush(ann.account, ann.tariff, ann.now)
    assert not flush(ann.account, ann.tariff, ann.now)


def test_a_hold_is_new_in_the_flush_after_it_was_taken_alone() -> None:
    ann = Customer(RATES)
    first, second = ann.hold(1), ann.hold(1)
    ann.release(second)
    taken = flush(ann.account, ann.tariff, ann.now)
    ann.settle(first, 1)
    settled = flush(ann.account, ann.tariff, ann.now)
    assert (taken.new_holds, set(taken.holds)) == ({first, second}, {first, second})
    assert (settled.new_holds, set(settled.holds)) == (set(), {first})
