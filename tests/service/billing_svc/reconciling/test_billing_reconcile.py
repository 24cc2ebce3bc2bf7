"""What is kept beside what the provider says."""

from dataclasses import replace
from uuid import uuid4

import pytest

from runtime.errors import Aborted
from runtime.postgres import Pool
from services.billing_svc.applying import Applying
from services.billing_svc.domain.agreement import State
from services.billing_svc.domain.drift import Drift, DriftKind, Failed, Finished, Scope
from services.billing_svc.domain.facts import Facts
from services.billing_svc.domain.payment import PaymentState
from services.billing_svc.keeping import Keeping
from services.billing_svc.reconciling.purchases import ENDED_MAX
from services.billing_svc.reconciling.running import Reconciling
from services.billing_svc.store import Books
from services.billing_svc.store.audit import Audit
from tests.service.billing_svc.reconciling.auditor import ScriptedAuditor
from tests.service.billing_svc.reconciling.ledger import LedgerDesk
from tests.service.billing_svc.reconciling.office import drifts, kinds, plan, refunded, standing, told
from tests.service.billing_svc.shop import MONTH, NOW, Clock, agreed, paid

UNKNOWN, DIFFERS, GONE = DriftKind.AGREEMENT_UNKNOWN, DriftKind.AGREEMENT_DIFFERS, DriftKind.AGREEMENT_GONE
REPORT = Scope(repairs=False)


async def keep(keeping: Keeping, *said: Facts) -> None:
    for facts in said:
        await keeping.keep(facts, await keeping.fence())


async def test_where_both_sides_agree_nothing_is_found(
    reconciling: Reconciling, keeping: Keeping, applying: Applying, auditor: ScriptedAuditor
) -> None:
    auditor.agreed, auditor.paid = [agreed()], [paid(), paid(article="packs/small")]
    await keep(keeping, Facts((agreed(),), tuple(auditor.paid)))
    await applying.apply("ann")
    assert await told(reconciling) == [Finished(compared=4, drifts=0, repaired=0)]


async def test_a_purchase_whose_webhooks_were_all_lost_is_found_kept_and_told(
    reconciling: Reconciling, applying: Applying, auditor: ScriptedAuditor, quota_desk: LedgerDesk, connections: Pool
) -> None:
    auditor.agreed, auditor.paid = [agreed()], [paid(), paid(article="packs/small")]
    assert await drifts(reconciling) == [
        Drift(UNKNOWN, "ann", "sub_ann", "nothing", "pro, active until 2026-12-21T12:00:00+00:00", repaired=True),
        Drift(
            DriftKind.PAYMENT_UNKNOWN,
            "ann",
            "in_ann",
            "nothing",
            "paid, cents 1499, currency usd, refunded 0, disputed no",
            repaired=True,
        ),
        Drift(
            DriftKind.PAYMENT_UNKNOWN,
            "ann",
            "pi_ann",
            "nothing",
            "paid, cents 499, currency usd, refunded 0, disputed no",
            repaired=True,
        ),
    ]
    await applying.apply("ann")
    assert (quota_desk.plan("ann"), quota_desk.credits("ann"), await plan(connections)) == ("plans/pro", 120, "pro")
    assert await drifts(reconciling) == []


async def test_what_stands_otherwise_there_is_told_in_words_and_kept(
    reconciling: Reconciling, keeping: Keeping, applying: Applying, auditor: ScriptedAuditor, quota_desk: LedgerDesk
) -> None:
    await keep(keeping, Facts((agreed(),), (paid(),)))
    await applying.apply("ann")
    auditor.agreed = [agreed(state=State.CANCELLED, period_end=NOW + 2 * MONTH)]
    auditor.paid = [refunded(paid(), 1499)]
    assert await drifts(reconciling) == [
        Drift(
            DIFFERS,
            "ann",
            "sub_ann",
            "state active, period_end 2026-12-21T12:00:00+00:00",
            "state cancelled, period_end 2027-01-20T12:00:00+00:00",
            repaired=True,
        ),
        Drift(DriftKind.PAYMENT_DIFFERS, "ann", "in_ann", "refunded 0", "refunded 1499", repaired=True),
    ]
    await applying.apply("ann")
    assert (quota_desk.plan("ann"), quota_desk.credits("ann")) == ("plans/free", 0)
    assert await drifts(reconciling) == []


