from typing import Any

import pytest

from runtime.errors import NotFound
from scenemesh.chat.v1 import chat_pb2
from tests.service.cli.conftest import Command, rows
from tests.service.cli.fake_edge import Script

WIDE = {"COLUMNS": "160"}


def model(name: str, kind: int, health: chat_pb2.ModelHealth, **more: Any) -> chat_pb2.ModelInfo:
    info = chat_pb2.ModelInfo(id=name, context_tokens=200_000, health=health, **more)
    # The field's name is a word of Python's.
    setattr(info, "class", kind)
    return info


FAST = chat_pb2.ModelHealth(
    breaker=chat_pb2.BREAKER_STATE_CLOSED, answers=3, first_word_seconds=0.42, tokens_per_second=1_234.4
)
RESTS = chat_pb2.ModelHealth(breaker=chat_pb2.BREAKER_STATE_OPEN, rests_seconds=12.2, answers=3)
TRIED = chat_pb2.ModelHealth(breaker=chat_pb2.BREAKER_STATE_HALF_OPEN)
NEW = chat_pb2.ModelHealth(breaker=chat_pb2.BREAKER_STATE_CLOSED)
STANDARD, PREMIUM = chat_pb2.MODEL_CLASS_STANDARD, chat_pb2.MODEL_CLASS_PREMIUM


@pytest.fixture
def models(script: Script) -> list[chat_pb2.ModelInfo]:
    can = {"capabilities": ["tools", "vision"], "input_usd": 0.1, "output_usd": 1_000.5}
    script.models = [
        model("haiku", STANDARD, FAST, entitled=True, **can),
        model("sonnet", PREMIUM, RESTS),
        model("mini", STANDARD, TRIED, entitled=True),
        model("[bold]odd", STANDARD, NEW, entitled=True),
    ]
    return list(script.models)


async def test_models_are_a_table_that_says_how_each_does(command: Command, models: list[chat_pb2.ModelInfo]) -> None:
    ran = await command("models", **WIDE)
    assert (ran.code, ran.err, rows(ran.out)) == (
        0,
        "",
        [
            ["haiku", "standard", "200K", "tools, vision", "0.10", "1,000.50", "0.4 s, 1,234 tokens/s"],
            ["sonnet", "premium, not in your plan", "200K", "", "free", "free", "rests 12 s"],
            ["mini", "standard", "200K", "", "free", "free", "on trial"],
            ["[bold]odd", "standard", "200K", "", "free", "free", "ready"],
        ],
    )


async def test_for_programs_models_are_json(command: Command, models: list[chat_pb2.ModelInfo]) -> None:
    ran = await command("models", "--json")
    assert (ran.code, [one["id"] for one in ran.json["models"]]) == (0, [one.id for one in models])


async def test_a_model_is_named_for_every_turn(command: Command, script: Script) -> None:
    ran = await command("chat", "sherlock-holmes", "Who are you?", "--model", "haiku")
    (sent,) = [one for one in script.requests if isinstance(one, chat_pb2.SendMessageRequest)]
    assert (ran.code, sent.choice) == (0, chat_pb2.ModelChoice(model="haiku"))


async def test_without_a_model_nothing_is_chosen(command: Command, script: Script) -> None:
    await command("chat", "sherlock-holmes", "Who are you?")
    (sent,) = [one for one in script.requests if isinstance(one, chat_pb2.SendMessageRequest)]
    assert not sent.HasField("choice")


async def test_where_models_are_listed_is_said_to_who_names_none_of_them(command: Command, script: Script) -> None:
    script.sends = [[NotFound("There is no such model.", reason="MODEL_NOT_FOUND")]]
    ran = await command("chat", "sherlock-holmes", "Who are you?", "--model", "nobody")
    assert (ran.code, ran.err.splitlines()[-2:]) == (
        1,
        ["scenemesh: There is no such model.", "`scenemesh models` shows those that there are."],
    )
