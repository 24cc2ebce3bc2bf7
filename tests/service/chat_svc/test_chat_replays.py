"""Streams that real providers sent, read by our providers and by the SDKs' own readers: both must find the same.

Two stand here. SCENEMESH_STREAMS may name a folder with more; see `recorded`.
"""

from collections.abc import AsyncIterator
from typing import Any

import anthropic
import openai
import pytest
from anthropic.types import Message
from openai.types.chat import ChatCompletion

from services.chat_svc.domain.ending import Completed
from services.chat_svc.domain.fault import Cut, Malformed, ModelFault
from services.chat_svc.domain.model import Wire
from services.chat_svc.domain.outcome import FinishReason, Usage
from tests.service.chat_svc.recorded import (
    ABSENT,
    FOLDER,
    Read,
    Recorded,
    Replayer,
    fixtures,
    read,
    recorded,
    replaying,
)

CLAUDE = """\
event: message_start
data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-x",\
"content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":4,"cache_creation_input_tokens":3,\
"cache_read_input_tokens":2048,"output_tokens":1}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"A pipe…"}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: content_block_start
data: {"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}

event: ping
data: {"type": "ping"}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Elementary, "}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"夏洛克 🕵️"}}

event: content_block_stop
data: {"type":"content_block_stop","index":1}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"max_tokens","stop_sequence":null},"usage":{"output_tokens":9}}

event: message_stop
data: {"type":"message_stop"}

"""
GPT = """\
data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"gpt-x","choices":[],"prompt_filter_results":[]}

: keep-alive

data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"gpt-x","choices":[{"index":0,\
"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null}

data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"gpt-x","choices":[{"index":0,\
"delta":{"reasoning_content":"A pipe…"},"finish_reason":null}],"usage":null}

data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"gpt-x","choices":[{"index":0,\
"delta":{"content":"Elementary, 夏洛克 🕵️"},"finish_reason":null}],"usage":null}

data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"gpt-x","choices":[{"index":0,"delta":{},\
"finish_reason":"stop"}],"usage":null}

data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"gpt-x","choices":[],\
"usage":{"prompt_tokens":2055,"completion_tokens":9,"total_tokens":2064,"prompt_tokens_details":{"cached_tokens":2048}}}

data: [DONE]

"""

ODD_TEXT = """{"type": "content_block_delta", "delta": {"type": "text_delta", "text": 5}, \
"choices": [{"delta": {"content": 5}}]}"""
ODD_USAGE = """{"type": "message_delta", "delta": {"stop_reason": "x"}, "usage": {"prompt_tokens": "5"}, \
"choices": [{"index": 0, "delta": null, "finish_reason": ""}]}"""


def _of_anthropic() -> list[Any]:
    own = Recorded("own", CLAUDE)
    return [own, *recorded("anthropic_messages.jsonl.gz"), *fixtures()] if FOLDER else [own, ABSENT]


def _of_openai() -> list[Any]:
    own = Recorded("own", GPT)
    return [own, *recorded("openai_chat_completions.jsonl.gz")] if FOLDER else [own, ABSENT]


@pytest.fixture(scope="module")
async def replayer() -> AsyncIterator[Replayer]:
    async with replaying() as replayer:
        yield replayer


async def _message(replayer: Replayer) -> Message:
    url = replayer.base_url(Wire.ANTHROPIC)
    async with (
        anthropic.AsyncAnthropic(api_key="k", base_url=url, max_retries=0) as client,
        client.messages.stream(model="m", max_tokens=500, messages=[{"role": "user", "content": "Well?"}]) as stream,
    ):
        return await stream.get_final_message()


async def _completion(replayer: Replayer) -> ChatCompletion:
    url = replayer.base_url(Wire.OPENAI)
    async with (
        openai.AsyncOpenAI(api_key="k", base_url=url, max_retries=0) as client,
        client.chat.completions.stream(
            model="m", messages=[{"role": "user", "content": "Well?"}], stream_options={"include_usage": True}
        ) as stream,
    ):
        return await stream.get_final_completion()