async def test_a_line_that_came_later_is_a_difference(
    reconciling: Reconciling, keeping: Keeping, auditor: ScriptedAuditor
) -> None:
    await keep(keeping, Facts((agreed(),), (paid(),)))
    first = paid().lines[0]
    auditor.agreed, auditor.paid = [agreed()], [paid(lines=(first, replace(first, id="il_2", proration=True)))]
    assert await drifts(reconciling) == [
        Drift(DriftKind.PAYMENT_DIFFERS, "ann", "in_ann", "nothing", "lines il_2", repaired=True)
    ]
    assert await drifts(reconciling) == []


async def test_who_only_wants_to_be_told_changes_nothing(
    reconciling: Reconciling, auditor: ScriptedAuditor, books: Books
) -> None:
    auditor.agreed = [agreed()]
    for _ in range(2):
        assert await kinds(reconciling, REPORT) == [(UNKNOWN, "sub_ann", False)]
    assert await standing(books) == []


async def test_one_users_reconciliation_looks_at_nobody_else(
    reconciling: Reconciling, auditor: ScriptedAuditor, books: Books
) -> None:
    auditor.agreed = [agreed(), agreed("bob")]
    assert await kinds(reconciling, Scope(user="bob")) == [(UNKNOWN, "sub_bob", True)]
    assert (await standing(books), await standing(books, "bob")) == ([], [("sub_bob", "active")])


async def test_what_names_no_user_of_ours_is_told_and_never_kept(
    reconciling: Reconciling, auditor: ScriptedAuditor, connections: Pool
) -> None:
    auditor.agreed = [agreed("", id="sub_stranger")]
    for _ in range(2):
        assert await drifts(reconciling) == [
            Drift(DriftKind.OWNER_UNKNOWN, "", "sub_stranger", "nothing", "nobody of ours")
        ]
    assert await connections.fetchval("SELECT count(*) FROM agreements") == 0


async def test_an_agreement_that_goes_to_another_user_takes_the_plan_along(
    reconciling: Reconciling, keeping: Keeping, auditor: ScriptedAuditor, connections: Pool
) -> None:
    await keep(keeping, Facts((agreed(),)))
    auditor.agreed = [agreed("bob", id="sub_ann", customer="cus_ann")]
    assert await drifts(reconciling) == [Drift(DIFFERS, "bob", "sub_ann", "user ann", "user bob", repaired=True)]
    assert (await plan(connections), await plan(connections, "bob")) == ("free", "pro")


async def test_what_is_revoked_and_what_was_tried_once_is_no_difference(
    reconciling: Reconciling, keeping: Keeping, applying: Applying, auditor: ScriptedAuditor
) -> None:
    await keep(keeping, Facts((agreed(trial=True),), (refunded(paid(), 1499),)))
    await applying.apply("ann")
    auditor.agreed, auditor.paid = [agreed()], [refunded(paid(), 1499)]
    assert await drifts(reconciling) == []


async def test_an_agreement_that_the_provider_does_not_know_ends(
    reconciling: Reconciling, keeping: Keeping, applying: Applying, auditor: ScriptedAuditor, books: Books
) -> None:
    await keep(keeping, Facts((agreed(),)), Facts((agreed("bob"),)))
    for user in ("ann", "bob"):
        await applying.apply(user)
    auditor.agreed = [agreed("bob")]
    assert await drifts(reconciling) == [
        Drift(GONE, "ann", "sub_ann", "pro, active until 2026-12-21T12:00:00+00:00", "nothing", repaired=True)
    ]
    assert await standing(books) == [("sub_ann", "expired")]
    assert await drifts(reconciling) == []


async def test_a_provider_that_knows_none_of_ours_is_another_account_and_ends_nothing(
    reconciling: Reconciling, keeping: Keeping, applying: Applying, auditor: ScriptedAuditor, books: Books
) -> None:
    await keep(keeping, Facts((agreed(),)))
    await applying.apply("ann")
    auditor.agreed = [agreed("eve")]
    assert await kinds(reconciling, Scope(user="ann")) == [(GONE, "sub_ann", False)]
    assert await kinds(reconciling) == [(UNKNOWN, "sub_eve", True), (GONE, "sub_ann", False)]
    assert await standing(books) == [("sub_ann", "active")]


async def test_no_more_than_a_few_agreements_end_in_one_run(
    reconciling: Reconciling, keeping: Keeping, auditor: ScriptedAuditor, connections: Pool
) -> None:
    users = [f"user{number:02}" for number in range(ENDED_MAX + 3)]
    for user in ("ann", *users):
        await keep(keeping, Facts((agreed(user),)))
    auditor.agreed = [agreed()]
    found = await kinds(reconciling)
    assert found == [(GONE, f"sub_{user}", place < ENDED_MAX) for place, user in enumerate(users)]
    assert await connections.fetchval("SELECT count(*) FROM agreements WHERE state = 'expired'") == ENDED_MAX


