"""Pictures and voices through the edge, on a stack of its own: its model sees, and others hear and speak."""

import base64
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from services.billing_svc.plans import PLANS
from tests.e2e.clients import kind
from tests.e2e.samples import noise, recording
from tests.e2e.stack import Stack, running
from tests.e2e.talker import Talker
from tests.fakes.audio import FRAME
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider, provider

MODELS = """
[[model]]
id = "seeing"
wire = "openai"
model = "seeing"
key_variable = "OPENAI_API_KEY"
base_url = "{url}/v1"
class = "standard"
context_tokens = 32_000
output_tokens_max = 500
first_word_seconds = 20
idle_seconds = 20
capabilities = ["vision"]
tokens_per_turn = 1_000

[[audio]]
id = "hearing"
task = "transcription"
model = "hearing"
key_variable = "OPENAI_API_KEY"
base_url = "{url}/v1"
told_length = true

[[audio]]
id = "speaking"
task = "speech"
model = "speaking"
key_variable = "OPENAI_API_KEY"
base_url = "{url}/v1"
voices = ["low", "high"]
"""
REQUEST_ID = "6f1d2c3e-0000-4000-8000-00000000000b"
# Of 2.4 MiB, as noise cannot be packed.
PIXELS = 915


@dataclass(frozen=True)
class Studio:
    """The stack, and who is behind its models."""

    stack: Stack
    fake: FakeProvider


@pytest.fixture(scope="module")
async def studio(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Studio]:
    directory: Path = tmp_path_factory.mktemp("studio")
    async with provider() as fake:
        models, plans = directory / "models.toml", directory / "plans.toml"
        models.write_text(MODELS.format(url=fake.url))
        # As in the plans that ship, but that the free one pays for pictures as well.
        chat = 'chat = { amount = 5, period = "day" }'
        plans.write_text(
            PLANS.read_text().replace(chat, f'{chat}\nimage_recognition = {{ amount = 5, period = "day" }}')
        )
        environment = {"SCENEMESH_MODELS": str(models), "SCENEMESH_PLANS": str(plans)}
        async with running(directory / "stack", environment=environment) as stack:
            yield Studio(stack, fake)


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _pixels(content: bytes) -> bytes:
    return Image.open(io.BytesIO(content)).convert("RGB").tobytes()


async def test_a_picture_goes_in_comes_out_and_is_seen_by_the_model(studio: Studio) -> None:
    ada, picture = Talker(studio.stack, "media-ada"), noise(PIXELS)
    assert 2.3 < len(picture) / 2**20 < 2.5
    kept = [await ada.do("media", content=_encoded(picture), request_id=REQUEST_ID) for _ in range(2)]
    assert kept[0] == kept[1]
    name = kept[0]["name"]
    assert (kept[0]["content_type"], kept[0]["width"], kept[0]["height"]) == ("image/png", PIXELS, PIXELS)

    shown = await ada.file(name)
    assert (shown.status, shown.content_type, str(len(shown.content))) == (200, "image/png", kept[0]["size_bytes"])
    assert _pixels(shown.content) == _pixels(picture)

    conversation = await ada.rest.conversation()
    events = await ada.says(conversation, "What is this?", media=[name])
    assert kind(events[-1]) == "finished"
    assert [one["media"] for one in await ada.messages(conversation)] == [[name], []]
    ((seen, content),) = studio.fake.requests[-1].images
    assert (seen, _pixels(content)) == ("image/png", _pixels(picture))
    assert (await ada.remaining("image_recognition"), await ada.remaining("chat")) == (4, 4)


async def test_what_is_too_large_or_no_picture_is_refused_clearly(studio: Studio) -> None:
    ben = Talker(studio.stack, "media-ben")
    for content, status, reason in (
        (b"<script>", 400, "INVALID_ARGUMENT"),
        (bytes(2_621_441), 400, "INVALID_ARGUMENT"),
        (bytes(4 * 2**20), 413, "BODY_TOO_LARGE"),
    ):
        assert await ben.refused("POST", "media", {"content": _encoded(content)}) == (status, reason)


async def test_a_recording_is_written_down_and_costs_once(studio: Studio) -> None:
    cy, spoken = Talker(studio.stack, "media-cy"), recording(seconds=3)
    name = (await cy.do("media", content=_encoded(spoken)))["name"]
    raw = await cy.file(name)
    assert (raw.status, raw.content_type, raw.content) == (200, "audio/wav", spoken)
    studio.fake.script(Behaviour(answer=["Good ", "evening."], usage=(0, 3)))
    told = [await cy.do(f"{name}:transcribe", language="en", request_id=REQUEST_ID) for _ in range(2)]
    assert told == [{"text": "Good evening.", "model": "hearing", "seconds": 3, "charged": "1"}] * 2
    assert await cy.remaining("transcription") == 4


async def test_a_message_is_read_aloud_as_bytes_and_costs_once(studio: Studio) -> None:
    dora = Talker(studio.stack, "media-dora")
    answer = (await dora.says(await dora.rest.conversation()))[-1]["finished"]["message"]
    for voice in ("low", "low"):
        spoken = await dora.file(f"{answer['name']}:speak", {"voice": voice})
        assert (spoken.status, spoken.content_type) == (200, "audio/mpeg")
        assert spoken.content == FRAME * -(-len(answer["text"]) // 10)
    assert await dora.remaining("speech") == 4


async def test_without_credit_nobody_is_heard_and_that_is_402(studio: Studio) -> None:
    eve = Talker(studio.stack, "media-eve")
    name = (await eve.do("media", content=_encoded(recording(seconds=1))))["name"]
    for _ in range(5):
        await eve.do(f"{name}:transcribe")
    asked = len(studio.fake.requests)
    assert await eve.refused("POST", f"{name}:transcribe", {}) == (402, "QUOTA_EXHAUSTED")
    assert len(studio.fake.requests) == asked


async def test_anothers_media_do_not_exist(studio: Studio) -> None:
    fay, gus = Talker(studio.stack, "media-fay"), Talker(studio.stack, "media-gus")
    picture = (await fay.do("media", content=_encoded(noise(8))))["name"]
    sound = (await fay.do("media", content=_encoded(recording(seconds=1))))["name"]
    conversation = await gus.rest.conversation()
    for verb, path, body in (
        ("GET", picture, None),
        ("GET", sound, None),
        ("POST", f"{sound}:transcribe", {}),
        ("POST", f"{conversation}/messages:send", {"text": "Look.", "media": [picture]}),
    ):
        assert (path, (await gus.refused(verb, path, body))[0]) == (path, 404)
    assert await gus.messages(conversation) == []
