"""What nobody foresaw in telling of a commit ends no process, and nobody waits for an answer in vain."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from services.quota_svc.commits import Commits, Operation
from services.quota_svc.store import Accounts, Asked, Occasion, Written
from tests.unit.quota_svc.customer import NOW

WAIT_SECONDS = 60.0
USERS = ("ann", "bob", "cat")


class Ledger:
    """Commits changes of one user alone."""

    async def change(self, users: Sequence[str], _: Asked, apply: Callable[[Accounts], None], __: Occasion) -> Written:
        if len(users) > 1:
            raise RuntimeError("nobody foresaw this")
        apply({})
        return Written([*users], told=True)


def naming(user: str) -> Operation[str]:
    """An operation whose answer is its user."""

    def name(_: Accounts, __: datetime) -> str:
        return user

    return Operation((user,), name)


async def test_a_defect_in_telling_of_a_commit_keeps_nobody_waiting() -> None:
    told: list[str] = []

    def changed(written: Written) -> None:
        told.extend(written.users)
        raise RuntimeError("nobody foresaw this")

    ledger: Any = Ledger()
    tariff: Any = object
    commits = Commits(ledger, tariff, lambda: NOW, changed, lanes=1)
    async with asyncio.timeout(WAIT_SECONDS), asyncio.TaskGroup() as tasks:
        together = [tasks.create_task(commits.commit(naming(user))) for user in USERS]
        running = tasks.create_task(commits.run())
        assert await asyncio.gather(*together) == [*USERS]
        assert await commits.commit(naming("dan")) == "dan"
        running.cancel()
    assert told == [*USERS, "dan"]