async def test_an_agreement_that_is_known_and_not_sold_any_more_is_not_gone(
    reconciling: Reconciling, keeping: Keeping, applying: Applying, auditor: ScriptedAuditor
) -> None:
    await keep(keeping, Facts((agreed(),)))
    await applying.apply("ann")
    auditor.agreed, auditor.unsold = [agreed()], {"sub_ann"}
    assert await drifts(reconciling) == []


async def test_what_comes_by_itself_while_it_waits_is_no_drift(
    reconciling: Reconciling, keeping: Keeping, auditor: ScriptedAuditor
) -> None:
    auditor.agreed = [agreed()]
    async for event in reconciling.events(Scope()):
        if not isinstance(event, Finished):
            await keep(keeping, Facts((agreed(),)))
    assert event == Finished(compared=2, drifts=0, repaired=0)


async def test_what_was_read_after_the_comparison_began_is_not_called_wrong(
    reconciling: Reconciling, keeping: Keeping, auditor: ScriptedAuditor, books: Books
) -> None:
    await keep(keeping, Facts((agreed(),)))
    auditor.agreed = [agreed("bob"), agreed()]
    fence = await keeping.fence()
    await keeping.keep(Facts((agreed(state=State.CANCELLED),)), fence + 1_000)
    assert await kinds(reconciling) == [(UNKNOWN, "sub_bob", True)]
    assert await standing(books) == [("sub_ann", "cancelled")]


@pytest.mark.parametrize(("age_minutes", "found"), [(1, []), (11, [(UNKNOWN, "sub_ann", True)])])
async def test_a_young_delivery_about_it_is_waited_for(
    reconciling: Reconciling,
    auditor: ScriptedAuditor,
    connections: Pool,
    clock: Clock,
    age_minutes: int,
    found: list[tuple[DriftKind, str, bool]],
) -> None:
    auditor.agreed = [agreed()]
    await connections.execute(
        """
        INSERT INTO deliveries
            (id, provider, event_id, event_type, event_time, subjects, body, receive_time, due_time)
        VALUES ($1, 'stripe', 'evt_1', 'customer.subscription.created', $2, '{sub_ann}', '', $2, $2)
        """,
        uuid4(),
        clock(),
    )
    clock.forward(minutes=age_minutes)
    assert await kinds(reconciling) == found


async def test_a_provider_that_goes_away_in_the_middle_fails_the_run_and_what_was_repaired_stays(
    reconciling: Reconciling, auditor: ScriptedAuditor, connections: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.billing_svc.reconciling.purchases.BATCH_FACTS", 2)
    monkeypatch.setattr("services.billing_svc.reconciling.purchases.SUSPICIONS_MAX", 2)
    auditor.agreed = [agreed(f"user{number}") for number in range(5)]
    auditor.answers_max = 3
    *found, last = await told(reconciling)
    assert [one.id for one in found if isinstance(one, Drift) and one.repaired] == ["sub_user0", "sub_user1"]
    assert last == Failed("PROVIDER_UNAVAILABLE", "The provider cannot be reached.")
    assert await connections.fetchval("SELECT count(*) FROM agreements") == 2
    auditor.answers_max = 1_000
    assert [name for _, name, _ in await kinds(reconciling)] == ["sub_user2", "sub_user3", "sub_user4"]


async def test_only_one_reconciliation_is_at_work(
    reconciling: Reconciling, audit: Audit, auditor: ScriptedAuditor
) -> None:
    async with audit.alone("reconciling") as still:
        assert still is not None
        with pytest.raises(Aborted) as refusal:
            await told(reconciling)
    assert refusal.value.reason == "RECONCILIATION_RUNNING"
    assert await told(reconciling) == [Finished(0, 0, 0)]


async def test_a_payment_that_was_declined_here_and_paid_there_gives_its_credits(
    reconciling: Reconciling, keeping: Keeping, applying: Applying, auditor: ScriptedAuditor, quota_desk: LedgerDesk
) -> None:
    await keep(keeping, Facts((agreed(),), (paid(state=PaymentState.OPEN, failed=True),)))
    auditor.agreed, auditor.paid = [agreed()], [paid()]
    assert [one[0] for one in await kinds(reconciling)] == [DriftKind.PAYMENT_DIFFERS]
    await applying.apply("ann")
    assert quota_desk.credits("ann") == 20
