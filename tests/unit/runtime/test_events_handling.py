from asyncpg.pool import PoolConnectionProxy

from runtime.errors import NotFound
from runtime.events.handling import Handling, described
from scenemesh.events.v1.envelope_pb2 import Envelope


async def handle(_: PoolConnectionProxy, __: Envelope) -> None:
    """Does nothing."""


def test_topics_follow_from_the_keys() -> None:
    assert Handling("chat", {"quota.low": handle, "quota": handle, "billing": handle}).topics == {"quota", "billing"}


def raised(error: Exception) -> Exception:
    try:
        raise error
    except Exception as caught:
        return caught


def test_an_error_is_described_without_the_values_in_it() -> None:
    described_error = described(raised(ValueError("sk_live_secret")))
    assert described_error.startswith("ValueError at test_events_handling.py:")
    assert "secret" not in described_error


def test_an_error_of_ours_is_described_by_its_reason() -> None:
    assert described(NotFound("users/alice has none", reason="PLAN_NOT_FOUND")) == "NotFound: PLAN_NOT_FOUND"


def test_an_error_that_was_never_raised_has_a_name() -> None:
    assert described(ValueError("secret")) == "ValueError"
