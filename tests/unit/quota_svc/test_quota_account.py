from datetime import UTC, datetime, timedelta

from services.quota_svc.domain.account import Account

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_what_billing_said_is_believed_for_a_minute() -> None:
    account = Account("ann", "plans/pro", NOW)
    assert not account.stale(NOW + timedelta(seconds=59.9))
    assert account.stale(NOW + timedelta(seconds=60))


def test_an_account_that_billing_was_never_asked_about_is_stale() -> None:
    assert Account("ann").stale(NOW)
