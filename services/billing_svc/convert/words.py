"""The contract's words for what stands in several of its messages."""

from scenemesh.billing.v1 import billing_pb2
from services.billing_svc.domain.agreement import State
from services.billing_svc.domain.plan import Interval, Period, Provider

INTERVALS = {
    Interval.WEEK: billing_pb2.INTERVAL_WEEK,
    Interval.MONTH: billing_pb2.INTERVAL_MONTH,
    Interval.YEAR: billing_pb2.INTERVAL_YEAR,
}
PERIODS = {
    Period.DAY: billing_pb2.PERIOD_DAY,
    Period.MONTH: billing_pb2.PERIOD_MONTH,
    Period.ROLLING: billing_pb2.PERIOD_ROLLING,
}
PROVIDERS = {
    Provider.STRIPE: billing_pb2.PROVIDER_STRIPE,
    Provider.REVENUECAT: billing_pb2.PROVIDER_REVENUECAT,
    Provider.LEMON_SQUEEZY: billing_pb2.PROVIDER_LEMON_SQUEEZY,
    Provider.CRYPTOMUS: billing_pb2.PROVIDER_CRYPTOMUS,
    Provider.PROMO: billing_pb2.PROVIDER_PROMO,
}
STATES = {
    State.TRIALING: billing_pb2.SUBSCRIPTION_STATE_TRIALING,
    State.ACTIVE: billing_pb2.SUBSCRIPTION_STATE_ACTIVE,
    State.PAST_DUE: billing_pb2.SUBSCRIPTION_STATE_PAST_DUE,
    State.PAUSED: billing_pb2.SUBSCRIPTION_STATE_PAUSED,
    State.CANCELLED: billing_pb2.SUBSCRIPTION_STATE_CANCELLED,
    State.EXPIRED: billing_pb2.SUBSCRIPTION_STATE_EXPIRED,
}

INTERVALS_FROM = {word: interval for interval, word in INTERVALS.items()}
PROVIDERS_FROM = {word: provider for provider, word in PROVIDERS.items()}


def user_from_name(name: str) -> str:
    """The user in `users/{user}` and in what is below it."""
    return name.split("/")[1]


def slug_from_name(name: str) -> str:
    """The last part of `plans/{plan}` or `packs/{pack}`."""
    return name.rpartition("/")[2]


def interval_to_proto(interval: Interval | None) -> billing_pb2.Interval:
    return INTERVALS[interval] if interval else billing_pb2.INTERVAL_UNSPECIFIED
