"""Stripe as the servicer meets it: agreements that change as they are told to, each change once for its key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from runtime.errors import MeshError
from services.billing_svc.domain.agreement import Agreement, State
from services.billing_svc.domain.facts import Facts
from services.billing_svc.domain.plan import Pack, PlanArticle, Provider
from services.billing_svc.payments.provider import Order, Page, Preview
from tests.service.billing_svc.shop import paid

LIFETIME = timedelta(hours=24)


class ScriptedSeller:
    """`asked` is all that was asked of it, in order; `fault`, while it is set, answers everything."""

    def __init__(self, provider: Provider, clock: Callable[[], datetime]) -> None:
        self.provider = provider
        self.test_mode = True
        self.clock = clock
        self.asked: list[tuple[Any, ...]] = []
        self.fault: MeshError | None = None
        self.pages: dict[str, Page] = {}

    def ask(self, *asked: Any) -> None:
        self.asked.append(asked)
        if self.fault is not None:
            raise self.fault

    async def checkout(self, order: Order) -> Page:
        self.ask("checkout", order)
        name = f"cs_{len(self.pages)}"
        return self.pages.setdefault(order.key, Page(name, f"https://pay.test/{name}", self.clock() + LIFETIME))


class ScriptedDesk(ScriptedSeller):
    """`lost` loses so many answers after what was asked for has happened."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        super().__init__(Provider.STRIPE, clock)
        self.done: dict[str, Facts] = {}
        self.lost: list[MeshError] = []

    async def read(self, facts: Facts) -> Facts:
        return facts

    async def close(self, page: str) -> None:
        self.ask("close", page)

    async def portal(self, user: str, return_url: str) -> str:
        self.ask("portal", user, return_url)
        return f"https://pay.test/portal/{user}"

    async def preview(self, agreement: Agreement, article: PlanArticle, *, at_end: bool) -> Preview:
        self.ask("preview", agreement.id, article.plan.slug, at_end)
        return Preview(agreement.period_end, 0, 0, "usd") if at_end else Preview(self.clock(), 1200, 299, "usd")

    async def change(self, agreement: Agreement, article: PlanArticle, *, at_end: bool, key: str) -> Facts:
        slug, interval = article.plan.slug, article.price.interval
        if at_end:
            after = replace(agreement, next_plan=slug, next_interval=interval)
        else:
            after = replace(agreement, plan=slug, interval=interval, next_plan=None, next_interval=None)
        return self._do(key, ("change", agreement.id, slug, interval.value, at_end), Facts((after,)))

    async def cancel(self, agreement: Agreement, *, immediately: bool, key: str) -> Facts:
        after = replace(agreement, state=State.EXPIRED if immediately else State.CANCELLED, next_plan=None)
        return self._do(key, ("cancel", agreement.id, immediately), Facts((after,)))

    async def pause(self, agreement: Agreement, resume_time: datetime | None, *, key: str) -> Facts:
        after = replace(agreement, state=State.PAUSED, resume_time=resume_time)
        return self._do(key, ("pause", agreement.id, resume_time), Facts((after,)))

    async def resume(self, agreement: Agreement, *, key: str) -> Facts:
        after = replace(agreement, state=State.ACTIVE, resume_time=None)
        return self._do(key, ("resume", agreement.id), Facts((after,)))

    async def buy(self, user: str, pack: Pack, *, key: str) -> Facts:
        name = f"pi_{len(self.done)}"
        return self._do(key, ("buy", user, pack.slug), Facts((), (paid(user, f"packs/{pack.slug}", id=name),)))

    def _do(self, key: str, asked: tuple[Any, ...], facts: Facts) -> Facts:
        self.ask(*asked)
        done = self.done.setdefault(key, facts)
        if self.lost:
            raise self.lost.pop()
        return done
