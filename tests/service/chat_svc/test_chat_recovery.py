import pytest

from scenemesh.chat.v1 import chat_pb2
from services.chat_svc.domain.conversation import Message
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.replica import Lapse, Replica

FAILED, STREAMING = chat_pb2.MESSAGE_STATE_FAILED, chat_pb2.MESSAGE_STATE_STREAMING


async def test_an_answer_that_cannot_be_ended_holds_up_nobody_elses(
    first: Replica, second: Replica, fake: FakeProvider, lapse: Lapse, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.otherwise = Behaviour(answer=["a"], stall_after=1)
    conversations = {}
    for name in ("alice", "bob"):
        conversations[name] = await first.person(name).conversation()
        stream = first.person(name).sending(conversations[name])
        assert [(await anext(stream)).number for _ in range(2)] == [1, 2]
    await first.kill()
    await lapse()
    close, refused = second.recovery._closing.close, list[Message]()

    async def refusing_the_first(answer: Message) -> None:
        if not refused:
            refused.append(answer)
            raise ValueError("nobody foresaw this")
        await close(answer)

    monkeypatch.setattr(second.recovery._closing, "close", refusing_the_first)
    await second.recovery.sweep()
    states = {
        name: (await second.person(name).messages(conversation))[1].state
        for name, conversation in conversations.items()
    }
    assert states == {name: STREAMING if name == refused[0].user else FAILED for name in conversations}
