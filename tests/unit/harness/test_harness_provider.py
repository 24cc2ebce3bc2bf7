"""What one test tells the fake provider is not for the next one."""

import asyncio

from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider


def test_what_was_not_used_is_forgotten_and_nothing_waits_for_it_any_more() -> None:
    fake, gate, until = FakeProvider(), asyncio.Event(), asyncio.Event()
    answer, aside = Behaviour(gate=gate), Behaviour(until=until)
    fake.script(answer)
    fake.script_asides(aside)
    assert fake.forget() == [answer, aside]
    assert (gate.is_set(), until.is_set()) == (True, True)
    assert fake.forget() == []
