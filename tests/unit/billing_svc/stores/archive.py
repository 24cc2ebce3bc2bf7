"""What providers sent, kept in memory as the table of deliveries keeps it; and something to sell."""

from collections.abc import Sequence

from services.billing_svc.domain.plan import Catalogue, Interval, Pack, Plan, PlanArticle, Price, Provider
from services.billing_svc.payments.provider import Delivery


class Archive:
    """The first delivery with an id is kept."""

    def __init__(self) -> None:
        self.deliveries: dict[str, Delivery] = {}

    def keep(self, delivery: Delivery) -> Delivery:
        return self.deliveries.setdefault(delivery.event_id, delivery)

    async def about(self, provider: Provider, subjects: Sequence[str]) -> list[Delivery]:
        found = (one for one in self.deliveries.values() if not set(subjects).isdisjoint(one.subjects))
        return sorted(found, key=lambda one: (one.event_time, one.event_id))


def _price(interval: Interval, cents: int, name: str, variant: str, gained: int = 0) -> Price:
    ids = {
        Provider.REVENUECAT: (name,),
        Provider.LEMON_SQUEEZY: (variant,),
        Provider.CRYPTOMUS: (f"plans/{name.replace('_', '/')}",),
    }
    return Price(interval, cents, gained, ids)


PRO = Plan(
    "pro",
    "Pro",
    (_price(Interval.MONTH, 999, "pro_month", "11", 50), _price(Interval.YEAR, 9999, "pro_year", "12")),
    (),
    8000,
)
MAX = Plan("max", "Max", (_price(Interval.MONTH, 2999, "max_month", "13"),), (), 16000)
SMALL = Pack(
    "small",
    "100 credits",
    100,
    499,
    {
        Provider.REVENUECAT: ("credits_small",),
        Provider.LEMON_SQUEEZY: ("21",),
        Provider.CRYPTOMUS: ("packs/small",),
    },
)
CATALOGUE = Catalogue([Plan("free", "Free", (), (), 4000), PRO, MAX], [SMALL])
PRO_MONTH = PlanArticle(PRO, PRO.prices[0])
