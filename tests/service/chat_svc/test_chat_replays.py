"""Streams that real providers sent, read by our providers and by the SDKs' own readers: both must find the same.

Two stand here. SCENEMESH_STREAMS may name a folder with more: `anthropic_messages.jsonl.gz` and
`openai_chat_completions.jsonl.gz`, with the whole stream as `body` in each line.
"""

import gzip
import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import anthropic
import openai
import pytest
from aiohttp import web
from anthropic.types import Message
from openai.types.chat import ChatCompletion

from services.chat_svc import providers
from services.chat_svc.domain.conversation import Role
from services.chat_svc.domain.ending import Completed
from services.chat_svc.domain.fault import Cut, Malformed, ModelFault, Refused
from services.chat_svc.domain.model import Limits, Model, Wire
from services.chat_svc.domain.outcome import FinishReason, Usage
from services.chat_svc.domain.prompt import Prompt, Turn

PROMPT = Prompt("You are Sherlock.", (Turn(Role.USER, "Well?"),))
FILES = {Wire.ANTHROPIC: "anthropic_messages.jsonl.gz", Wire.OPENAI: "openai_chat_completions.jsonl.gz"}

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


@dataclass(frozen=True)
class Stream:
    """The text of a stream, and where it is from."""

    name: str
    body: str


@dataclass(frozen=True)
class Read:
    """What a reader found in a stream; `ending` is None where the model refused."""

    text: str
    ending: Completed | None


def _streams(wire: Wire) -> list[Stream]:
    own = Stream("own", CLAUDE if wire is Wire.ANTHROPIC else GPT)
    folder = os.environ.get("SCENEMESH_STREAMS")
    if not folder:
        return [own]
    with gzip.open(Path(folder) / FILES[wire], "rt", encoding="utf-8") as lines:
        recorded = [json.loads(line) for line in lines]
    return [own, *(Stream(f"{one['package']}/{one['cassette']}/{one['index']}", one["body"]) for one in recorded)]


class Replayer:
    """Answers every request with the same stream. `url` is the server's root."""

    def __init__(self) -> None:
        self.url = ""
        self.body = ""

    async def answer(self, request: web.Request) -> web.Response:
        return web.Response(body=self.body.encode(), content_type="text/event-stream")


@pytest.fixture(scope="module")
async def replayer() -> AsyncIterator[Replayer]:
    replayer = Replayer()
    application = web.Application()
    application.add_routes([web.post("/{path:.*}", replayer.answer)])
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    replayer.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield replayer
    await runner.cleanup()


async def _read(wire: Wire, url: str) -> Read:
    model = Model("m", wire, "m", url, 8_000, 500, Limits(10, 10))
    text, ending = "", None
    async with providers.opened([(model, "k")]) as (provider,):
        try:
            async for word in provider.answer(PROMPT):
                if isinstance(word, Completed):
                    ending = word
                else:
                    text += word
        except Refused:
            return Read(text, None)
    return Read(text, ending)


async def _message(url: str) -> Message:
    async with (
        anthropic.AsyncAnthropic(api_key="k", base_url=url, max_retries=0) as client,
        client.messages.stream(model="m", max_tokens=500, messages=[{"role": "user", "content": "Well?"}]) as stream,
    ):
        return await stream.get_final_message()


async def _completion(url: str) -> ChatCompletion:
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


@pytest.mark.parametrize("stream", _streams(Wire.ANTHROPIC), ids=lambda stream: stream.name)
async def test_a_stream_of_anthropics_is_read_as_its_sdk_reads_it(replayer: Replayer, stream: Stream) -> None:
    replayer.body = stream.body
    assert await _read(Wire.ANTHROPIC, replayer.url) == _read_by_anthropic(await _message(replayer.url))


@pytest.mark.parametrize("stream", _streams(Wire.OPENAI), ids=lambda stream: stream.name)
async def test_a_stream_of_openais_is_read_as_its_sdk_reads_it(replayer: Replayer, stream: Stream) -> None:
    replayer.body = stream.body
    assert await _read(Wire.OPENAI, f"{replayer.url}/v1") == _read_by_openai(await _completion(f"{replayer.url}/v1"))


@pytest.mark.parametrize("wire", [Wire.ANTHROPIC, Wire.OPENAI])
@pytest.mark.parametrize(
    ("odd", "faults"),
    [
        ("5", [Malformed, Malformed]),
        ("[]", [Malformed, Cut]),
        ("null", [Malformed, Cut]),
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
    replayer.body = f"event: message\ndata: {odd}\n\n"
    with pytest.raises(ModelFault) as caught:
        await _read(wire, replayer.url)
    assert type(caught.value) is faults[wire is Wire.OPENAI]


async def test_our_own_two_streams_say_what_they_say(replayer: Replayer) -> None:
    replayer.body = CLAUDE
    claude = await _read(Wire.ANTHROPIC, replayer.url)
    replayer.body = GPT
    gpt = await _read(Wire.OPENAI, f"{replayer.url}/v1")
    said = "Elementary, 夏洛克 🕵️"
    assert claude == Read(said, Completed(FinishReason.LENGTH, Usage(2055, 9, cached_tokens=2048)))
    assert gpt == Read(said, Completed(FinishReason.STOP, Usage(2055, 9, cached_tokens=2048)))
