import asyncio
from random import Random
from uuid import UUID

import pytest

from runtime.errors import Unavailable
from services.chat_svc.domain.conversation import METER, Conversation, Message
from services.chat_svc.domain.routing import Choice
from services.chat_svc.domain.wish import Wish
from services.chat_svc.store import Begun
from tests.unit.chat_svc.simulation.process import Process, Surroundings
from tests.unit.chat_svc.simulation.provider import Stage
from tests.unit.chat_svc.simulation.quota import METERS, SETTLED
from tests.unit.chat_svc.simulation.schedule import MODELS
from tests.unit.chat_svc.simulation.world import EPOCH, World

CONVERSATION = UUID(int=1)
WISH = Wish("person1 says 1", "r1", Choice())


async def carried_out(around: Surroundings) -> None:
    """The first call loses the database once its retry, which was given the same hold, has begun the answer."""
    first, second = (Process(around, Random(number)) for number in range(2))

    async def begin(question: Message | None, answer: Message, current: UUID | None, *, follows: bool = False) -> Begun:
        await second.turns.begin("alice", CONVERSATION, WISH)
        raise Unavailable("Down.", reason="DATABASE_UNAVAILABLE")

    first.answers.begin = begin  # type: ignore[method-assign]
    for process in (first, second):
        process.start()
    await asyncio.sleep(0.1)
    with pytest.raises(Unavailable):
        await first.turns.begin("alice", CONVERSATION, WISH)
    while not around.database.is_at_rest(around.world.time()):
        await asyncio.sleep(0.1)
    for process in (first, second):
        await process.drain()


def test_a_call_that_fails_leaves_its_retry_the_hold_that_both_were_given() -> None:
    world = World()
    around = Surroundings(world, Stage("1", 0.0, 0.0), MODELS, hedging=None)
    around.database.conversations[CONVERSATION] = Conversation(
        "alice", CONVERSATION, "characters/sherlock", "Sherlock", 0, EPOCH, EPOCH
    )
    around.ledger.left.update({("alice", meter): 9 for meter in METERS})
    world.live(carried_out(around))
    (row,), (hold,), (charge,) = around.database.answers, around.ledger.holds.values(), around.ledger.charges
    assert (hold.state, hold.meter, hold.resolutions) == (SETTLED, METER, 1)
    assert (charge.resource, charge.units) == (row.message.name, row.message.charged)
