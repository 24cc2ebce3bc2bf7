"""`scenemesh models`."""

from collections.abc import Iterable

from rich.table import Table

from cli.caller import Caller
from cli.tables import draw, named
from cli.text import cell, word
from scenemesh.chat.v1 import chat_pb2
from scenemesh.chat.v1.chat_pb2_grpc import ChatServiceStub

# Of the size of a prompt with its answer.
TOKENS = 1_000


def models(caller: Caller) -> None:
    """Show the models that may answer, what they cost, and how each does."""
    answer = caller.ask(lambda channel: ChatServiceStub(channel).ListModels, chat_pb2.ListModelsRequest())
    caller.tell(answer, lambda: draw(table(answer.models)))


def table(rows: Iterable[chat_pb2.ModelInfo]) -> Table:
    columns = (named("Model"), "Class", "Context", "Can", "In", "Out", "State")
    drawn = Table(*columns, caption="In and out are US dollars for a million tokens.")
    for one in rows:
        drawn.add_row(
            cell(one.id),
            word(one, "class", "MODEL_CLASS_") + ("" if one.entitled else ", not in your plan"),
            f"{one.context_tokens // TOKENS:,}K",
            cell(", ".join(one.capabilities)),
            _price(one.input_usd),
            _price(one.output_usd),
            _state(one.health),
        )
    return drawn


def _price(usd: float) -> str:
    return f"{usd:,.2f}" if usd else "free"


def _state(health: chat_pb2.ModelHealth) -> str:
    """Whether it is asked just now, and how fast it was of late."""
    match health.breaker:
        case chat_pb2.BREAKER_STATE_OPEN:
            return f"rests {health.rests_seconds:.0f} s"
        case chat_pb2.BREAKER_STATE_HALF_OPEN:
            return "on trial"
    if not health.answers:
        return "ready"
    return f"{health.first_word_seconds:.1f} s, {health.tokens_per_second:,.0f} tokens/s"
