"""The pretend Stripe with plans of its own, and the real SDK that talks to it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import stripe

from cli.local.stripe.pretend import Pretend, pretend
from tests.service.pretend_stripe.endpoint import SECRET, Endpoint, endpoint
from tests.service.pretend_stripe.shop import Shop

PLANS = """\
grace_days = 7

[[plan]]
slug = "pro"
display_name = "Pro"
[plan.prices]
week = { amount = 3.99 }
month = { amount = 9.99 }

[[plan]]
slug = "max"
display_name = "Max"
[plan.prices]
month = { amount = 19.99 }
year = { amount = 249.99 }

[[pack]]
slug = "small"
display_name = "100 credits"
credits = 100
amount = 4.99

[environment.test.stripe]
"plans/pro/week" = "price_pro_week"
"plans/pro/month" = ["price_pro_month", "price_pro_month_of_last_year"]
"plans/max/month" = "price_max_month"
"plans/max/year" = "price_max_year"
"packs/small" = "price_credits_small"
"""


@pytest.fixture(scope="session")
def plans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("plans") / "plans.toml"
    file.write_text(PLANS)
    return file


@pytest.fixture
async def hook() -> AsyncIterator[Endpoint]:
    async with endpoint() as opened:
        yield opened


@pytest.fixture
async def fake(hook: Endpoint, plans: Path) -> AsyncIterator[Pretend]:
    async with pretend(hook.url, SECRET, plans, backoff_seconds=0.01) as fake:
        yield fake


@pytest.fixture
async def client(fake: Pretend) -> AsyncIterator[stripe.StripeClient]:
    connections = stripe.AIOHTTPClient(timeout=60)
    yield stripe.StripeClient(
        fake.key, http_client=connections, base_addresses={"api": fake.url}, max_network_retries=0
    )
    await connections.close_async()  # type: ignore[no-untyped-call]


@pytest.fixture
def shop(fake: Pretend, client: stripe.StripeClient) -> Shop:
    return Shop(fake, client)
