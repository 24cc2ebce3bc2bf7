"""`python -m cli.local.stripe`: the pretend Stripe as a process."""

import asyncio
import signal
import sys
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from cli.local.stripe.account import Account
from cli.local.stripe.acting import Pretend
from cli.local.stripe.keeping import kept, last_port, restored
from cli.local.stripe.pretend import PLANS, SECRET, pretend


class StripeSettings(BaseSettings):
    """What the process is told."""

    model_config = SettingsConfigDict(env_prefix="SCENEMESH_PRETEND_STRIPE_", frozen=True)

    listen: str = Field("127.0.0.1:0", description="host:port; port 0 is the one of the last time, or any")
    ready_file: Path | None = Field(None, description="where to write its URL once it answers")
    state_file: Path | None = Field(None, description="where to keep the account; nowhere if not set")
    webhook_url: str | None = Field(None, description="who is told of events")
    webhook_secret: str = Field(SECRET, description="what they are signed with")
    plans: Path = Field(PLANS, validation_alias="SCENEMESH_PLANS", description="the plans.toml that it sells by")


async def main(settings: StripeSettings) -> None:
    host, _, port = settings.listen.rpartition(":")
    account = restored(settings.state_file) if settings.state_file else Account()
    async with pretend(
        settings.webhook_url,
        settings.webhook_secret,
        settings.plans,
        host=host,
        port=int(port) or last_port(account, host),
        account=account,
    ) as fake:
        if settings.state_file is None:
            await _serve(settings, fake)
        else:
            async with kept(account, settings.state_file):
                await _serve(settings, fake)


async def _serve(settings: StripeSettings, fake: Pretend) -> None:
    """Until somebody ends it, or it breaks: leaving then raises what broke it."""
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, fake.broken.set)
    if settings.ready_file is not None:
        settings.ready_file.write_text(fake.url)
    try:
        await fake.broken.wait()
    finally:
        if settings.ready_file is not None:
            settings.ready_file.unlink(missing_ok=True)


if __name__ == "__main__":
    try:
        asyncio.run(main(StripeSettings()))
    except (OSError, ValueError) as fault:
        sys.exit(f"The pretend Stripe cannot run: {fault}")
