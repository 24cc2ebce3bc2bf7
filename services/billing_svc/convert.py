"""Plans and subscriptions as the contract says them."""

from google.type.money_pb2 import Money

from scenemesh.billing.v1 import billing_pb2
from services.billing_svc.domain import Allowance, Interval, Period, Plan, Price, State, Subscription

CURRENCY = "USD"
NANOS_PER_CENT = 10_000_000

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
STATES = {
    State.ACTIVE: billing_pb2.SUBSCRIPTION_STATE_ACTIVE,
    State.CANCELLED: billing_pb2.SUBSCRIPTION_STATE_CANCELLED,
    State.PAUSED: billing_pb2.SUBSCRIPTION_STATE_PAUSED,
}


def user_from_name(name: str) -> str:
    """The user in `users/{user}/subscription`."""
    return name.split("/")[1]


def plans_to_proto(plans: tuple[Plan, ...]) -> billing_pb2.ListPlansResponse:
    return billing_pb2.ListPlansResponse(plans=[_plan(plan) for plan in plans])


def subscription_to_proto(subscription: Subscription) -> billing_pb2.Subscription:
    return billing_pb2.Subscription(
        name=f"users/{subscription.user}/subscription",
        plan=f"plans/{subscription.plan}",
        state=STATES[subscription.state],
        period_end_time=subscription.period_end,
    )


def _plan(plan: Plan) -> billing_pb2.Plan:
    return billing_pb2.Plan(
        name=f"plans/{plan.slug}",
        display_name=plan.display_name,
        prices=[_price(price) for price in plan.prices],
        allowances=[_allowance(allowance) for allowance in plan.allowances],
        context_tokens=plan.context_tokens,
    )


def _price(price: Price) -> billing_pb2.Price:
    units, cents = divmod(price.cents, 100)
    amount = Money(currency_code=CURRENCY, units=units, nanos=cents * NANOS_PER_CENT)
    return billing_pb2.Price(interval=INTERVALS[price.interval], amount=amount)


def _allowance(allowance: Allowance) -> billing_pb2.Allowance:
    return billing_pb2.Allowance(
        meter=allowance.meter,
        unlimited=allowance.amount is None,
        amount=allowance.amount or 0,
        period=PERIODS[allowance.period],
        window=allowance.window,
        rollover=allowance.rollover,
        shadow=allowance.shadow,
    )
