"""A model that does not stop: its answer ends where the longest ends, and it is not listened to any longer."""

from dataclasses import replace

import pytest

from scenemesh.chat.v1 import chat_pb2
from scenemesh.quota.v1 import quota_pb2
from services.chat_svc.answering.speech import ANSWER_CHARACTERS_MAX
from services.chat_svc.domain.model import Model
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.replica import Surroundings, eventually, replica
from tests.service.chat_svc.shape import kinds, said
from tests.service.chat_svc.siblings import FakeQuota

PIECE = "so many words, " + "x" * 985


@pytest.mark.parametrize("pieces", [[PIECE] * 200, [PIECE * 100, PIECE]], ids=["many", "one"])
async def test_a_huge_answer_ends_where_the_longest_does(
    around: Surroundings, claude: Model, fake: FakeProvider, quota: FakeQuota, pieces: list[str]
) -> None:
    fake.script(Behaviour(answer=pieces, held=True))
    endless = replace(claude, context_tokens=208_000, output_tokens_max=200_000, tokens_per_turn=200_000)
    async with replica(around, [endless]) as running:
        alice = running.person()
        conversation = await alice.conversation()
        events = await alice.turn(conversation)
        _, answer = await alice.messages(conversation)
        await eventually(lambda: fake.open_streams == 0)
    longest = PIECE * 64
    assert (len(longest), ANSWER_CHARACTERS_MAX) == (64_000, 64_000)
    assert (kinds(events)[-1], events[-1].finished.reason) == ("finished", chat_pb2.FINISH_REASON_LENGTH)
    assert (said(events) == longest, answer.text == longest) == (True, True)
    assert (len(fake.requests), quota.states()) == (1, [quota_pb2.HOLD_STATE_SETTLED])
