from dataclasses import replace

import pytest

from services.chat_svc.domain.model import Wire
from services.chat_svc.models.roster import Roster, open_provider
from tests.unit.chat_svc.models import Openings, model

ONE, TWO = model("one"), model("two")


async def test_a_model_that_is_as_it_was_keeps_its_provider() -> None:
    openings = Openings()
    async with Roster([(ONE, "k1"), (TWO, "k2")], openings) as roster:
        one = roster.provider("one")
        roster.take([(ONE, "k1"), (replace(TWO, context_tokens=64_000), "k2")])
        assert roster.provider("one") is one
        assert roster.models == (ONE, replace(TWO, context_tokens=64_000))
        assert [given.key for given in openings.given] == ["k1", "k2", "k2"]


async def test_a_provider_that_nobody_uses_is_closed_when_its_model_is_gone() -> None:
    openings = Openings()
    async with Roster([(ONE, "k1"), (TWO, "k2")], openings) as roster:
        roster.take([(TWO, "k2")])
        with pytest.raises(KeyError):
            roster.model("one")
        assert openings.closed == []
        await roster.close_left()
        assert openings.closed == ["k1"]


async def test_a_provider_that_is_used_is_closed_when_its_last_answer_has_ended() -> None:
    openings = Openings()
    async with Roster([(ONE, "old")], openings) as roster:
        with roster.used("one"):
            with roster.used("one"):
                roster.take([(ONE, "new")])
                await roster.close_left()
            await roster.close_left()
            assert openings.closed == []
            with roster.used("one"):
                pass
        await roster.close_left()
        assert (openings.closed, roster.provider("one")) == (["old"], openings.given[1])


async def test_all_are_closed_in_the_end() -> None:
    openings = Openings()
    async with Roster([(ONE, "old"), (TWO, "k2")], openings) as roster:
        with roster.used("one"):
            roster.take([(ONE, "new"), (TWO, "k2")])
            await roster.close_left()
    assert openings.closed == ["old", "k2", "new"]


@pytest.mark.parametrize("wire", Wire)
async def test_there_is_a_provider_for_every_wire(wire: Wire) -> None:
    spoken = replace(ONE, wire=wire)
    provider = open_provider(spoken, "key")
    assert provider.model == spoken
    await provider.close()
