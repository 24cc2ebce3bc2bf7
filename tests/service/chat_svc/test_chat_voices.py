import asyncio
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from uuid import UUID, uuid5

import asyncpg
import grpc
import pytest

from runtime.status import error_info
from scenemesh.chat.v1 import media_pb2
from scenemesh.quota.v1 import quota_pb2
from services.chat_svc.domain.model import Model
from services.chat_svc.models.audio_roster import AudioRoster
from tests.fakes.audio import FRAME
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.pictures import Owner, opened, owner, picture, read_aloud, recording, transcribed
from tests.service.chat_svc.replica import Replica, Surroundings, eventually, replica
from tests.service.chat_svc.siblings import FakeQuota

UUID_1 = "00000000-0000-4000-8000-000000000001"
HELD, SETTLED, RELEASED = quota_pb2.HOLD_STATE_HELD, quota_pb2.HOLD_STATE_SETTLED, quota_pb2.HOLD_STATE_RELEASED
INVALID = (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT")
UNAVAILABLE = (grpc.StatusCode.UNAVAILABLE, "MODEL_UNAVAILABLE")
EXHAUSTED = (grpc.StatusCode.RESOURCE_EXHAUSTED, "QUOTA_EXHAUSTED")

MODELS = """
[[audio]]
id = "ears"
task = "transcription"
model = "whisper"
base_url_variable = "URL"
told_length = true

[[audio]]
id = "mouth"
task = "speech"
model = "tts"
base_url_variable = "URL"
voices = ["alloy", "nova"]
characters_max = 100
"""

Rolled = AsyncIterator[AudioRoster]


@pytest.fixture
async def roster(tmp_path: Path, fake: FakeProvider) -> Rolled:
    file = tmp_path / "models.toml"
    file.write_text(MODELS)
    async with AudioRoster(file, {"URL": f"{fake.url}/v1"}) as roster:
        yield roster


@pytest.fixture
async def first(around: Surroundings, claude: Model, roster: AudioRoster) -> AsyncIterator[Replica]:
    async with replica(around, [claude], able=roster.able) as first:
        yield first


@pytest.fixture
async def second(around: Surroundings, claude: Model, roster: AudioRoster, first: Replica) -> AsyncIterator[Replica]:
    async with replica(around, [claude], able=roster.able) as second:
        yield second


@pytest.fixture
def alices(first: Replica) -> Owner:
    return owner(first)


async def refused(asked: Awaitable[object]) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await asked
    return refusal.value.code(), error_info(refusal.value).reason


async def answer(first: Replica, fake: FakeProvider, text: str = "Elementary, my dear.") -> str:
    """The name of a character's message with this text."""
    fake.script(Behaviour(answer=[text]))
    person = first.person()
    return (await person.turn(await opened(person)))[-1].finished.message.name


def audio_requests(fake: FakeProvider) -> list[dict[str, object]]:
    return [one.body for one in fake.requests if one.path.startswith("/v1/audio")]


# Writing down


async def test_a_recording_is_written_down_and_every_minute_begun_costs(
    alices: Owner, fake: FakeProvider, quota: FakeQuota
) -> None:
    fake.script(Behaviour(answer=["Good ", "evening."], usage=(0, 61)))
    kept = await alices.keep(recording(70))
    told = await transcribed(alices, kept.name, "en")
    assert told == media_pb2.Transcript(text="Good evening.", model="ears", seconds=61, charged=2)
    assert audio_requests(fake) == [
        {
            "file": {"name": "recording.wav", "type": "audio/wav", "bytes": kept.size_bytes},
            "model": "whisper",
            "response_format": "verbose_json",
            "language": "en",
        }
    ]
    assert (quota.charges(), quota.states(), quota.settled[0].usage.resource) == (
        [{"transcription": 2}],
        [SETTLED],
        kept.name,
    )


async def test_what_is_heard_is_without_what_cannot_be_kept(alices: Owner, fake: FakeProvider) -> None:
    fake.script(Behaviour(answer=["\0 Good", "\ud800 even\0ing. "]))
    assert (await transcribed(alices, (await alices.keep(recording())).name)).text == "Good? evening."


@pytest.mark.parametrize(
    ("behaviour", "seconds", "charged"),
    [
        (Behaviour(answer=["Hm."], usage=None), 130.0055, 3),
        (Behaviour(answer=["Hm."], usage=(0, 5), usage_with_reason=True), 5.0, 1),
        # More than was held is charged, too.
        (Behaviour(answer=["Hm."], usage=(0, 500)), 500.0, 9),
    ],
)
async def test_the_model_tells_how_long_it_is_or_else_the_recording_does(
    alices: Owner, fake: FakeProvider, behaviour: Behaviour, seconds: float, charged: int
) -> None:
    fake.script(behaviour)
    told = await transcribed(alices, (await alices.keep(recording(130))).name)
    assert (told.seconds, told.charged) == (seconds, charged)


async def test_who_says_less_than_is_heard_pays_as_much_as_who_does_not(
    alices: Owner, fake: FakeProvider, quota: FakeQuota
) -> None:
    fake.otherwise = Behaviour(answer=["Hm."], usage=(0, 325))
    name = (await alices.keep(recording())).name
    assert (await transcribed(alices, name, "", UUID_1)).charged == 6
    assert (quota.charges(), quota.states(), quota.others["transcription"]) == (
        [{"transcription": 6}],
        [RELEASED, SETTLED],
        4,
    )
    assert await refused(transcribed(alices, name)) == EXHAUSTED
    assert (quota.states()[2:], quota.others["transcription"]) == ([RELEASED], 4)
    quota.payers["transcription"] = ("credits", 3)
    quota.others["transcription"] = 10
    assert (await transcribed(alices, name)).charged == 18


async def test_a_header_that_lies_makes_nothing_cheaper(alices: Owner, fake: FakeProvider) -> None:
    fake.otherwise = Behaviour(answer=["Hm."], usage=None)
    honest = recording(130)
    lying = honest[:28] + b"\xf0\xff\xff\xff" + honest[32:]
    assert [(await transcribed(alices, (await alices.keep(one)).name)).charged for one in (honest, lying)] == [3, 3]


async def test_a_retry_is_told_the_same_and_costs_nothing(
    first: Replica, second: Replica, alices: Owner, fake: FakeProvider, quota: FakeQuota
) -> None:
    name = (await alices.keep(recording())).name
    fake.otherwise = Behaviour(answer=["Hm."], usage=(0, 2), first_word_ms=300)
    at_once = await asyncio.gather(*(transcribed(one, name, "", UUID_1) for one in (alices, owner(second), alices)))
    later = await transcribed(owner(second), name, "", UUID_1)
    assert [*at_once, later] == [media_pb2.Transcript(text="Hm.", model="ears", seconds=2, charged=1)] * 4
    assert (len(audio_requests(fake)), quota.charges()) == (1, [{"transcription": 1}])


async def test_what_a_process_that_died_was_at_is_done_by_the_next_who_asks(
    alices: Owner, database: str, quota: FakeQuota
) -> None:
    media = UUID((await alices.keep(recording())).name[6:])
    connection = await asyncpg.connect(database)
    claim = """
        INSERT INTO chat.dictations (user_id, id, media_id, claim, claimed_until)
        VALUES ('alice', $1, $2, gen_random_uuid(), now() + make_interval(secs => $3))
    """
    await connection.execute(claim, uuid5(media, UUID_1), media, -1.0)
    await connection.close()
    assert (await transcribed(alices, f"media/{media}", "", UUID_1)).charged == 1
    assert quota.charges() == [{"transcription": 1}]


async def test_credits_pay_for_minutes(alices: Owner, quota: FakeQuota) -> None:
    quota.payers["transcription"] = ("credits", 3)
    told = await transcribed(alices, (await alices.keep(recording())).name)
    assert (told.charged, quota.charges()) == (3, [{"credits": 3}])


FAULTS = [
    (Behaviour(status=500), UNAVAILABLE),
    (Behaviour(status=401), UNAVAILABLE),
    (Behaviour(error="rate"), UNAVAILABLE),
    (Behaviour(reset=True), UNAVAILABLE),
    (Behaviour(malformed_after=0), UNAVAILABLE),
    (Behaviour(status=400), INVALID),
]


@pytest.mark.parametrize(("behaviour", "expected"), FAULTS)
async def test_what_a_model_fails_at_costs_nothing_and_can_be_asked_again(
    alices: Owner, fake: FakeProvider, quota: FakeQuota, behaviour: Behaviour, expected: tuple[grpc.StatusCode, str]
) -> None:
    fake.script(behaviour)
    name = (await alices.keep(recording())).name
    assert await refused(transcribed(alices, name, "", UUID_1)) == expected
    assert (quota.states(), quota.others["transcription"]) == ([RELEASED], 10)
    assert (await transcribed(alices, name, "", UUID_1)).charged == 1


async def test_the_next_model_is_asked_where_one_fails(
    around: Surroundings, claude: Model, fake: FakeProvider, tmp_path: Path
) -> None:
    file = tmp_path / "models.toml"
    file.write_text(MODELS + MODELS.replace('"ears"', '"others"').replace('"mouth"', '"beak"'))
    fake.script(Behaviour(status=500))
    async with (
        AudioRoster(file, {"URL": f"{fake.url}/v1"}) as roster,
        replica(around, [claude], able=roster.able) as first,
    ):
        alices = owner(first)
        assert (await transcribed(alices, (await alices.keep(recording())).name)).model == "others"


async def test_who_hangs_up_pays_nothing_and_can_ask_again(alices: Owner, fake: FakeProvider, quota: FakeQuota) -> None:
    fake.script(Behaviour(silent=True))
    name = (await alices.keep(recording())).name
    asking = asyncio.create_task(transcribed(alices, name, "", UUID_1))
    await eventually(lambda: len(audio_requests(fake)) == 1)
    asking.cancel()
    await eventually(lambda: quota.states() == [RELEASED])
    assert (await transcribed(alices, name, "", UUID_1)).charged == 1


async def test_without_credit_no_model_is_asked(alices: Owner, fake: FakeProvider, quota: FakeQuota) -> None:
    quota.others["transcription"] = 1
    assert await refused(transcribed(alices, (await alices.keep(recording(61))).name)) == EXHAUSTED
    assert (audio_requests(fake), quota.holds) == ([], {})


async def test_only_ones_own_recordings_are_written_down(first: Replica, alices: Owner) -> None:
    image, sound = (await alices.keep(picture())).name, (await alices.keep(recording())).name
    assert [
        await refused(transcribed(alices, image)),
        await refused(transcribed(owner(first, "bob"), sound)),
        await refused(transcribed(alices, f"media/{UUID_1}")),
    ] == [INVALID, *[(grpc.StatusCode.NOT_FOUND, "MEDIA_NOT_FOUND")] * 2]


# Reading aloud


async def test_a_message_is_read_aloud_in_pieces_and_every_thousand_characters_begun_cost(
    first: Replica, alices: Owner, fake: FakeProvider, quota: FakeQuota
) -> None:
    sentence = "It is a capital mistake to theorise before one has data. "
    name = await answer(first, fake, sentence * 20)
    sound = await read_aloud(alices, name, "nova")
    spoken = audio_requests(fake)
    assert (sound.content_type, sound.data) == ("audio/mpeg", FRAME * 6 * 20)
    assert spoken == [{"model": "tts", "voice": "nova", "response_format": "mp3", "input": sentence}] * 20
    assert quota.charges()[1:] == [{"speech": 2}]
    assert quota.settled[1].usage == quota_pb2.Usage(resource=name, model="mouth")


async def test_a_character_has_a_voice_of_its_own(first: Replica, alices: Owner, fake: FakeProvider) -> None:
    await read_aloud(alices, await answer(first, fake))
    await read_aloud(alices, await answer(first, fake))
    voices = {one["voice"] for one in audio_requests(fake)}
    assert (len(voices), voices <= {"alloy", "nova"}) == (1, True)


async def test_the_same_message_is_made_once_in_every_voice_even_if_two_want_it_at_once(
    first: Replica, second: Replica, alices: Owner, fake: FakeProvider, quota: FakeQuota
) -> None:
    name = await answer(first, fake)
    fake.otherwise = Behaviour(first_word_ms=300)
    sounds = await asyncio.gather(*(read_aloud(one, name, "nova") for one in (alices, owner(second), alices)))
    sounds.append(await read_aloud(owner(second), name, "nova"))
    assert {one.data for one in sounds} == {FRAME * 2}
    assert (len(audio_requests(fake)), quota.charges()[1:]) == (1, [{"speech": 1}])
    await read_aloud(alices, name, "alloy")
    assert (len(audio_requests(fake)), quota.charges()[1:]) == (2, [{"speech": 1}] * 2)


async def test_a_message_with_another_text_is_made_anew(
    first: Replica, alices: Owner, fake: FakeProvider, quota: FakeQuota, database: str
) -> None:
    name = await answer(first, fake)
    await read_aloud(alices, name, "nova")
    connection = await asyncpg.connect(database)
    await connection.execute("UPDATE chat.messages SET text = 'No.' WHERE role = 'character'")
    await connection.close()
    sound = await read_aloud(alices, name, "nova")
    assert (sound.data, quota.charges()[1:]) == (FRAME, [{"speech": 1}] * 2)


@pytest.mark.parametrize(("behaviour", "expected"), FAULTS)
async def test_what_is_not_spoken_costs_nothing_and_can_be_asked_again(
    first: Replica,
    alices: Owner,
    fake: FakeProvider,
    quota: FakeQuota,
    behaviour: Behaviour,
    expected: tuple[grpc.StatusCode, str],
) -> None:
    name = await answer(first, fake)
    fake.script(behaviour)
    assert await refused(read_aloud(alices, name)) == expected
    assert (quota.states(), quota.others["speech"]) == ([SETTLED, RELEASED], 10)
    assert (await read_aloud(alices, name)).data == FRAME * 2


async def test_what_cannot_be_charged_is_free(
    first: Replica, alices: Owner, fake: FakeProvider, quota: FakeQuota
) -> None:
    fake.script(Behaviour(usage=(0, 2)))
    name = (await alices.keep(recording())).name
    quota.settles.clear()
    asking = asyncio.create_task(transcribed(alices, name, "", UUID_1))
    await eventually(lambda: len(audio_requests(fake)) == 1)
    quota.away = True
    quota.settles.set()
    assert (await asking).charged == 0
    assert ((await transcribed(alices, name, "", UUID_1)).charged, quota.states()) == (0, [HELD])


async def test_only_a_characters_whole_message_is_read_aloud_in_a_voice_that_there_is(
    first: Replica, alices: Owner, fake: FakeProvider, quota: FakeQuota
) -> None:
    name = await answer(first, fake)
    question = (await first.person().messages(name.partition("/messages/")[0]))[0].name
    quota.others["speech"] = 0
    assert [
        await refused(read_aloud(alices, question)),
        await refused(read_aloud(alices, name, "onyx")),
        await refused(read_aloud(owner(first, "bob"), name)),
        await refused(read_aloud(alices, name)),
    ] == [INVALID, INVALID, (grpc.StatusCode.NOT_FOUND, "MESSAGE_NOT_FOUND"), EXHAUSTED]
    assert audio_requests(fake) == []


async def test_a_message_that_is_being_made_is_not_read_aloud(
    first: Replica, alices: Owner, fake: FakeProvider
) -> None:
    fake.script(Behaviour(answer=["Hm.", "No."], stall_after=1))
    person = first.person()
    events = person.sending(await opened(person))
    started = await anext(events)
    assert await refused(read_aloud(alices, started.message)) == (grpc.StatusCode.ABORTED, "ANSWER_IN_PROGRESS")
    await events.aclose()


async def test_where_no_model_hears_or_speaks_that_is_said(
    around: Surroundings, claude: Model, fake: FakeProvider, quota: FakeQuota
) -> None:
    async with replica(around, [claude]) as first:
        alices = owner(first)
        name, sound = await answer(first, fake), (await alices.keep(recording())).name
        assert [await refused(transcribed(alices, sound)), await refused(read_aloud(alices, name))] == [
            (grpc.StatusCode.FAILED_PRECONDITION, "NO_MODEL_FOR_TRANSCRIPTION"),
            (grpc.StatusCode.FAILED_PRECONDITION, "NO_MODEL_FOR_SPEECH"),
        ]
    assert quota.states() == [SETTLED]