def _read_by_anthropic(message: Message) -> Read:
    text = "".join(block.text for block in message.content if block.type == "text")
    if message.stop_reason == "refusal":
        return Read(text, None)
    told = message.usage
    cached = told.cache_read_input_tokens or 0
    prompt = told.input_tokens + (told.cache_creation_input_tokens or 0) + cached
    reason = FinishReason.LENGTH if message.stop_reason == "max_tokens" else FinishReason.STOP
    return Read(text, Completed(reason, Usage(prompt, told.output_tokens, cached_tokens=cached)))


def _read_by_openai(completion: ChatCompletion) -> Read:
    choice, told = completion.choices[0], completion.usage
    if choice.finish_reason == "content_filter" or choice.message.refusal:
        return Read(choice.message.content or "", None)
    cached = (told.prompt_tokens_details and told.prompt_tokens_details.cached_tokens) or 0 if told else 0
    usage = Usage(told.prompt_tokens, told.completion_tokens, cached_tokens=cached) if told else None
    reason = FinishReason.LENGTH if choice.finish_reason == "length" else FinishReason.STOP
    return Read(choice.message.content or "", Completed(reason, usage))


@pytest.mark.parametrize("stream", _of_anthropic(), ids=lambda stream: stream.name)
async def test_a_stream_of_anthropics_is_read_as_its_sdk_reads_it(replayer: Replayer, stream: Recorded) -> None:
    replayer.sends(stream)
    ours = await read(Wire.ANTHROPIC, replayer)
    replayer.body = _without_tools(stream.body)
    assert ours == _read_by_anthropic(await _message(replayer))


def _without_tools(body: str) -> str:
    """A stream without what tools are called with: where that is broken JSON, the SDK reads nothing of it."""
    return "\n\n".join(event for event in body.split("\n\n") if '"input_json_delta"' not in event)


@pytest.mark.parametrize("stream", _of_openai(), ids=lambda stream: stream.name)
async def test_a_stream_of_openais_is_read_as_its_sdk_reads_it(replayer: Replayer, stream: Recorded) -> None:
    replayer.sends(stream)
    assert await read(Wire.OPENAI, replayer) == _read_by_openai(await _completion(replayer))


@pytest.mark.parametrize("wire", [Wire.ANTHROPIC, Wire.OPENAI])
@pytest.mark.parametrize(
    ("odd", "faults"),
    [
        ("5", [Malformed, Malformed]),
        ("[]", [Malformed, Malformed]),
        ("null", [Malformed, Malformed]),
        ("{}", [Cut, Cut]),
        ('{"type": "content_block_delta", "choices": 5}', [Malformed, Malformed]),
        ('{"type": "content_block_delta", "delta": 5, "choices": [5]}', [Malformed, Malformed]),
        (ODD_TEXT, [Malformed, Malformed]),
        (ODD_USAGE, [Cut, Cut]),
        ("[" * 100_000, [Malformed, Malformed]),
        ("<html>", [Malformed, Malformed]),
    ],
)
async def test_a_stream_of_an_odd_shape_is_a_fault_of_its_model(
    replayer: Replayer, wire: Wire, odd: str, faults: list[type[ModelFault]]
) -> None:
    replayer.sends(Recorded("odd", f"event: message\ndata: {odd}\n\n"))
    with pytest.raises(ModelFault) as caught:
        await read(wire, replayer)
    assert type(caught.value) is faults[wire is Wire.OPENAI]


async def test_our_own_two_streams_say_what_they_say(replayer: Replayer) -> None:
    replayer.sends(Recorded("own", CLAUDE))
    claude = await read(Wire.ANTHROPIC, replayer)
    replayer.sends(Recorded("own", GPT))
    gpt = await read(Wire.OPENAI, replayer)
    said = "Elementary, 夏洛克 🕵️"
    assert claude == Read(said, Completed(FinishReason.LENGTH, Usage(2055, 9, cached_tokens=2048)))
    assert gpt == Read(said, Completed(FinishReason.STOP, Usage(2055, 9, cached_tokens=2048)))
